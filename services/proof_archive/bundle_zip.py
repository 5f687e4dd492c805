"""The canonical ZIP of bundles: stored members, fixed dates and attributes, so that the same members give the same bytes.

A reader accepts only what the writer would write, byte for byte: no compression (no bombs), no other name than the known
ones (no path traversal), no comment, no hidden data between, before or after members (PKWARE APPNOTE 6.3.x).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping

from services.proof_archive.verify_codes import Refused

MAX_BYTES = 64 * 1024 * 1024
"""Largest bundle made or read."""

MAX_MEMBERS = 16_384
"""Most members of a bundle: far below the 65 535 where ZIP changes its format."""

_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100644 << 16
_NAME = re.compile(
    r"manifest\.json|manifest\.note|LISEZMOI\.txt|disclosures\.json|timeline\.json"
    r"|entries/[0-9]{3,5}\.(?:bin|body|tlog-proof)|evidence/[0-9a-f]{64}\.bin"
)


def write_zip(members: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """The ZIP of these members, in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, data in members.items() if isinstance(members, Mapping) else members:
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = _UNIX, _MODE
            archive.writestr(info, data)
    return buffer.getvalue()


def read_zip(data: bytes) -> dict[str, bytes]:
    """Members by name, in order. Raises Refused naming what no bundle has."""
    if len(data) > MAX_BYTES:
        raise Refused("TOO-LARGE")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive.infolist(), len(data))
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OSError, struct.error) as error:
        raise Refused("ZIP-UNREADABLE") from error
    if write_zip(members) != data:
        raise Refused("ZIP-NOT-CANONICAL")
    return members


def _check_directory(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Everything that must be known before one member is read."""
    if len(infos) > MAX_MEMBERS:
        raise Refused("TOO-LARGE")
    if sum(info.file_size for info in infos) > size:
        raise Refused("ZIP-BOMB")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits or info.file_size != info.compress_size:
            raise Refused("ZIP-COMPRESSED")
        if _NAME.fullmatch(info.orig_filename) is None:
            raise Refused("ZIP-PATH")
    if len({info.filename for info in infos}) != len(infos):
        raise Refused("ZIP-DUPLICATE")
