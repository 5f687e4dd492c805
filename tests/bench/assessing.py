"""How many consents a second one core accepts and assesses (no engine: CPU only).

    python -m tests.bench.assessing [--json]

One event of three decisions and three verdict lines, from Kafka headers and bytes to the verdict's bytes. The best of
several repeats is given: on a shared machine the others measure the neighbours.
"""

from __future__ import annotations

import argparse
import json
import timeit
from collections.abc import Callable
from pathlib import Path

import orjson

from services.consent_validator.domain import assess
from services.consent_validator.dry_run import assess_line
from shared import canonical
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.contracts.types import instant
from shared.intake.accept import accept
from shared.registry.load import load_dir, view_of

CASES = Path(__file__).resolve().parents[1] / "cases"
NUMBER, REPEATS = 2000, 9
CASE = "four-channels-each-granted"


def micros(work: Callable[[], object]) -> float:
    """Microseconds of one call, best of the repeats."""
    return min(timeit.repeat(work, number=NUMBER, repeat=REPEATS)) / NUMBER * 1e6


def measure() -> dict[str, float]:
    """Microseconds of each step, events a second of both, and the same for a line of a file answered by a line."""
    view = view_of(load_dir(CASES / "registry"))
    lines = (CASES / "public.jsonl").read_text("utf-8").splitlines()
    given = next(c["input"] for c in map(json.loads, lines) if c["name"] == CASE)
    given["data"]["decisions"] = given["data"]["decisions"][:3]
    source, received = given["ce"]["source"], instant(given["received_at"])
    headers = to_headers(Envelope(given["ce"]["id"], source, given["ce"]["type"], given["ce"]["time"]))
    value = orjson.dumps(given["data"])

    def accepting() -> dict[str, object]:
        envelope, data = from_headers(headers, value)
        return accept(envelope, data, party=source, received_at=received, registry=view).facts

    facts = accepting()

    def assessing() -> bytes:
        return canonical.dumps(assess(facts, view, received).as_event(facts, bytes(32)))

    line = orjson.dumps(given)

    def answering() -> bytes:
        return orjson.dumps(assess_line(orjson.loads(line), view))

    accept_us, assess_us, answer_us = micros(accepting), micros(assessing), micros(answering)
    return {
        "bytes": len(value),
        "accept_us": round(accept_us, 1),
        "assess_us": round(assess_us, 1),
        "events_per_second": round(1e6 / (accept_us + assess_us)),
        "line_us": round(answer_us, 1),
        "lines_per_second": round(1e6 / answer_us),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
        return
    print(
        f"{figures['events_per_second']:.0f} events a second on one core "
        f"({figures['accept_us']} µs to accept, {figures['assess_us']} µs to assess, {figures['bytes']:.0f} bytes); "
        f"`opposable assess`: {figures['lines_per_second']:.0f} ({figures['line_us']} µs)"
    )


if __name__ == "__main__":
    main()
