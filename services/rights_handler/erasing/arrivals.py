"""What is read on `erasures` (group `rights_handler.erasures`): the index goes, the row of the erasure moves on.

Tombstone and deletion are one step (`tombstones`); the offset is committed last, and only then may the eraser destroy the key
(it looks at this group's position). So an error here halts the group and is never put aside. On an empty database the same
records make the same tombstones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.rights_handler import decoding
from services.rights_handler.erasing.model import Fate
from services.rights_handler.erasing.said import (
    KEY_DESTROYED,
    OWNER_SHREDDED,
    RECORD_ERASED,
    RECORD_RESTRICTED,
    is_owner,
)
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.stuck import STUCK
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.matching import stops_by_record
from services.rights_handler.ports import Index, Ledger
from shared.clock import Clock
from shared.errors import InputError, IntegrityError
from shared.instants import format_instant
from shared.kafka.record import Record

GROUP = "rights_handler.erasures"
_REPORT = "report/"
_MARKS = {RECORD_ERASED: "erased", RECORD_RESTRICTED: "restricted"}


class Arrivals:
    """The process of the group."""

    def __init__(
        self, *, store: MongoErasures, tombstones: Tombstones, index: Index, ledger: Ledger, clock: Clock
    ) -> None:  # fmt: skip
        self._store, self._tombstones = store, tombstones
        self._index, self._ledger, self._clock = index, ledger, clock

    async def process(self, records: Sequence[Record]) -> None:
        """One batch."""
        batch = [facts for record in records if (facts := self._facts(record)) is not None]
        marked = [facts for facts in batch if facts["kind"] in _MARKS and not is_owner(str(facts["record"]))]
        marks = {
            str(facts["record"]): _MARKS[facts["kind"]] for facts in marked
        }  # a stop or a request has no row there
        grants = await self._index.grants_of(marks)
        about = stops_by_record(await self._index.stops_about(grants), grants)
        now = format_instant(self._clock.now())
        await self._tombstones.strip(marks, {r: [stop.id for stop in stops] for r, stops in about.items()}, now)
        owners = [owner for facts in batch for owner in (facts["record"], *facts.get("also", ()))]
        await self._tombstones.forget_reports([o.removeprefix(_REPORT) for o in owners if o.startswith(_REPORT)])
        for facts in batch:
            await self._moved(facts, now)
        done = [str(facts["record"]) for facts in batch if facts["kind"] in (KEY_DESTROYED, RECORD_RESTRICTED)]
        await self._ledger.close_obligations([f"erasure/{record}" for record in done], now)

    async def _moved(self, facts: Mapping[str, Any], now: str) -> None:
        kind, record = facts["kind"], str(facts["record"])
        at = str(facts.get("requested_at", now))
        if kind == RECORD_RESTRICTED:
            fate = Fate("restrict", facts["until"], tuple(facts["because"]))
            await self._store.said(record, "restricted", next_at=now, fate=fate, at=at)
        elif kind in (RECORD_ERASED, OWNER_SHREDDED):
            stuck = format_instant(self._clock.now() + STUCK)
            await self._store.said(record, "erased", next_at=stuck, fate=Fate("erase"), at=at)
        elif kind == KEY_DESTROYED:
            await self._store.said(record, "done", next_at=None, fate=None, at=at)

    def _facts(self, record: Record) -> Mapping[str, Any] | None:
        """The facts of a record that moves an erasure. Raises IntegrityError where it cannot be read, as the eraser does."""
        try:
            event = decoding.read(record.value)
        except InputError:
            place = f"partition {record.partition}, offset {record.offset}"
            raise IntegrityError(f"a record of erasures cannot be read ({place}): nothing moves past it") from None
        moves = event.kind in (*_MARKS, OWNER_SHREDDED, KEY_DESTROYED) and isinstance(event.facts.get("record"), str)
        return event.facts if moves else None
