"""The door: what begins an erasure, and what is answered about one. See `door.Erases` for the contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from services.rights_handler.erasing import said
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.holds import held, scopes_of
from services.rights_handler.erasing.model import Cause, Erasure, Fate, Planned
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.table import on_request
from services.rights_handler.ports import Index
from shared.clock import Clock
from shared.errors import InputError, Problem
from shared.instants import format_instant


class Admissions(Protocol):
    """Which names the vault has ever admitted."""

    async def known(self, record_ids: Collection[str]) -> set[str]:
        """Those of these."""
        ...


class Erasing:
    """`door.Erases` on the stores."""

    def __init__(
        self, *, store: MongoErasures, holds: MongoHolds, index: Index, vault: Admissions, clock: Clock
    ) -> None:
        self._store, self._holds, self._index, self._vault, self._clock = store, holds, index, vault, clock

    async def erase(
        self, records: Collection[str], *, cause: Cause, also: Mapping[str, Sequence[str]] | None = None
    ) -> list[Planned]:
        """Begin; see `door.Erases`."""
        planned = await self.plan(records, cause=cause)
        now = format_instant(self._clock.now())
        await self._store.begin([
            Erasure(
                one.record, cause, now, "decided" if said.is_owner(one.record) else _first(cause),
                owners=tuple(sorted((also or {}).get(one.record, ()))), parties=one.parties, received_at=one.received_at,
                fate=one.fate if said.is_owner(one.record) else None, next_at=now,
            )
            for one in planned if one.state is None
        ])  # fmt: skip
        rows = await self._store.of([one.record for one in planned])
        return [Planned(one.record, one.fate, rows[one.record].state, one.parties, one.received_at) for one in planned]

    async def plan(self, records: Collection[str], *, cause: Cause) -> list[Planned]:
        """What would become of each; see `door.Erases`."""
        wanted = list(dict.fromkeys(records))
        unknown = set(wanted) - await self._vault.known(wanted)
        if unknown:
            raise InputError([
                Problem("RECORD-UNKNOWN", f"/records/{wanted.index(record)}", "no such record was ever admitted")
                for record in sorted(unknown, key=wanted.index)
            ])  # fmt: skip
        begun = await self._store.of(wanted)
        grants = {grant.record: grant for grant in await self._index.grants_of(wanted)}
        once = await self._index.once_valid(grants)
        now = format_instant(self._clock.now())
        found = []
        for record in wanted:
            row, grant = begun.get(record), grants.get(record)
            parties = said.parties_of(grant) if grant is not None else (said.source_of(record),)
            keys: Collection[str] = grant.contact_keys if grant is not None else ()
            received = grant.received_at if grant is not None else None
            if row is not None:
                parties, keys, received = row.parties or parties, row.contact_keys or keys, row.received_at or received
            if row is not None and row.fate is not None:
                fate = row.fate
            elif grant is None or cause is Cause.RETENTION or said.is_owner(record):
                fate = Fate("erase")
            else:
                fate = on_request(grant, once.get(record, ()), now)
            if row is None or row.state not in ("erased", "done"):
                fate = held(_without_holds(fate), await self._holds.on(scopes_of(record, keys, parties)))
            found.append(Planned(record, fate, None if row is None else row.state, parties, received))
        return found


def _first(cause: Cause) -> Literal["deciding", "objecting"]:
    """Where an erasure begins: at the end of a retention nobody has to be told to stop."""
    return "deciding" if cause is Cause.RETENTION else "objecting"


def _without_holds(fate: Fate) -> Fate:
    """What the table alone says: holds come and go."""
    codes = tuple(code for code in fate.codes if not code.startswith("HOLD:"))
    return Fate("erase") if fate.until is None and not codes else Fate(fate.outcome, fate.until, codes)
