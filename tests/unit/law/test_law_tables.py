"""The tables of the law, word by word: dropping or changing one entry changes who may be prospected."""

from __future__ import annotations

from datetime import date

import pytest
from law_world import bend, bent_registry, body, call, case, decision, event, judged, one

from services.consent_validator.rules.book import CATALOGUE, SEQUENCE, VERSION
from services.consent_validator.rules.channel_rules import bans
from services.consent_validator.rules.evidence_rules import NOTICE_ITEMS
from services.consent_validator.rules.model import RuleSettings

DATES = {
    "2004-06-22": {"CHANNEL-UNCOVERED", "SOFT-TRANSFER", "SOFT-CONDITIONS"},
    "2020-07-26": {"SECTOR-BANNED"},
    "2026-08-11": {"PHONE-STATEMENTS", "PHONE-PERIOD", "PHONE-OBJECT"},
}
"""Every rule that does not date from the RGPD."""
BANS = {
    ("energy_renovation", "2020-07-26"): {"call", "automated_call"},
    ("housing_adaptation", "2026-08-11"): {"call", "automated_call"},
    ("cpf_training", "2022-12-21"): {"call", "automated_call", "sms", "email", "social", "push"},
    ("energy_renovation", "2025-07-02"): {"sms", "email", "social", "push"},
    ("housing_adaptation", "2025-07-02"): {"sms", "email", "social", "push"},
}


def test_each_rule_is_law_from_its_own_day_on() -> None:
    for rule in CATALOGUE:
        expected = next((day for day, codes in DATES.items() if rule.code in codes), "2018-05-25")
        assert rule.applies_from == date.fromisoformat(expected), rule.code
        assert rule.applies_until is None
    assert (VERSION, SEQUENCE) == ("2026-11-24.1", 1)
    assert len({rule.code for rule in CATALOGUE}) == len(CATALOGUE) == 44


def test_each_ban_has_its_channels_and_its_day() -> None:
    found = {(ban.sector, ban.applies_from.isoformat()): set(ban.channels) for ban in bans(RuleSettings())}
    assert found == BANS


@pytest.mark.parametrize("item", sorted(NOTICE_ITEMS))
def test_a_notice_needs_each_item_of_article_13(item: str) -> None:
    cited = event()["form"]
    form = body(f"form:{cited['id']}:{cited['version']}")
    key = f"notice:{form['notice']['id']}:{form['notice']['version']}"
    view = bend(key, lambda notice: notice["items"].remove(item))
    assert one(event(), view=view).reasons == ("NOTICE-MISSING",)
    assert len(NOTICE_ITEMS) == 10


@pytest.mark.parametrize("statement", ["professional", "choice", "period", "withdrawal", "proof_access"])
def test_a_consent_to_calls_needs_each_of_the_five_statements(statement: str) -> None:
    asked = event("four-channels-each-granted", decisions=[call()])
    cited = asked["form"]
    key = f"form:{cited['id']}:{cited['version']}"
    view = bend(key, lambda form: form["phone_statements"].remove(statement))
    assert one(asked).reasons == ()
    assert one(asked, view=view).reasons == ("PHONE-STATEMENTS",)


@pytest.mark.parametrize("channel", ["email", "sms", "push", "social"])
def test_each_channel_like_mail_knows_the_customer_exception(channel: str) -> None:
    relationship = {
        "with": "ludibrume", "kind": "customer", "details_from_person": True, "collected_during": "sale", "analogous": True,
        "opt_out_offered": True,
    }  # fmt: skip
    own = decision(channel, value="not_objected", recipients=["ludibrume"])
    (line,) = judged(event(decisions=[own], relationship=relationship))
    assert line.basis == "soft_opt_in"


@pytest.mark.parametrize("channel", ["automated_call", "call", "post", "tracker"])
def test_no_other_channel_does(channel: str) -> None:
    own = decision(channel, value="not_objected", recipients=["ludibrume"])
    relationship = {"with": "ludibrume", "kind": "customer"}
    (line,) = judged(event(decisions=[own], relationship=relationship))
    assert line.basis != "soft_opt_in"


def test_a_registered_box_that_contradicts_the_event_asks_for_a_person_on_any_basis() -> None:
    """On an exception no ticked box is forbidden, so that nothing but the contradiction speaks."""
    relationship = {
        "with": "ludibrume", "kind": "customer", "details_from_person": True, "collected_during": "sale", "analogous": True,
        "opt_out_offered": True,
    }  # fmt: skip
    own = decision(value="not_objected", recipients=["ludibrume"])
    asked = event(decisions=[own], relationship=relationship)
    roles = body("party:ludibrume") | {"roles": ["collector", "prospector"]}
    form = body(f"form:{asked['form']['id']}:{asked['form']['version']}")
    assert one(asked, view=bent_registry(roles)).verdict == "valid"
    for box in form["boxes"]:
        box["default"] = "on"
    line = one(asked, view=bent_registry(roles, form))
    assert (line.verdict, line.basis, line.reasons) == ("review", "soft_opt_in", ("FORM-CONTRADICTED",))


def test_a_notice_is_missing_beside_an_unknown_form_only_where_the_event_names_it() -> None:
    asked = event()
    unknown = {**asked["form"], "version": 99}
    left_to_the_form = {"version": asked["notice"]["version"], "sha256": asked["notice"]["sha256"]}
    assert "NOTICE-MISSING" not in one(asked | {"form": unknown, "notice": left_to_the_form}).reasons
    named = left_to_the_form | {"id": "mentions-inconnues"}
    assert "NOTICE-MISSING" in one(asked | {"form": unknown, "notice": named}).reasons
    assert "NOTICE-MISSING" in one(asked | {"form": unknown, "notice": None}).reasons


@pytest.mark.parametrize("flag", ["transfer_told", "objection_offered"])
def test_post_needs_both_the_information_and_the_way_to_object(flag: str) -> None:
    asked = event("post-told-and-objection-offered")
    source = case("post-told-and-objection-offered")["ce"]["source"]
    assert one(asked, source=source).reasons == ()
    decisions = [d | {"post_information": {"transfer_told": True, "objection_offered": True, flag: False}}
                 for d in asked["decisions"]]  # fmt: skip
    assert one(asked | {"decisions": decisions}, source=source).reasons == ("POST-NO-INFO",)
    key = f"form:{asked['form']['id']}:{asked['form']['version']}"
    view = bend(key, lambda form: form["post_information"].update({flag: False}))
    assert one(asked, view=view, source=source).reasons == ("POST-NO-INFO",)
