"""From a document to PDF: typst with its embedded fonts only, PDF/A-2a and PDF/UA-1 at once. The same input, the same bytes.

The compiler works outside the interpreter's lock, so a thread is enough to keep the event loop free; how many work at once
is bounded. A screenshot is handed over as a file in memory (`/dev/shm` where there is one), removed at once.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import typst

from services.proof_archive.attestation.case import Case
from services.proof_archive.attestation.document import document_of
from services.proof_archive.attestation.page_shown import screenshot_of
from services.proof_archive.attestation.picture import Picture, picture_of

TEMPLATE = Path(__file__).with_name("template.typ")
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
AT_ONCE = 2
"""Renderings at the same time in one process: each takes a core."""
_TALL = 0.75
"""Height to width from which a picture is bounded by its height."""
_UNREADABLE = (
    "La capture est conservée par la plateforme et son empreinte est la bonne, mais elle ne peut pas être imprimée ici "
    "(format inconnu, image endommagée ou trop grande) : elle est jointe au dossier de preuve."
)
_TOO_LARGE = (
    "La capture est conservée par la plateforme ; trop volumineuse pour figurer ici, elle se demande par son empreinte."
)


def render(case: Case) -> bytes:
    """The PDF of a case; the screenshot is taken from the bundle's evidence where it is there. Blocks for some 30 ms."""
    sha256 = screenshot_of(case)
    data = case.request.evidence.get(sha256) if sha256 is not None else None
    picture = picture_of(data) if data is not None else None
    if picture is not None:
        try:
            return _compile(document_of(case, picture), case.at, picture)
        except typst.TypstError:  # it begins like a picture and is none
            picture = None
    held = _TOO_LARGE if sha256 in case.request.held else None
    return _compile(document_of(case, None, _UNREADABLE if data is not None else held), case.at, None)


def pages(case: Case, ppi: float = 110) -> Sequence[bytes]:
    """The pages as PNG, for who looks at them."""
    sha256 = screenshot_of(case)
    data = case.request.evidence.get(sha256) if sha256 is not None else None
    picture = picture_of(data) if data is not None else None
    made = _typst(document_of(case, picture), case.at, picture, format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


class Renderer:
    """Renders in threads, `at_once` at a time; the others wait their turn."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turns = asyncio.Semaphore(at_once)

    async def pdf(self, case: Case) -> bytes:
        """The PDF of a case, without holding up the event loop."""
        async with self._turns:
            return await asyncio.to_thread(render, case)


def _compile(document: dict[str, Any], at: datetime, picture: Picture | None) -> bytes:
    made = _typst(document, at, picture, format="pdf", pdf_standards=STANDARDS)
    assert isinstance(made, bytes)  # noqa: S101 - a PDF is one file
    return made


def _typst(document: dict[str, Any], at: datetime, picture: Picture | None, **options: Any) -> Any:
    code = document.pop("code")
    inputs = {"document": json.dumps(document, ensure_ascii=False), "code": code["svg"], "held": code["held"]}
    if picture is not None:
        inputs |= {"picture": picture.name, "shape": "tall" if picture.height > _TALL * picture.width else "wide"}
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="attestation-") as root:
        if picture is not None:
            (Path(root) / picture.name).write_bytes(picture.data)
        return typst.compile(
            TEMPLATE.read_bytes(), root=root, font_paths=_fonts(), ignore_system_fonts=True, sys_inputs=inputs,
            timestamp=int(at.timestamp()), **options,
        )  # fmt: skip


def _memory() -> str | None:
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, for its owner alone
    return str(shared) if shared.is_dir() else None


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)
