"""An independent reader, a process of its own: reads every party's topics from their beginning and folds as a party does.

It shares no code with the platform (aiokafka and the standard library). Every half second it writes what it knows: orders
seen, and lines that a party would use: the last word on the line is a grant, and no order covers it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

EVERY_S = 0.5


class Party:
    """What one party was told."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}

    def usable(self) -> list[list[str]]:
        return [
            [line["record"], line["channel"]]
            for line in self.lines.values()
            if "stop_url" in line and not any(covers(order, line) for order in self.orders.values())
        ]


def covers(order: dict[str, Any], line: dict[str, Any]) -> bool:
    same = line["consent_id"] in order["consent_ids"] or bool(keys(order) & keys(line))
    scoped = all(
        order[s] == "all" or line[n] in order[s] for s, n in (("channels", "channel"), ("purposes", "purpose"))
    )
    return same and scoped and order["at"] >= line["collected_at"]


def keys(body: dict[str, Any]) -> set[str]:
    return {key["key"] for key in body.get("match_keys", ())}


async def run(bootstrap: str, out: Path, prefix: str) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, metadata_max_age_ms=2000
    )
    await consumer.start()
    consumer.subscribe(pattern=r"^out\..*\.(permissions|withdrawals)$")
    parties: dict[str, Party] = {}
    written = 0.0
    loop = asyncio.get_running_loop()
    while True:
        for partition, records in (await consumer.getmany(timeout_ms=200)).items():
            _, party, kind = partition.topic.split(".")
            known = parties.setdefault(party, Party())
            for record in records:
                body = json.loads(record.value)
                if kind == "withdrawals":
                    known.orders[body["order_id"]] = body
                else:
                    known.lines[body["record"], body["channel"], body["purpose"]] = body
        if loop.time() - written > EVERY_S:
            written = loop.time()
            write(out, parties, prefix)


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
