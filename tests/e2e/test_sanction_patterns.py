"""Every practice that the CNIL or the law punished and that a release must catch, one named scenario each, end to end.

Companies and persons are invented (deploy/example). Each scenario plays what the punished company did, through Kafka and
HTTP as a partner would, and looks at what the platform tells each party: the lead must not be used, or everyone is told to stop.
The same practices as pure cases: tests/cases (names `sanction-…`). The rules and their sources: docs/law.md.
"""

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.cli.target import settings_of
from shared.instants import format_instant
from shared.registry.load import load_dir
from shared.registry.publish import publish
from tests.e2e.partner import REGISTRY, Partner, registry, stop
from tests.waiting import operator_headers

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
GAME, LIST, LATER_LIST = ("jeu-rentree", 7), ("acme-partners", 12), ("acme-partners", 13)


@pytest.fixture
def partner(example_system):
    return Partner(example_system.wait_ready())


def someone():
    return f"jeanne.{uuid.uuid4().int % 10**9}@courriel.example"


def yes(*recipients, channel="email", purpose="prospecting", **more):
    """A decision: granted to these, or to all listed."""
    return {
        "channel": channel, "purpose": purpose, "value": "granted",
        "recipients": list(recipients) or "all_listed", **more,
    }  # fmt: skip


def evidence(page_id, shown, *decisions, contact=None, at=None, confirmed=None, **change):
    """What a collector sends of one person's choice on a page, just now: (collector, event)."""
    at = at or datetime.now(UTC)
    page = registry("form", *page_id)
    notice = registry("notice", page["notice"]["id"], page["notice"]["version"])
    listed = None
    if shown is not None:
        document = registry("list", *shown)
        listed = {k: document[k] for k in ("id", "version", "sha256")} | {"displayed_at": format_instant(at)}
    body = {
        "consent_id": str(uuid.uuid4()), "collected_at": format_instant(at), "zone": "Europe/Paris", "country": "FR",
        "audience": "consumer", "age_band": "adult", "contacts": [contact or {"type": "email", "value": someone()}],
        "form": {"id": page["id"], "version": page["version"], "sha256": page["html_sha256"]},
        "notice": {"version": str(notice["version"]), "sha256": notice["sha256"], "language": "fr"},
        "recipient_list": listed,
        "action": {"type": "checkbox", "default_state": "off", "confirmed_by": confirmed},
        "decisions": list(decisions),
    }  # fmt: skip
    return page["collector"], {**body, **change}


async def played(partner, evidence):
    """Send it; its record."""
    collector, body = evidence
    return await partner.consent(body, party=collector)


async def not_to_be_used(partner, party, record, *reasons):
    """The party is told not to use the lead, for these reasons among others, and was never told that it may."""
    told = await partner.permissions(party, record)
    for one in told:
        assert "basis" not in one, f"{party} was told that it may use {record}"
        assert set(reasons) <= set(one["reasons"]), one["reasons"]
        assert "match_keys" not in one, "whoever may not use a lead is given nothing to find the person by"


async def usable(partner, party, record):
    (told,) = await partner.permissions(party, record)
    assert told.get("basis") == "consent", told


def test_the_sound_page_that_each_scenario_bends_is_registered():
    page = registry("form", *GAME)
    assert page["list_shown"] == "on_form"
    assert page["refusal"]["present"]


async def test_what_each_scenario_bends_is_valid_unbent(partner):
    record = await played(partner, evidence(GAME, LIST, yes("canalvert")))
    await usable(partner, "canalvert", record)


async def test_canalplus_a_list_of_categories_names_nobody(partner):
    """CANAL+ SAN-2023-015: persons were told "our partners", by categories."""
    record = await played(partner, evidence(GAME, ("acme-categories", 1), yes("canalvert")))
    await not_to_be_used(partner, "canalvert", record, "LIST-CATEGORIES")


async def test_criteo_trackers_without_provable_consent(partner):
    """CRITEO SAN-2023-009: the partner's banner made refusing harder; nothing proved the consent."""
    browser = {"type": "browser", "value": uuid.uuid4().hex}
    tracking = yes(channel="tracker", purpose="ad_tracking")
    record = await played(partner, evidence(("bandeau", 1), ("coing-traceurs", 1), tracking, contact=browser))
    for party in ("canalvert", "marmotte"):
        await not_to_be_used(partner, party, record, "TRACKER-PARITY")


async def test_criteo_proof_on_demand_and_a_withdrawal_that_reaches_the_data(partner):
    """CRITEO SAN-2023-009: proof must be had of each partner, and withdrawing must do more than stop the display."""
    browser = {"type": "browser", "value": uuid.uuid4().hex}
    tracking = yes(channel="tracker", purpose="ad_tracking")
    record = await played(partner, evidence(("bandeau", 2), ("coing-traceurs", 1), tracking, contact=browser))
    for party in ("canalvert", "marmotte"):
        await usable(partner, party, record)
    assert await proof(partner, record)
    named = await partner.stop(stop([("browser", browser["value"])], purposes=["ad_tracking"]), party="canalvert")
    for party in ("canalvert", "marmotte", "carte-coing"):
        (order,) = await partner.orders(party, named)
        assert {key["type"] for key in order["match_keys"]} == {"browser"}, "never joined to another contact"


async def test_criteo_a_withdrawal_that_asks_for_erasure_too_is_relayed_to_each_partner(partner):
    """CRITEO SAN-2023-009: the button stopped the display and kept the data. Here both are offered together, each partner is
    ordered to erase and answers, the person is answered, and the proof remains without the data.
    """
    browser = {"type": "browser", "value": uuid.uuid4().hex}
    tracking = yes(channel="tracker", purpose="ad_tracking")
    record = await played(partner, evidence(("bandeau", 2), ("coing-traceurs", 1), tracking, contact=browser))
    partners = ("canalvert", "marmotte", "carte-coing")
    for party in partners[:2]:
        await usable(partner, party, record)
        assert await proof(partner, record, await key_of(partner, party)), "each partner has its proof on demand"
    both = {"contacts": [browser], "erase": True, "identity": {"verified": True, "method": "cookie"}}
    named = await rights(partner, "POST", "/v1/stops", both)
    for party in partners:
        await partner.orders(party, named["stop"])
        (order,) = await partner.read(f"out.{party}.requests", lambda b: b.get("request_id", "-") in named["request"])
        assert order["right"] == "erasure"
        assert {key["type"] for key in order["match_keys"]} == {"browser"}
        done = {"order_id": order["order_id"], "status": "applied"}
        await partner.send(f"in.{party}.rights", "opposable.order.acknowledged.v1", done)
    waiting = await rights(partner, "GET", f"/v1/requests/{named['request']}", seen=lambda r: len(r["branches"]) == 3)
    assert (waiting["state"], waiting["owner"]) == ("open", "operator"), (
        "an identifier of a browser is no address to answer to"
    )
    answer = {"to": {"type": "email", "value": someone()}}
    await rights(partner, "POST", f"/v1/requests/{named['request']}/answer", answer)
    path = f"/v1/requests/{named['request']}"
    closed = await rights(partner, "GET", path, seen=lambda r: answered_and_sent(r) and r["state"] == "closed")
    assert closed["erased"] == [record]
    assert await proof(partner, record), "what was proven stays provable"


async def test_hubside_the_buyer_is_absent_from_the_list(partner):
    """HUBSIDE.STORE SAN-2024-004: leads bought for a company that no person was shown."""
    record = await played(partner, evidence(GAME, LIST, yes("canalvert"), yes("marmotte")))
    await not_to_be_used(partner, "marmotte", record, "LIST-NOT-NAMED")
    await usable(partner, "canalvert", record)


async def test_cosmospace_a_group_shares_one_base(partner):
    """COSMOSPACE SAN-2024-014: one company is named, another legal person of the same hands calls."""
    record = await played(partner, evidence(GAME, LIST, yes("isobelette")))
    await not_to_be_used(partner, "isobelette", record, "LIST-NOT-NAMED", "AGREEMENT-MISSING")


async def test_tagadamedia_foriou_refusal_in_small_grey_text(partner):
    """TAGADAMEDIA SAN-2023-025, FORIOU SAN-2024-003: a large button to accept, a pale line to refuse."""
    record = await played(partner, evidence(("jeu-rentree", 5), LIST, yes("canalvert")))
    await not_to_be_used(partner, "canalvert", record, "FORM-UNBALANCED")


async def test_edf_a_suppliers_template_is_no_proof(partner):
    """EDF SAN-2022-021: a model form, which nobody registered, in place of what this person saw."""
    template = {"id": "jeu-rentree", "version": 99, "sha256": "0" * 64}
    record = await played(partner, evidence(GAME, LIST, yes("canalvert"), form=template))
    await not_to_be_used(partner, "canalvert", record, "FORM-UNKNOWN")
    retouched = {"id": "jeu-rentree", "version": 7, "sha256": "0" * 64}
    record = await played(partner, evidence(GAME, LIST, yes("canalvert"), form=retouched))
    await not_to_be_used(partner, "canalvert", record, "FORM-HASH")


async def test_solocal_an_unproven_base_stays_out_of_use(partner):
    """SOLOCAL SAN-2025-001: the supplier could not prove its base, which stayed in use."""
    sound = (("devis", 3), ("ruisseau-partenaires", 4), yes("tisane"))
    record = await played(partner, evidence(*sound))
    await usable(partner, "tisane", record)
    await set_status(partner, "ruisseau-devis", "suspended")
    try:
        held = await played(partner, evidence(*sound))
        await not_to_be_used(partner, "tisane", held, "PARTY-SUSPENDED")
    finally:
        await set_status(partner, "ruisseau-devis", "active")
    again = await played(partner, evidence(*sound))
    await usable(partner, "tisane", again)


async def test_caloga_four_doors_to_withdraw_and_none_general(partner):
    """CALOGA SAN-2025-002: withdrawing took more steps than consenting; here one door closes all."""
    record = await played(partner, evidence(("carte", 1), ("coing-partenaires", 2), yes("hibou")))
    await not_to_be_used(partner, "hibou", record, "WITHDRAWAL-HARDER")
    email = {"type": "email", "value": someone()}
    sound = await played(partner, evidence(("carte", 2), ("coing-partenaires", 2), yes(), contact=email))
    await usable(partner, "hibou", sound)
    named = await partner.stop(stop([("email", email["value"])]), party="marmotte")
    for party in ("hibou", "marmotte", "carte-coing"):
        (order,) = await partner.orders(party, named)
        assert (order["channels"], order["purposes"]) == ("all", "all")


async def test_extia_an_erasure_is_answered_not_done_in_silence(partner):
    """EXTIA SAN-2026-010: data erased, person never answered. The answer is owed, by name and date, until it is given."""
    email = {"type": "email", "value": someone()}
    await played(partner, evidence(GAME, LIST, yes("canalvert"), contact=email))
    name = await asked(partner, "acme", "erasure", [email])
    done = await rights(partner, "GET", f"/v1/requests/{name}", seen=answered_and_sent)
    assert [letter["template"] for letter in done["letters"]] == ["request.answered"]
    assert len(done["erased"]) == 1
    (told,) = await partner.read("messages", lambda b: b["facts"]["owner"] == f"request/{name}")
    assert told["facts"]["channel"] == "email"


async def test_loyalty_consent_reused_for_another_purpose_and_recipient(partner):
    """SAN-2025-017: the e-mail consent of a loyalty card, handed to a social network for advertising."""
    card, listed = ("carte", 2), ("coing-partenaires", 2)
    social = yes("tisane", channel="social", purpose="ad_tracking")
    record = await played(partner, evidence(card, listed, yes("hibou"), social))
    await not_to_be_used(partner, "tisane", record, "LIST-NOT-NAMED", "AGREEMENT-MISSING", "BOX-MISSING")
    await usable(partner, "hibou", record)


async def test_proximus_an_upstream_refresh_brings_a_withdrawn_person_back(partner):
    """C-129/21 Proximus: the directory's source sent the person again after the withdrawal."""
    email = {"type": "email", "value": someone()}
    before = datetime.now(UTC)
    record = await played(partner, evidence(GAME, LIST, yes(), contact=email))
    await usable(partner, "canalvert", record)
    named = await partner.stop(stop([("email", email["value"])]), party="hibou")
    assert await partner.orders("acme", named), "approaching one party suffices, upstream is told too"
    refreshed = await played(partner, evidence(GAME, LIST, yes(), contact=email, at=before))
    orders = await partner.read(
        "out.canalvert.withdrawals",
        lambda b: b["stop_id"] == named and refreshed.partition("/")[2] in b["consent_ids"],
    )
    assert orders
    await partner.none("out.canalvert.permissions", lambda b: b["record"] == refreshed and "basis" in b, 1)
    dated_today = await played(partner, evidence(GAME, LIST, yes(), contact=email))
    await not_to_be_used(partner, "canalvert", dated_today, "REOPEN-UNCONFIRMED")
    confirmed = await played(partner, evidence(GAME, LIST, yes(), contact=email, confirmed="double_opt_in"))
    await usable(partner, "canalvert", confirmed)


async def test_a_consent_copied_to_a_partner_added_later(partner):
    """A later list is no consent: the person saw version 12, the partner joined in version 13."""
    record = await played(partner, evidence(GAME, LIST, yes("marmotte"), yes("hibou")))
    await not_to_be_used(partner, "marmotte", record, "LIST-NOT-NAMED")
    await usable(partner, "hibou", record)
    everyone = await played(partner, evidence(GAME, LIST, yes()))
    await usable(partner, "hibou", everyone)
    await partner.none("out.marmotte.permissions", lambda b: b["record"] == everyone, 1)
    since = await played(partner, evidence(GAME, LATER_LIST, yes()))
    await usable(partner, "marmotte", since)


async def test_the_phone_consent_of_the_old_law_is_not_that_of_the_new(partner):
    """Décret 2026-662: a form without the five statements gives nobody the right to call from 2026-08-11."""
    period = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    phone = {"type": "phone", "value": "01 99 00 45 67"}
    asked_to_call = yes("hibou", channel="call", object="devis", valid_until=period)
    record = await played(partner, evidence(("devis", 2), ("ruisseau-partenaires", 4), asked_to_call, contact=phone))
    await not_to_be_used(partner, "hibou", record, "PHONE-STATEMENTS")


async def key_of(partner, party):
    """A key of its own for a party, as the operator gives it."""
    secret = uuid.uuid4().hex
    key = {
        "id": "e2e",
        "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "scopes": ["prospector"],
        "expires_at": None,
    }
    (document,) = [d for d in load_dir(REGISTRY / "parties.yaml") if d.body["id"] == party]
    await publish(settings_of(partner.at), [(document.key, {**document.body, "api_keys": [key]})])
    return {"Authorization": f"Bearer {secret}"}


async def proof(partner, record, headers=None):
    """The proof of a record, once a checkpoint covers it (and the asker's key is known)."""
    url = f"{partner.at.services['proof_archive'].url}/v1/proofs/{record}.zip"
    async with httpx.AsyncClient(headers=headers or operator_headers(partner.at)) as client, asyncio.timeout(40):
        while (answer := await client.get(url)).status_code in (202, 401):  # noqa: ASYNC110 - the answer is waited for
            await asyncio.sleep(0.5)
    assert answer.status_code == 200, answer.text
    return answer.content


async def asked(partner, source, right, contacts):
    """A person's request, sent by a party; its name."""
    request_id = f"r-{uuid.uuid4().hex[:12]}"
    data = {
        "request_id": request_id, "right": right, "received_at": format_instant(datetime.now(UTC)),
        "contacts": contacts, "identity": {"verified": True, "method": "code"},
    }  # fmt: skip
    await partner.send(f"in.{source}.rights", "opposable.right.requested.v1", data)
    return f"{source}/{request_id}"


async def rights(partner, method, path, body=None, seen=None):
    """What the rights handler answers the operator, once it is what is waited for."""
    url = partner.at.services["rights_handler"].url
    async with (
        httpx.AsyncClient(base_url=url, headers=operator_headers(partner.at), timeout=40) as client,
        asyncio.timeout(40),
    ):
        while True:
            answer = await client.request(method, path, json=body)
            if seen is None or (answer.status_code == 200 and seen(answer.json())):
                assert answer.is_success, answer.text
                return answer.json()
            await asyncio.sleep(0.3)


def answered_and_sent(request):
    """Whether a request is answered, and its letters have left."""
    return request["state"] in ("answered", "closed") and all(letter["sent"] for letter in request["letters"])


async def set_status(partner, party, status):
    """The operator suspends a party, or reinstates it."""
    (document,) = [d for d in load_dir(REGISTRY / "parties.yaml") if d.body["id"] == party]
    await publish(settings_of(partner.at), [(document.key, {**document.body, "status": status})])
