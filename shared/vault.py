"""The vault: one key per record, and the guard against duplicates, conflicts and our own crashes (architecture.md).

Collection `vault.keys`: `{_id: record, key: AES-KW wrapped, src: "topic/partition/offset", mac, ce: "source id"}`, unique on
`_id` and on `ce`. Deleting a row erases the record everywhere (crypto-shredding); only the eraser's role may.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bson.binary import Binary
from pymongo.errors import BulkWriteError

from shared.crypto.sealing import RecordKey, content_mac, unwrap, wrap
from shared.mongo import DUPLICATE_KEY, Client, Document, database
from shared.pacing import in_turns

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Admission:
    """One record asking to be admitted. `content` is what the guard compares: canonical data without ce_time."""

    record_id: str
    event: str
    """`<ce_source> <ce_id>`: the identity of the event (CloudEvents 1.0, source + id)."""
    coordinate: str
    """`topic/partition/offset` of the record that carried it."""
    content: bytes


class Outcome(StrEnum):
    """What the guard says."""

    NEW = "new"
    AGAIN = "again"
    """The same record of Kafka as before: our own crash or a rebalance. Publish again, answer `accepted`."""
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Admitted:
    """The guard's answer: the key to use, and where the record was first seen."""

    outcome: Outcome
    key: RecordKey
    first: str
    owner: str
    """The record the key belongs to; another than the one asking where an event id was used twice."""


class Vault:
    """The only door to record keys. Each right (insert, read, delete) has its own database role in production."""

    def __init__(self, client: Client, kek: bytes, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._rows = database(client, "vault").get_collection("keys")
        self._kek = kek
        self._draw = draw

    async def prepare(self) -> None:
        """Create the unique index on the event's identity."""
        await self._rows.create_index("ce", unique=True)

    async def admit(self, items: Sequence[Admission]) -> list[Admitted]:
        """Admit a batch, in order: one insert, and one read of only what collided. Twins within a batch collide too."""
        if not items:
            return []
        keys = [RecordKey(self._draw(KEY_BYTES)) async for _ in in_turns(items)]
        rows: list[Document] = [
            {
                "_id": item.record_id,
                "key": Binary(wrap(self._kek, key)),
                "src": item.coordinate,
                "mac": Binary(content_mac(key, item.content)),
                "ce": item.event,
            }
            for item, key in zip(items, keys, strict=True)
        ]
        collided = await self._insert(rows)
        if not collided:
            return [Admitted(Outcome.NEW, key, row["src"], row["_id"]) for key, row in zip(keys, rows, strict=True)]
        by_record, by_event = await self._stored([rows[index] for index in collided])
        answers = []
        for index, item in enumerate(items):
            if index not in collided:
                answers.append(Admitted(Outcome.NEW, keys[index], item.coordinate, item.record_id))
                continue
            row = by_record.get(item.record_id) or by_event[item.event]
            answers.append(self._judge(item, row))
        return answers

    async def read(self, record_ids: Iterable[str]) -> dict[str, RecordKey]:
        """The keys that still exist, by record; an erased record is absent."""
        wanted = list(set(record_ids))
        if not wanted:
            return {}
        found = self._rows.find({"_id": {"$in": wanted}}, {"key": 1})
        rows = await found.to_list()
        return {row["_id"]: unwrap(self._kek, bytes(row["key"])) async for row in in_turns(rows)}

    async def _insert(self, rows: list[Document]) -> set[int]:
        """Insert unordered; the indexes of the rows that were refused as duplicates."""
        try:
            await self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            errors = error.details.get("writeErrors", [])
            if error.details.get("writeConcernErrors") or any(e["code"] != DUPLICATE_KEY for e in errors):
                raise
            return {e["index"] for e in errors}
        return set()

    async def _stored(self, rows: Sequence[Document]) -> tuple[dict[str, Document], dict[str, Document]]:
        query = {"$or": [{"_id": {"$in": [r["_id"] for r in rows]}}, {"ce": {"$in": [r["ce"] for r in rows]}}]}
        found = [row async for row in self._rows.find(query)]
        return {row["_id"]: row for row in found}, {row["ce"]: row for row in found}

    def _judge(self, item: Admission, row: Document) -> Admitted:
        key = unwrap(self._kek, bytes(row["key"]))
        same = hmac.compare_digest(content_mac(key, item.content), bytes(row["mac"]))
        if row["src"] == item.coordinate and row["_id"] == item.record_id and same:
            return Admitted(Outcome.AGAIN, key, row["src"], row["_id"])
        same_record = row["_id"] == item.record_id
        outcome = Outcome.DUPLICATE if same and same_record else Outcome.CONFLICT
        return Admitted(outcome, key, row["src"], row["_id"])
