"""The persons of the demonstration: some of those who withdrew ask the portal for their link, by mail, and read their pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx

from services.cli.demo_mail import Mailbox
from services.cli.demo_promises import Promise, promise
from services.cli.demo_stream import Line
from shared.local_engines.endpoints import Endpoints

PERSONS = 5
WITHIN_S, LOOK_S = 30.0, 0.1
_LINK = re.compile(r"https?://\S+/me/\S+")
_STEP = re.compile(r'<span class="state (?:yes|wait)">')
_PIXEL = re.compile(r"<img|<script|https?://(?!127\.0\.0\.1[:/])", re.IGNORECASE)


async def persons_read(endpoints: Endpoints, mailbox: Mailbox, withdrawals: Sequence[Line]) -> Promise:
    """Each gets one mail with one link, and reads behind it where the withdrawal stands, party by party."""
    addresses = _addresses(withdrawals)
    async with httpx.AsyncClient(base_url=endpoints.url("rights_handler"), timeout=30, follow_redirects=True) as http:
        read = await asyncio.gather(*(_one(http, mailbox, address) for address in addresses))
    steps = sum(count for count, _ in read)
    faults = [fault for _, fault in read if fault]
    if not addresses:
        faults.append("nobody to ask")
    return promise("person", faults, asked=len(addresses), mails=len(mailbox.mails), steps=steps)


def _addresses(withdrawals: Sequence[Line]) -> list[str]:
    """Of withdrawals by one e-mail address of somebody known, the first few."""
    found: dict[str, None] = {}
    for line in withdrawals:
        contacts = line["data"].get("contacts") or []
        if line["expect"].get("known") and len(contacts) == 1 and contacts[0].get("type") == "email":
            found[str(contacts[0]["value"]).strip().lower()] = None
    return list(found)[:PERSONS]


async def _one(http: httpx.AsyncClient, mailbox: Mailbox, address: str) -> tuple[int, str]:
    """Lines of parties that the person reads, and what was wrong (never naming the person)."""
    await http.post("/me", data={"contact": address})
    mails = await _mails(mailbox, address)
    if len(mails) != 1:
        return 0, f"{len(mails)} mails instead of one"
    text = str(mails[0].get_content())
    links = _LINK.findall(text)
    if len(links) != 1 or _PIXEL.search(text):
        return 0, "a mail holds another address than its one link"
    page = await http.post(urlsplit(links[0]).path)
    follow = await http.get(f"{page.url.path}/suivi")
    again = await http.post(urlsplit(links[0]).path)
    if again.status_code != httpx.codes.GONE:
        return 0, "a link opened twice"
    steps = len(_STEP.findall(follow.text))
    return steps, "" if steps else "a withdrawal is not shown"


async def _mails(mailbox: Mailbox, address: str) -> list[EmailMessage]:
    for _ in range(int(WITHIN_S / LOOK_S)):
        if mailbox.to(address):
            break
        await asyncio.sleep(LOOK_S)
    return [mail for _, mail in mailbox.to(address)]
