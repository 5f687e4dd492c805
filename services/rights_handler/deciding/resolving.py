"""A person decides: stored, archived, then a new verdict is asked for, until it is there. Each step can be repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from services.rights_handler.deciding.model import ANSWERED_WITHIN, NOTE, Made, decisions_on, fact
from services.rights_handler.deciding.store import MongoDecisions, made_of
from services.rights_handler.decoding import Internal
from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Instant
from services.rights_handler.former import Name
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.persons import KeySource
from services.rights_handler.ports import Index, Ledger, Obligation, Outbox
from shared.clock import Clock
from shared.contracts.reviews import DecisionReason, Outcome
from shared.crypto.sealing import commitments, seal, unseal
from shared.errors import IntegrityError, Unavailable
from shared.instants import format_instant, parse_instant
from shared.kafka.record import Record
from shared.problems import Refusal

TIMEOUT_S = 10.0
AGAIN_FIRST, AGAIN_MOST = timedelta(seconds=2), timedelta(minutes=10)
OVERDUE = "reviews-overdue"
LOOK_EVERY = timedelta(seconds=30)


class Reassessing:
    """Asks the archive, which keeps the facts, to have a record assessed again (`POST /v1/reassessments`)."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bearer {token}"}

    async def ask(self, record: str, decisions: list[dict[str, Any]]) -> bool:
        """True once the question is stored; False where the archive does not hold the record (yet). Raises Unavailable."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, headers=self._headers, trust_env=False) as client:
                answer = await client.post(
                    f"{self._url}/v1/reassessments", json={"record": record, "decisions": decisions}
                )
        except httpx.HTTPError as error:
            raise Unavailable("the archive does not answer") from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        if not answer.is_success:
            raise Unavailable("the archive does not take the question now")
        return True


@dataclass(slots=True)
class Deciding:
    """Takes decisions and follows them up. `within`: how long a line may wait for a person before it is overdue."""

    store: MongoDecisions
    index: Index
    ledger: Ledger
    shown: MongoNotices
    keys: KeySource
    outbox: Outbox
    archive: Reassessing
    clock: Clock
    within: timedelta
    log: Any
    _oldest: str | None = field(default=None)
    _next: datetime | None = field(default=None)

    async def decide(
        self,
        record: str,
        wanted: Collection[Name],
        outcome: Outcome,
        reason: DecisionReason,
        author: str,
        note: str | None,
    ) -> list[Made]:
        """The decisions, stored and archived. Raises Refusal 404, 409 or 422."""
        found = await self.index.grants_of([record])
        if not found or not found[0].lines:
            raise Refusal(404, "RECORD-UNKNOWN", "No such record is indexed, or it was erased")
        now = format_instant(self.clock.now())
        made = decisions_on(found[0], wanted, outcome, reason, author, now)
        sealed = None
        if note:
            key = (await self.keys.read([record])).get(record)
            if key is None:
                raise Refusal(409, "RECORD-GONE", "This record is erased or restricted: nothing is decided of it")
            document = {"note": note}
            sealed = seal(key, "review.decided", record, document)
            commitment = commitments(key, document, [NOTE])[NOTE]
            made = [replace(one, commitment=commitment) for one in made]
        await self.store.put(made, sealed)
        await self.ledger.open_obligations([_awaited(one) for one in made])
        stored = {row["_id"]: made_of(row) for row in await self.store.of(record)}
        kept = [stored.get(one.id, one) for one in made]  # the same decision again: as it was made first
        await self.outbox.send_all([fact(one) for one in kept])
        await self._ask(record, {one.id for one in kept}, 0)
        return kept

    async def note_of(self, record: str, blob: bytes | None) -> str | None:
        """What the person who decided wrote; None where nothing was, or the record's key is gone."""
        key = None if blob is None else (await self.keys.read([record])).get(record)
        if key is None or blob is None:
            return None
        try:
            return str(unseal(key, "review.decided", record, blob)["note"])
        except IntegrityError:
            return None

    async def after_verdicts(self, batch: Sequence[tuple[Record, Internal]]) -> None:
        """Verdicts were indexed: those that rest on decisions end the wait for them."""
        ids = {str(one) for _, event in batch for one in event.facts.get("decisions", ())}
        if ids:
            await self.answered(ids)

    async def answered(self, ids: Collection[str]) -> None:
        """A verdict that rests on these decisions is indexed."""
        now = format_instant(self.clock.now())
        await self.store.answered(ids, now)
        await self.ledger.close_obligations([_awaited_id(one) for one in ids], now)

    async def sweep(self, most: int) -> int:
        """Ask again for verdicts that have not come, and name reviews that wait too long (promise P7)."""
        now = self.clock.now()
        due = await self.store.due(format_instant(now), most)
        for record in dict.fromkeys(row["record"] for row in due):
            rows = [row for row in due if row["record"] == record]
            grants = await self.index.grants_of([record])
            if not grants or not grants[0].lines:  # erased since: nobody is told anything of it any more
                await self.answered([row["_id"] for row in rows])
                continue
            await self.outbox.send_all([fact(made_of(row)) for row in rows if not row.get("archived")])
            if not await self._ask(record, {row["_id"] for row in rows}, max(row["tries"] for row in rows)):
                break  # the archive is away: the others wait for the next round, and so do no reminders of orders
        if self._next is None or now >= self._next:
            await self._name_overdue(now)
            self._next = now + LOOK_EVERY
        return len(due)

    async def _ask(self, record: str, ids: Collection[str], tries: int) -> bool:
        """Ask for the verdict; False where the archive is away.

        Everything that was decided about the record goes along: the last one on a line counts. Their facts are said by now.
        """
        away = False
        wait = min(AGAIN_FIRST * 2 ** min(tries, 10), AGAIN_MOST)
        try:
            asked = await self.archive.ask(record, [made_of(row).wire for row in await self.store.of(record)])
        except Unavailable:
            asked, away = False, True
        if asked:
            wait = max(wait, timedelta(minutes=1))
        await self.store.again(ids, format_instant(self.clock.now() + wait))
        return not away

    async def _name_overdue(self, now: datetime) -> None:
        first = await self.store.waiting(None, None, 1)
        late = [(since, grant) for since, grant in first if parse_instant(since) + self.within <= now]
        gone = [OVERDUE] if not late else []
        await self.shown.show([_overdue(since, self.within, now) for since, _ in late], gone, format_instant(now))


def _awaited_id(decision: str) -> str:
    return f"review-decided/{decision}"


def _awaited(made: Made) -> Obligation:
    due = format_instant(parse_instant(made.decided_at) + ANSWERED_WITHIN)
    return Obligation(
        _awaited_id(made.id), "review-decided", OPERATOR,
        "a line in review was decided; the verdict that rests on it is awaited and asked for again by itself",
        made.decided_at, due, due, (("record", made.record),),
    )  # fmt: skip


def _overdue(since: Instant, within: timedelta, now: datetime) -> Obligation:
    due = format_instant(parse_instant(since) + within)
    return Obligation(
        OVERDUE, OVERDUE, OPERATOR, "lines of verdicts wait for a person longer than they may: `opposable review list`",
        since, due, format_instant(now + timedelta(days=1)),
    )  # fmt: skip
