"""Plays the demonstration on a running system, step by step, and waits for each step by reading the topics.

Waiting never judges: where something does not come in time, the counts at the end say what is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rich.progress import Progress, TaskID

from services.cli.demo_cast import Cast
from services.cli.demo_ledger import Ledger, TopicReader, body
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

Step = Callable[[Ledger], tuple[int, int]]
"""(done, total), from what the topics say so far."""


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
        self._bases: dict[int, datetime] = {}

    async def consents(self, lines: Sequence[Line]) -> None:
        """Publish the first wave, and wait until each input is answered, assessed, told and sealed."""
        first = wave(lines, 1)
        await self._registry_older_than(first)
        self._bases[1] = datetime.now(UTC)
        await self._publish("publishing", [message(line, self._bases) for line in first])
        await self._until(self._steps())

    async def withdrawals(self, lines: Sequence[Line]) -> None:
        """Publish the withdrawals; wait for every order, for the answers of those who answer, for a reminder to the others."""
        base = {1: datetime.now(UTC)}
        await self._publish("withdrawing", [message(line, base) for line in lines])
        recorded = {"withdrawing": lambda led: (len(led.of(STOPS.name)), len(lines))}
        ledger = await self._until(recorded, shown=())
        expected = everyone_concerned(picture(ledger), self.played.sent)
        mute = sum(party in self._cast.playing("silent") for _, party, _ in expected)
        await self._until(
            {
                "reaching": lambda led: (len(_orders(led)), len(expected)),
                "answering": lambda led: (len(_answered(led)), len(expected) - mute),
            }
        )

    async def reimports(self, lines: Sequence[Line]) -> None:
        """Publish what comes back after the withdrawals."""
        second = wave(lines, 2)
        self._bases[2] = datetime.now(UTC)
        await self._publish("returning", [message(line, self._bases) for line in second])
        await self._until(self._steps(), shown=())

    async def quiet(self) -> None:
        """Wait until who owes is reminded, every answer taken in, and every record under a signed checkpoint."""
        await self._until(
            {
                **self._steps(),
                "chasing": self._chased,
                "answering": self._replied,
                "sealed": lambda led: (int(all_covered(led, self._policy)), 1),
            },
            shown=("chasing",),
        )

    async def _publish(self, label: str, messages: Sequence[Message]) -> None:
        task = self._task(label, len(messages))
        places = await publish(self._bootstrap, messages, lambda count: self._progress.advance(task, count))
        self.played.sent |= {place: one.line for place, one in zip(places, messages, strict=True)}

    def _steps(self) -> dict[str, Step]:
        """What every consent sent so far must have come to."""
        accepted = [line for line in self.played.sent.values() if "verdicts" in line["expect"]]
        lines = sum(sum(line["expect"]["verdicts"].values()) for line in accepted)
        return {
            "receipts": lambda led: (count(led, "out.", ".receipts"), count(led, "in.")),
            "assessed": lambda led: (len(led.of(VERDICTS.name)), len(accepted)),
            "permitted": lambda led: (count(led, "out.", ".permissions"), lines),
            "sealed": lambda led: (_sealed(led, self._policy), len(led.of(CONSENTS.name)) + len(led.of(VERDICTS.name))),
        }

    def _replied(self, ledger: Ledger) -> tuple[int, int]:
        """Orders answered, of those whose party answers."""
        put = _orders(ledger) - _orders(ledger, of=self._cast.playing("silent"))
        return len(put & _answered(ledger)), len(put)

    def _chased(self, ledger: Ledger) -> tuple[int, int]:
        """Orders reminded, of those that their party does not answer, or not acceptably."""
        owed = _orders(ledger, of=self._cast.playing("silent", "unknown")) - _closed(ledger)
        return len(owed & _reminded(ledger)), len(owed)

    async def _until(self, steps: Mapping[str, Step], shown: Collection[str] | None = None) -> Ledger:
        """Read until each step's count reaches its total, moving its bar; give up after STEP_S and note it.

        `shown`: steps that have a bar (default: all).
        """
        tasks = {label: self._task(label, None) for label in (steps if shown is None else shown)}
        end = time.monotonic() + STEP_S
        while True:
            self._cast.check()
            ledger = await self._reader.catch_up()
            counts = {label: step(ledger) for label, step in steps.items()}
            for label, task in tasks.items():
                done, total = counts[label]
                self._progress.update(task, completed=min(done, total), total=total)
            missing = [label for label, (done, total) in counts.items() if done < total]
            if not missing:
                return ledger
            if time.monotonic() > end:
                self.played.unfinished += missing
                return ledger
            await asyncio.sleep(POLL_S)

    async def _registry_older_than(self, lines: Sequence[Line]) -> None:
        """Evidence must be younger than the registered forms and lists it names: let the registry age a little."""
        collected = (line.get("after_s", {}).get("/collected_at", 0.0) for line in lines)
        oldest = min((seconds for seconds in collected if seconds > -FRESH_S), default=0.0)
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


def _orders(ledger: Ledger, of: Collection[str] | None = None) -> set[str]:
    """Orders received, by all parties or some."""
    records = ledger.matching("out.", ".withdrawals")
    return {(r.key or b"").decode() for r in records if of is None or party_of(r.topic) in of}


def _reminded(ledger: Ledger) -> set[str]:
    return _deliveries(ledger, "delivery.reminded")


def _answered(ledger: Ledger) -> set[str]:
    """Orders whose answer the platform has taken in."""
    return _deliveries(ledger, "delivery.acknowledged")


def _closed(ledger: Ledger) -> set[str]:
    return _deliveries(ledger, "delivery.acknowledged", closed=True)


def _deliveries(ledger: Ledger, kind: str, **wanted: bool) -> set[str]:
    facts = (body(record)["facts"] for record in ledger.of(DELIVERIES.name))
    return {f["order"] for f in facts if f["kind"] == kind and all(f.get(k) is v for k, v in wanted.items())}
