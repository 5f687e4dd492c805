"""Plays the demonstration on a running system, step by step, and waits for each step by reading the topics.

Waiting never judges: where something does not come in time, the counts at the end say what is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka import ConsumerRecord
from rich.progress import Progress, TaskID

from services.cli.demo_cast import Cast
from services.cli.demo_ledger import Ledger, TopicReader, body, header
from services.cli.demo_log import all_covered, covered
from services.cli.demo_picture import picture
from services.cli.demo_reach import everyone_concerned
from services.cli.demo_stream import Line, Message, Place, message, publish, wave
from services.cli.demo_text import Words
from shared.crypto.policy import Policy
from shared.instants import from_millis
from shared.topics import CONSENTS, DELIVERIES, REGISTRY, STOPS, VERDICTS, party_of

POLL_S = 0.4
STEP_S = 60.0
"""Longest wait for one step. A fast machine needs a few seconds."""
FRESH_S = 3600.0
"""Relative dates further back than this are old on purpose."""
ACKNOWLEDGED = "opposable.order.acknowledged.v1"


@dataclass(slots=True)
class Played:
    """What was sent, and what did not finish in time."""

    sent: dict[Place, Line] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)


class Play:
    """One demonstration under way."""

    def __init__(
        self, bootstrap: str, reader: TopicReader, policy: Policy, cast: Cast, progress: Progress, words: Words
    ) -> None:
        self.played = Played()
        self._bootstrap, self._reader, self._policy = bootstrap, reader, policy
        self._cast, self._progress, self._words = cast, progress, words
        self._owing = cast.playing("silent", "unknown")
        self._bases: dict[int, datetime] = {}

    async def consents(self, lines: Sequence[Line]) -> None:
        """Publish the first wave, and wait until each input is answered, assessed, told and sealed."""
        first = wave(lines, 1)
        await self._registry_older_than(first)
        self._bases[1] = datetime.now(UTC)
        await self._publish("publishing", [message(line, self._bases) for line in first])
        await self._settled()

    async def withdrawals(self, lines: Sequence[Line]) -> None:
        """Publish the withdrawals; wait for every order, for the answers of those who answer, for a reminder to the others."""
        base = {1: datetime.now(UTC)}
        await self._publish("withdrawing", [message(line, base) for line in lines])
        ledger = await self._until({"withdrawing": lambda led: (len(led.of(STOPS.name)), len(lines))})
        expected = everyone_concerned(picture(ledger), self.played.sent)
        chased = sum(party in self._owing for _, party, _ in expected)
        mute = sum(party in self._cast.playing("silent") for _, party, _ in expected)
        await self._until(
            {
                "reaching": lambda led: (_orders(led, reminders=False), len(expected)),
                "answering": lambda led: (_answers(led), len(expected) - mute),
                "chasing": lambda led: (_orders(led, reminders=True, of=self._owing), chased),
            }
        )

    async def reimports(self, lines: Sequence[Line]) -> None:
        """Publish what comes back after the withdrawals."""
        second = wave(lines, 2)
        self._bases[2] = datetime.now(UTC)
        await self._publish("returning", [message(line, self._bases) for line in second])
        await self._settled()

    async def quiet(self) -> None:
        """Wait until every answer of the parties is receipted and every record is under a signed checkpoint."""
        await self._settled(final=True)

    async def _publish(self, label: str, messages: Sequence[Message]) -> None:
        task = self._task(label, len(messages))
        places = await publish(self._bootstrap, messages, lambda count: self._progress.advance(task, count))
        self.played.sent |= {place: one.line for place, one in zip(places, messages, strict=True)}

    async def _settled(self, *, final: bool = False) -> None:
        accepted = [line for line in self.played.sent.values() if "verdicts" in line["expect"]]
        lines = sum(sum(line["expect"]["verdicts"].values()) for line in accepted)
        steps: dict[str, Callable[[Ledger], tuple[int, int]]] = {
            "receipts": lambda led: (count(led, "out.", ".receipts"), count(led, "in.")),
            "assessed": lambda led: (len(led.of(VERDICTS.name)), len(accepted)),
            "permitted": lambda led: (count(led, "out.", ".permissions"), lines),
            "sealed": lambda led: (_sealed(led, self._policy), len(led.of(CONSENTS.name)) + len(led.of(VERDICTS.name))),
        }
        if final:
            steps |= {
                "answering": lambda led: (_count_acknowledged(led), _answers(led)),
                "chasing": lambda led: (
                    _orders(led, reminders=True, of=self._owing),
                    _orders(led, reminders=False, of=self._owing),
                ),
                "sealed": lambda led: (int(all_covered(led, self._policy)), 1),
            }
        await self._until(steps)

    async def _until(self, steps: Mapping[str, Callable[[Ledger], tuple[int, int]]]) -> Ledger:
        """Read until each step's count reaches its total, moving the bars; give up after STEP_S and note it."""
        tasks = {label: self._task(label, None) for label in steps}
        end = time.monotonic() + STEP_S
        while True:
            self._cast.check()
            ledger = await self._reader.catch_up()
            counts = {label: step(ledger) for label, step in steps.items()}
            for label, (done, total) in counts.items():
                self._progress.update(tasks[label], completed=min(done, total), total=total)
            missing = [label for label, (done, total) in counts.items() if done < total]
            if not missing:
                return ledger
            if time.monotonic() > end:
                self.played.unfinished += missing
                return ledger
            await asyncio.sleep(POLL_S)

    async def _registry_older_than(self, lines: Sequence[Line]) -> None:
        """Evidence must be younger than the registered forms and lists it names: let the registry age a little."""
        dates = (seconds for line in lines for seconds in line.get("after_s", {}).values())
        oldest = min((seconds for seconds in dates if -FRESH_S < seconds < 0), default=0.0)
        registry = (await self._reader.catch_up()).of(REGISTRY.name)
        ready = from_millis(registry[-1].timestamp) + timedelta(seconds=1 - oldest)
        await asyncio.sleep(max(0.0, (ready - datetime.now(UTC)).total_seconds()))

    def _task(self, label: str, total: int | None) -> TaskID:
        return self._progress.add_task(self._words(label), total=total)


def count(ledger: Ledger, prefix: str, suffix: str = "") -> int:
    """Records of the topics with this prefix and suffix."""
    return sum(1 for _ in ledger.matching(prefix, suffix))


def _sealed(ledger: Ledger, policy: Policy) -> int:
    sizes = covered(ledger, policy)
    return sum(size for (topic, _), size in sizes.items() if topic in (CONSENTS.name, VERDICTS.name))


def _orders(ledger: Ledger, *, reminders: bool, of: set[str] | None = None) -> int:
    """Distinct orders received, first sendings or reminders."""
    found = {
        record.key
        for record in ledger.matching("out.", ".withdrawals")
        if (b'"reminder":0' not in (record.value or b"")) is reminders and (of is None or party_of(record.topic) in of)
    }
    return len(found)


def _answers(ledger: Ledger) -> int:
    return len({_order_of(r) for r in ledger.matching("in.", ".rights") if header(r, "ce_type") == ACKNOWLEDGED})


def _count_acknowledged(ledger: Ledger) -> int:
    """Orders whose answer the platform has taken in."""
    facts = (body(record)["facts"] for record in ledger.of(DELIVERIES.name))
    return len({fact["order"] for fact in facts if fact["kind"] == "delivery.acknowledged"})


def _order_of(record: ConsumerRecord) -> str:
    return str(body(record)["order_id"])
