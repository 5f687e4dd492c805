"""The access answer as a tagged PDF (PDF/UA-1: read aloud, in French), made by the Typst library from `answer.typ`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typst

TEMPLATE = Path(__file__).with_name("answer.typ")


def access_pdf(answer: dict[str, Any], at: datetime) -> bytes:
    """The PDF of an answer. Blocks for about half a second: call it in a thread. `at`: its date."""
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"data": orjson.dumps(answer).decode()},
        pdf_standards=["ua-1"],
        timestamp=at.replace(microsecond=0),  # the library takes whole seconds only
        ignore_system_fonts=True,
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made
