"""The outbox on MongoDB and a real mail server: sent once, retried, failed, owned, and nothing readable at rest."""

import asyncio
import base64
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from pymongo import AsyncMongoClient

from services.notifier.domain import bounced, closed, obligation
from services.notifier.handlers import Handlers
from services.notifier.outbox import Outbox
from services.notifier.sending import LEASE, Sender
from services.notifier.transports.files import LetterFiles, SmsFiles
from services.notifier.transports.smtp import Smtp
from services.rights_handler.messaging import PersonMessage, PersonMessages
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey
from shared.kafka.record import StoredRecord
from shared.metrics import Metrics
from tests.fakes.mail_sink import authenticator, certificate, mail_sink

pytestmark = pytest.mark.engines
OWNER = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
JEANNE = PersonMessage(
    "m1", OWNER, "email", "jeanne@courriel.example", "portal.link", "Votre lien", "Bonjour,\nle lien."
)


class Keys:
    def __init__(self):
        self.known = {OWNER: RecordKey(b"k" * 32)}

    async def read(self, wanted):
        return {owner: key for owner, key in self.known.items() if owner in wanted}


class Quiet:
    def warning(self, *_args, **_fields):
        pass

    def error(self, event, **fields):
        raise AssertionError(event, fields) from fields.get("exc_info")


class Bench:
    """Everything between the topic and the transports, on a database of the test's own."""

    def __init__(self, client, name, transports):
        self.clock, self.keys, self.dead, self.published = (
            ManualClock(datetime(2026, 9, 14, 10, tzinfo=UTC)),
            Keys(),
            [],
            [],
        )
        self.outbox = Outbox(client, name)
        self.rows = client[name]["messages"]
        self.handlers = Handlers(self.outbox, self._bury)
        self.orders = PersonMessages(self.keys, self, self.clock)
        self.transports = transports

    async def _bury(self, letters):
        self.dead.extend(letters)

    async def send_all(self, messages):
        self.published.extend(messages)

    async def order(self, *messages):
        self.published.clear()
        await self.orders.order(messages)
        records = [StoredRecord(m.topic, 0, n, 0, m.key, m.value) for n, m in enumerate(self.published)]
        await self.handlers.messages(records)
        return records

    def sender(self):
        return Sender(
            outbox=self.outbox, keys=self.keys, transports=self.transports, clock=self.clock, every=timedelta(seconds=1),
            first_retry=timedelta(seconds=10), give_up=timedelta(days=3), timeout=10, metrics=Metrics(), log=Quiet(),
            jitter=lambda: 0.5,
        )  # fmt: skip


@pytest.fixture
def sink():
    with mail_sink() as (sink, port):
        sink.port = port
        yield sink


def smtp(port, **change):
    given = {"host": "127.0.0.1", "port": port, "tls": "none", "username": None, "password": None,
             "sender": "Opposable <non@opposable.example>", "bounces": "retours@opposable.example",
             "deployment": "opposable.example", "timeout": 10}  # fmt: skip
    return Smtp(**{**given, **change})


@pytest.fixture
async def bench(mongo_uri, database_name, sink, tmp_path):
    async with AsyncMongoClient(mongo_uri, tz_aware=True) as client:
        bench = Bench(client, database_name, {
            "email": smtp(sink.port), "sms": SmsFiles(tmp_path), "letter": LetterFiles(tmp_path, "Opposable|75001 PARIS"),
        })  # fmt: skip
        await bench.outbox.prepare()
        await bench.rows.drop_index("purge_at_1")  # the bench lives in its own time, the database in ours
        yield bench


async def test_an_order_is_sent_once_whatever_is_repeated_and_leaves_no_content(bench, sink):
    records = await bench.order(JEANNE)
    raw = await bench.rows.find_one({"_id": "m1"})
    assert raw["sealed"]
    assert "jeanne" not in str(raw)
    await bench.sender().sweep()
    await bench.handlers.messages(records)  # a replay of the topic
    await bench.sender().sweep()
    (mail,) = sink.mails
    assert mail["To"] == "jeanne@courriel.example"
    assert mail["Message-ID"] == "<m1@opposable.example>"
    assert sink.envelopes[0].mail_from == "retours@opposable.example"
    row = await bench.rows.find_one({"_id": "m1"})
    assert (row["state"], row["sealed"]) == ("sent", None)
    assert row["purge_at"] > bench.clock.now() + timedelta(days=31)


async def test_two_instances_never_send_one_message_twice(bench, sink):
    await bench.order(*(replace(JEANNE, id=f"m{n}") for n in range(40)))
    senders = [bench.sender() for _ in range(4)]
    for _ in range(5):
        await asyncio.gather(*(sender.sweep() for sender in senders))
    while await senders[0].sweep():
        pass
    assert sorted(mail["Message-ID"] for mail in sink.mails) == sorted(f"<m{n}@opposable.example>" for n in range(40))


async def test_an_instance_that_dies_holding_a_claim_is_replaced_when_its_lease_ends(bench, sink):
    await bench.order(JEANNE)
    now = "2026-09-14T10:00:00.000Z"
    claim, (row,) = await bench.outbox.claim(now, "2026-09-14T10:05:00.000Z", 8)
    assert await bench.sender().sweep() == 0
    bench.clock.advance(LEASE)
    assert await bench.sender().sweep() == 1
    assert len(sink.mails) == 1
    assert not await bench.outbox.release(closed(row, "sent", "SENT", now), claim)  # the dead one's note comes too late


async def test_a_server_that_is_busy_is_tried_again_with_the_same_mail(bench, sink):
    sink.data_replies = ["451 4.3.0 plus tard", "451 4.3.0 plus tard"]
    await bench.order(JEANNE)
    for seconds in (0, 7.5, 15):
        bench.clock.advance(timedelta(seconds=seconds))
        await bench.sender().sweep()
    assert [mail["Message-ID"] for mail in sink.mails] == ["<m1@opposable.example>"]
    row = await bench.outbox.get("m1")
    assert [(e["what"], e["code"]) for e in row.history] == [
        ("ordered", "portal.link"), ("deferred", "SMTP-451 4.3.0"), ("deferred", "SMTP-451 4.3.0"), ("sent", "SENT"),
    ]  # fmt: skip


async def test_a_recipient_refused_for_good_is_owned_by_the_operator_without_naming_anybody(bench, sink):
    sink.replies["jeanne@courriel.example"] = "550 5.1.1 <jeanne@courriel.example> inconnue"
    await bench.order(JEANNE)
    await bench.sender().sweep()
    await bench.sender().sweep()
    (row,) = await bench.outbox.owed(10)
    owed = obligation(row, timedelta(days=3))
    assert (owed["kind"], owed["owner"], owed["code"]) == ("message-failed", "operator", "SMTP-550 5.1.1")
    assert "jeanne" not in str(await bench.rows.find_one({"_id": "m1"}))
    assert sink.mails == []


async def test_a_server_that_is_away_loses_nothing_and_shows_after_three_attempts(bench, sink):
    bench.transports["email"] = smtp(1)  # nobody listens there
    await bench.order(JEANNE)
    for _ in range(3):
        bench.clock.advance(timedelta(minutes=1))
        await bench.sender().sweep()
    (row,) = await bench.outbox.owed(10)
    assert (row.state, row.code, row.attempts) == ("waiting", "SMTP-UNREACHABLE", 3)
    bench.transports["email"] = smtp(sink.port)
    bench.clock.advance(timedelta(minutes=2))
    await bench.sender().sweep()
    assert len(sink.mails) == 1


async def test_what_serves_nothing_any_more_or_has_no_owner_is_dropped(bench, sink):
    await bench.order(JEANNE, replace(JEANNE, id="m2", expires_at="2026-09-14T10:15:00.000Z"))
    bench.clock.advance(timedelta(minutes=15))
    bench.keys.known.clear()  # the person was erased
    await bench.sender().sweep()
    assert sink.mails == []
    states = {row["_id"]: (row["state"], row["sealed"]) async for row in bench.rows.find()}
    assert states == {"m1": ("erased", None), "m2": ("expired", None)}


async def test_a_sealed_part_moved_to_another_message_is_not_sent(bench, sink):
    records = await bench.order(JEANNE, replace(JEANNE, id="m2", to="paul@courriel.example"))
    one, two = (orjson.loads(record.value) for record in records)
    await bench.rows.update_one({"_id": "m1"}, {"$set": {"sealed": base64.b64decode(two["sealed"])}})
    await bench.sender().sweep()
    assert [mail["To"] for mail in sink.mails] == ["paul@courriel.example"]
    row = await bench.outbox.get(one["facts"]["id"])
    assert (row.state, row.code) == ("failed", "SEAL")


async def test_what_cannot_be_read_goes_aside_and_its_neighbours_flow(bench, sink):
    (good,) = await bench.order(JEANNE)
    bad = [StoredRecord("messages", 0, n, 0, None, value) for n, value in enumerate([None, b"{}", b"[1]", b"\xff"])]
    await bench.rows.delete_many({})
    await bench.handlers.messages([*bad, good])
    assert [(record.offset, code) for record, code, _ in bench.dead] == [(n, "FACTS") for n in range(4)]
    await bench.sender().sweep()
    assert len(sink.mails) == 1


async def test_a_bounce_reopens_what_was_sent_once(bench):
    await bench.order(JEANNE)
    await bench.sender().sweep()
    row = await bench.outbox.get("m1")
    back = bounced(row, "BOUNCE 5.1.1", "2026-09-14T11:00:00.000Z")
    assert await bench.outbox.replace(row, back)
    assert not await bench.outbox.replace(row, back)
    raw = await bench.rows.find_one({"_id": "m1"})
    assert "purge_at" not in raw  # it waits for somebody
    assert [row.state for row in await bench.outbox.owed(10)] == ["bounced"]


async def test_sms_and_letters_become_files_that_only_we_read(bench, tmp_path):
    sms = replace(JEANNE, id="s1", channel="sms", to="+33612345678", text="Votre code : 123456")
    letter = replace(JEANNE, id="l1", channel="letter", to="Jeanne MARTIN\n75002 PARIS",
                     attachments=(("données.json", "application/json", b"{}"),))  # fmt: skip
    await bench.order(sms, letter)
    await bench.sender().sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l1.annexe-1.json", "l1.pdf", "s1.sms.json"]
    assert orjson.loads((tmp_path / "s1.sms.json").read_bytes())["to"] == "+33612345678"
    assert (tmp_path / "l1.pdf").read_bytes().startswith(b"%PDF")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


async def test_mails_go_encrypted_and_authenticated_or_not_at_all(bench, tmp_path):
    server, authority = certificate(tmp_path)
    options = {"tls_context": server, "require_starttls": True, "auth_require_tls": True, "auth_required": True,
               "authenticator": authenticator("opposable", "secret")}  # fmt: skip
    with mail_sink(**options) as (sink, port):
        known = ssl.create_default_context(cafile=str(authority))
        given = {"host": "localhost", "tls": "starttls", "username": "opposable", "context": known}
        bench.transports["email"] = smtp(port, password="faux", **given)
        await bench.order(JEANNE)
        await bench.sender().sweep()
        assert (await bench.outbox.get("m1")).code == "SMTP-AUTH"
        bench.transports["email"] = smtp(port, password="secret", **{**given, "context": None})  # an unknown authority
        bench.clock.advance(timedelta(minutes=1))
        await bench.sender().sweep()
        assert (await bench.outbox.get("m1")).code == "SMTP-UNREACHABLE"
        bench.transports["email"] = smtp(port, password="secret", **given)
        bench.clock.advance(timedelta(minutes=2))
        await bench.sender().sweep()
        assert sink.encrypted == [True]
    with mail_sink() as (plain, port):  # a server without STARTTLS is not spoken to in clear
        bench.transports["email"] = smtp(port, tls="starttls")
        await bench.order(replace(JEANNE, id="m9"))
        await bench.sender().sweep()
        assert plain.mails == []
        assert (await bench.outbox.get("m9")).state == "waiting"
