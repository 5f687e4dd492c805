"""Screenshots as bytes: which format, how large. What is not a picture of a bounded size is not given to the typesetter.

PNG (ISO/IEC 15948, IHDR) and JPEG (ITU-T T.81, SOFn) are recognised by their first bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MOST_PIXELS = 40_000_000
"""Pixels of a picture that is printed: decoding takes four bytes each."""
MOST_BYTES = 16 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header (T.81 table B.1); the three left out are tables and an extension."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be printed."""

    name: str
    data: bytes
    width: int
    height: int


def picture_of(data: bytes) -> Picture | None:
    """The picture of these bytes; None where they are none, or too large a one."""
    if len(data) > MOST_BYTES:
        return None
    if data.startswith(_PNG):
        name, size = "capture.png", _png_size(data)
    elif data.startswith(_JPEG):
        name, size = "capture.jpg", _jpeg_size(data)
    else:
        return None
    if size is None or min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
        return None
    return Picture(name, data, *size)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":  # noqa: PLR2004 - signature, length, type, width, height
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:  # noqa: PLR2004 - every segment begins so
            return None
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
