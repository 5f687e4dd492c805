"""The letter to a party's data protection contact: once, in French, without anything of the person."""

import base64

import orjson
import pytest

from services.rights_handler.deliveries import escalated, open_delivery
from services.rights_handler.escalating import Officers, obligations
from services.rights_handler.messaging import PersonMessages
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey, unseal
from tests.fakes.rights import Direct
from tests.unit.rights.rights_world import RECORD, START, TIMES, FakeRegistry, Registered, make_grant, make_stop

KEY = RecordKey(b"k" * 32)
NOW = "2026-10-04T17:05:00.000Z"


class Keys:
    known = True

    async def read(self, record_ids):
        return dict.fromkeys(record_ids, KEY) if self.known else {}


def late(party="canalvert"):
    row = open_delivery(
        make_stop(), make_grant(), party, may_hold=True, now="2026-10-02T17:05:00.000Z", ack_within=TIMES.repeat,
        times=TIMES,
    )  # fmt: skip
    return escalated(row, NOW, TIMES)


@pytest.fixture
def world():
    ports, keys, registry = Direct(), Keys(), FakeRegistry()
    return ports.world, keys, registry, Officers(PersonMessages(keys, ports, ManualClock(START)), registry)


async def test_the_contact_is_written_to_with_the_order_and_no_person(world):
    published, _, _, officers = world
    for _ in range(2):
        assert await officers.write([late()]) == []
    first, again = published.published
    body = orjson.loads(first.value)
    assert first.key == again.key  # repeated by a crash: the notifier sends it once
    assert body["facts"]["owner"] == "stop/canalvert/s1"
    assert body["facts"]["template"] == "order.escalated"
    content = unseal(KEY, "message.ordered", "stop/canalvert/s1", base64.b64decode(body["sealed"]))
    assert content["to"] == "dpo@canalvert.example"
    for word in (late().order, "canalvert/s1", "2026-10-03", "applied", "opposition", "out.canalvert.withdrawals"):
        assert word in content["text"]
    for secret in ("jeanne", "+33199001234", "lead-1", RECORD.split("/")[1]):
        assert secret not in content["text"]


async def test_who_cannot_be_written_to_is_said(world, monkeypatch):
    _, keys, _, officers = world
    assert [row.party for row in await officers.write([late("inconnu")])] == ["inconnu"]
    monkeypatch.setattr(Registered, "contact_dpo", "01 99 00 12 34")
    assert [row.party for row in await officers.write([late()])] == ["canalvert"]
    monkeypatch.undo()
    keys.known = False  # the stop's key is gone: nothing is left to seal with
    assert [row.party for row in await officers.write([late()])] == ["canalvert"]


def test_two_obligations_name_who_must_act():
    operations, officer = obligations(late(), NOW, "dpo@canalvert.example")
    assert (operations.owner, officer.owner) == ("operator", "canalvert")
    assert dict(officer.refs)["contact_dpo"] == "dpo@canalvert.example"
    assert "dpo@canalvert.example" in officer.cause
    assert "names no contact_dpo" in obligations(late(), NOW, None)[0].cause
