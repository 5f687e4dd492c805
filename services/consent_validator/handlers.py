"""One batch of `consents`: a verdict for each recorded consent, published on `verdicts` with the sealed part unchanged.

What a verdict says is a function of the consent's facts, the registry and the instant of receipt: doing a record again gives
the same lines (only the registry offset may have grown), so that a replay needs no memory. The secret that hides its lines
from each other is drawn anew: two copies of one verdict commit to the same lines under other salts.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from services.consent_validator.deciding import ReviewDecision, decided
from services.consent_validator.domain import assess, cites_unknown
from services.consent_validator.rules.book import RuleBook
from services.consent_validator.verdict import Verdict
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.types import instant
from shared.crypto.sealing import KEY_SIZE
from shared.instants import from_millis
from shared.intake.consents import KIND
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.record import Record
from shared.metrics import Metrics
from shared.registry.feed import RegistryFeed
from shared.topics import VERDICTS

VERDICT_TYPE = "opposable.consent.assessed.v2"
SOURCE = "opposable/consent_validator"
CONFLICT = "consent.conflict"
DeadAll = Callable[[Sequence[tuple[Record, str, str]]], Awaitable[None]]
"""Puts records aside with a code and a sentence."""


class Assessor:
    """Handles batches of recorded consents."""

    def __init__(
        self,
        *,
        registry: RegistryFeed,
        publisher: Publisher,
        metrics: Metrics,
        book: RuleBook,
        draw: Callable[[int], bytes] = os.urandom,
        dead_all: DeadAll | None = None,
    ) -> None:
        self._registry, self._publisher, self._metrics, self._book = registry, publisher, metrics, book
        self._draw, self._dead_all = draw, dead_all

    async def process(self, records: Sequence[Record]) -> None:
        """Assess one batch. Conflicts, which share the topic, are no evidence to assess: they are passed over."""
        events = [event for _, event in await self._read(records)]
        view = self._registry.view
        if any(cites_unknown(event["facts"], view) for event in events):
            await self._registry.catch_up()  # LIST-UNKNOWN means: after reading to the registry's current end
        verdicts = [(event, self._verdict(event["facts"])) for event in events]
        await self._publisher.send_all([self._outgoing(event, verdict) for event, verdict in verdicts])
        for _, verdict in verdicts:
            for line in verdict.lines:
                self._metrics.verdict_lines.labels(line.verdict).inc()
                for reason in line.reasons:
                    self._metrics.verdict_reasons.labels(reason).inc()

    async def reassess(self, records: Sequence[Record]) -> None:
        """Assess recorded consents again, as of when that was asked: under these rules, on the registry's current end.

        Each verdict stands beside the earlier ones; its instant makes it the highest, so it is the one that counts. What
        persons decided about lines in review comes with the question, and holds where the law leaves room (`deciding`).
        """
        asked = await self._read(records)
        await self._registry.catch_up()
        verdicts = [
            (event, decided(self._verdict(event["facts"], from_millis(record.timestamp)), _decisions(event)))
            for record, event in asked
        ]
        await self._publisher.send_all([self._outgoing(event, verdict) for event, verdict in verdicts])

    async def _read(self, records: Sequence[Record]) -> list[tuple[Record, dict[str, Any]]]:
        """The recorded consents among these. What is neither that nor a conflict goes to `dead`: nothing is passed over in silence."""
        read: list[tuple[Record, dict[str, Any]]] = []
        refused: list[tuple[Record, str, str]] = []
        for record in records:
            event = _event(record)
            kind = None if event is None else event["facts"]["kind"]
            if event is None:
                refused.append((record, "FACTS", "no internal event: facts with a kind are missing"))
            elif kind == KIND:
                read.append((record, event))
            elif kind != CONFLICT:
                refused.append((record, "KIND-UNKNOWN", "an event of a kind that is no consent's"))
        if refused:
            if self._dead_all is None:
                raise ValueError(refused[0][2])
            await self._dead_all(refused)
        return read

    def _verdict(self, facts: dict[str, Any], at: datetime | None = None) -> Verdict:
        at = at or instant(facts["received_at"])
        return assess(facts, self._registry.view, at, self._book, live=True)

    def _outgoing(self, event: dict[str, Any], verdict: Verdict) -> Outgoing:
        facts = event["facts"]
        body = verdict.as_event(facts, self._draw(KEY_SIZE))
        if "sealed" in event:
            body["sealed"] = event["sealed"]
        envelope = Envelope(facts["event_id"], SOURCE, VERDICT_TYPE)
        return Outgoing(VERDICTS.name, facts["record"].encode(), canonical.dumps(body), tuple(to_headers(envelope)))


def _event(record: Record) -> dict[str, Any] | None:
    """The event of a record: an object whose facts name their kind; None where it is none."""
    try:
        event = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    facts = event.get("facts") if isinstance(event, dict) else None
    return event if isinstance(facts, dict) and isinstance(facts.get("kind"), str) else None


def _decisions(event: dict[str, Any]) -> list[ReviewDecision]:
    return [ReviewDecision.of(one) for one in event.get("decisions", ())]
