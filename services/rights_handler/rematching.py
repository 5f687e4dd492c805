"""`opposable keys rotate match`: makes the index know every person of a party by the next version of its match key, too.

From the moment the version is in use every verdict writes its alias, and every permission and order carries its keys
(`match_versions.MatchKeys.begin`); the records that were there before are opened and given theirs here, in batches in the order of
`_id`, each only over what was read. Then the version is offered. Killed anywhere, it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable

from pymongo import UpdateOne

from services.rights_handler.match_versions import MatchKeys, Standing
from services.rights_handler.naming import Naming
from services.rights_handler.persons import Persons
from services.rights_handler.renaming import naming_state
from services.rights_handler.rows import grant_of
from shared.errors import ConfigurationError
from shared.mongo import Client, Document, database

Progress = Callable[[int, int], None]


class MatchRotation:
    """One party's rotation, begun or continued."""

    def __init__(
        self,
        client: Client,
        keys: MatchKeys,
        naming: Naming,
        persons: Persons,
        *,
        batch: int = 500,
        name: str = "rights",
    ) -> None:
        self._client, self._grants, self._name = client, database(client, name)["grants"], name
        self._keys, self._naming, self._persons, self._batch = keys, naming, persons, batch

    async def run(self, party: str, progress: Progress = lambda _done, _total: None) -> Standing:
        """Rotate one party's key up to the point where the party must act."""
        pepper = await naming_state(self._client, self._name)
        if pepper is not None and pepper["phase"] != "done":
            raise ConfigurationError("the pepper is being rotated: end that first (`opposable keys rotate pepper`)")
        standing = await self._keys.begin(party)
        query: Document = {
            "lines": {"$elemMatch": {"recipient": party, "verdict": "valid"}},
            "sealed": {"$type": "binData"},
        }
        at, done = standing.at, 0
        total = await self._grants.count_documents({**query, "_id": {"$gt": at}})
        progress(0, total)
        while True:
            rows = await self._grants.find({**query, "_id": {"$gt": at}}).sort("_id", 1).limit(self._batch).to_list()
            if not rows:
                return await self._keys.offer(party)
            await self._naming.load()
            changes = await self._changes(rows)
            if changes:
                await self._grants.bulk_write(changes, ordered=False)
            at, done = rows[-1]["_id"], done + len(rows)
            await self._keys.reached(party, at)
            progress(done, max(done, total))

    async def _changes(self, rows: list[Document]) -> list[UpdateOne]:
        """Restricted and erased records do not open, and are given nothing: nobody may use them."""
        persons = await self._persons.open({row["_id"]: bytes(row["sealed"]) for row in rows})
        changes = []
        for row in rows:
            if row["_id"] not in persons:
                continue
            lines = grant_of(row).lines
            granted = sorted({x.recipient for x in lines if x.verdict == "valid" and x.recipient is not None})
            keys, aliases = self._persons.index_keys(persons[row["_id"]], granted)
            versions = row.get("pvs", [1])
            borne = self._naming.borne({"cks": keys, "aks": list(aliases)}, versions)
            as_read = {"_id": row["_id"], "vid": row["vid"], "cks": row["cks"], "aks": row["aks"]}
            changes.append(UpdateOne(as_read, {"$set": {"aks": borne["aks"]}}))
        return changes
