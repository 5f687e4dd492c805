"""One message to one person, as this service orders it. Pure; lives in memory only."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from pydantic import ValidationError

from services.rights_handler.domain import Instant
from shared.contracts.person_messages import MAX_ATTACHED_BYTES, Attached, Content, MessageChannel
from shared.errors import InputError, Problem

ID_DIGITS = 40


def message_id(*cause: str) -> str:
    """The same cause always gives the same message: 40 hex digits of SHA-256. A cause holds no contact."""
    return hashlib.sha256("\0".join(("message", *cause)).encode()).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True)
class PersonMessage:
    """What to write, to whom, and whose key seals it."""

    id: str
    """Derived from what causes the message (`message_id`), so that ordering it twice sends it once."""
    owner: str
    """Name in the vault: a record, `request/<source>/<id>`, `stop/<source>/<id>`. Erasing the owner erases the message."""
    channel: MessageChannel
    to: str
    """One e-mail address, one E.164 number, or two to seven lines of a postal address."""
    template: str
    """Name of the wording, for counting (`portal.email`, `answer.access`): no personal data."""
    subject: str
    """Subject of the mail, heading of the letter; not sent by SMS."""
    text: str
    attachments: tuple[tuple[str, str, bytes], ...] = ()
    """(name, media type, content) each; 1.5 MB together at most. Not by SMS."""
    refs: tuple[tuple[str, str], ...] = ()
    """What it is about, by internal identifiers (`("request", "platform/…")`)."""
    expires_at: Instant | None = None
    """After this it serves nothing and is not sent any more."""

    def __repr__(self) -> str:
        return f"PersonMessage({self.id}, {self.template})"

    def content(self) -> Content:
        """What is sealed. Raises InputError (`MESSAGE`, `MESSAGE-SIZE`) for a message that could not be sent."""
        if sum(len(body) for _, _, body in self.attachments) > MAX_ATTACHED_BYTES:
            raise InputError([Problem("MESSAGE-SIZE", "/attachments", f"at most {MAX_ATTACHED_BYTES} bytes together")])
        try:
            return Content(
                id=self.id, channel=self.channel, to=self.to, subject=self.subject, text=self.text,
                attachments=tuple(
                    Attached(name=name, media_type=media_type, content=base64.b64encode(body).decode())
                    for name, media_type, body in self.attachments
                ),
            )  # fmt: skip
        except ValidationError as error:
            where = "/" + "/".join(str(part) for part in error.errors()[0]["loc"])
            raise InputError(
                [Problem("MESSAGE", where, "this field cannot be sent: one recipient, one line")]
            ) from None
