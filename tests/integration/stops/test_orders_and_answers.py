"""What follows an order: intermediaries, signed answers, the party's data protection contact, the end of an escalation."""

import pytest

from shared.crypto.note import Signer, sign
from shared.intake.signatures import ack_text
from tests.e2e.partner import consent
from tests.integration.stops.conftest import KEY, branches, said, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
ACK = "opposable.order.acknowledged.v1"
APPLIED = "2026-10-02T17:59:00.000Z"


@pytest.fixture
async def stopped(http, partner, someone):
    """A stop of someone known to canalvert, through marmotte: its name and its branches by party."""
    email = f"paul.{someone}@courriel.example"
    record = await partner.consent(consent(email, via=["marmotte"]))
    await partner.permissions("canalvert", record)
    named = (await http.post("/v1/stops", json={"record": record, "recipients": ["canalvert"]})).json()["stop"]
    view = await branches(http, named, lambda v: len(v["branches"]) == 3)
    return named, {b["party"]: b for b in view["branches"]}, email


def answer(order, status="applied", signer=None, text=None):
    body = {"order_id": order, "status": status, "applied_at": APPLIED}
    if signer is not None:
        body["signature"] = sign(text or ack_text(order, status, APPLIED, None), [signer]).decode()
    return body


async def test_the_hands_it_passed_through_are_told_and_each_reminder_is_in_the_history(http, partner, stopped):
    named, by_party, _ = stopped
    assert set(by_party) == {"canalvert", "acme", "marmotte"}
    assert (await partner.orders("marmotte", named))[0]["recipients"] == ["canalvert"]  # upstream learns for whom
    view = await branches(http, named, lambda v: all(b["state"] == "escalated" for b in v["branches"]))
    for branch in view["branches"]:
        assert [entry["what"] for entry in branch["history"]] == ["ordered", "reminded", "reminded", "escalated"]
        assert branch["owner"] == "operator"
        assert branch["next_at"] > branch["ack_due_at"]


async def test_a_signed_answer_counts_and_a_bad_signature_is_none(http, partner, stopped):
    named, by_party, _ = stopped
    order = by_party["canalvert"]["order"]
    bad = answer(order, signer=Signer("canalvert", b"\x08" * 32))
    event = await partner.send("in.canalvert.rights", ACK, bad)
    (receipt,) = await partner.read("out.canalvert.receipts", lambda b: b["event_id"] == event)
    assert receipt["status"] == "rejected"
    (problem,) = receipt["problems"]
    assert (problem["code"], problem["pointer"]) == ("ACK-SIGNATURE", "/signature")
    view = await branches(http, named)
    assert next(b for b in view["branches"] if b["order"] == order)["state"] != "closed"
    await partner.send("in.canalvert.rights", ACK, answer(order, signer=KEY))
    for party in ("acme", "marmotte"):
        await partner.send(f"in.{party}.rights", ACK, answer(by_party[party]["order"]))
    view = await branches(http, named, lambda v: v["state"] == "closed")
    signed = {b["party"]: b["history"][-1].get("signed_by") for b in view["branches"]}
    assert signed == {"canalvert": "canalvert", "acme": None, "marmotte": None}
    facts = await partner.read("deliveries", lambda b: b["facts"]["order"] == order and b["facts"].get("closed"))
    assert facts[0]["facts"]["signed_by"] == "canalvert"
    (report,) = await partner.read("reports", lambda b: b["facts"].get("order") == order)
    assert report["facts"]["signed_by"] == "canalvert"
    assert report["facts"]["signature"].startswith("opposable-ack\n")


async def test_silence_reaches_the_data_protection_contact_and_an_operator_ends_it(http, partner, stopped, command):
    named, by_party, email = stopped
    order = by_party["canalvert"]["order"]
    (last,) = await partner.read("out.canalvert.withdrawals", lambda b: b["order_id"] == order and b.get("escalated"))
    assert last["reminder"] == 3
    (letter,) = await partner.read("messages", lambda b: b["facts"]["refs"].get("order") == order)
    assert letter["facts"]["template"] == "order.escalated"
    assert letter["facts"]["owner"] == f"stop/{named}"
    assert email not in str(letter)

    async def owed():
        found = (await http.get("/v1/obligations")).json()["obligations"]
        return {o["kind"]: o for o in found if o["refs"].get("order") == order and o["kind"] != "order"}

    both = await until(owed, lambda found: len(found) == 2)
    assert both["order-escalated"]["owner"] == "operator"
    assert both["order-escalated-dpo"]["owner"] == "canalvert"
    assert both["order-escalated-dpo"]["refs"]["contact_dpo"] == "dpo@canalvert.example"
    await branches(http, named, lambda v: all(b["state"] == "escalated" for b in v["branches"]))
    code, _, err = await command("resolve", order, "confirmed_otherwise")
    assert code == 0, err
    for branch in (by_party["acme"], by_party["marmotte"]):
        ended = await http.post(f"/v1/orders/{branch['order']}/resolve", json={"how": "confirmed_otherwise"})
        assert ended.status_code == 200
    view = await branches(http, named, lambda v: v["state"] == "closed")
    assert {b["history"][-1]["how"] for b in view["branches"]} == {"confirmed_otherwise"}
    assert await owed() == {}
    (fact,) = await partner.read(
        "deliveries", lambda b: b["facts"]["kind"] == "delivery.resolved" and b["facts"]["order"] == order
    )
    assert fact["facts"]["how"] == "confirmed_otherwise"
    assert (await http.post(f"/v1/orders/{order}/resolve", json={"how": "party_gone"})).status_code == 409


async def test_a_later_consent_reopens_only_if_it_is_confirmed(http, partner, stopped):
    named, _, email = stopped
    await branches(http, named)
    for confirmed, expected in ((False, ("refused", ["REOPEN-UNCONFIRMED"])), (True, ("granted", []))):
        record = await partner.consent(consent(email, confirmed=confirmed))
        assert await said(partner, "canalvert", record) == [expected]
    check = await http.post("/v1/permissions/check", json={
        "contact": {"type": "email", "value": email}, "channel": "email", "recipient": "canalvert",
    })  # fmt: skip
    assert check.json()["allowed"], check.text
