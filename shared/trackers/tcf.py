"""Reads a TC string of the IAB Transparency and Consent Framework v2 (2.0 to 2.2): the core segment, and nothing is guessed.

Format: "Consent string and vendor list formats v2", segments of base64url bits; only the core decides here. Pure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from shared.errors import InputError, Problem

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECISECONDS = 10
VERSION = 2
PURPOSES = 24
NOT_ALLOWED, REQUIRE_CONSENT, REQUIRE_INTEREST = 0, 1, 2
"""Types of a publisher's restriction on a purpose for some vendors."""
MOST_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Restriction:
    """The publisher restricts a purpose for some vendors."""

    purpose: int
    type: int
    vendors: frozenset[int]


@dataclass(frozen=True, slots=True)
class TcString:
    """The core of a TC string. Purposes and vendors by their number in IAB's lists."""

    created: datetime
    last_updated: datetime
    cmp_id: int
    cmp_version: int
    language: str
    vendor_list: int
    policy: int
    service_specific: bool
    special_features: frozenset[int]
    purposes: frozenset[int]
    """Purposes consented to."""
    purposes_interest: frozenset[int]
    """Purposes for which legitimate interest was told and not objected to: no consent, and no basis for trackers in France."""
    publisher_country: str
    vendors: frozenset[int]
    """Vendors consented to."""
    vendors_interest: frozenset[int]
    restrictions: tuple[Restriction, ...]

    def consents(self, vendor: int, purposes: frozenset[int]) -> bool:
        """Whether the person consented to this vendor for all of these purposes, and the publisher forbids none of them."""
        barred = any(
            r.purpose in purposes and vendor in r.vendors and r.type in {NOT_ALLOWED, REQUIRE_INTEREST}
            for r in self.restrictions
        )
        return vendor in self.vendors and purposes <= self.purposes and not barred


class _Bits:
    """A cursor over the bits of a segment, most significant first."""

    def __init__(self, segment: str) -> None:
        try:
            raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _fault("not base64url") from None
        self._number, self._left = int.from_bytes(raw), len(raw) * 8

    def number(self, width: int) -> int:
        if width > self._left:
            raise _fault("it ends in the middle of a field")
        self._left -= width
        return self._number >> self._left & ((1 << width) - 1)

    def flag(self) -> bool:
        return self.number(1) == 1

    def text(self) -> str:
        return "".join(chr(ord("A") + self.number(6)) for _ in range(2))

    def instant(self) -> datetime:
        tenths = self.number(36)
        try:
            return EPOCH + timedelta(seconds=tenths // DECISECONDS, milliseconds=tenths % DECISECONDS * 100)
        except OverflowError:
            raise _fault("a date beyond the year 9999") from None

    def set_bits(self, width: int) -> frozenset[int]:
        return frozenset(index for index in range(1, width + 1) if self.flag())

    def ranges(self, most: int | None = None) -> Iterator[int]:
        for _ in range(self.number(12)):
            lone = not self.flag()
            first = self.number(16)
            last = first if lone else self.number(16)
            if last < first or (most is not None and last > most):
                raise _fault("a range of vendors that cannot be")
            yield from range(first, last + 1)

    def vendors(self) -> frozenset[int]:
        most = self.number(16)
        return frozenset(self.ranges(most)) if self.flag() else self.set_bits(most)


def decode(text: str) -> TcString:
    """The core of a TC string. Raises InputError where it is none of version 2."""
    if len(text) > MOST_CHARACTERS:
        raise _fault("it is too long")
    bits = _Bits(text.strip().partition(".")[0])
    version = bits.number(6)
    if version != VERSION:
        raise InputError([Problem("TCF-VERSION", "/tc_string", "only version 2 of the framework is read")])
    created, updated = bits.instant(), bits.instant()
    cmp_id, cmp_version = bits.number(12), bits.number(12)
    bits.number(6)  # the screen of the banner: says nothing here
    language, vendor_list, policy = bits.text(), bits.number(12), bits.number(6)
    service_specific = bits.flag()
    bits.flag()  # whether texts are the publisher's own
    features, purposes, interest = bits.set_bits(12), bits.set_bits(PURPOSES), bits.set_bits(PURPOSES)
    bits.flag()  # whether purpose one was treated apart (never in France)
    country = bits.text()
    vendors, vendors_interest = bits.vendors(), bits.vendors()
    restrictions = tuple(
        Restriction(bits.number(6), bits.number(2), frozenset(chain(bits.ranges()))) for _ in range(bits.number(12))
    )
    return TcString(
        created, updated, cmp_id, cmp_version, language, vendor_list, policy, service_specific, features, purposes, interest,
        country, vendors, vendors_interest, restrictions,
    )  # fmt: skip


def _fault(message: str) -> InputError:
    return InputError([Problem("TCF-STRING", "/tc_string", f"not a TC string: {message}")])
