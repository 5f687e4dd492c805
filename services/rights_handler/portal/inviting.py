"""Sends the links and codes that were asked for, to contacts that something is known of; to others nothing is written.

It runs apart from the page, so that the page's time says nothing. A pass is claimed for a lease and the message's id derives
from it: asked once, sent once, through any crash.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.rights_handler.domain import Stop
from services.rights_handler.messaging import PersonMessage, PersonMessages
from services.rights_handler.messaging.person_message import message_id
from services.rights_handler.persons import Persons
from services.rights_handler.portal.contact import Typed
from services.rights_handler.portal.passes import Seals
from services.rights_handler.portal.store import PortalStore
from services.rights_handler.portal.words import code_letter, code_text, link_mail
from services.rights_handler.ports import Index
from shared.clock import Clock
from shared.contracts.person_messages import MessageChannel

LEASE = timedelta(seconds=60)
MOST = 20


def as_stop(contact_key: str) -> Stop:
    """A question in the form that the index is asked in: everything that shares this contact."""
    return Stop("portal", "platform", "question", "", frozenset({contact_key}), None, None)


@dataclass(frozen=True, slots=True)
class Inviting:
    """The loop that sends passes."""

    store: PortalStore
    seals: Seals
    persons: Persons
    index: Index
    messages: PersonMessages
    clock: Clock
    public_url: str
    minutes: int
    every: float
    log: Any

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            if await self.sweep() < MOST:
                await asyncio.sleep(self.every)

    async def sweep(self) -> int:
        """Send what was asked for; how many were looked at."""
        jobs = await self.store.take_jobs(self.clock.now(), LEASE, MOST)
        for row, until in jobs:
            contact, secret = self.seals.open(row.name, row.sealed)
            if secret is not None:
                await self._invite(row.name, contact, secret, until)
            await self.store.job_done(row.name, self.seals.seal(row.name, contact))
        return len(jobs)

    async def _invite(self, name: str, contact: Typed, secret: str, until: str) -> None:
        key = self.persons.contact_key(contact.kind, contact.value)
        grants = await self.index.grants_about([as_stop(key)])
        if not grants:
            return
        newest = max(grants, key=lambda grant: (grant.received_at, grant.record))
        channel, subject, text = self._written(contact, secret)
        message = PersonMessage(
            id=message_id("portal", name), owner=newest.record, channel=channel, to=contact.value,
            template=f"portal.{channel}", subject=subject, text=text, expires_at=until,
        )  # fmt: skip
        if await self.messages.order([message]):
            self.log.info("no portal link: the newest record of the contact is erased", message=message.id)

    def _written(self, contact: Typed, secret: str) -> tuple[MessageChannel, str, str]:
        """Channel, subject and text of what carries a secret to this contact."""
        if contact.kind == "email":
            return "email", *link_mail(f"{self.public_url}/me/{secret}", self.minutes)
        if contact.kind == "phone":
            return "sms", *code_text(secret, self.minutes)
        return "letter", *code_letter(secret, f"{self.public_url}/me/lettre")
