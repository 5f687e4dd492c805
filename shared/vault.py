"""The vault: one key per record, and the guard against duplicates, conflicts and our own crashes (architecture.md).

Collection `vault.keys`: `{_id: record, key: AES-KW wrapped, kv: version of the KEK (absent: 1), src: "topic/partition/offset",
mac, ce: "source id"}`, unique on `_id` and on `ce`. Destroying a key erases the record everywhere (crypto-shredding); only
the eraser's role may. What stays is the row without key and mac, with `erased`: the tombstone, by which a late copy of the
same event is never admitted again. A row with `restricted` keeps its key for legal claims only: `read` does not see it unless
asked for claims (RGPD 18(2)).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bson.binary import Binary
from pymongo.errors import BulkWriteError, OperationFailure

from shared.crypto.sealing import RecordKey, content_mac, unwrap, wrap
from shared.errors import ConfigurationError
from shared.keyring.fence import raise_if_fenced
from shared.keyring.ring import Fixed, Versions
from shared.mongo import UNAUTHORIZED, Client, Document, database, duplicates
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
    ERASED = "erased"
    """Its key was destroyed: nothing can be compared any more, and it is never admitted again."""


class Gone(StrEnum):
    """Why a key cannot be read, where its row says so."""

    ERASED = "erased"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Admitted:
    """The guard's answer: the key to use, and where the record was first seen."""

    outcome: Outcome
    key: RecordKey | None
    """None where it was destroyed (`ERASED`)."""
    first: str
    owner: str
    """The record the key belongs to; another than the one asking where an event id was used twice."""


class Vault:
    """The only door to record keys. Each right (insert, read, delete) has its own database role in production."""

    def __init__(self, client: Client, kek: bytes | Versions, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._rows = database(client, "vault").get_collection("keys")
        self._keks: Versions = Fixed({1: kek}) if isinstance(kek, bytes) else kek
        self._draw = draw

    async def prepare(self) -> None:
        """The unique index on the event's identity: made, or seen to stand where this user may make none.

        Raises ConfigurationError where it is missing: without it an event could be admitted twice.
        """
        try:
            await self._rows.create_index("ce", unique=True)
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            if not any(one["key"] == {"ce": 1} and one.get("unique") for one in await self._indexes()):
                raise ConfigurationError(
                    "the vault lacks its index on the identity of events, and this user may not make it: run `opposable mongo apply`"
                ) from None

    async def admit(self, items: Sequence[Admission]) -> list[Admitted]:
        """Admit a batch, in order: one insert, and one read of only what collided. Twins within a batch collide too."""
        if not items:
            return []
        keys = [RecordKey(self._draw(KEY_BYTES)) async for _ in in_turns(items)]
        version = self._keks.newest()
        kek = self._keks.get(version)
        rows: list[Document] = [
            {
                "_id": item.record_id,
                "key": Binary(wrap(kek, key)),
                **({} if version == 1 else {"kv": version}),
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

    async def read(self, record_ids: Iterable[str], *, for_claims: bool = False) -> dict[str, RecordKey]:
        """The keys that may be used, by record: an erased record is absent, a restricted one too unless `for_claims`."""
        wanted = list(set(record_ids))
        if not wanted:
            return {}
        query: Document = {"_id": {"$in": wanted}, "key": {"$exists": True}}
        if not for_claims:
            query["restricted"] = {"$exists": False}
        rows = await self._rows.find(query, {"key": 1, "kv": 1}).to_list()
        return {row["_id"]: self._unwrapped(row) async for row in in_turns(rows)}

    async def gone(self, record_ids: Iterable[str]) -> dict[str, Gone]:
        """Which of these were erased or restricted by order. A key that is missing and not here is an alarm."""
        query = {
            "_id": {"$in": list(set(record_ids))},
            "$or": [{n: {"$exists": True}} for n in ("erased", "restricted")],
        }
        rows = self._rows.find(query, {"erased": 1})
        return {row["_id"]: Gone.ERASED if "erased" in row else Gone.RESTRICTED async for row in rows}

    async def known(self, record_ids: Iterable[str]) -> set[str]:
        """Which of these were ever admitted."""
        return {row["_id"] async for row in self._rows.find({"_id": {"$in": list(set(record_ids))}}, {"_id": 1})}

    async def restrict(self, record_ids: Iterable[str], until: str | None) -> None:
        """Keep these keys for legal claims only (the eraser's right). `until` is told, not acted on here."""
        living = {"_id": {"$in": list(set(record_ids))}, "key": {"$exists": True}}
        await self._rows.update_many(living, {"$set": {"restricted": until or "hold"}})

    async def erase(self, record_ids: Iterable[str], at: str) -> int:
        """Destroy these keys for ever, leaving tombstones (the eraser's right); how many there still were."""
        living = {"_id": {"$in": list(set(record_ids))}, "key": {"$exists": True}}
        gone = {"$set": {"erased": at}, "$unset": {"key": "", "mac": "", "restricted": ""}}
        return (await self._rows.update_many(living, gone)).modified_count

    async def erased_at(self, record_ids: Iterable[str]) -> dict[str, str]:
        """When the keys of these were destroyed, where they were."""
        query = {"_id": {"$in": list(set(record_ids))}, "erased": {"$exists": True}}
        return {row["_id"]: row["erased"] async for row in self._rows.find(query, {"erased": 1})}

    async def _indexes(self) -> list[Document]:
        return [{**one, "key": dict(one["key"])} async for one in await self._rows.list_indexes()]

    async def _insert(self, rows: list[Document]) -> set[int]:
        """Insert unordered; the indexes of the rows that were refused as duplicates."""
        try:
            await self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            raise_if_fenced(error, "the KEK")
            return set(duplicates(error))
        return set()

    async def _stored(self, rows: Sequence[Document]) -> tuple[dict[str, Document], dict[str, Document]]:
        query = {"$or": [{"_id": {"$in": [r["_id"] for r in rows]}}, {"ce": {"$in": [r["ce"] for r in rows]}}]}
        found = [row async for row in self._rows.find(query)]
        return {row["_id"]: row for row in found}, {row["ce"]: row for row in found}

    def _unwrapped(self, row: Document) -> RecordKey:
        return unwrap(self._keks.get(row.get("kv", 1)), bytes(row["key"]))

    def _judge(self, item: Admission, row: Document) -> Admitted:
        if "key" not in row:
            return Admitted(Outcome.ERASED, None, row["src"], row["_id"])
        key = self._unwrapped(row)
        same = hmac.compare_digest(content_mac(key, item.content), bytes(row["mac"]))
        if row["src"] == item.coordinate and row["_id"] == item.record_id and same:
            return Admitted(Outcome.AGAIN, key, row["src"], row["_id"])
        same_record = row["_id"] == item.record_id
        outcome = Outcome.DUPLICATE if same and same_record else Outcome.CONFLICT
        return Admitted(outcome, key, row["src"], row["_id"])
