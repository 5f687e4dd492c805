"""Each rule of the catalogue: bent evidence on which it fires, beside straight evidence on which it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from law_world import Json, bend, bent_registry, body, call, decision, documents, event, one, public_cases, registry

from services.consent_validator.rules.book import CATALOGUE, RuleBook
from services.consent_validator.rules.model import RuleSettings
from shared.contracts.types import instant
from shared.crypto.note import Signer, sign
from shared.registry.hashing import list_hash, note_text
from shared.registry.load import view_of

OWN = "own-prospecting-without-list"
SOFT = "soft-opt-in-own-customer"
B2B = "b2b-named-mailbox-related"
POST = "post-told-and-objection-offered"
TRACKER = "tracker-refusal-as-easy"
FORM1 = "form:jeu-tilleuls:1"


def relation(**changes: Any) -> Json:
    known = event(SOFT)["relationship"]
    return {**known, **changes}


def form_with(**changes: Any) -> Callable[[Json], object]:
    return lambda document: document.update(changes)


def only(line: Any) -> tuple[str, tuple[str, ...]]:
    return line.verdict, line.reasons


def test_the_base_evidence_is_valid() -> None:
    assert only(one(event())) == ("valid", ())
    assert only(one(event(decisions=[call()], collected_at="2026-08-20T10:00:00.000Z"))) == ("valid", ())


def test_refused() -> None:
    assert only(one(event(decisions=[decision(value="refused")]))) == ("invalid", ("REFUSED",))


def test_published_at_the_very_instant_of_the_choice_is_not_later() -> None:
    moment = event()["collected_at"]
    form = {**body(FORM1), "published_at": moment}
    published = {**body("list:ludibrume-partenaires:1"), "published_at": moment}
    published["sha256"] = list_hash(published)
    data = event()
    data["recipient_list"] = {**data["recipient_list"], "sha256": published["sha256"], "displayed_at": moment}
    assert only(one(data, view=bent_registry(form, published))) == ("valid", ())


def test_form_and_list_of_another_collector() -> None:
    data = event()
    assert "FORM-FOREIGN" in one(data, source="comparlune").reasons
    data["form"] = event("list-published-one-second-before")["form"]
    assert "FORM-FOREIGN" in one(data).reasons


@pytest.mark.parametrize(("said", "fires"), [("on", True), ("off", False), ("none", False), (None, False)])
def test_contradicted_default_state(said: str | None, *, fires: bool) -> None:
    data = event(action={"type": "checkbox", "default_state": said, "confirmed_by": None})
    reasons = one(data).reasons
    assert ("FORM-CONTRADICTED" in reasons) is fires
    assert ("ACT-PRETICKED" in reasons) is fires  # the strictest of both states counts


def test_registered_box_on_and_event_off_is_contradicted_and_preticked() -> None:
    data = {**event("pre-ticked-box"), "action": {"type": "checkbox", "default_state": "off"}}
    assert only(one(data)) == ("invalid", ("FORM-CONTRADICTED", "ACT-PRETICKED"))


def test_one_preticked_box_of_the_form_does_not_condemn_the_post_line() -> None:
    data = event("pre-ticked-box")
    data["decisions"] = [decision("post", value="not_objected")]
    data["contacts"] = [{"type": "post", "value": "1 rue Vide\n99000 Villexemple"}]
    assert only(one(data)) == ("valid", ())


def test_party_roles() -> None:
    """A collector without the role, and own prospecting by a company that is no prospecteur."""
    own = event(recipient_list=None, decisions=[decision(recipients=["ludibrume"])])
    assert only(one(own)) == ("invalid", ("PARTY-ROLE",))
    data = event(decisions=[decision(recipients=["comparlune"])])
    assert "PARTY-ROLE" in one(data).reasons
    view = bend("party:ludibrume", form_with(roles=["processor"]))
    assert only(one(event(), view=view)) == ("invalid", ("PARTY-ROLE",))


def test_notice_null_absent_unknown() -> None:
    assert only(one(event(notice=None))) == ("invalid", ("NOTICE-MISSING",))
    absent = event()
    del absent["notice"]
    assert only(one(absent)) == ("valid", ())  # the form version's own notice
    unknown = event(notice={"version": "2020-01", "sha256": "0" * 64})
    assert only(one(unknown)) == ("invalid", ("NOTICE-MISSING",))
    view = bend(FORM1, form_with(notice=None))
    assert only(one(absent, view=view)) == ("invalid", ("NOTICE-MISSING",))


@pytest.mark.parametrize("item", registry().notice("mentions-jeux", "2026-05").items)  # type: ignore[union-attr]
def test_notice_lacking_any_item(item: str) -> None:
    view = bend("notice:mentions-jeux:2026-05", lambda d: d["items"].remove(item))
    assert only(one(event(), view=view)) == ("invalid", ("NOTICE-MISSING",))


def test_list_named_by_siren_only() -> None:
    """The entry bears the party's id but another legal person's SIREN: a brand or group name is nobody."""
    view = bend("list:ludibrume-partenaires:1", lambda d: d["entries"][0].update(siren="999000128"))
    data = event()
    data["recipient_list"] = {**data["recipient_list"], "sha256": view.list_("ludibrume-partenaires", 1).sha256}  # type: ignore[union-attr]
    assert only(one(data, view=view)) == ("invalid", ("LIST-NOT-NAMED",))


def test_list_body_that_is_not_its_hash() -> None:
    document = body("list:ludibrume-partenaires:1")
    document["entries"][0]["legal_name"] = "Autre Nom SA"  # the claimed hash stays
    assert only(one(event(), view=bent_registry(document))) == ("invalid", ("LIST-HASH",))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.update(signature=d["signature"].replace("— comparlune Hc", "— comparlune Hd")),  # unknown key
        lambda d: d.update(signature=d["signature"].replace("\n2\n", "\n3\n")),  # another version signed
        lambda d: d.update(signature="not a note"),
    ],
)
def test_list_signature_wrong(break_it: Callable[[Json], object]) -> None:
    key = "list:comparlune-partenaires:2"
    document = body(key)
    break_it(document)
    line = one(event("signature-required-and-present"), source="comparlune", view=bent_registry(document))
    assert only(line) == ("invalid", ("LIST-SIGNATURE",))


def test_a_good_signature_over_another_version_is_wrong() -> None:
    """The key is the cases' own (tests/cases/README.md); it signs version 3, and stands on version 2."""
    document = body("list:comparlune-partenaires:2")
    signer = Signer("comparlune", hashlib.sha256(b"opposable cases: comparlune list key").digest())
    for version, verdict in ((2, "valid"), (3, "invalid")):
        text = note_text("comparlune-partenaires", version, document["sha256"])
        view = bent_registry({**document, "signature": sign(text, [signer]).decode()})
        assert one(event("signature-required-and-present"), source="comparlune", view=view).verdict == verdict


def test_list_signature_checked_by_the_keys_of_the_collector_now() -> None:
    view = bend("party:comparlune", form_with(public_keys=[]))
    line = one(event("signature-required-and-present"), source="comparlune", view=view)
    assert only(line) == ("invalid", ("LIST-SIGNATURE",))


def test_list_shown_by_link() -> None:
    view = bend(FORM1, form_with(list_shown="link"))
    assert only(one(event(), view=view)) == ("valid", ())
    data = event()
    del data["recipient_list"]["displayed_at"]
    assert only(one(data, view=view)) == ("review", ("LIST-NOT-SHOWN",))
    view = bend(FORM1, form_with(list_shown="absent"))
    assert only(one(event(), view=view)) == ("invalid", ("LIST-NOT-SHOWN",))


def test_a_newer_agreement_version_governs_from_its_first_day() -> None:
    ended = {
        **body("agreement:ludibrume-televerveine:1"),
        "version": 2,
        "valid_from": "2026-06-01",
        "channels": ["sms"],
    }
    view = bent_registry(extra=[ended])
    assert only(one(event(), view=view)) == ("invalid", ("AGREEMENT-MISSING",))
    before = event("email-one-named-recipient", collected_at="2026-05-31T21:59:59.000Z")
    before["recipient_list"]["displayed_at"] = "2026-05-31T21:00:00.000Z"
    assert only(one(before, view=view)) == ("valid", ())


@pytest.mark.parametrize(
    ("from_", "at", "fires"),
    [
        (None, "2026-06-15T10:00:00Z", True),
        ("2026-06-15T10:00:00.000Z", "2026-06-15T10:00:00Z", True),
        ("2026-06-15T10:00:00.001Z", "2026-06-15T10:00:00Z", False),
    ],
)
def test_suspension_counts_at_the_evaluation(from_: str | None, at: str, *, fires: bool) -> None:
    view = bend("party:televerveine", form_with(status="suspended", suspended_from=from_))
    expected = ("review", ("PARTY-SUSPENDED",)) if fires else ("valid", ())
    assert only(one(event(), at=at, view=view)) == expected


def test_box_over_terms_and_bundles() -> None:
    terms = bend(FORM1, lambda d: d["boxes"][0].update(with_terms=True))
    assert only(one(event(), view=terms)) == ("invalid", ("ACT-BUNDLED",))
    two = bend(FORM1, lambda d: d["boxes"][0].update(purposes=["prospecting", "open_tracking"]))
    assert only(one(event(), view=two)) == ("invalid", ("ACT-BUNDLED",))
    all_in_one = {"id": "b-tout", "channels": ["email", "sms"], "purposes": ["prospecting"], "default": "off"}
    beside = bend(FORM1, lambda d: d["boxes"].append(all_in_one))
    assert only(one(event(), view=beside)) == ("valid", ())  # each also has its own box: separately refusable


def test_conditional_and_incentive() -> None:
    view = bend(FORM1, form_with(incentive="bon d'achat"))
    assert only(one(event(), view=view)) == ("valid", ())
    data = event(decisions=[call()], collected_at="2026-08-20T10:00:00.000Z")
    assert only(one(data, view=view)) == ("invalid", ("ACT-CONDITIONAL",))


def test_tracker_banner() -> None:
    line = one(event(TRACKER), source="merle-cendre")
    assert only(line) == ("valid", ())
    assert line.valid_until == "2026-08-10T09:00:00.000Z"  # six months on the clock of Paris
    view = bend("form:bandeau:1", form_with(tracker=None, boxes=[]))
    assert only(one(event(TRACKER), source="merle-cendre", view=view)) == (
        "invalid",
        ("FORM-CONTRADICTED", "BOX-MISSING"),
    )
    view = bend("form:bandeau:1", form_with(boxes=[]))
    assert only(one(event(TRACKER), source="merle-cendre", view=view)) == ("valid", ())


def test_capacity() -> None:
    view = bend(FORM1, form_with(targets_minors=True))
    assert only(one(event(age_band="unknown"), view=view)) == ("review", ("CAPACITY",))
    assert only(one(event(age_band="unknown"))) == ("valid", ())
    assert only(one(event(age_band="under_15"))) == ("invalid", ("CAPACITY",))
    assert only(one(event(age_band="under_15", parental_consent=True))) == ("valid", ())
    assert only(one(event(age_band="15_17"), view=view)) == ("valid", ())


@pytest.mark.parametrize("statement", ["professional", "choice", "period", "withdrawal", "proof_access"])
def test_each_phone_statement(statement: str) -> None:
    view = bend(FORM1, lambda d: d["phone_statements"].remove(statement))
    data = event(decisions=[call()], collected_at="2026-08-20T10:00:00.000Z")
    assert only(one(data, view=view)) == ("invalid", ("PHONE-STATEMENTS",))


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"valid_until": None}, ("PHONE-PERIOD",)),
        ({"valid_until": "2027-08-20"}, ()),  # 365 days
        ({"valid_until": "2027-08-21"}, ("PHONE-PERIOD",)),
        ({"object": None}, ("PHONE-OBJECT",)),
        ({"object": "  "}, ("PHONE-OBJECT",)),
    ],
)
def test_phone_period_and_object(changes: Json, reasons: tuple[str, ...]) -> None:
    assert one(event(decisions=[call(**changes)], collected_at="2026-08-20T10:00:00.000Z")).reasons == reasons


def test_soft_opt_in_needs_each_condition() -> None:
    assert only(one(event(SOFT), source="merle-cendre")) == ("valid", ())
    for broken in (
        {"details_from_person": False}, {"details_from_person": None}, {"collected_during": "other"},
        {"collected_during": "account"}, {"analogous": False}, {"opt_out_offered": False},
    ):  # fmt: skip
        line = one(event(SOFT, relationship=relation(**broken)), source="merle-cendre")
        assert only(line) == ("invalid", ("SOFT-CONDITIONS",)), broken
        assert line.basis == "soft_opt_in"


def test_free_account_is_a_setting() -> None:
    data = event("soft-opt-in-free-account")
    book = RuleBook(RuleSettings(free_account_is_sale=True))
    assert only(one(data, source="merle-cendre", book=book)) == ("valid", ())
    assert book.version != RuleBook().version
    assert book.version.startswith(RuleBook().version + "+")


@pytest.mark.parametrize(
    ("channel", "kind", "basis", "reasons"),
    [
        ("email", "contract_in_course", "soft_opt_in", ()),
        ("call", "contract_in_course", "contract_in_course", ()),
        ("call", "customer", "consent", ("FORM-CONTRADICTED", "ACT-NONE", "BOX-MISSING")),
        ("automated_call", "customer", "consent", ("FORM-CONTRADICTED", "ACT-NONE", "BOX-MISSING")),
    ],
)
def test_which_exception_a_relationship_claims(channel: str, kind: str, basis: str, reasons: tuple[str, ...]) -> None:
    data = event(SOFT, relationship=relation(kind=kind), collected_at="2026-09-02T10:00:00.000Z")
    data["decisions"] = [decision(channel, value="not_objected", recipients=["merle-cendre"])]
    line = one(data, source="merle-cendre")
    assert line.basis == basis
    assert tuple(r for r in line.reasons if not r.startswith("PHONE")) == reasons


@pytest.mark.parametrize(
    "broken",
    [
        {"until": "2026-09-09T00:00:00.000Z"},
        {"analogous": False},
        {"with": "televerveine"},
        {"since": "2026-10-01T00:00:00Z"},
    ],
)
def test_contract_that_is_not_in_course_exempts_nothing(broken: Json) -> None:
    data = event("renovation-call-contract-in-course")
    data["relationship"] = {**data["relationship"], **broken}
    reasons = one(data, source="isolombre").reasons
    assert {"ACT-NONE", "SECTOR-BANNED"} <= set(reasons)


def test_contract_ended_when_used() -> None:
    data = event("renovation-call-contract-in-course")
    data["relationship"] = {**data["relationship"], "until": "2026-12-31T00:00:00.000Z"}
    assert only(one(data, source="isolombre")) == ("valid", ())
    assert one(data, source="isolombre").valid_until == "2026-12-31T00:00:00.000Z"
    assert "SECTOR-BANNED" in one(data, source="isolombre", at="2027-01-01T00:00:00Z").reasons


def test_b2b_relation_unknown_is_for_a_person() -> None:
    data = event(B2B, decisions=[decision(value="not_objected", recipients=["facturelune"])])
    assert only(one(data, source="comparlune")) == ("review", ("B2B-UNRELATED",))


def test_b2b_other_channels_need_consent() -> None:
    data = event(B2B, contacts=[{"type": "phone", "value": "01 99 00 12 34"}])
    data["decisions"] = [decision("sms", value="not_objected", recipients=["facturelune"])]
    line = one(data, source="comparlune")
    assert (line.basis, line.reasons) == ("consent", ("ACT-NONE",))


def test_generic_mailbox_has_no_basis_and_no_list_but_an_agreement() -> None:
    data = event("b2b-generic-mailbox", recipient_list=None)
    assert only(one(data, source="comparlune")) == ("valid", ())
    view = bend("agreement:comparlune-facturelune:1", form_with(channels=["call"]))
    assert only(one(data, source="comparlune", view=view)) == ("invalid", ("AGREEMENT-MISSING",))
    both = [{"type": "email", "value": "contact@b.example"}, {"type": "email", "value": "jeanne@b.example"}]
    assert one(event("b2b-generic-mailbox", contacts=both), source="comparlune").basis == "legitimate_interest"
    assert one(event("b2b-generic-mailbox", audience="consumer"), source="comparlune").basis == "consent"


def test_post_information_strictest_counts() -> None:
    data = event(POST)
    said = decision("post", value="not_objected", post_information={"transfer_told": False, "objection_offered": True})
    assert only(one({**data, "decisions": [said]}, source="merle-cendre")) == ("invalid", ("POST-NO-INFO",))
    view = bend("form:abonnement:2", form_with(post_information=None))
    assert only(one(data, source="merle-cendre", view=view)) == ("invalid", ("POST-NO-INFO",))
    told = {"transfer_told": True, "objection_offered": True}
    contact = {**data["contacts"][0], "post_information": told}
    assert only(one({**data, "contacts": [contact]}, source="merle-cendre", view=view)) == ("valid", ())
    mixed = {**data, "contacts": [contact], "decisions": [said]}
    assert only(one(mixed, source="merle-cendre", view=view)) == ("invalid", ("POST-NO-INFO",))
    own = {**data, "decisions": [decision("post", value="not_objected", recipients=["merle-cendre"])]}
    assert only(one(own, source="merle-cendre", view=view)) == ("valid", ())  # no transfer to tell of


def test_agreement_incomplete() -> None:
    view = bend("agreement:ludibrume-televerveine:1", form_with(clauses=[], qualification="joint"))
    assert only(one(event(), view=view)) == ("review", ("AGREEMENT-INCOMPLETE",))
    view = bend("agreement:ludibrume-televerveine:1", form_with(clauses=["x", "y"]))
    assert only(one(event(), view=view)) == ("valid", ())
    interest = bend(
        "agreement:merle-cendre-televerveine:1", form_with(clauses=["responsibilities", "essence_available"])
    )
    line = one(event(POST), source="merle-cendre", view=interest)
    assert only(line) == ("review", ("AGREEMENT-INCOMPLETE",))  # the balancing test is missing


def test_evidence_late_only_in_the_running_system() -> None:
    data = event()
    late = "2026-06-16T09:12:30.001Z"  # 24 h and 1 ms after collection
    assert only(one(data, received_at=late)) == ("valid", ())
    assert only(one(data, received_at=late, live=True)) == ("review", ("EVIDENCE-LATE",))
    assert only(one(data, received_at="2026-06-16T09:12:30.000Z", live=True)) == ("valid", ())
    book = RuleBook(RuleSettings(late_after=timedelta(hours=48)))
    assert only(one(data, received_at=late, live=True, book=book)) == ("valid", ())


@pytest.mark.parametrize("key", [FORM1, "list:ludibrume-partenaires:1", "notice:mentions-jeux:2026-05", None])
def test_evidence_older_than_what_it_cites(key: str | None) -> None:
    view = view_of([d for d in documents() if d.key != key])
    if key is not None:
        archived = instant("2026-06-15T09:12:30.001Z")
        view.apply(key, body(key), offset=7, archived_at=archived)
    expected = ("review", ("EVIDENCE-LATE",)) if key else ("valid", ())
    assert only(one(event(), live=True, view=view)) == expected


def test_expired() -> None:
    data = event()
    assert one(data).valid_until == "2029-06-15T09:12:30.000Z"
    assert only(one(data, at="2029-06-15T09:12:29.999Z")) == ("valid", ())
    assert only(one(data, at="2029-06-15T09:12:30.000Z")) == ("invalid", ("EXPIRED",))


def test_tracking_purposes_know_no_exception() -> None:
    data = event(B2B, decisions=[decision(purpose="open_tracking", value="not_objected", recipients=["facturelune"])])
    line = one(data, source="comparlune")
    assert line.basis == "consent"
    assert "ACT-NONE" in line.reasons


def test_reasons_stand_in_catalogue_order() -> None:
    data = event(
        decisions=[decision("push", value="not_objected", recipients=["orbevent"])], notice=None, age_band="under_15",
        recipient_list=None, action={"type": "button", "default_state": "on"},
    )  # fmt: skip
    reasons = one(data, at="2031-01-01T00:00:00Z").reasons
    order = [rule.code for rule in CATALOGUE]
    assert len(reasons) >= 8
    assert list(reasons) == sorted(reasons, key=order.index)


def test_every_rule_has_its_texts_and_is_tried() -> None:
    codes = [rule.code for rule in CATALOGUE]
    assert len(codes) == len(set(codes)) == 44
    for rule in CATALOGUE:
        assert all((rule.title_fr, rule.title_en, rule.cure_fr, rule.cure_en, rule.source)), rule.code
    by_cases = {code for c in public_cases() for line in c["expect"]["lines"] for code in line["must_have"]}
    here = Path(__file__).read_text("utf-8")
    assert [code for code in codes if code not in by_cases and f'"{code}"' not in here] == []
