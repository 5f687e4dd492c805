"""Edges that mutants of the rules survived: each test here is a change of the law that nothing else would notice."""

from __future__ import annotations

from typing import Any

from law_world import bend, bent_registry, body, call, decision, documents, event, judged, one, taken

from services.consent_validator.domain import assess
from services.consent_validator.rules.book import RuleBook
from services.consent_validator.rules.model import RuleSettings
from shared.contracts.types import instant
from shared.registry.load import view_of

SOLD = {
    "with": "ludibrume", "kind": "customer", "details_from_person": True, "collected_during": "service", "analogous": True,
    "opt_out_offered": True,
}  # fmt: skip
SELLER = body("party:ludibrume") | {"roles": ["collector", "prospector"]}


def own(**relationship: Any):
    """A message of the collector to its own customer, who did not object."""
    decisions = [decision(value="not_objected", recipients=["ludibrume"])]
    return event(decisions=decisions, relationship=SOLD | relationship)


def test_a_service_is_as_good_as_a_sale_and_nothing_else_is() -> None:
    view = bent_registry(SELLER)
    assert one(own(), view=view).verdict == "valid"
    generous = RuleBook(RuleSettings(free_account_is_sale=True))
    assert one(own(collected_during="account"), view=view, book=generous).verdict == "valid"
    for during in ("other", None):
        assert one(own(collected_during=during), view=view, book=generous).reasons == ("SOFT-CONDITIONS",)


def test_a_contract_whose_beginning_is_not_told_is_in_course() -> None:
    relation = {"with": "ludibrume", "kind": "contract_in_course", "analogous": True}
    decisions = [call(value="not_objected", recipients=["ludibrume"])]
    asked = event("four-channels-each-granted", decisions=decisions, relationship=relation)
    line = one(asked, view=bent_registry(SELLER))
    assert (line.basis, line.verdict) == ("contract_in_course", "valid")


def test_an_agreement_without_an_end_goes_on() -> None:
    key = next(d.key for d in documents() if d.body["kind"] == "agreement" and d.body["id"] == "ludibrume-televerveine")
    view = bend(key, lambda agreement: agreement.update(valid_until=None))
    assert one(event(), view=view).verdict == "valid"


def test_a_list_of_categories_permits_nobody_even_where_nobody_is_named() -> None:
    cited = event()["recipient_list"]
    key = f"list:{cited['id']}:{cited['version']}"
    view = bend(key, lambda listed: listed.update(nature="categories", entries=[], categories=["assurance"]))
    published = view.list_(cited["id"], cited["version"])
    assert published is not None
    asked = event(decisions=[decision(recipients="all_listed")], recipient_list={**cited, "sha256": published.sha256})
    (line,) = judged(asked, view=view)
    assert (line.recipient, line.verdict, line.reasons) == (None, "invalid", ("LIST-CATEGORIES",))


def test_a_form_without_a_refusal_is_not_called_unbalanced_too() -> None:
    cited = event()["form"]
    key = f"form:{cited['id']}:{cited['version']}"
    tiny = {"width_px": 10, "height_px": 10, "font_px": 5, "contrast": "1.1", "position": "below", "label": "x"}
    view = bend(key, lambda form: form.update(refusal={"present": False, **tiny}))
    assert one(event(), view=view).reasons == ("FORM-NO-REFUSAL",)


def test_evidence_of_the_very_instant_of_archiving_is_not_late() -> None:
    collected = event()["collected_at"]
    for moment, expected in ((collected, ()), ("2027-01-01T00:00:00Z", ("EVIDENCE-LATE",))):
        view = view_of(documents())
        facts = taken(event(), view=view).facts
        cited = facts["form"]
        fresh = view_of(d for d in documents() if d.key != f"form:{cited['id']}:{cited['version']}")
        fresh.apply(
            f"form:{cited['id']}:{cited['version']}", body(f"form:{cited['id']}:{cited['version']}"), offset=1,
            archived_at=instant(moment),
        )  # fmt: skip
        (line,) = assess(facts, fresh, instant(facts["received_at"]), live=True).lines
        assert line.reasons == expected


def test_a_contract_that_ends_at_the_very_instant_of_use_is_over() -> None:
    relation = {"with": "ludibrume", "kind": "contract_in_course", "analogous": True}
    decisions = [call(value="not_objected", recipients=["ludibrume"])]
    for until, expected in (("2026-10-20T10:00:00Z", "consent"), ("2026-10-20T10:00:00.001Z", "contract_in_course")):
        asked = event("four-channels-each-granted", decisions=decisions, relationship=relation | {"until": until})
        assert one(asked, view=bent_registry(SELLER), at="2026-10-20T10:00:00Z").basis == expected


def test_a_ticked_box_in_the_event_alone_contradicts_the_form() -> None:
    relation = own()
    relation["action"] = {**relation["action"], "default_state": "on"}
    line = one(relation, view=bent_registry(SELLER))
    assert (line.verdict, line.reasons) == ("review", ("FORM-CONTRADICTED",))
