"""Stops and consents in every order a partner may send them, through the whole system: who is told what."""

import uuid
from datetime import UTC, datetime

import pytest

from tests.e2e.partner import Partner, consent, stop

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]
NAMED = ("canalvert", "hibou", "tisane")
EVERYONE = (*NAMED, "acme")


@pytest.fixture
def partner(example_system):
    return Partner(example_system.wait_ready())


def someone():
    tag = uuid.uuid4().int % 10**8
    return f"jeanne.{tag}@courriel.example", f"01 99 00 {tag // 100 % 100:02d} {tag % 100:02d}"


async def granted(partner, record):
    for party in NAMED:
        (told,) = await partner.permissions(party, record)
        assert "reasons" not in told, told
        assert told["basis"] == "consent"


async def test_grant_then_stop_reaches_every_prospecteur_and_the_collector(partner):
    email, _ = someone()
    record = await partner.consent(consent(email))
    await granted(partner, record)
    named = await partner.stop(stop([("email", email.upper())]))
    for party in EVERYONE:
        (order,) = await partner.orders(party, named)
        assert order["consent_ids"] == [record.partition("/")[2]]
        assert order["reminder"] == 0
        assert email.lower() not in str(order).lower()


async def test_an_acknowledged_order_is_not_reminded_and_a_silent_party_is(partner):
    email, _ = someone()
    record = await partner.consent(consent(email))
    await granted(partner, record)
    named = await partner.stop(stop([("email", email)]))
    (order,) = await partner.orders("canalvert", named)
    acknowledged = {"order_id": order["order_id"], "status": "applied", "applied_at": order["at"]}
    await partner.send("in.canalvert.rights", "opposable.order.acknowledged.v1", acknowledged)
    kinds = lambda b: b["facts"]["kind"] == "delivery.acknowledged" and b["facts"]["order"] == order["order_id"]  # noqa: E731
    (closed,) = await partner.read("deliveries", kinds)
    assert closed["facts"]["closed"] is True
    reminded = await partner.read("out.hibou.withdrawals", lambda b: b["stop_id"] == named and b["reminder"] == 1)
    assert reminded
    await partner.none("out.canalvert.withdrawals", lambda b: b["stop_id"] == named and b["reminder"] == 1)


async def test_a_consent_that_arrives_after_its_stop_is_never_granted_and_everyone_is_told(partner):
    email, _ = someone()
    given = datetime.now(UTC)
    named = await partner.stop(stop([("email", email)]))
    record = await partner.consent(consent(email, at=given))
    for party in EVERYONE:
        assert await partner.orders(party, named)
    for party in NAMED:
        await partner.none(f"out.{party}.permissions", lambda b: b["record"] == record and "reasons" not in b, 1)


async def test_a_stop_by_a_linked_contact(partner):
    email, phone = someone()
    record = await partner.consent(consent(email, phone))
    await granted(partner, record)
    named = await partner.stop(stop([("phone", phone)]))
    for party in EVERYONE:
        (order,) = await partner.orders(party, named)
        assert {k["type"] for k in order["match_keys"]} == {"email", "phone"}


async def test_a_stop_received_by_a_prospecteur_travels_up_and_sideways(partner):
    email, _ = someone()
    record = await partner.consent(consent(email))
    await granted(partner, record)
    named = await partner.stop(stop([("email", email)]), party="hibou")
    for party in EVERYONE:
        assert await partner.orders(party, named)


async def test_re_imports_after_a_stop(partner):
    email, _ = someone()
    before = datetime.now(UTC)
    first = await partner.consent(consent(email))
    await granted(partner, first)
    named = await partner.stop(stop([("email", email)]))
    assert await partner.orders("canalvert", named)
    old = await partner.consent(consent(email, at=before))
    held = await partner.consent(consent(email, confirmed=False))
    reopened = await partner.consent(consent(email, confirmed=True))
    (told,) = await partner.permissions("canalvert", held)
    assert told["reasons"] == ["REOPEN-UNCONFIRMED"]
    await granted(partner, reopened)
    again = await partner.read(
        "out.canalvert.withdrawals", lambda b: b["stop_id"] == named and old.partition("/")[2] in b["consent_ids"]
    )
    assert again
    await partner.none("out.canalvert.permissions", lambda b: b["record"] == old and "reasons" not in b, 1)


async def test_a_scoped_stop_tells_only_whom_it_concerns(partner):
    email, _ = someone()
    record = await partner.consent(consent(email))
    await granted(partner, record)
    named = await partner.stop(stop([("email", email)], recipients=["hibou"]))
    for party in ("hibou", "acme"):
        assert await partner.orders(party, named)
    await partner.none("out.canalvert.withdrawals", lambda b: b["stop_id"] == named)
