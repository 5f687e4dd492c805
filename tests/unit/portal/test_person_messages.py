"""Orders for messages to persons: sealed, deterministic, impossible to bend into other headers."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from services.rights_handler.messaging import PersonMessage, PersonMessages
from services.rights_handler.messaging.person_message import message_id
from shared.clock import ManualClock
from shared.contracts.person_messages import KIND, MAX_ATTACHED_BYTES, Content, Facts
from shared.crypto.sealing import RecordKey, salt_of, unseal, verify_commitment
from shared.errors import InputError, IntegrityError
from shared.topics import MESSAGES

OWNER = "request/platform/r-1"
KEY = RecordKey(b"k" * 32)
MESSAGE = PersonMessage(
    id=message_id("answer", "r-1"), owner=OWNER, channel="email", to="jeanne@courriel.example", template="answer.access",
    subject="Vos données", text="Bonjour,\nvoici.", attachments=(("données.json", "application/json", b'{"a":1}'),),
    refs=(("request", "platform/r-1"),),
)  # fmt: skip


class Keys:
    def __init__(self, *owners):
        self.owners = owners

    async def read(self, wanted):
        return {owner: KEY for owner in wanted if owner in self.owners}


class Outbox:
    def __init__(self):
        self.sent = []

    async def send_all(self, messages):
        self.sent.extend(messages)


def desk(*owners):
    outbox = Outbox()
    return outbox, PersonMessages(Keys(*owners), outbox, ManualClock(datetime(2026, 9, 1, tzinfo=UTC)))


async def test_an_order_holds_nothing_of_the_person_in_clear_and_opens_under_its_owner_only():
    outbox, messages = desk(OWNER)
    assert await messages.order([MESSAGE]) == frozenset()
    (out,) = outbox.sent
    assert (out.topic, out.key) == (MESSAGES.name, MESSAGE.id.encode())
    for secret in (b"jeanne", "données".encode(), b"Bonjour"):
        assert secret not in out.value
        assert base64.b64encode(secret)[:8] not in out.value
    body = orjson.loads(out.value)
    facts = Facts.model_validate(body["facts"])
    assert (facts.id, facts.refs) == (MESSAGE.id, {"request": "platform/r-1"})
    blob = base64.b64decode(body["sealed"])
    doc = unseal(KEY, KIND, OWNER, blob)
    content = Content.model_validate(doc, strict=False)
    assert (content.to, content.subject, content.text) == (MESSAGE.to, MESSAGE.subject, MESSAGE.text)
    assert base64.b64decode(content.attachments[0].content) == b'{"a":1}'
    verify_commitment(facts.commitments["/text"], salt_of(KEY, "/text"), "/text", MESSAGE.text)
    with pytest.raises(IntegrityError):
        unseal(KEY, KIND, "request/platform/r-2", blob)


async def test_an_erased_owner_is_said_and_its_neighbours_are_ordered():
    outbox, messages = desk(OWNER)
    gone = replace(MESSAGE, id="gone", owner="acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11")
    assert await messages.order([gone, MESSAGE]) == {"gone"}
    assert [out.key for out in outbox.sent] == [MESSAGE.id.encode()]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Vos données\r\nBcc: tous@courriel.example"},
        {"subject": "une\u2028autre"},
        {"to": "jeanne@courriel.example, paul@courriel.example"},
        {"to": "jeanne@courriel.example\nBcc: paul@courriel.example"},
        {"to": "Jeanne <jeanne@courriel.example>"},
        {"to": "personne"},
        {"channel": "sms", "to": "0612345678", "attachments": ()},
        {"channel": "sms", "to": "+33612345678"},
        {"channel": "letter", "to": "Jeanne Martin"},
        {"attachments": (('a"; filename="b', "text/plain", b""),)},
        {"attachments": (("a.txt", "text/plain; name=x", b""),)},
        {"attachments": (("gros.bin", "application/octet-stream", bytes(MAX_ATTACHED_BYTES + 1)),)},
        {"text": ""},
        {"id": "a b"},
    ],
)
async def test_a_message_that_could_not_be_sent_as_meant_is_refused_before_anything_leaves(change):
    outbox, messages = desk(OWNER)
    with pytest.raises(InputError) as refused:
        await messages.order([MESSAGE, replace(MESSAGE, **change)])
    assert outbox.sent == []
    assert "jeanne" not in str(refused.value).lower()


def test_the_same_cause_is_the_same_message():
    assert message_id("a", "b") == message_id("a", "b")
    assert len({message_id("a", "b"), message_id("ab"), message_id("a", "c")}) == 3
    assert "jeanne" not in repr(MESSAGE)
