"""An independent reader, a process of its own: reads every party's topics from their beginning and folds as a party does.

It shares no code with the platform (aiokafka and the standard library). Every half second it writes what it knows: orders
seen, and lines that a party would use: the last word on the line is a grant, and no order covers it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

EVERY_S = 0.5


class Party:
    """What one party was told."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.about: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        """Orders by what they name: a consent, or a key of a contact."""

    def order(self, body: dict[str, Any]) -> None:
        self.orders[body["order_id"]] = body
        for name in {*body["consent_ids"], *keys(body)}:
            self.about[name][body["order_id"]] = body

    def usable(self) -> list[list[str]]:
        granted = [line for line in self.lines.values() if "stop_url" in line]
        return [[line["record"], line["channel"]] for line in granted if not self.stopped(line)]

    def stopped(self, line: dict[str, Any]) -> bool:
        names = {line["consent_id"], *keys(line)}
        return any(covers(order, line) for name in names for order in self.about.get(name, {}).values())


def covers(order: dict[str, Any], line: dict[str, Any]) -> bool:
    """An order about this consent or contact: does it forbid the line?"""
    scoped = all(
        order[s] == "all" or line[n] in order[s] for s, n in (("channels", "channel"), ("purposes", "purpose"))
    )
    return scoped and order["at"] >= line["collected_at"]


def keys(body: dict[str, Any]) -> set[str]:
    return {key["key"] for key in body.get("match_keys", ())}


async def run(bootstrap: str, out: Path, prefix: str) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, metadata_max_age_ms=2000
    )
    await consumer.start()
    consumer.subscribe(pattern=r"^out\..*\.(permissions|withdrawals)$")
    parties: dict[str, Party] = {}
    written, every = 0.0, EVERY_S
    loop = asyncio.get_running_loop()
    while True:
        for partition, records in (await consumer.getmany(timeout_ms=200)).items():
            _, party, kind = partition.topic.split(".")
            known = parties.setdefault(party, Party())
            for record in records:
                body = json.loads(record.value)
                if kind == "withdrawals":
                    known.order(body)
                else:
                    known.lines[body["record"], body["channel"], body["purpose"]] = body
        if loop.time() - written > every:
            started = loop.time()
            write(out, parties, prefix)
            written = loop.time()
            every = max(EVERY_S, 5 * (written - started))  # a long soak: more to write, less often


def write(out: Path, parties: dict[str, Party], prefix: str) -> None:
    seen = {
        "orders": [
            [name, order["stop_id"].rpartition("/")[2], consent]
            for name, party in parties.items()
            for order in party.orders.values()
            if f"/{prefix}" in order["stop_id"]
            for consent in order["consent_ids"]
        ],
        "told": [[name, *key[:2]] for name, party in parties.items() for key in party.lines],
        "usable": [[name, *line] for name, party in parties.items() for line in party.usable()],
    }
    temporary = out.with_suffix(".tmp")
    temporary.write_text(json.dumps(seen))
    os.replace(temporary, out)  # noqa: PTH105


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
