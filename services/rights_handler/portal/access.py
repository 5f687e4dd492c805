"""Who may read: whoever proves to hold the contact. Asking gives everyone the same answer, in the same time.

Asking stores one row and looks nobody up: whether anything is known of the contact is found out afterwards, by
`inviting`, which writes to the contact itself. So neither the page nor its delay tells who is known here (CWE-204, CWE-208).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.rights_handler.persons import Persons
from services.rights_handler.portal.contact import Typed
from services.rights_handler.portal.passes import Lifetimes, Seals, name_of, new_code, new_letter_code, new_token, same
from services.rights_handler.portal.store import PortalStore
from shared.clock import Clock
from shared.errors import OpposableError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IPV6_SITE = 64
"""Bits of an IPv6 address that one subscriber has: the rest can be changed at will."""


class TooMany(OpposableError):  # noqa: N818 - an answer, not a fault
    """This network address has asked too often in the hour."""

    code = "TOO-MANY"


@dataclass(frozen=True, slots=True)
class Limits:
    """How often, in an hour."""

    asks_per_contact: int
    asks_per_address: int
    stops_per_address: int
    letters_per_contact: int = 1
    """In a day."""
    letters_per_address: int = 3
    """Asked for, in a day: each costs a stamp."""
    codes_per_address: int = 60
    """Tries of codes, in an hour."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person who proved to hold a contact."""

    token: str
    contact: Typed
    contact_key: str
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Passes and sessions."""

    store: PortalStore
    seals: Seals
    persons: Persons
    clock: Clock
    lifetimes: Lifetimes
    limits: Limits

    async def ask(self, contact: Typed, address: str) -> str:
        """Ask for a link or a code; returns the handle that a code is entered with (of a link it is worth nothing).

        Raises TooMany by network address. By contact nothing is said: only nothing more is sent.
        """
        now = self.clock.now()
        await self.within(now, "ask", address, self.limits.asks_per_address)
        sent = await self._count(now, "contact", self.persons.contact_key(contact.kind, contact.value))
        token, by_link = new_token(), contact.kind == "email"
        code = None if by_link else new_code()
        # A handle shown on the page must not open anything by itself: a link's token is another one, only ever mailed.
        name = name_of(token)
        quiet = sent > self.limits.asks_per_contact
        secret = None if quiet else (token if by_link else code)
        await self.store.add_pass(
            name, self.seals.seal(name, contact, secret), now=now, until=now + self.lifetimes.link,
            code=None if code is None else self.seals.code_mark(name, code),
        )  # fmt: skip
        return new_token() if by_link else token

    async def ask_letter(self, contact: Typed, address: str) -> None:
        """Ask for a code by letter. Raises TooMany by network address; by contact nothing is said."""
        now = self.clock.now()
        await self.within(now, "letter", address, self.limits.letters_per_address, DAY)
        sent = await self._count(now, "contact", self.persons.contact_key(contact.kind, contact.value), DAY)
        code = new_letter_code()
        name = self.seals.letter_name(code)
        secret = code if sent <= self.limits.letters_per_contact else None
        until = now + self.lifetimes.letter
        await self.store.add_pass(name, self.seals.seal(name, contact, secret), now=now, until=until, code=None)

    async def by_letter(self, code: str, address: str) -> str | None:
        """Use a letter's code up: the token of the session it opens, or None. Raises TooMany by network address."""
        now, name = self.clock.now(), self.seals.letter_name(code)
        await self.within(now, "code", address, self.limits.codes_per_address)
        row = await self.store.use_link(name, now)
        return None if row is None else await self._open(self.seals.open(name, row.sealed)[0], now)

    async def by_link(self, token: str) -> str | None:
        """Use a link up: the token of the session it opens, or None."""
        now, name = self.clock.now(), name_of(token)
        row = await self.store.use_link(name, now)
        return None if row is None else await self._open(self.seals.open(name, row.sealed)[0], now)

    async def by_code(self, handle: str, code: str) -> str | None:
        """Use a code up: the token of the session it opens, or None (wrong, used, too late, or too many tries)."""
        now, name = self.clock.now(), name_of(handle)
        found = await self.store.try_code(name, now)
        if found is None:
            return None
        row, mark = found
        if not same(mark, self.seals.code_mark(name, code)) or not await self.store.use_code(name, now):
            return None
        return await self._open(self.seals.open(name, row.sealed)[0], now)

    async def usable(self, token: str) -> bool:
        """Whether a link could be used now; looking does not use it."""
        return await self.store.peek(name_of(token), self.clock.now())

    async def session(self, token: str) -> Session | None:
        """The session of a token, where it has not ended."""
        name = name_of(token)
        row = await self.store.session(name, self.clock.now())
        if row is None:
            return None
        contact, _ = self.seals.open(name, row.sealed)
        return Session(token, contact, self.persons.contact_key(contact.kind, contact.value), row.asked)

    async def note(self, session: Session, asked: list[str]) -> None:
        """Remember what was asked for, to show it before it has come through."""
        await self.store.note(name_of(session.token), asked)

    async def leave(self, session: Session) -> None:
        """End a session at once."""
        await self.store.end_session(name_of(session.token))

    async def within(self, now: datetime, what: str, address: str, most: int, period: timedelta = HOUR) -> None:
        """Raise TooMany once a network address has done something more than `most` times in the period."""
        if await self._count(now, what, _site(address), period) > most:
            raise TooMany("too many requests from this network address")

    async def _count(self, now: datetime, what: str, value: str, period: timedelta = HOUR) -> int:
        window = int(now.timestamp() // period.total_seconds())
        return await self.store.count(self.seals.limit_key(what, value, window), now + period)

    async def _open(self, contact: Typed, now: datetime) -> str:
        token = new_token()
        name = name_of(token)
        await self.store.add_session(name, self.seals.seal(name, contact), now + self.lifetimes.session)
        return token


def _site(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, IPV6_SITE), strict=False))
    return str(parsed)
