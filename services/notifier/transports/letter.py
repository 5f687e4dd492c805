"""A letter as PDF, its address where the window of a French DL envelope shows it whole, however the sheet slides.

NF Z 10-011 and La Poste: DL 110 x 220 mm, window 35 x 100 mm, 20 mm from the right and from the bottom edge. A sheet of A4
folded in three (99 x 210 mm) slides by 11 mm down and 10 mm aside: what is always seen lies 100 to 190 mm from the left edge of
the sheet and 55 to 79 mm from its top. Text is given to typst as data, never as markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typst

from shared.contracts.person_messages import Content

TEMPLATE = Path(__file__).with_name("letter.typ")
MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre")  # fmt: skip
_PARIS = ZoneInfo("Europe/Paris")


def render(content: Content, reference: str, at: datetime, return_address: Sequence[str]) -> bytes:
    """The PDF of a letter."""
    day = at.astimezone(_PARIS)
    data = {
        "from": [line for line in return_address if line],
        "to": content.to.split("\n"),
        "date": f"le {'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}",
        "reference": reference[:12],
        "subject": content.subject,
        "paragraphs": [part for part in content.text.split("\n\n") if part.strip()],
        "annexes": [file.name for file in content.attachments],
    }
    pdf: bytes = typst.compile(TEMPLATE.read_bytes(), sys_inputs={"letter": json.dumps(data)}, format="pdf")
    return pdf
