"""Reads PDFs back: their text without what typesetting adds, and the pictures in them."""

import io
import re

from pypdf import PdfReader


def flat(text):
    """A text without spaces and breaks."""
    return re.sub(r"[\s\u200b]+", "", text)


def text_of(pdf):
    return flat("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def images_of(pdf):
    """How many pictures made of pixels a PDF holds."""
    objects = PdfReader(io.BytesIO(pdf))
    return sum(
        1 for number in range(1, len(objects.xref[0]) + len(objects.xref_objStm) + 1)
        if getattr(found := objects.get_object(number), "get", lambda _: None)("/Subtype") == "/Image" and "/SMask" not in str(found.get("/Type"))
    )  # fmt: skip
