"""Write the stream of the demonstration: `consents.jsonl` and `withdrawals.jsonl`, the same bytes for the same seed.

    python deploy/example/generate.py [--seed 20260811] [--scale 1.0] [--out DIR]

2 000 well-formed consents (1 660 sound, 340 following punished practices), then 60 malformed inputs of 15 kinds,
40 duplicates, 20 conflicts and 8 re-imports that come after the withdrawals; 40 withdrawals. One JSON object a line:

    topic, key   where it is published and under which Kafka key
    ce           {id, source, type}: the CloudEvents attributes, sent as headers
    data         the event; or raw_b64, its exact bytes where it is broken; raw_headers replaces ce where headers are
    after_s      {JSON pointer: seconds}: dates relative to the publication, written into data when published
                 (a pointer that ends in valid_until gives a date, the others an instant)
    wave         2 = published after the withdrawals (default 1); anchor = the wave that after_s counts from
    scenario     what it shows
    expect       status of its receipt; for accepted ones the number of verdict lines by verdict and of each reason
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from world.events import Author, Line, catalogue, dump
from world.faults import contradict, malformed, repeat
from world.people import population
from world.sanctions import SANCTIONS
from world.sound import SOUND
from world.withdrawals import Given, reimports, stops

SEED = 20260811
"""The day telephone prospecting became consent only."""

PEOPLE, STRANGERS = 1500, 4
DUPLICATES, CONFLICTS = 40, 20


def build(seed: int = SEED, scale: float = 1.0) -> tuple[list[Line], list[Line]]:
    """Lines of both files. `scale` (0.1 at least) shrinks consents, practices and repeats alike, each kept at least twice."""
    rng = random.Random(seed)
    people = population(PEOPLE + STRANGERS, rng)
    customers, strangers = people[:PEOPLE], people[PEOPLE:]
    author = Author(rng, catalogue())

    given = []
    for scenario, count in SOUND:
        for _ in range(_scaled(count, scale)):
            person = rng.choice(customers)
            given.append(Given(scenario(author, person), person))
    lines = [one.line for one in given]
    for pattern, count in SANCTIONS:
        lines += [pattern(author, rng.choice(customers)) for _ in range(_scaled(count, scale))]
    rng.shuffle(lines)

    duplicates, conflicts = _scaled(DUPLICATES, scale), _scaled(CONFLICTS, scale)
    originals = rng.sample([g.line for g in given if g.line["scenario"].startswith("game_")], duplicates + conflicts)
    late = malformed(author, customers)
    for line in late:
        lines.insert(rng.randrange(len(lines)), line)
    for index, original in enumerate(originals):
        copy = repeat(original) if index < duplicates else contradict(original, index)
        # After its original, as a retry comes after what it repeats.
        lines.insert(rng.randrange(lines.index(original) + 1, len(lines) + 1), copy)
    withdrawn = stops(given, strangers, rng)
    return lines + reimports(author, given, withdrawn), withdrawn


def _scaled(count: int, scale: float) -> int:
    return max(2, round(count * scale))


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    consents, withdrawals = build(options.seed, options.scale)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, lines in (("consents", consents), ("withdrawals", withdrawals)):
        (options.out / f"{name}.jsonl").write_text(dump(lines), "utf-8")
        print(f"{name}.jsonl: {len(lines)} lines")


if __name__ == "__main__":
    main()
