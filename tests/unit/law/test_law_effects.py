"""Each rule's own answer, asked of the rule alone: what it refuses it refuses, what it doubts it doubts, and nothing else.

Verdicts are worked out from several rules at once, so that a rule which became milder could hide behind another: here none can.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from services.consent_validator.rules.basis import BASIS_TABLE, row_of
from services.consent_validator.rules.book import CATALOGUE, RuleBook
from services.consent_validator.rules.evidence import Case, notice_key
from services.consent_validator.rules.model import CALL_CONSENT, RuleSettings
from services.consent_validator.rules.page import Page, current

RULES = {rule.code: rule for rule in CATALOGUE}
NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)
EMAIL, TRACKER, CALL = ("email", "prospecting"), ("tracker", "ad_tracking"), ("call", "prospecting")


def box(channels=("email",), purposes=("prospecting",), default="off", *, with_terms=False):
    return Stub(channels=channels, purposes=purposes, default=default, with_terms=with_terms)


def form(**change: Any) -> Stub:
    plain = {
        "collector": "acme", "boxes": (box(),), "tracker": None, "refusal": Stub(present=True), "unbalance": 0,
        "targets_minors": False, "list_shown": "on_form", "steps": Stub(grant=1, withdraw=1), "withdrawal_told": True,
        "service_conditional": False, "incentive": None, "phone_statements": (),
    }  # fmt: skip
    return Stub(**{**plain, **change})


def line(use=EMAIL, *, case: dict[str, Any] | None = None, **change: Any) -> Any:
    facts = {"age_band": "adult", "parental_consent": None, "contact_types": ["email"], "notice": None, "audience": "consumer",
             "generic_mailbox": False}  # fmt: skip
    given = case or {}
    of_case = {
        "form": form(), "list_": None, "list_reference": None, "displayed": None, "collector": "acme", "collected": NOON, "at": NOON,
        "collected_day": date(2026, 9, 14), "used_day": date(2026, 9, 14), "settings": RuleSettings(), "default_state": "off",
        "party": Stub(roles=("collector",), status="active"), "relationship": None, "notice": None, "notice_key": None,
        "contract_in_course": lambda _recipient: False,
        **given, "facts": {**facts, **given.get("facts", {})},
    }  # fmt: skip
    plain = {
        "channel": use[0], "purpose": use[1], "case": Stub(**of_case), "boxes": (box(),), "recipient": "canalvert", "value": "granted",
        "party": Stub(roles=("prospector",), status="active", registration=("siren", "1")), "basis": "consent", "sector": "general",
        "agreements": (), "covering": (), "decision": {"valid_until": None, "object": None}, "third_party": True,
    }  # fmt: skip
    return Stub(**{**plain, **change})


BANNER = form(tracker=Stub(steps_accept=1, steps_refuse=1), boxes=(box(("tracker",), ("open_tracking",)),))
PLAIN_BANNER = form(tracker=Stub(steps_accept=1, steps_refuse=1), boxes=())
LISTED = Stub(
    nature="named", collector="acme", sha256="a",
    entries=(Stub(registration=("siren", "1"), channels=("email",), purposes=("prospecting",)),),
)  # fmt: skip
WITH_LIST = {"list_": LISTED, "list_reference": {"sha256": "a"}}


@pytest.mark.parametrize(
    ("code", "asked", "answer"),
    [
        ("BOX-MISSING", line(), None),
        ("BOX-MISSING", line(boxes=()), "invalid"),
        ("BOX-MISSING", line(boxes=(), case={"form": None}), None),
        ("BOX-MISSING", line(TRACKER, boxes=(), case={"form": BANNER}), "invalid"),
        ("BOX-MISSING", line(TRACKER, boxes=(), case={"form": PLAIN_BANNER}), None),
        ("BOX-MISSING", line(EMAIL, boxes=(), case={"form": PLAIN_BANNER}), "invalid"),
        ("BOX-MISSING", line(TRACKER, boxes=(), case={"form": form()}), "invalid"),
        ("BOX-MISSING", line(TRACKER, boxes=(box(("tracker",), ("ad_tracking",)),), case={"form": BANNER}), None),
        ("FORM-NO-REFUSAL", line(case={"form": form(refusal=Stub(present=False))}), "invalid"),
        ("FORM-NO-REFUSAL", line(), None),
        ("FORM-NO-REFUSAL", line(case={"form": None}), None),
        ("FORM-UNBALANCED", line(case={"form": form(unbalance=24)}), None),
        ("FORM-UNBALANCED", line(case={"form": form(unbalance=25)}), "review"),
        ("FORM-UNBALANCED", line(case={"form": form(unbalance=59)}), "review"),
        ("FORM-UNBALANCED", line(case={"form": form(unbalance=60)}), "invalid"),
        ("CAPACITY", line(case={"facts": {"age_band": "unknown"}, "form": form(targets_minors=True)}), "review"),
        ("CAPACITY", line(case={"facts": {"age_band": "unknown"}, "form": None}), None),
        ("CAPACITY", line(case={"facts": {"age_band": "adult"}, "form": form(targets_minors=True)}), None),
        ("CAPACITY", line(case={"facts": {"age_band": "under_15"}}), "invalid"),
        ("CHANNEL-UNCOVERED", line(case={"facts": {"contact_types": []}}), "invalid"),
        ("CHANNEL-UNCOVERED", line(TRACKER, case={"facts": {"contact_types": []}}), "invalid"),
        ("CHANNEL-UNCOVERED", line(TRACKER, case={"facts": {"contact_types": ["email"]}}), None),
        ("CHANNEL-UNCOVERED", line(CALL), "invalid"),
        ("FORM-FOREIGN", line(case={"form": form(collector="other")}), "invalid"),
        ("FORM-FOREIGN", line(case={"list_": Stub(collector="other")}), "invalid"),
        ("FORM-FOREIGN", line(case={"form": None}), None),
        ("FORM-CONTRADICTED", line(boxes=()), "review"),
        ("FORM-CONTRADICTED", line(boxes=(), basis="legitimate_interest"), None),
        ("FORM-CONTRADICTED", line(TRACKER, boxes=(), case={"form": PLAIN_BANNER}), None),
        ("FORM-CONTRADICTED", line(EMAIL, boxes=(), case={"form": PLAIN_BANNER}), "review"),
        ("FORM-CONTRADICTED", line(TRACKER, boxes=(), case={"form": form()}), "review"),
        ("PARTY-UNKNOWN", line(), None),
        ("PARTY-UNKNOWN", line(party=None), "invalid"),
        ("PARTY-UNKNOWN", line(party=None, recipient=None), None),
        ("PARTY-UNKNOWN", line(case={"party": None}), "invalid"),
        ("PARTY-ROLE", line(case={"party": None}), None),
        ("PARTY-ROLE", line(case={"party": Stub(roles=("processor",))}), "invalid"),
        ("PARTY-ROLE", line(party=Stub(roles=("collector",))), "invalid"),
        ("PARTY-ROLE", line(party=None), None),
        ("NOTICE-MISSING", line(), "invalid"),
        ("NOTICE-MISSING", line(case={"form": None, "facts": {"notice": {"id": None}}}), None),
        ("NOTICE-MISSING", line(case={"form": None, "facts": {"notice": {"id": "n"}}, "notice_key": ("n", "1")}), "invalid"),
        ("NOTICE-HASH", line(case={"notice": Stub(sha256="a"), "facts": {"notice": {"sha256": None}}}), None),
        ("NOTICE-HASH", line(case={"notice": Stub(sha256="a"), "facts": {"notice": {"sha256": "b"}}}), "invalid"),
        ("NOTICE-HASH", line(case={"notice": Stub(sha256="a")}), None),
        ("NOTICE-HASH", line(case={"notice": None, "facts": {"notice": {"sha256": "b"}}}), None),
        ("LIST-NOT-NAMED", line(), None),
        ("LIST-NOT-NAMED", line(case=WITH_LIST), None),
        ("LIST-NOT-NAMED", line(CALL, case=WITH_LIST), "invalid"),
        ("LIST-NOT-NAMED", line(("email", "open_tracking"), case=WITH_LIST), "invalid"),
        ("LIST-NOT-NAMED", line(party=Stub(registration=("siren", "2")), case=WITH_LIST), "invalid"),
        ("LIST-NOT-NAMED", line(recipient=None, party=None, case=WITH_LIST), "invalid"),
        ("LIST-NOT-NAMED", line(recipient=None, party=None, case={"list_": Stub(nature="categories", entries=())}), None),
        ("LIST-NOT-NAMED", line(case={"list_": Stub(nature="categories", entries=())}), "invalid"),
        ("LIST-HASH", line(case={"list_": LISTED}), None),
        ("LIST-HASH", line(case={"list_reference": {"sha256": "a"}}), None),
        ("LIST-NOT-SHOWN", line(case={"form": form(list_shown="link")}), None),
        ("LIST-NOT-SHOWN", line(case={"form": form(list_shown="link"), "list_reference": {"sha256": "a"}}), "review"),
        ("LIST-NOT-SHOWN", line(case={"form": form(list_shown="link"), "list_reference": {}, "displayed": NOON}), None),
        ("LIST-NOT-SHOWN", line(case={"form": form(list_shown="absent")}), "invalid"),
        ("AGREEMENT-MISSING", line(), "invalid"),
        ("AGREEMENT-MISSING", line(recipient=None), None),
        ("AGREEMENT-MISSING", line(recipient=None, basis="none"), "invalid"),
        ("AGREEMENT-MISSING", line(covering=(Stub(),)), None),
        ("SOFT-TRANSFER", line(case={"relationship": {"with": "other"}}), "invalid"),
        ("SOFT-TRANSFER", line(case={"relationship": {"with": "canalvert"}}), None),
        ("SOFT-TRANSFER", line(), None),
        ("PHONE-OBJECT", line(CALL), "invalid"),
        ("PHONE-OBJECT", line(CALL, decision={"object": "  "}), "invalid"),
        ("PHONE-OBJECT", line(CALL, decision={"object": "abonnements"}), None),
        ("PHONE-PERIOD", line(CALL), "invalid"),
        ("PHONE-PERIOD", line(CALL, decision={"valid_until": "2027-09-14"}), None),
        ("PHONE-PERIOD", line(CALL, decision={"valid_until": "2027-09-15"}), "invalid"),
        ("SECTOR-BANNED", line(CALL, sector="energy_renovation"), "invalid"),
        ("SECTOR-BANNED", line(CALL), None),
        ("SECTOR-BANNED", line(CALL, sector="press"), None),
        ("SECTOR-BANNED", line(CALL, sector="energy_renovation", case={"contract_in_course": lambda _recipient: True}), None),
    ],
)  # fmt: skip
def test_the_answer_of_one_rule(code: str, asked: Any, answer: str | None) -> None:
    assert RULES[code].check(asked) == answer


def test_every_rule_named_here_is_in_the_catalogue_and_the_effects_stand() -> None:
    milder = {code for code, rule in RULES.items() if rule.effect == "review"}
    assert milder == {
        "AGREEMENT-INCOMPLETE", "EVIDENCE-LATE", "FORM-CONTRADICTED", "FORM-UNBALANCED", "PARTY-SUSPENDED",
    }  # fmt: skip


def basis_of(use: tuple[str, str], **change: Any) -> str | None:
    row = row_of(line(use, **change))
    return row.basis if row is not None else None


def test_post_needs_no_consent_for_any_purpose_and_other_rows_only_for_prospecting() -> None:
    assert basis_of(("post", "open_tracking")) == "legitimate_interest"
    professional = {"facts": {"audience": "professional"}}
    assert basis_of(EMAIL, case=professional) == "legitimate_interest"
    assert basis_of(("email", "open_tracking"), case=professional) is None
    assert [row.tracking for row in BASIS_TABLE].count(True) == 1


def test_the_old_law_of_calls_holds_only_where_collected_and_used_before_its_end() -> None:
    last, first = date(2026, 8, 10), CALL_CONSENT
    for collected, used, basis in (
        (last, last, "legitimate_interest"),
        (last, first, None),
        (first, last, None),
        (first, first, None),
    ):
        assert basis_of(CALL, case={"collected_day": collected, "used_day": used}) == basis, (collected, used)


def test_rows_ask_for_their_sector_value_and_claim() -> None:
    assert basis_of(CALL, sector="press") == "press_exemption"
    course = {"contract_in_course": lambda _recipient: True}
    assert basis_of(CALL, value="not_objected", case=course) == "contract_in_course"
    assert basis_of(CALL, value="granted", case=course) is None
    assert basis_of(EMAIL, value="not_objected", case={"relationship": {}}) == "soft_opt_in"
    assert basis_of(EMAIL, value="granted", case={"relationship": {}}) is None
    generic = {"facts": {"audience": "professional", "generic_mailbox": True}}
    assert basis_of(EMAIL, case=generic) == "none"


def test_of_two_copies_of_one_version_the_first_read_stays() -> None:
    first, again, newer, later = (
        Stub(id="a", version=version, valid_from=date(2026, 1, day), valid_until=None)
        for version, day in ((1, 1), (1, 1), (2, 1), (3, 20))
    )
    assert current([first, again], date(2026, 1, 10)) == [first]
    assert current([first, again], date(2026, 1, 10))[0] is first
    assert current([first, newer, later], date(2026, 1, 10)) == [newer]
    assert current([first, newer, later], date(2026, 1, 20)) == [later]


def test_an_agreement_covers_a_channel_and_a_purpose_and_nobody_agrees_with_himself() -> None:
    agreement = Stub(
        id="a",
        version=1,
        valid_from=date(2026, 1, 1),
        valid_until=None,
        channels=("email",),
        purposes=("open_tracking",),
    )
    asked: list[tuple[str, str | None]] = []

    def agreements(collector: str, recipient: str | None) -> list[Stub]:
        asked.append((collector, recipient))
        return [agreement]

    unread = Stub(archived_at=None)
    registry: Any = Stub(
        party=lambda _id: None, form=lambda *_key: None, list_=lambda *_key: None, agreements=agreements, reference=lambda _key: unread
    )  # fmt: skip
    page = Page(registry, "acme", ("f", 1), None, date(2026, 9, 14))
    assert page.place("canalvert", "email", "prospecting").covering == []
    assert page.place("canalvert", "email", "open_tracking").covering == [agreement]
    assert page.place("canalvert", "call", "open_tracking").covering == []
    assert (
        page.place("acme", "email", "open_tracking").covering,
        page.place(None, "email", "open_tracking").covering,
    ) == ((), ())
    assert asked == [("acme", "canalvert")]


def test_a_contract_that_begins_at_the_very_instant_of_the_choice_is_in_course() -> None:
    relation = {
        "kind": "contract_in_course",
        "with": "canalvert",
        "since": "2026-09-14T12:00:00Z",
        "until": None,
        "analogous": True,
    }
    case: Any = Stub(relationship=relation, collected=NOON, at=NOON)
    assert Case.contract_in_course(case, "canalvert")
    case.collected = datetime(2026, 9, 14, 11, 59, 59, tzinfo=UTC)
    assert not Case.contract_in_course(case, "canalvert")


def test_a_notice_is_named_by_id_and_version() -> None:
    shown = Stub(notice=Stub(id="n", version="1"))
    assert notice_key({"notice": {"id": None, "version": None}}, shown) == ("n", "1")
    assert notice_key({"notice": {"id": "m", "version": None}}, shown) == ("m", "1")
    assert notice_key({"notice": {"id": "m", "version": None}}, None) is None
    assert notice_key({"notice": {"id": None, "version": "2"}}, None) is None
    assert notice_key({"notice": None}, shown) is None


def test_settings_that_differ_mark_the_rule_set_with_eight_letters() -> None:
    standard, changed = RuleBook(), RuleBook(RuleSettings(tracker_months=12))
    assert changed.version.startswith(f"{standard.version}+")
    assert len(changed.version) == len(standard.version) + 9
    assert changed.version == RuleBook(RuleSettings(tracker_months=12)).version
