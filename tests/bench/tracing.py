"""What traces cost a batch: off, on and sampled out, on and traced. `python -m tests.bench.tracing [--json]`."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

import structlog

from shared.kafka.batch import BatchLoop
from shared.kafka.publisher import Outgoing
from shared.kafka.record import StoredRecord
from shared.metrics import Metrics
from shared.tracing import HEADER, BatchTracing

RECORDS, ROUNDS = 1000, 30
SAMPLED = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HEADERS = (("ce_specversion", b"1.0"), ("ce_id", b"e"), ("ce_source", b"acme"), ("ce_type", b"t"))


class Nowhere:
    """An exporter that drops."""

    def export(self, _spans: object) -> None:
        """Drop."""

    def shutdown(self) -> None:
        """Nothing to end."""

    def force_flush(self, _timeout: int = 0) -> bool:
        """Nothing is held."""
        return True


def records(topic: str, traced_every: int) -> list[StoredRecord]:
    """A batch; every n-th record carries a sampled context (0: none)."""
    return [
        StoredRecord(topic, 0, n, 0, b"k%d" % n, b"{}",
                     (*HEADERS, (HEADER, SAMPLED)) if traced_every and n % traced_every == 0 else HEADERS)
        for n in range(RECORDS)
    ]  # fmt: skip


async def nanoseconds(tracing: BatchTracing | None, batch: list[StoredRecord]) -> float:
    """A record's share of one batch and of publishing one message a record, in ns (median of rounds)."""
    messages = [Outgoing("verdicts", r.key, b"{}", HEADERS) for r in batch]

    async def process(_records: object) -> None:
        if tracing is not None:
            tracing.carried(messages)

    loop = BatchLoop(
        group="bench", process=process, publisher=None, metrics=Metrics(), log=structlog.get_logger(), tracing=tracing
    )  # type: ignore[arg-type]
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        await loop.run(batch, None)
        found.append((time.perf_counter_ns() - started) / RECORDS)
    return statistics.median(found)


async def measure() -> dict[str, float]:
    """Every case."""
    out = BatchTracing("bench", Nowhere(), 0.0)  # type: ignore[arg-type]
    cases = {
        "off": (None, records("consents", 0)),
        "on, nothing of the batch traced": (out, records("consents", 0)),
        "on, entering, sampled out": (out, records("in.acme.consents", 0)),
        "on, one in a hundred traced": (out, records("consents", 100)),
        "on, every record traced": (out, records("consents", 1)),
    }
    found = {name: await nanoseconds(*case) for name, case in cases.items()}
    out.stop()
    return found


if __name__ == "__main__":
    result = asyncio.run(measure())
    if "--json" in sys.argv:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"| {name} | {value:,.0f} |")
