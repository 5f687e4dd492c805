"""Small forms that every part of an attestation shares: rows, and safe looks into facts that may be anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.proof_archive.attestation.case import Seen
from services.proof_archive.attestation.text import moment

Row = dict[str, Any]


def row(label: str, value: object, *, mono: bool = False) -> Row:
    """A line of two columns; `mono` for hashes and names of machines."""
    return {"k": label, "v": str(value), "mono": mono}


def archived(seen: Seen) -> list[Row]:
    """When a version of the registry was archived, and where."""
    place = f"journal du registre, entrée n° {seen.read.index}, position {seen.read.offset}"
    return [row("Version archivée le", f"{moment(seen.read.at)} ({place})")]


def version_of(value: Mapping[str, Any]) -> str:
    """What a version is called: its name in guillemets, and its number."""
    if not value.get("id"):
        return f"version {value['version']}" if value.get("version") is not None else "—"
    version = f", version {value['version']}" if value.get("version") is not None else ""
    return f"« {value['id']} »{version}"


def object_(value: Any) -> dict[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    """The items of a list as texts; none for anything else."""
    return [str(item) for item in value] if isinstance(value, list) else []
