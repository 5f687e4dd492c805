"""To whom the proof of a record was delivered: newest first, a page at a time. A page costs the same whatever the history."""

from __future__ import annotations

from typing import Any

from services.proof_archive.log.reader import Reader
from shared import canonical
from shared.crypto.checkpoint import Origin
from shared.mongo import Client, database
from shared.topics import DELIVERIES

PAGE = 100


class History:
    """Deliveries as archived."""

    def __init__(self, client: Client, reader: Reader, deployment: str) -> None:
        self._db, self._reader, self._deployment = database(client, "archive"), reader, deployment

    async def of(self, record: str, before: int | None = None, most: int = PAGE) -> dict[str, Any]:
        """A page of deliveries: `{"deliveries": [{origin, index, …facts}], "before": where the next page begins, or null}`.

        `before`: an index of the page before. All deliveries of a record stand in one log, so their order is that of time.
        """
        heads = await self._reader.heads(self._deployment)
        logs = {head.log: head.origin for head in heads if Origin.parse(head.origin).topic == DELIVERIES.name}
        query: dict[str, Any] = {"refs": f"proof_of:{record}", "_id.log": {"$in": list(logs)}}
        if before is not None:
            query["_id.index"] = {"$lt": before}
        order = [("_id.log", -1), ("_id.index", -1)]
        rows = await self._db.entries.find(query, {"bytes": 1}).sort(order).limit(most + 1).to_list()
        found = [
            {"origin": logs[row["_id"]["log"]], "index": row["_id"]["index"], **canonical.loads(bytes(row["bytes"]))["facts"]}
            for row in rows[:most]
        ]  # fmt: skip
        return {"deliveries": found, "before": found[-1]["index"] if len(rows) > most else None}
