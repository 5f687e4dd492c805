"""Letters to persons: written and sealed on the request first, ordered after, and their hash archived (never their content).

A letter that is on the request and not yet ordered is ordered by whoever looks next: a crash between the two loses nothing
(EXTIA, CNIL SAN-2026-010: doing what was asked without answering is a breach of its own).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.rights_handler.domain import Instant
from services.rights_handler.kinds import row_of
from services.rights_handler.messages import event_id, headers_of
from services.rights_handler.messaging import PersonMessage
from services.rights_handler.messaging.person_message import message_id
from services.rights_handler.persons import KeySource
from services.rights_handler.ports import Outbox
from services.rights_handler.requests.model import Letter, Request
from services.rights_handler.requests.ports import Messages
from shared import canonical
from shared.crypto.sealing import seal, unseal
from shared.errors import InputError, Problem
from shared.kafka.publisher import Outgoing
from shared.topics import DELIVERIES

KIND = "request.letter"
MOST_ATTACHED = 1_400_000
"""Bytes of all attachments together: what a message carries, with room for its text."""
Channel = Literal["email", "sms", "letter"]
_PREFERRED: Sequence[tuple[str, Channel]] = (("email", "email"), ("post", "letter"), ("phone", "sms"))
Attachment = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Addressee:
    """Where a person is written to. Memory only."""

    channel: Channel
    to: str

    def __repr__(self) -> str:
        return f"Addressee({self.channel})"


@dataclass(frozen=True, slots=True)
class Written:
    """A letter before it is sealed."""

    template: str
    """`request.answered`, `request.refused`, `request.extended`, `request.identity`, `request.lifted`."""
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def addressee(*contacts: Sequence[Mapping[str, str]]) -> Addressee | None:
    """The best way to write: e-mail, else post, else SMS; of the first list that gives one."""
    for known in contacts:
        for kind, channel in _PREFERRED:
            for contact in known:
                if contact["type"] == kind:
                    return Addressee(channel, contact["value"])
    return None


class Letters:
    """Seals letters on requests and orders them."""

    def __init__(self, keys: KeySource, messages: Messages, outbox: Outbox) -> None:
        self._keys, self._messages, self._outbox = keys, messages, outbox

    async def seal(self, request: Request, written: Written, to: Addressee, at: Instant) -> Letter:
        """The letter as it stands on the request. Raises InputError where it cannot be sent, or the request was erased."""
        if to.channel == "sms" and written.attachments:
            raise InputError(
                [Problem("REQUEST-ADDRESS", "/to", "documents need an e-mail or postal address: give one")]
            )
        if sum(len(body) for _, _, body in written.attachments) > MOST_ATTACHED:
            raise InputError([Problem("REQUEST-LARGE", "", f"the documents exceed {MOST_ATTACHED} bytes together")])
        owner = row_of(request.id)
        keys = await self._keys.read([owner])
        if owner not in keys:
            raise InputError(
                [Problem("REQUEST-ERASED", "", "the data of this request is erased: nobody can be written to")]
            )
        document: dict[str, Any] = {
            "channel": to.channel, "to": to.to, "subject": written.subject, "text": written.text,
            "attachments": [[name, kind, base64.b64encode(body).decode()] for name, kind, body in written.attachments],
        }  # fmt: skip
        digest = canonical.sha256_hex(canonical.dumps(document))
        return Letter(written.template, seal(keys[owner], KIND, owner, document), digest, at, facts=written.facts)

    async def order(self, request: Request) -> None:
        """Order every letter of the request that is not sent, and publish their facts. Twice is once."""
        waiting = [(n, letter) for n, letter in enumerate(request.letters) if not letter.sent]
        if not waiting:
            return
        owner = row_of(request.id)
        keys = await self._keys.read([owner])
        if owner in keys:
            documents = [(n, letter, unseal(keys[owner], KIND, owner, letter.sealed)) for n, letter in waiting]
            await self._messages.order([_message(request, n, letter, d) for n, letter, d in documents])
        await self._outbox.send_all([_fact(request, n, letter) for n, letter in waiting])


def request_fact(request: Request, kind: str, event: str, **more: Any) -> Outgoing:
    """An entry for the archive about a request: no personal data, no pseudonym."""
    facts = {"kind": kind, "v": 1, "request": request.id, "right": request.right, **more}
    headers = headers_of(event_id(kind, request.id, event), f"opposable.{kind}.v1")
    return Outgoing(DELIVERIES.name, row_of(request.id).encode(), canonical.dumps({"facts": facts}), headers)


def _message(request: Request, number: int, letter: Letter, document: Mapping[str, Any]) -> PersonMessage:
    return PersonMessage(
        id=message_id("request", request.id, letter.template, str(number)),
        owner=row_of(request.id),
        channel=document["channel"],
        to=document["to"],
        template=f"{letter.template}.{request.right}",
        subject=document["subject"],
        text=document["text"],
        attachments=tuple((name, kind, base64.b64decode(body)) for name, kind, body in document["attachments"]),
        refs=(("request", request.id),),
    )


def _fact(request: Request, number: int, letter: Letter) -> Outgoing:
    return request_fact(request, letter.template, str(number), at=letter.at, sha256=letter.sha256, **dict(letter.facts))
