"""An auditor who only reads: topics from their first record to their last, the archive's collections, and nothing else.

It recomputes every promise from what it finds (P1 nothing lost, P2 no permission without a valid line, P3 no stop missed, P4
consistent checkpoints) and raises AssertionError naming what is missing. It shares no code with the services but the
Merkle functions, which the published vectors prove.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient

from shared.crypto.merkle import CompactRange, leaf_hash
from shared.kafka.reading import topic_names
from shared.verdicts import said
from tests.reading import every_record


@dataclass(slots=True)
class Seen:
    """Parsed records by topic, in the order of each partition."""

    by_topic: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def facts(self, topic: str, kind: str) -> list[dict[str, Any]]:
        """Facts of one kind."""
        return [said(v) for v in self.by_topic[topic] if v["facts"]["kind"] == kind]

    def out(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """(party, body) of every `out.<party>.<kind>` record."""
        return [
            (t.split(".")[1], v)
            for t, values in self.by_topic.items()
            if t.startswith("out.") and t.endswith(kind)
            for v in values
        ]


async def read(bootstrap: str) -> Seen:
    """Every record of every topic but the clear ones."""
    seen = Seen()
    names = [t for t in await topic_names(bootstrap) if not t.startswith("in.") and t != "dead"]
    async with aclosing(every_record(bootstrap, names, seen.counts)) as records:
        async for record in records:
            value = json.loads(record.value) if record.value and record.value[:1] == b"{" else None
            seen.by_topic[record.topic].append(value)
    return seen


async def trails(bootstrap: str, events: Sequence[str]) -> dict[str, list[str]]:
    """What became of each event: every record of its id, the dead ones and receipts too; those found nowhere else than usual."""
    found: dict[str, list[str]] = {event: [] for event in events}
    names = [
        t for t in await topic_names(bootstrap) if t.startswith("in.") or t in ("stops", "dead") or "receipts" in t
    ]
    async with aclosing(every_record(bootstrap, names)) as records:
        async for record in records:
            told = record.value[:400].decode("utf-8", "replace") if "receipts" in record.topic else ""
            ids = {value.decode("utf-8", "replace") for name, value in record.headers if value and name == "ce_id"}
            for event in ids | {i.removeprefix("receipt:") for i in ids}:
                if event in found:
                    at = f"{record.topic}/{record.partition}/{record.offset} at {record.timestamp}"
                    found[event].append(f"{at} {told}".strip())
    usual = {"in", "stops", "out"}
    return {event: at for event, at in found.items() if {a.split(".")[0].split("/")[0] for a in at} != usual}


def nothing_lost(seen: Seen, sent: dict[str, str], recipients: int) -> None:
    """`sent`: record → event id. Each has a receipt, a consent, a verdict and `recipients` permissions."""
    receipts = defaultdict(set)
    for _, body in seen.out(".receipts"):
        receipts[body["event_id"]].add(body["status"])
    wrong = {e: receipts[e] for e in sent.values() if not receipts[e] or receipts[e] - {"accepted", "duplicate"}}
    assert not wrong, f"{len(wrong)} inputs without a good receipt: {list(wrong.items())[:3]}"
    for topic, kind in (("consents", "consent.recorded"), ("verdicts", "consent.assessed")):
        found = {f["record"] for f in seen.facts(topic, kind)}
        missing = set(sent) - found
        assert not missing, f"{len(missing)} of {len(sent)} not on {topic}: {sorted(missing)[:3]}"
    told = defaultdict(set)
    for party, body in seen.out(".permissions"):
        told[body["record"]].add(party)
    untold = {r: told[r] for r in sent if len(told[r]) != recipients}
    assert not untold, f"{len(untold)} records not told to all {recipients}: {list(untold.items())[:3]}"


def no_permission_without_a_valid_line(seen: Seen) -> None:
    """P2: every grant stands on a valid line of a verdict."""
    valid = {
        (f["record"], line["recipient"], line["channel"])
        for f in seen.facts("verdicts", "consent.assessed")
        for line in f["lines"]
        if line["verdict"] == "valid"
    }
    for party, body in seen.out(".permissions"):
        if "basis" in body and "reasons" not in body:
            assert (body["record"], party, body["channel"]) in valid


def no_stop_missed(seen: Seen, stopped: dict[str, str]) -> None:
    """`stopped`: record → stop id sent for it. Every party of a line not refused, and the collector, has an order."""
    lines = defaultdict(set)
    for f in seen.facts("verdicts", "consent.assessed"):
        lines[f["record"]] |= {f["collector"], *(x["recipient"] for x in f["lines"] if x["value"] != "refused")}
    ordered = defaultdict(set)
    for party, body in seen.out(".withdrawals"):
        for consent_id in body["consent_ids"]:
            ordered[body["stop_id"].rpartition("/")[2], consent_id].add(party)
    for record, stop_id in stopped.items():
        missing = lines[record] - ordered[stop_id, record.rpartition("/")[2]]
        assert lines[record], f"no verdict for {record}"
        recorded = any(f.get("stop", "").rpartition("/")[2] == stop_id for f in seen.facts("stops", "stop.recorded"))
        assert not missing, f"stop {stop_id} of {record} did not reach {missing}; on topic stops: {recorded}"


async def logs_agree(seen: Seen, mongodb: str) -> dict[str, int]:
    """P4: one log per partition holding every record once, and every checkpoint the root of a prefix. Sizes by topic."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb)
    sizes: dict[str, int] = defaultdict(int)
    try:
        heads = [h async for h in client.archive.heads.find()]
        per_topic = defaultdict(list)
        for head in heads:
            _, topic, _, partition = head["_id"].rsplit("/", 3)
            per_topic[topic, int(partition[1:])].append(head)
        assert all(len(h) == 1 for h in per_topic.values()), "a partition has two logs: a fork"
        for (topic, partition), (head,) in per_topic.items():
            assert head["size"] == seen.counts[topic, partition], f"{topic}/{partition} is not archived to its end"
            await _check_log(client, head)
            sizes[topic] += head["size"]
    finally:
        await client.close()
    return sizes


async def _check_log(client: AsyncMongoClient[dict[str, Any]], head: dict[str, Any]) -> None:
    notes = [d async for d in client.archive.checkpoints.find({"_id.log": head["log"]}).sort("_id.size", 1)]
    roots = {}
    for document in notes:
        origin, size, root = bytes(document["note"]).decode().split("\n")[:3]
        assert origin == head["_id"]
        roots[int(size)] = base64.b64decode(root)
    assert head["size"] == 0 or head["size"] in roots, f"{head['_id']} is not signed to its end"
    grown, index = CompactRange(), 0
    async for entry in client.archive.entries.find({"_id.log": head["log"]}).sort("_id.index", 1).limit(head["size"]):
        assert entry["_id"]["index"] == index, f"entry {index} of {head['_id']} is missing"
        assert json.loads(entry["bytes"])["offset"] == index
        grown = grown.append(leaf_hash(bytes(entry["bytes"])))
        index += 1
        if index in roots:
            assert grown.root() == roots[index], f"checkpoint {index} of {head['_id']} is not the root of its entries"
    assert index == head["size"]
