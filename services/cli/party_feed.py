"""A party that has no Kafka: reads its feeds, acknowledges by `POST /v1/events`, keeps each cursor after it has acted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from services.cli.party_system import Acknowledgement, PartySystem
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED
from shared.errors import ConfigurationError

FEEDS = ("withdrawals", "requests", "permissions")
WAIT_S = 20
BACKOFF_S = 1.0
GONE = 410


class FeedParty:
    """One party over HTTP. `run` until cancelled."""

    def __init__(
        self, url: str, key: str, party: str, system: PartySystem, *, delay_s: float = 0, answers: bool = True
    ) -> None:
        self.party, self.system = party, system
        self.acknowledged = self.gaps = self.unreadable = 0
        self._delay_s, self._answers = delay_s, answers
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=WAIT_S + 20, trust_env=False
        )

    async def run(self) -> None:
        """Follow every feed. Raises ConfigurationError where the key opens none."""
        try:
            async with asyncio.TaskGroup() as group:
                for feed in FEEDS:
                    group.create_task(self._follow(feed))
        except* ConfigurationError as errors:
            raise errors.exceptions[0] from None
        finally:
            await self._client.aclose()

    async def _follow(self, feed: str) -> None:
        after: str | None = None
        while True:
            params: dict[str, Any] = {"wait": WAIT_S, **({"after": after} if after is not None else {})}
            try:
                answer = await self._client.get(f"/v1/feed/{feed}", params=params)
                if answer.status_code in (401, 403, 404, 422):
                    raise ConfigurationError(f"the feed {feed} is refused: {answer.json().get('title')}")
                if answer.status_code == GONE:
                    self.gaps += 1
                    after = answer.json()["earliest"]
                    continue
                answer.raise_for_status()
                page = answer.json()
                await self._take(page["events"])
                after = page["next"]  # last: a failure reads the page again
            except httpx.HTTPError:
                await asyncio.sleep(BACKOFF_S)

    async def _take(self, events: Sequence[dict[str, Any]]) -> None:
        found: list[Acknowledgement] = []
        for event in events:
            try:
                found += self.system.receive(event["id"], event["type"], event["data"], datetime.now(UTC))
            except (KeyError, TypeError, ValueError):
                self.unreadable += 1
        if found and self._answers:
            await asyncio.sleep(self._delay_s)
            await self.report(found)

    async def report(self, found: Sequence[Acknowledgement]) -> None:
        """Send acknowledgements. The same answer has the same id: sent twice, it counts once."""
        batch = [event_of(self.party, one) for one in found]
        answer = await self._client.post("/v1/events", json=batch)
        answer.raise_for_status()
        self.acknowledged += len(found)


def event_of(party: str, one: Acknowledgement) -> dict[str, Any]:
    """An acknowledgement as a CloudEvent in structured mode."""
    digest = hashlib.sha256(f"{one.order}\0{one.status}\0{one.applied_at}".encode()).hexdigest()[:40]
    return {
        "specversion": "1.0",
        "id": f"ack:{digest}",
        "source": party,
        "type": ORDER_ACKNOWLEDGED,
        "data": one.data(),
    }
