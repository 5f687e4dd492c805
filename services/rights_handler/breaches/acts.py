"""Acts on breaches: each is stored by compare-and-set, then archived; doing one twice archives it once. And the rounds that follow up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.rights_handler import messages
from services.rights_handler.breaches import model
from services.rights_handler.breaches.model import Breach, next_look
from services.rights_handler.breaches.store import MongoBreaches
from services.rights_handler.breaches.texts import party_notice
from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Instant
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.ports import Ledger, Obligation, Outbox
from services.rights_handler.teller import Registry
from shared import canonical
from shared.clock import Clock
from shared.contracts.platform import BREACH_NOTIFIED
from shared.errors import Unavailable
from shared.instants import format_instant, parse_instant
from shared.kafka.publisher import Outgoing
from shared.problems import Refusal
from shared.topics import DELIVERIES, OUT_REQUESTS

ATTEMPTS = 5
EVERY_S = 1.0
MOST = 100
AUTHORITY = "breach-notification"
NOTICE = "breach-notice"

Act = Callable[[Breach, Instant], Breach]


@dataclass(frozen=True, slots=True)
class Breaches:
    """What may be done with breaches."""

    store: MongoBreaches
    ledger: Ledger
    shown: MongoNotices
    outbox: Outbox
    registry: Registry
    clock: Clock
    log: Any

    async def open(self, breach: Breach) -> Breach:
        """Open one: its 72 hours run from when it was noticed. The same again changes nothing; another body is refused."""
        now = format_instant(self.clock.now())
        breach = breach.changed(now, "opened", next_at=next_look(breach, breach.noticed_at))
        if not await self.store.add(breach):
            there = await self.get(breach.id)
            if (there.noticed_at, there.what, there.natures) != (breach.noticed_at, breach.what, breach.natures):
                raise Refusal(409, "BREACH-EXISTS", "A breach of this id exists already, and says something else")
            breach = there
        await self.outbox.send_all([entry(breach)])
        if breach.authority is None and breach.closed_at is None:
            await self.ledger.open_obligations([self._clock_of(breach)])
        return breach

    async def get(self, identity: str) -> Breach:
        """One breach. Raises Refusal 404."""
        found = await self.store.get(identity)
        if found is None:
            raise Refusal(404, "BREACH-UNKNOWN", "No such breach is in the register")
        return found

    async def act(self, identity: str, change: Act) -> Breach:
        """Change one and archive what was done. Raises Refusal 404, or what the act refuses."""
        for _ in range(ATTEMPTS):
            now = format_instant(self.clock.now())
            after = change(await self.get(identity), now)
            if await self.store.save(after):
                await self.outbox.send_all([entry(after)])
                await self._settle(after, now)
                return after
        raise Unavailable("this breach keeps changing: ask again")

    async def tell(self, identity: str, parties: list[str]) -> Breach:
        """A notice to parties that may hold the data (none given: all that were counted), and an obligation of each."""
        view = self.registry.view
        before = await self.get(identity)
        wanted = parties or [name for name in before.by_party if view.party(name) is not None]
        unknown = [name for name in wanted if view.party(name) is None]
        if unknown or not wanted:
            raise Refusal(422, "BREACH-PARTY", "Name registered parties, or count who is affected first")

        def told(breach: Breach, now: Instant) -> Breach:
            new = {name: {"told_at": now, "acknowledged_at": None} for name in wanted if name not in breach.notices}
            return breach.changed(now, "parties_told", notices={**breach.notices, **new})

        after = await self.act(identity, told)
        await self.ledger.open_obligations([_owed(after, name) for name in wanted])
        await self.outbox.send_all([_notice(after, name) for name in wanted])
        return after

    async def run(self) -> None:
        """Count who is affected and remind, for ever."""
        while True:
            try:
                await self.step()
            except Unavailable as error:
                self.log.warning("breaches wait", reason=str(error))
            await asyncio.sleep(EVERY_S)

    async def step(self) -> int:
        """Look at what is due; returns how many."""
        now = self.clock.now()
        due = await self.store.due(format_instant(now), MOST)
        for breach in due:
            await self._look(breach, now)
        return len(due)

    async def _look(self, breach: Breach, now: datetime) -> None:
        at = format_instant(now)
        if breach.scope is not None and breach.counted_at is None:
            collectors = [party.id for party in self.registry.view.parties() if "collector" in party.roles]
            records, persons, by_party = await self.store.affected(breach.scope, collectors)
            after = breach.changed(
                at,
                "counted",
                records=records,
                persons=persons,
                by_party=by_party,
                counted_at=at,
                next_at=next_look(breach, at),
            )
        else:
            after = breach.changed(at, "reminded", next_at=next_look(breach, at))
            self.log.warning("a breach is not notified to the authority yet", breach=breach.id, due_at=breach.due_at)
        if await self.store.save(after):
            await self.outbox.send_all([entry(after)])
            await self._settle(after, at)

    async def _settle(self, breach: Breach, now: Instant) -> None:
        """Obligations as they are now: reopened with the next moment, or closed."""
        over = breach.authority is not None or breach.closed_at is not None
        name = f"{AUTHORITY}/{breach.id}"
        await self.shown.show([] if over else [self._clock_of(breach)], [name] if over else [], now)
        done = [
            f"{NOTICE}/{breach.id}/{party}"
            for party, one in breach.notices.items()
            if one["acknowledged_at"] or breach.closed_at
        ]
        await self.ledger.close_obligations(done, now)

    def _clock_of(self, breach: Breach) -> Obligation:
        return Obligation(
            f"{AUTHORITY}/{breach.id}", AUTHORITY, OPERATOR,
            "a breach of personal data: notify the authority within 72 hours, or record that a risk is unlikely (RGPD 33(1))",
            breach.opened_at, breach.due_at, breach.next_at, (("breach", breach.id),),
        )  # fmt: skip


def entry(breach: Breach) -> Outgoing:
    """The entry that archives the last act: codes, instants and counts, and the hash of the words."""
    act = breach.history[-1]
    facts: dict[str, Any] = {
        "kind": f"breach.{act['what']}", "v": 1, "breach": breach.id, "at": act["at"], "author": breach.author,
        "noticed_at": breach.noticed_at, "due_at": breach.due_at, "natures": sorted(breach.natures),
        "data": sorted(breach.data), "origin": breach.origin.value, "risk": breach.risk.value,
        "records": breach.records, "persons": breach.persons, "parties": sorted(breach.by_party),
        "told": sorted(breach.notices), "words_sha256": breach.words_sha256,
        "ending": None if breach.ending is None else breach.ending.value,
    }  # fmt: skip
    kind = f"breach.{act['what']}"
    headers = messages.headers_of(messages.event_id(kind, breach.id, str(breach.rev)), f"opposable.{kind}.v1")
    return Outgoing(DELIVERIES.name, f"breach/{breach.id}".encode(), canonical.dumps({"facts": facts}), headers)


def amended(values: dict[str, Any]) -> Act:
    """More is known: words, risk, the period; or a scope, which is counted next."""

    def act(breach: Breach, now: Instant) -> Breach:
        model.live(breach)
        if values.get("scope") is None:
            return breach.changed(now, "amended", **values)
        return breach.changed(now, "amended", **{**values, "counted_at": None, "next_at": now})

    return act


def acknowledged(party: str) -> Act:
    """A party said that it was told."""

    def act(breach: Breach, now: Instant) -> Breach:
        if party not in breach.notices:
            raise Refusal(404, "BREACH-PARTY", "This party was not told")
        one = {**breach.notices[party], "acknowledged_at": now}
        return breach.changed(now, "party_acknowledged", notices={**breach.notices, party: one})

    return act


def _owed(breach: Breach, party: str) -> Obligation:
    told = breach.notices[party]["told_at"]
    due = format_instant(parse_instant(told) + timedelta(hours=72))
    return Obligation(
        f"{NOTICE}/{breach.id}/{party}", NOTICE, party,
        "a breach that concerns data you hold was told to you: acknowledge it to the operator; your own 72 hours may run",
        told, due, due, (("breach", breach.id), ("party", party)),
    )  # fmt: skip


def _notice(breach: Breach, party: str) -> Outgoing:
    counts = breach.by_party.get(party, {})
    body = {
        "breach": breach.id, "noticed_at": breach.noticed_at, "began_at": breach.began_at, "ended_at": breach.ended_at,
        "natures": sorted(breach.natures), "data": sorted(breach.data), "records": counts.get("records"),
        "persons": counts.get("persons"), "text": party_notice(breach, party),
    }  # fmt: skip
    headers = messages.headers_of(messages.event_id(BREACH_NOTIFIED, breach.id, party), BREACH_NOTIFIED)
    return Outgoing(OUT_REQUESTS.of(party), f"breach/{breach.id}".encode(), canonical.dumps(body), headers)
