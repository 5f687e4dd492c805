"""The relay's queue in memory, an endpoint that answers as it is told, and a publisher that remembers."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.webhook_relay.domain import Answer
from services.webhook_relay.store import Endpoint, Waiting
from shared.contracts.platform import STOP_ORDERED


class MemoryStore:
    """`store.Store` for one instance; `down` makes writes fail that often."""

    def __init__(self):
        self.rows, self.done, self.states, self.down = {}, [], {}, 0
        self.owner = None

    def put(self, *rows):
        for row in rows:
            self.rows.setdefault(row.id, row)

    async def lease(self, _party, owner, _now, _seconds):
        if self.owner not in (None, owner):
            return False
        self.owner = owner
        return True

    async def release(self, _party, _owner):
        self.owner = None

    async def endpoint(self, party):
        return self.states.get(party, Endpoint())

    async def keep(self, party, endpoint):
        self.states[party] = endpoint

    def _sorted(self):
        return sorted(self.rows.values(), key=lambda r: (r.next_at, r.place))

    async def due(self, _party, now, limit):
        await asyncio.sleep(0)
        return [row for row in self._sorted() if row.next_at <= now][:limit]

    async def threads(self, _party, threads):
        await asyncio.sleep(0)
        found = {}
        for row in self.rows.values():
            if row.thread in threads:
                found.setdefault(row.thread, []).append((row.place, row.id, row.next_at))
        return {thread: sorted(rows) for thread, rows in found.items()}

    async def next_due(self, _party):
        rows = self._sorted()
        return rows[0].next_at if rows else None

    async def settle(self, delivered, again):
        await asyncio.sleep(0)
        if self.down and (delivered or again):
            self.down -= 1
            raise OSError("away")
        for identity, _, _ in delivered:
            self.done.append(self.rows.pop(identity).id)
        for row, at, cause, tried in again:
            if row.id in self.rows:
                self.rows[row.id] = replace(row, next_at=at, code=cause, attempts=row.attempts + tried)

    async def pull_forward(self, _party, now):
        self.rows = {i: replace(r, next_at=min(now, r.next_at)) for i, r in self.rows.items()}


class Wire:
    """Stands for `Sending`: `answer(row)` decides; what was sent is in `sent`, in order."""

    def __init__(self, answer, delay=0.0, url="https://hooks.example/"):
        self.answer, self.delay, self.address = answer, delay, url
        self.sent, self.now, self.most = [], 0, 0

    def url(self, _party):
        return self.address

    async def attempt(self, row):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.delay)
            self.sent.append(row.id)
            return self.answer(row)
        finally:
            self.now -= 1

    def acknowledged(self, row, answer):
        return (row.id, answer.body) if row.type == STOP_ORDERED and answer.body else None


class Outbox:
    def __init__(self):
        self.sent, self.fault = [], 0

    async def send_all(self, messages):
        if self.fault and messages:
            self.fault -= 1
            raise OSError("away")
        self.sent += messages


def waiting(number, thread, now, **change):
    row = Waiting(
        id=f"acme/{number}", party="acme", message=f"{number}", kind="withdrawals", key=thread, type=STOP_ORDERED,
        thread=f"withdrawals/{thread}", place=number, first_at=now, due_at=now + timedelta(days=1), next_at=now, body=b"",
    )  # fmt: skip
    return replace(row, **change)


OK = Answer(200)
