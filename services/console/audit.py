"""The audit log: written before the thing is done (majority, journal), then archived on `operations`, at least once.

audit {_id: operation, at, account, role, action, what, object, keyed, reason, salt, waits} — `waits` is there while the operation is not on
the topic yet. What is read here is what the transparency log will show: neither can be changed without the other telling.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import DESCENDING

from services.console.accounts import DATABASE, Account
from services.console.operations import SALT_BYTES, Operation, outgoing
from shared.clock import Clock
from shared.instants import format_instant
from shared.kafka.batch import INFRASTRUCTURE
from shared.kafka.publisher import Publisher
from shared.mongo import Client, Document, database

BATCH = 200
IDLE_S, BACKOFF_MOST_S = 1.0, 10.0
LATE = timedelta(minutes=5)
COMMAND, NOBODY = "ac-command", "ac-unknown"
"""Who acts where the operator's command changes accounts (whoever has the machine), and where nobody is known by the login."""


class Audit:
    """The operations of one deployment."""

    def __init__(self, client: Client, clock: Clock, name: str = DATABASE) -> None:
        self._rows, self._clock = database(client, name).audit, clock
        self._new = asyncio.Event()

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("at", DESCENDING), ("_id", DESCENDING)])
        for field in ("account", "action", "object"):
            await self._rows.create_index([(field, 1), ("at", DESCENDING)])
        await self._rows.create_index("waits", sparse=True)

    async def note(
        self, account: Account | str, action: str, what: str = "", thing: str = "", *, keyed: bool = False,
        reason: str = "", archived: bool = True,
    ) -> str:  # fmt: skip
        """Write an operation down, durably; its id. `account`: who, or COMMAND or NOBODY. Raises what MongoDB raises."""
        who, role = (account, "") if isinstance(account, str) else (account.id, account.role.value)
        operation = Operation(
            id=f"op-{secrets.token_hex(12)}", at=self._clock.now(), account=who, role=role, action=action, what=what, object=thing,
            keyed=keyed, reason=reason, salt=secrets.token_bytes(SALT_BYTES),
        )  # fmt: skip
        row: Document = {
            "_id": operation.id, "at": operation.at, "account": operation.account, "role": operation.role,
            "action": action, "what": what, "object": thing, "keyed": keyed, "reason": reason, "salt": operation.salt,
            **({"waits": operation.at} if archived else {"kept": True}),
        }  # fmt: skip
        await self._rows.insert_one(row)
        self._new.set()
        return operation.id

    async def publish(self, publisher: Publisher) -> int:
        """Publish what waits, oldest first; returns how many. A crash before the end publishes the same again."""
        rows = await self._rows.find({"waits": {"$exists": True}}).sort("waits", 1).limit(BATCH).to_list()
        if rows:
            await publisher.send_all([outgoing(_operation(row)) for row in rows])
            await self._rows.update_many({"_id": {"$in": [row["_id"] for row in rows]}}, {"$unset": {"waits": ""}})
        return len(rows)

    async def run(self, publisher: Publisher, log: Any) -> None:
        """Publish for ever. An engine that is away is waited for, with jittered back-off."""
        delay = IDLE_S
        while True:
            self._new.clear()
            try:
                published = await self.publish(publisher)
            except INFRASTRUCTURE as error:
                log.warning("operations wait to be archived", seconds=delay, exc_info=error)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(BACKOFF_MOST_S, delay * 2)
                continue
            delay = IDLE_S
            if published < BATCH:
                try:
                    async with asyncio.timeout(IDLE_S * 5):  # what the operator's command wrote sets no event
                        await self._new.wait()
                except TimeoutError:
                    continue

    async def owed(self) -> list[dict[str, Any]]:
        """The operations that should be in the log by now, as one obligation."""
        late = {"waits": {"$lt": self._clock.now() - LATE}}
        oldest = await self._rows.find_one(late, sort=[("waits", 1)])
        if oldest is None:
            return []
        at: datetime = oldest["at"]
        return [
            {
                "id": "operations:outbox", "kind": "operation.unarchived", "owner": "operator",
                "cause": "operations of the console are not in the log yet: Kafka does not take them",
                "opened_at": format_instant(at), "due_at": format_instant(at + LATE),
                "next_at": format_instant(self._clock.now()), "refs": {},
            }
        ]  # fmt: skip

    async def listed(self, wanted: Mapping[str, str], before: datetime | None, limit: int) -> list[Document]:
        """Operations, the newest first: by `account`, `action` or `object` where asked, older than `before`."""
        query: Document = {name: value for name, value in wanted.items() if value}
        if before is not None:
            query["at"] = {"$lt": before}
        return await self._rows.find(query, {"salt": 0}).sort([("at", -1), ("_id", -1)]).limit(limit).to_list()


def _operation(row: Document) -> Operation:
    return Operation(
        id=row["_id"], at=row["at"], account=row["account"], role=row["role"], action=row["action"], what=row["what"],
        object=row["object"], keyed=row["keyed"], reason=row["reason"], salt=bytes(row["salt"]),
    )  # fmt: skip
