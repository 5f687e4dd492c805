"""What `messages` carries: an order to write to a person, by the service that knows why, for the notifier that sends it.

`facts` hold no personal data; `sealed` is a `Content`, AES-256-GCM under the owner's record key, bound to the kind and the
owner: when the owner is erased, so is every copy of what was written to the person. Not a partner's contract.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.types import Contract

KIND: Literal["message.ordered"] = "message.ordered"
"""Kind of the event, and first part of the associated data of its sealed content."""
MESSAGE_ID_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"
MAX_ATTACHED_BYTES = 1_500_000
"""Of all attachments together: twice in base64 they still fit the topic's 3 MiB."""
MAX_TEXT = 40_000

MessageChannel = Literal["email", "sms", "letter"]
MessageId = Annotated[str, StringConstraints(pattern=MESSAGE_ID_PATTERN)]
Template = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
"""Name of the wording, such as `portal.email`: what is counted and shown to operators instead of the text."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\\[\]]{1,64}@[^\s@<>,;:\"()\\\[\]]{1,255}")
_NUMBER = re.compile(r"\+[0-9]{4,15}")
_MEDIA_TYPE = r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$"
MAX_ADDRESS_LINES = 7
"""Six by NF Z 10-011, and the country."""


class Attached(Contract):
    """A file of a message; `content` is standard base64."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f/\\\"]{1,100}$")]
    media_type: Annotated[str, StringConstraints(pattern=_MEDIA_TYPE)]
    content: str


class Content(Contract):
    """What is sent, to whom. `to`: one e-mail address, one E.164 number, or the lines of a postal address.

    No field that becomes a header can hold a line break (CWE-93): such a message cannot be made, nor read.
    """

    id: MessageId
    """The message it belongs to, again: a sealed part cannot be moved to another message of the same owner."""
    channel: MessageChannel
    to: str
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    attachments: tuple[Attached, ...] = ()

    @model_validator(mode="after")
    def _clean(self) -> Content:
        if _CONTROL.search(self.subject):
            raise ValueError("a subject is one line")
        forms = {"email": _ADDRESS.fullmatch(self.to), "sms": _NUMBER.fullmatch(self.to), "letter": _is_postal(self.to)}
        if not forms[self.channel]:
            raise ValueError(f"`to` is no single recipient of channel {self.channel}")
        if self.channel == "sms" and self.attachments:
            raise ValueError("an SMS has no attachment")
        return self


class Facts(Contract):
    """The part in clear: no personal data. `commitments` are keyed by JSON pointer into the sealed content."""

    kind: Literal["message.ordered"] = KIND
    v: Literal[1] = 1
    id: MessageId
    owner: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Name in the vault of the key that sealed the content: a record, `request/<source>/<id>`, `stop/<source>/<id>`."""
    channel: MessageChannel
    template: Template
    ordered_at: str
    expires_at: str | None = None
    """After this the message serves nothing (a link of 15 minutes) and is given up without a fault."""
    refs: dict[str, str] = Field(default_factory=dict)
    commitments: dict[str, str]


def _is_postal(value: str) -> bool:
    lines = value.split("\n")
    return 1 < len(lines) <= MAX_ADDRESS_LINES and all(line.strip() and not _CONTROL.search(line) for line in lines)
