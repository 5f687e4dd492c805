"""Permission checks in a whole system on real engines: what partners report changes what they may do."""

import asyncio
import base64
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.crypto.keys import match_key
from shared.instants import format_instant
from tests.e2e.partner import Partner, consent, stop
from tests.waiting import operator_http

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
ATTEMPTED, NOTICE = "opposable.contact.attempted.v1", "opposable.notice.given.v1"


@pytest.fixture(scope="module")
def endpoints(system):
    return system.wait_ready()


@pytest.fixture
async def http(endpoints):
    async with operator_http(endpoints) as client:
        yield client


@pytest.fixture
def partner(endpoints):
    return Partner(endpoints)


def someone():
    return f"claire.{uuid.uuid4().hex[:8]}@courriel.example"


async def check(http, body, path="/v1/permissions/check"):
    """The answer once the service is fresh."""
    async with asyncio.timeout(40):
        while True:
            answer = await http.post(path, json={"channel": "email", "recipient": "canalvert"} | body)
            if answer.status_code != 503:
                assert answer.status_code == 200, answer.text
                return answer.json()
            await asyncio.sleep(0.3)


async def until(http, body, good):
    async with asyncio.timeout(40):
        while True:
            answer = await check(http, body)
            if good(answer):
                return answer
            await asyncio.sleep(0.3)


def codes(answer):
    return [reason["code"] for reason in answer["reasons"]]


async def test_the_information_owed_then_given(partner, http):
    email = someone()
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)
    by_email = {"contact": {"type": "email", "value": email}}
    first = await check(http, by_email)
    assert (first["allowed"], first["attach_notice"], first["record"]) == (True, True, record)
    assert "VOUS POUVEZ VOUS OPPOSER" in first["notice_fr"]
    assert first["valid_until"] <= format_instant(datetime.now(UTC) + timedelta(minutes=15, seconds=5))
    attempt = {"record": record, "channel": "email", "at": format_instant(datetime.now(UTC)), "outcome": "sent"}
    await partner.send("in.canalvert.rights", ATTEMPTED, attempt)
    refused = await until(http, by_email, lambda a: not a["allowed"])
    assert codes(refused) == ["ART14-OVERDUE"]
    assert "un premier contact a eu lieu" in refused["reasons"][0]["text_fr"]
    await partner.send("in.canalvert.rights", NOTICE, {"record": record, "at": attempt["at"], "channel": "email"})
    again = await until(http, by_email, lambda a: a["allowed"])
    assert (again["attach_notice"], "notice_fr" in again) == (False, False)
    # Another recipient of the same consent owes its own.
    assert (await check(http, by_email | {"recipient": "hibou"}))["attach_notice"]


async def test_match_keys_from_the_permission_and_from_the_partys_own_key(partner, http, endpoints):
    email = someone()
    record = await partner.consent(consent(email))
    (told,) = await partner.permissions("canalvert", record)
    (key,) = told["match_keys"]
    assert (await check(http, {"match_key": key}))["allowed"]
    assert codes(await check(http, {"match_key": key, "recipient": "hibou"})) == ["NO-GRANT"]
    own = match_key(1, base64.b64decode(await _match_key(endpoints, "canalvert")), "email", email)
    assert own == key["key"]
    batch = {"contacts": [
        {"match_key": key, "ref": "1"}, {"contact": {"type": "email", "value": email}, "ref": "2"},
        {"contact": {"type": "email", "value": someone()}, "ref": "3"},
    ]}  # fmt: skip
    results = (await check(http, batch, "/v1/permissions/check-batch"))["results"]
    assert [(one["ref"], one["allowed"]) for one in results] == [("1", True), ("2", True), ("3", False)]
    await partner.stop(stop([("email", email)]))
    after = await until(http, {"match_key": key}, lambda a: not a["allowed"])
    assert codes(after) == ["STOPPED"]
    stranger = {"contact": {"type": "email", "value": email}, "recipient": "acme", "channel": "social"}
    assert codes(await check(http, stranger)) == ["STOPPED", "NO-GRANT"]  # who collected the person knows it
    assert codes(await check(http, stranger | {"recipient": "isobelette"})) == ["NO-GRANT"]


async def _match_key(endpoints, party):
    """As the party would compute it from its own secret; here from the platform's, which gives it out."""
    from services.rights_handler.persons import Persons  # noqa: PLC0415 - the test's own oracle, needed here only

    master = (endpoints.secrets_dir / "match-master").read_bytes()
    return base64.b64encode(Persons(None, pepper=b"p" * 32, match_master=master).party_match_key(party)).decode()


async def test_calls_reported_by_contact_are_counted(partner, http):
    email, phone = someone(), f"+3319900{uuid.uuid4().int % 10_000:04d}"
    record = await partner.consent(consent(email, phone))
    await partner.permissions("canalvert", record)
    tuesday = datetime(2026, 12, 1, 10, tzinfo=UTC)
    asked = {"contact": {"type": "phone", "value": phone}, "channel": "call", "zone": "Europe/Paris",
             "at": format_instant(max(tuesday, datetime.now(UTC)))}  # fmt: skip
    before = await check(http, asked)
    assert codes(before)[0] == "NO-GRANT"  # the consent is to e-mail only
    assert "CALL-FREQUENCY" not in codes(before)
    for _ in range(4):
        attempt = {"contacts": [{"type": "phone", "value": phone}], "channel": "call", "outcome": "no_answer",
                   "at": format_instant(datetime.now(UTC))}  # fmt: skip
        await partner.send("in.canalvert.rights", ATTEMPTED, attempt)
    now = asked | {"at": format_instant(datetime.now(UTC) + timedelta(minutes=1))}
    after = await until(http, now, lambda a: "CALL-FREQUENCY" in codes(a))
    assert "NO-GRANT" in codes(after)
    assert "CALL-FREQUENCY" not in codes(await check(http, now | {"recipient": "hibou"}))
