"""Orders messages: seals each under its owner's record key and publishes it to `messages` (key: the message's id).

At least once: a repeated order has the same id, and the notifier keeps one row per id.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from services.rights_handler.messaging.person_message import PersonMessage
from services.rights_handler.persons import KeySource
from services.rights_handler.ports import Outbox
from shared import canonical
from shared.clock import Clock
from shared.contracts.person_messages import KIND, Facts
from shared.crypto.sealing import RecordKey, commitments, seal
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing
from shared.topics import MESSAGES


class PersonMessages:
    """The one door to persons. Needs the vault (read), the publisher and the clock."""

    def __init__(self, keys: KeySource, outbox: Outbox, clock: Clock) -> None:
        self._keys, self._outbox, self._clock = keys, outbox, clock

    async def order(self, messages: Sequence[PersonMessage]) -> frozenset[str]:
        """Publish messages; returns when all are stored. One vault read and one publication for the batch.

        Returns the ids that were *not* ordered because their owner's key is gone from the vault (erased): there is nothing
        left to seal with, and nobody left to write to. Raises InputError for a message that could never be sent, before
        anything is published; KafkaError or Unavailable as the publisher does.
        """
        contents = [message.content().model_dump(mode="json") for message in messages]
        keys = await self._keys.read({message.owner for message in messages})
        now = format_instant(self._clock.now())
        await self._outbox.send_all(
            [
                _event(message, content, keys[message.owner], now)
                for message, content in zip(messages, contents, strict=True)
                if message.owner in keys
            ]
        )
        return frozenset(message.id for message in messages if message.owner not in keys)


def _event(message: PersonMessage, content: dict[str, object], key: RecordKey, now: str) -> Outgoing:
    facts = Facts(
        id=message.id, owner=message.owner, channel=message.channel, template=message.template, ordered_at=now,
        expires_at=message.expires_at, refs=dict(message.refs),
        commitments=commitments(key, content, ["/to", "/subject", "/text", "/attachments"]),
    )  # fmt: skip
    sealed = base64.b64encode(seal(key, KIND, message.owner, content)).decode()
    body = canonical.dumps({"facts": facts.model_dump(mode="json"), "sealed": sealed})
    return Outgoing(MESSAGES.name, message.id.encode(), body)
