"""Runs items one after the other; each has persons, consents and orders of its own, so that none disturbs another."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.cli.conformance.model import Event, Failed, Item, NotCheckedError, Outcome, Signing, Transport
from shared.contracts.platform import PERMISSION_GRANTED, STOP_ORDERED
from shared.errors import Unavailable
from shared.instants import format_instant


class Person:
    """Someone invented for one item: a consent and the party's match key of a contact."""

    def __init__(self) -> None:
        self.consent = str(uuid.uuid4())
        self.contact = "m1." + secrets.token_urlsafe(32)

    def again(self) -> Person:
        """Another consent of the same person."""
        other = Person()
        other.contact = self.contact
        return other


class Kit:
    """What items use. `settle_s`: how long the partner may take to act on an event; `ack_s`: to acknowledge an order."""

    def __init__(
        self, transport: Transport, ask: str | None, http: httpx.AsyncClient, *, settle_s: float, ack_s: float
    ) -> None:
        self.transport, self._http = transport, http
        self._ask, self._settle_s, self._ack_s = ask, settle_s, ack_s
        self._now = datetime.now(UTC)
        self.ordered: set[str] = set()

    async def run(self, items: Sequence[Item]) -> AsyncIterator[Outcome]:
        """Each outcome as it is known. Raises Unavailable where the partner's system does not answer at all."""
        for item in items:
            try:
                await item.look(self)
            except Failed as failed:
                yield Outcome(item.code, "failed", str(failed))
            except NotCheckedError as reason:
                yield Outcome(item.code, "not_checked", str(reason))
            else:
                yield Outcome(item.code, "passed")

    def at(self, minutes: float) -> str:
        """An instant so many minutes from the kit's start."""
        return format_instant(self._now + timedelta(minutes=minutes))

    async def grant(self, person: Person, *, collected: float = -60, until: float = 60 * 24, **change: Any) -> Event:
        """Tell a permission: minutes from now of its collection and its end."""
        kind = change.pop("kind", PERMISSION_GRANTED)
        event_id = change.pop("event_id", None)
        data = {
            "record": f"kit/{person.consent}", "consent_id": person.consent, "collector": "kit", "source_ref": None,
            "match_keys": [{"type": "email", "key": person.contact}], "channel": "email", "purpose": "prospecting",
            "sector": "general", "object": None, "collected_at": self.at(collected), "valid_until": self.at(until),
            "basis": "consent", "notice_due_at": None, "stop_url": None, "proof_url": None, "ruleset": "kit",
        } | change  # fmt: skip
        if kind != PERMISSION_GRANTED:
            data = {k: v for k, v in data.items() if k not in ("valid_until", "basis", "match_keys", "source_ref")}
        event = Event(event_id or secrets.token_hex(20), kind, "permissions", data)
        await self.tell(event)
        return event

    def stop(self, person: Person, *, at: float, consents: Sequence[str] | None = None, **change: Any) -> Event:
        """An order: minutes from now of the person's stop."""
        order = f"kit-{secrets.token_hex(12)}"
        data = {
            "order_id": order, "stop_id": f"kit-{secrets.token_hex(6)}",
            "match_keys": [{"type": "email", "key": person.contact}],
            "consent_ids": [person.consent] if consents is None else list(consents), "source_refs": [],
            "recipients": "all", "channels": "all", "purposes": "all", "at": self.at(at), "kind": "withdrawal",
            "ack_due_at": self.at(60), "reminder": 0,
        } | change  # fmt: skip
        return Event(secrets.token_hex(20), STOP_ORDERED, "withdrawals", data)

    async def tell(self, event: Event, signing: Signing | None = None) -> int | None:
        """Send one event; a correct one must be taken."""
        if event.type == STOP_ORDERED:
            self.ordered.add(str(event.data["order_id"]))
        status = await self.transport.send(event, signing or Signing())
        if signing is None and status is not None and not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 §15.3
            raise Failed("event-refused")
        return status

    async def answered(self, order: Event) -> list[str]:
        """The statuses with which an order was acknowledged. Raises Failed when there is none in time."""
        identity, end = str(order.data["order_id"]), time.monotonic() + self._ack_s
        while True:
            found = (await self.transport.acknowledgements()).get(identity)
            if found:
                return found
            if time.monotonic() > end:
                raise Failed("no-acknowledgement")
            await asyncio.sleep(0.05)

    async def expect(self, person: Person, allowed: bool, why: str, *, channel: str = "email") -> None:
        """Ask whether the person may be contacted; Failed with `why` unless the answer is, and stays, the right one."""
        end = time.monotonic() + self._settle_s * 6
        await asyncio.sleep(self._settle_s)
        while await self._may(person, channel) != allowed:
            if time.monotonic() > end:
                raise Failed(why)
            await asyncio.sleep(self._settle_s / 2)

    async def known(self, person: Person) -> None:
        """Wait until a granted person is known: permissions and orders travel apart."""
        try:
            await self.expect(person, allowed=True, why="grant-unused")
        except NotCheckedError:
            await asyncio.sleep(self._settle_s)

    async def _may(self, person: Person, channel: str) -> bool:
        if self._ask is None:
            raise NotCheckedError("no-question")
        body = {
            "consent_id": person.consent, "match_key": {"type": "email", "key": person.contact}, "channel": channel,
            "purpose": "prospecting",
        }  # fmt: skip
        try:
            answer = await self._http.post(self._ask, json=body)
            allowed = answer.json()["allowed"]
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._ask} does not answer ({type(error).__name__})") from None
        except (ValueError, KeyError, TypeError):
            raise Failed("question-unanswered") from None
        if not isinstance(allowed, bool):
            raise Failed("question-unanswered")
        return allowed
