"""`opposable keys rotate pepper`: lifts every name in the index to the next pepper, while everything runs.

1. *intent*: `rights.naming` says which version comes; 2. *file*: the pepper is made, its check value noted; 3. *widen*: what is
written bears both versions from now on, and the database refuses a row that lacks the new one (fence); 4. *lift*: rows that
lack it get it, in batches in the order of `_id`, each only over the names that were read; counted: none lacks it; 5. *switch*:
lookups go by the new version; 6. *narrow*: rows bearing the old version are refused, then it is taken away from those that do;
counted: no name under it is left. Killed anywhere, it goes on from there. Why no lookup misses: `naming`. The old pepper is
kept: every chain starts from the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import UpdateOne

from services.rights_handler.naming import FIELDS, STATE, Naming
from shared.clock import Clock
from shared.errors import ConfigurationError, IntegrityError
from shared.instants import format_instant
from shared.keyring.checks import check_value
from shared.keyring.fence import set_fence
from shared.keyring.ring import Ring, create_version, versions_present
from shared.mongo import Client, Database, Document, database

NAME = "pepper"
FENCED = {"grants": "cks", "stops": "cks", "attempts": "keys"}
"""Collections that are looked up by name, and the field that their rows with names have."""
NOT_FENCED = {"erasures": "contact_keys"}
"""Looked up by name too, and changed by comparing `rev`: lifted with the others, and again first of all after the switch."""
FOLLOWING = ("requests", "erasures")
"""Rewritten after the switch; until then what is read of them waits (`Naming.confirm`)."""
CONTACT = "contact"
PASSES = 20
Progress = Callable[[int, int], None]
"""Told of (rows done, rows in all)."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a rotation did. `left`: names under an older version, counted at the end."""

    old: int
    new: int
    check: str
    lifted: int
    narrowed: int
    left: int


class PepperRotation:
    """One rotation, begun or continued."""

    def __init__(
        self, client: Client, directory: Path, clock: Clock, *, batch: int = 1000, database_name: str = "rights"
    ) -> None:
        self._db, self._directory, self._clock, self._batch = database(client, database_name), directory, clock, batch
        self._naming = Naming(Ring(directory, NAME))
        self._done = {"lift": 0, "narrow": 0}

    async def run(self, progress: Progress = lambda _done, _total: None) -> Renamed:
        """Rotate, from wherever an earlier run was interrupted."""
        state = await self._intend()
        new: int = state["to"]
        check = await self._make(state)
        if state["lookup"] < new:
            await self._note(newest=new, phase="widen")
            await self._widen(new, progress)
            await self._note(lookup=new, phase="narrow", switched_at=self._now())
        await self._narrow(new, progress)
        left = await self._left(new)
        if left:
            raise IntegrityError(f"{left} rows still bear names under an older pepper: run it again")
        await self._note(phase="done", done_at=self._now())
        return Renamed(new - 1, new, check, self._done["lift"], self._done["narrow"], left)

    async def _intend(self) -> Document:
        state = await self._db.naming.find_one({"_id": STATE}) or {
            "_id": STATE,
            "lookup": 1,
            "newest": 1,
            "phase": "done",
        }
        if state["phase"] != "done":
            return state
        if not versions_present(self._directory, NAME):
            raise ConfigurationError("there is no pepper in the secrets directory to rotate from")
        state = {**state, "to": state["newest"] + 1, "phase": "begun", "begun_at": self._now()}
        await self._db.naming.replace_one({"_id": STATE}, state, upsert=True)
        return state

    async def _make(self, state: Document) -> str:
        """The next pepper's file and its check value. One that was noted and is another now is never replaced."""
        new: int = state["to"]
        noted: str | None = state.get("checks", {}).get(str(new))
        if noted is None:
            check = check_value(NAME, new, create_version(self._directory, NAME, new))
            await self._note(**{f"checks.{new}": check})
            return check
        present = Ring(self._directory, NAME).versions().get(new)
        if present is None or check_value(NAME, new, present) != noted:
            raise ConfigurationError(
                f"version {new} of the pepper is missing here, or another than the one this rotation began with (check value "
                f"{noted}): rows may already need it, restore it (`opposable keys restore`)"
            )
        return noted

    async def _widen(self, new: int, progress: Progress) -> None:
        for collection, field in FENCED.items():
            await set_fence(self._db, collection, _or_nameless({"pvs": new}, field))
        widened = {**FENCED, **NOT_FENCED}
        for _ in range(PASSES):
            queries = {name: {"pvs": {"$ne": new}, field: {"$exists": True}} for name, field in widened.items()}
            await rename_holds(self._db, self._naming, [new - 1, new])
            left = [await self._db[name].count_documents(query) for name, query in queries.items()]
            if not any(left):
                return
            await self._pass("lift", queries, [new - 1, new], sum(left), progress)
        raise IntegrityError("rows keep changing under the rotation: run it again")

    async def _narrow(self, new: int, progress: Progress) -> None:
        for collection, field in FENCED.items():
            narrow = {"$and": [{"pvs": new}, {"pvs": {"$not": {"$lt": new}}}]}
            await set_fence(self._db, collection, _or_nameless(narrow, field))
        queries = dict.fromkeys((*FOLLOWING, *FENCED), bearing_older(new))
        for _ in range(PASSES):
            await rename_holds(self._db, self._naming, [new])
            left = await self._left(new)
            if not left:
                return
            await self._pass("narrow", queries, [new], left, progress)
        raise IntegrityError("rows keep changing under the rotation: run it again")

    async def _pass(
        self, what: str, queries: Mapping[str, Document], versions: Sequence[int], total: int, progress: Progress
    ) -> None:
        """Once through the rows that the queries find, in the order of `_id`."""
        done = 0
        progress(0, total)
        for collection, query in queries.items():
            rows, at = self._db[collection], ""
            fields = ("contact_keys",) if collection in NOT_FENCED and what == "lift" else (*FIELDS, "aks")
            while True:
                found = rows.find({"_id": {"$gt": at}, **query}, dict.fromkeys((*fields, "pvs"), 1))
                batch = await found.sort("_id", 1).limit(self._batch).to_list()
                if not batch:
                    break
                changes = [self._renamed(row, versions, compared=collection in FOLLOWING) for row in batch]
                await rows.bulk_write(changes, ordered=False)
                at, done = batch[-1]["_id"], done + len(batch)
                progress(done, max(done, total))
        self._done[what] += done

    def _renamed(self, row: Document, versions: Sequence[int], *, compared: bool) -> UpdateOne:
        """Only over the names that were read: a row replaced or erased meanwhile is not put back.

        `compared`: its writers compare `rev`, which is raised, so that none of them puts older names back.
        """
        change: Document = {"$set": self._naming.borne(row, versions)}
        if compared:
            change["$inc"] = {"rev": 1}
        return UpdateOne(row, change)

    async def _left(self, new: int) -> int:
        """Rows that bear a name under an older version, told by the names themselves."""
        names = (*FENCED, *FOLLOWING)
        return sum([await self._db[name].count_documents(bearing_older(new)) for name in names])

    async def _note(self, **values: Any) -> None:
        await self._db.naming.update_one({"_id": STATE}, {"$set": values})

    def _now(self) -> str:
        return format_instant(self._clock.now())


def bearing_older(new: int) -> Document:
    """Rows that bear a name under an older pepper, in whichever field."""
    older = "|".join(str(version) for version in range(1, new))
    named = {"$regex": rf"^[psna]({older})\."}
    first_alias = {"aks": {"$regex": "^[A-Za-z0-9_-]{22}$"}}
    return {"$or": [*({field: named} for field in (*FIELDS, "aks")), first_alias, {"pvs": {"$lt": new}}]}


def _or_nameless(condition: Document, field: str) -> Document:
    """A condition on rows with names; rows of another kind and tombstones have none."""
    return {"$or": [condition, {field: {"$exists": False}}, {"erased": {"$exists": True}}]}


async def rename_holds(db: Database, naming: Naming, versions: Sequence[int]) -> None:
    """Legal holds on a contact name it in `scope`, as `contact:p1.…`: a list of texts while there are two versions."""
    prefix = f"{CONTACT}:"
    async for row in db.holds.find({"kind": CONTACT}):
        scopes = [row["scope"]] if isinstance(row["scope"], str) else row["scope"]
        names = naming.borne({"cks": [scope.removeprefix(prefix) for scope in scopes]}, versions)["cks"]
        after = [prefix + name for name in names]
        if after != scopes:
            await db.holds.update_one(
                {"_id": row["_id"], "scope": row["scope"]}, {"$set": {"scope": after[0] if len(after) == 1 else after}}
            )


async def naming_state(client: Client, database_name: str = "rights") -> Document | None:
    """What is being looked up and written; None where the pepper was never rotated."""
    return await database(client, database_name)["naming"].find_one({"_id": STATE})
