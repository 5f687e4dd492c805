"""Rotation of the key-encryption key (KEK): every record key wrapped again under the next version, then the old one destroyed.

While it runs, services read both versions (a row says which, `kv`, absent = 1) and write the new one. It may be killed at any
point and given again: each step is done once or twice with the same result.

1. *intent*: `vault.rotations` says from which version to which; 2. *file*: the next version is made, its check value noted;
3. *fence*: the database refuses rows under an older version; 4. *rewrap*: in the order of `_id`, each row only over the very
bytes that were read, so that a row erased meanwhile stays erased; 5. *count*: no row needs the old version (fence + count =
proof); 6. *destroy*. A row that does not open stops everything before 6.

Source: NIST SP 800-57 part 1, 5.3 (cryptoperiods) and 8.3.4 (destruction); RGPD 17, 32: old backups of the vault die with
the old key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson.binary import Binary
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pymongo import UpdateOne

from shared.clock import Clock
from shared.errors import ConfigurationError, IntegrityError
from shared.instants import format_instant
from shared.keyring.checks import check_value
from shared.keyring.fence import set_fence
from shared.keyring.ring import Ring, create_version, destroy_version, versions_present
from shared.mongo import Client, Document, database

NAME = "kek"
BATCH = 1000
Progress = Callable[[int, int], None]
"""Told of (record keys done, record keys in all)."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did. `needed`: rows that still need an older version, counted after the fence: the proof."""

    old: tuple[int, ...]
    new: int
    check: str
    rewrapped: int
    rows: int
    needed: int
    destroyed: bool


class KekRotation:
    """One rotation, begun or continued."""

    def __init__(self, client: Client, directory: Path, clock: Clock, *, batch: int = BATCH) -> None:
        self._vault = database(client, "vault")
        self._directory, self._clock, self._batch = directory, clock, batch

    async def run(self, progress: Progress = lambda _done, _total: None, *, destroy: bool = True) -> Rotated:
        """Rotate, from wherever an earlier run was interrupted. `destroy=False` keeps the old file (to be done by hand)."""
        state = await self._intend()
        new: int = state["to"]
        state = await self._make(state)
        await set_fence(self._vault, "keys", {"kv": {"$gte": new}})
        done = await self._rewrap(state, progress)
        needed = await self._vault.keys.count_documents(older(new))
        if needed:
            raise IntegrityError(f"{needed} record keys still need an older KEK: nothing was destroyed; run it again")
        await self._note(phase="counted", counted_at=self._now())
        rows = await self._vault.keys.count_documents({"key": {"$exists": True}})
        old = tuple(sorted(v for v in versions_present(self._directory, NAME) if v < new))
        if destroy:
            for version in old:
                destroy_version(self._directory, NAME, version)
        await self._note(phase="done", done_at=self._now(), destroyed=list(old) if destroy else [])
        return Rotated(old, new, state["check"], done, rows, needed, destroy)

    async def _intend(self) -> Document:
        """The rotation in hand, or a new one noted before anything is changed."""
        state = await self._vault.rotations.find_one({"_id": NAME})
        if state is not None and state["phase"] != "done":
            return state
        newest, last = max(versions_present(self._directory, NAME), default=0), 1 if state is None else state["to"]
        if not newest:
            raise ConfigurationError("there is no KEK in the secrets directory to rotate from")
        to = newest if newest > last else newest + 1  # one that was brought to every machine beforehand is the next
        state = {
            "_id": NAME, "to": to, "phase": "begun", "at": "", "done": 0, "begun_at": self._now(),
            "total": await self._vault.keys.count_documents(older(to)),
        }  # fmt: skip
        await self._vault.rotations.replace_one({"_id": NAME}, state, upsert=True)
        return state

    async def _make(self, state: Document) -> Document:
        """The next version's file and its check value. One that was noted and is another now is never replaced."""
        new: int = state["to"]
        if "check" not in state:
            check = check_value(NAME, new, create_version(self._directory, NAME, new))
            await self._note(check=check, phase="rewrap")
            return {**state, "check": check, "phase": "rewrap"}
        present = Ring(self._directory, NAME).versions().get(new)
        if present is None or check_value(NAME, new, present) != state["check"]:
            raise ConfigurationError(
                f"version {new} of the KEK is missing here, or another than the one this rotation began with (check value "
                f"{state['check']}): record keys may already need it, restore it (`opposable keys restore`)"
            )
        return state

    async def _rewrap(self, state: Document, progress: Progress) -> int:
        ring, new = Ring(self._directory, NAME), int(state["to"])
        at, done, total = str(state["at"]), int(state["done"]), int(state["total"])
        progress(done, total)
        while True:
            found = self._vault.keys.find({"_id": {"$gt": at}, **older(new)}, {"key": 1, "kv": 1})
            rows = await found.sort("_id", 1).limit(self._batch).to_list()
            if not rows:
                return done
            await self._vault.keys.bulk_write([_again(ring, new, row) for row in rows], ordered=False)
            at, done = rows[-1]["_id"], done + len(rows)
            await self._note(at=at, done=done)
            progress(done, max(done, total))

    async def _note(self, **values: Any) -> None:
        await self._vault.rotations.update_one({"_id": NAME}, {"$set": values})

    def _now(self) -> str:
        return format_instant(self._clock.now())


def older(version: int) -> Document:
    """Keys under a KEK before this version; rows that do not say are under the first, tombstones hold no key."""
    return {"kv": {"$not": {"$gte": version}}, "key": {"$exists": True}}


def _again(ring: Ring, new: int, row: Document) -> UpdateOne:
    wrapped = bytes(row["key"])
    try:
        raw = aes_key_unwrap(ring.get(row.get("kv", 1)), wrapped)
    except (InvalidUnwrap, ValueError):
        raise IntegrityError(
            f"the key of record {row['_id']} does not open under version {row.get('kv', 1)} of the KEK: nothing was destroyed"
        ) from None
    values = {"key": Binary(aes_key_wrap(ring.get(new), raw)), "kv": new}
    return UpdateOne({"_id": row["_id"], "key": row["key"]}, {"$set": values})


async def rows_by_version(client: Client) -> dict[int, int]:
    """How many record keys each version of the KEK wraps."""
    grouped = await database(client, "vault").keys.aggregate([
        {"$match": {"key": {"$exists": True}}}, {"$group": {"_id": {"$ifNull": ["$kv", 1]}, "rows": {"$sum": 1}}}, {"$sort": {"_id": 1}},
    ])  # fmt: skip
    return {row["_id"]: row["rows"] async for row in grouped}


async def rotation_in_hand(client: Client) -> Document | None:
    """The rotation that was begun last, whatever its phase."""
    return await database(client, "vault").rotations.find_one({"_id": NAME})
