"""The canonical ZIP of bundles: stored members, fixed dates and attributes, so that the same members give the same bytes.

A reader accepts only what the writer would write, byte for byte: no compression (no bombs), no other name than the known
ones (no path traversal), no comment, no hidden data between, before or after members (PKWARE APPNOTE 6.3.x §4.3). It reads
the directory by itself, so that every verifier, whatever its language and version, gives one file one answer.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from services.proof_archive.verifying.codes import Refused

MAX_BYTES = 64 * 1024 * 1024
"""Largest bundle made or read."""

MAX_MEMBERS = 16_384
"""Most members of a bundle: far below the 65 535 where ZIP changes its format."""

_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100644 << 16
_LOCAL_SIZE = 30
"""Bytes of a local header before its name."""
_CENTRAL = struct.Struct("<4s6H3I5H2I")
"""A line of the directory before its name: signature, versions, flags, method, time, date, checksum, sizes, lengths, …"""
_END = struct.Struct("<4s4H2IH")
_LONGEST_COMMENT = 0xFFFF
_NAME = re.compile(
    rb"manifest\.json|manifest\.note|LISEZMOI\.txt|disclosures\.json|timeline\.json|attestation\.pdf"
    rb"|entries/[0-9]{3,5}\.(?:bin|body|tlog-proof)|evidence/[0-9a-f]{64}\.bin"
    rb"|timestamps/[0-9a-f]{64}\.(?:consistency|json|tsr)"
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
    listed = list(_directory(data))
    _check_directory(listed, len(data))
    members, at = {}, 0
    for member in listed:  # where the writer would have put it; anywhere else, the comparison below fails
        at += _LOCAL_SIZE + len(member.name)
        members[member.name.decode("ascii")] = data[at : at + member.size]
        at += member.size
    if write_zip(members) != data:
        raise Refused("ZIP-NOT-CANONICAL")
    return members


class _Listed(NamedTuple):
    """What the directory says of a member."""

    name: bytes
    size: int
    is_plain: bool
    """Stored as it is: neither compressed nor encrypted, nothing left for after its data."""


def _directory(data: bytes) -> Iterator[_Listed]:
    """The directory that the last end record points to, at most one more member than a bundle has."""
    end = data.rfind(b"PK\5\6", max(0, len(data) - _END.size - _LONGEST_COMMENT))
    if end < 0 or end + _END.size > len(data):
        raise Refused("ZIP-UNREADABLE")
    at = end - _END.unpack_from(data, end)[5]
    if at < 0:
        raise Refused("ZIP-UNREADABLE")
    for _ in range(MAX_MEMBERS + 1):
        if at == end:
            return
        if at + _CENTRAL.size > end or data[at : at + 4] != b"PK\1\2":
            raise Refused("ZIP-UNREADABLE")
        fields = _CENTRAL.unpack_from(data, at)
        flags, method, packed, size = fields[3], fields[4], fields[8], fields[9]
        name = at + _CENTRAL.size
        at = name + fields[10] + fields[11] + fields[12]
        if at > end:
            raise Refused("ZIP-UNREADABLE")
        yield _Listed(data[name : name + fields[10]], size, flags == 0 and method == 0 and packed == size)


def _check_directory(listed: list[_Listed], size: int) -> None:
    """Everything that must be known before one member is read."""
    if len(listed) > MAX_MEMBERS:
        raise Refused("TOO-LARGE")
    if sum(member.size for member in listed) > size:
        raise Refused("ZIP-BOMB")
    for member in listed:
        if not member.is_plain:
            raise Refused("ZIP-COMPRESSED")
        if _NAME.fullmatch(member.name) is None:
            raise Refused("ZIP-PATH")
    if len({member.name for member in listed}) != len(listed):
        raise Refused("ZIP-DUPLICATE")
