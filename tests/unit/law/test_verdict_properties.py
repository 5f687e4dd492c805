"""What must hold whatever the evidence says (hypothesis)."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_world import Json, bent_registry, body, documents, event, registry, taken

from services.consent_validator.domain import assess
from services.consent_validator.dry_run import assess_line
from services.consent_validator.rules.book import CATALOGUE
from shared.contracts.types import CHANNELS, instant
from shared.registry.hashing import list_hash
from shared.registry.load import view_of

FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = [d.body["id"] for d in documents() if d.body["kind"] == "party"]
FORMS = [d.body for d in documents() if d.body["kind"] == "form"]
LISTS = [d.body for d in documents() if d.body["kind"] == "list"]
RANK = {"valid": 0, "review": 1, "invalid": 2}


def instants() -> st.SearchStrategy[str]:
    return st.datetimes(
        min_value=instant("2019-01-01T00:00:00Z").replace(tzinfo=None),
        max_value=instant("2029-12-31T00:00:00Z").replace(tzinfo=None),
    ).map(lambda d: d.isoformat(timespec="milliseconds") + "Z")


decisions = st.lists(
    st.fixed_dictionaries({
        "channel": st.sampled_from(CHANNELS),
        "purpose": st.sampled_from(["prospecting", "prospecting", "ad_tracking", "open_tracking"]),
        "value": st.sampled_from(["granted", "granted", "refused", "not_objected"]),
        "recipients": st.one_of(
            st.just("all_listed"), st.lists(st.sampled_from([*PARTIES, "orbevent"]), min_size=1, max_size=4)
        ),
        "sector": st.sampled_from([None, "general", "press", "energy_renovation", "housing_adaptation", "cpf_training"]),
        "object": st.sampled_from([None, "", "isolation"]),
        "valid_until": st.sampled_from([None, "2026-10-01", "2027-06-01", "9999-12-31"]),
        "related_to_profession": st.sampled_from([None, True, False]),
    }),
    min_size=1,
    max_size=5,
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> tuple[str, Json]:
    """(source, data): any form, any list, any decisions, mostly well referenced."""
    form, published = draw(st.sampled_from(FORMS)), draw(st.sampled_from([*LISTS, None]))
    data = event(
        collected_at=draw(instants()),
        form={"id": form["id"], "version": form["version"], "sha256": form["html_sha256"]},
        recipient_list=None if published is None else {k: published[k] for k in ("id", "version", "sha256")},
        decisions=draw(decisions),
        audience=draw(st.sampled_from(["consumer", "professional"])),
        age_band=draw(st.sampled_from(["adult", "15_17", "under_15", "unknown"])),
        contacts=draw(
            st.lists(
                st.sampled_from([
                    {"type": "email", "value": "jeanne@courriel.example"}, {"type": "email", "value": "contact@b.example"},
                    {"type": "phone", "value": "01 99 00 12 34"}, {"type": "post", "value": "1 rue Vide"},
                ]),
                min_size=1, max_size=3,
            )
        ),
        relationship=draw(
            st.one_of(
                st.none(),
                st.fixed_dictionaries({
                    "with": st.sampled_from(PARTIES), "kind": st.sampled_from(["customer", "contract_in_course", "account"]),
                    "analogous": st.sampled_from([True, False, None]), "details_from_person": st.booleans(),
                    "collected_during": st.sampled_from(["sale", "account", None]), "opt_out_offered": st.booleans(),
                }),
            )
        ),
    )  # fmt: skip
    if draw(st.booleans()):
        data["notice"] = None
    else:
        del data["notice"]
    return draw(st.sampled_from([form["collector"], "ludibrume"])), data


def lines(source: str, data: Json, at: str, view: Any = None) -> list[Json]:
    view = view or registry()
    facts = taken(data, source=source, received_at=at, view=view).facts
    return [line.as_dict() for line in assess(facts, view, instant(at), live=True).lines]


@FAST
@given(events(), instants())
def test_a_verdict_depends_only_on_its_inputs(made: tuple[str, Json], at: str) -> None:
    source, data = made
    first = lines(source, data, at)
    before = copy.deepcopy(data)
    assert lines(source, data, at) == first
    assert lines(source, data, at, view_of(documents())) == first  # another view of the same documents
    assert data == before


@settings(FAST, max_examples=12)
@given(st.lists(st.tuples(events(), instants()), min_size=2, max_size=5))
def test_what_a_view_remembers_changes_no_verdict(made: list[tuple[tuple[str, Json], str]]) -> None:
    """Events that share a page share answers: judged one after the other as each on a registry of its own."""
    shared_view = view_of(documents())
    together = [lines(source, data, at, shared_view) for (source, data), at in made]
    assert together == [lines(source, data, at, view_of(documents())) for (source, data), at in made]


@FAST
@given(events(), instants())
def test_no_consent_without_a_named_recipient_is_valid_for_a_third_party(made: tuple[str, Json], at: str) -> None:
    source, data = made
    reference = data["recipient_list"]
    published = registry().list_(reference["id"], reference["version"]) if reference else None
    named = {
        (entry.siren, channel, purpose)
        for entry in (published.entries if published else ())
        for channel in entry.channels
        for purpose in entry.purposes
    }
    for line in lines(source, data, at):
        if line["verdict"] != "valid" or line["recipient"] == source:
            continue
        party = registry().party(line["recipient"] or "")
        assert party is not None
        if line["basis"] != "none":
            assert (party.siren, line["channel"], line["purpose"]) in named


@FAST
@given(events(), instants(), st.sampled_from(LISTS), st.sampled_from(PARTIES))
def test_a_recipient_added_to_a_later_version_changes_no_earlier_verdict(
    made: tuple[str, Json], at: str, published: Json, added: str
) -> None:
    source, data = made
    later = copy.deepcopy(published)
    party = body(f"party:{added}")
    later["version"] = 50
    later["entries"].append({
        "party": added, "legal_name": party["legal_name"], "siren": party["siren"],
        "purposes": ["prospecting"], "channels": list(CHANNELS),
    })  # fmt: skip
    later["sha256"] = list_hash(later)
    assert lines(source, data, at, bent_registry(extra=[later])) == lines(source, data, at)


@FAST
@given(events(), instants())
def test_verdict_is_the_worst_effect_and_reasons_are_ordered(made: tuple[str, Json], at: str) -> None:
    source, data = made
    order = [rule.code for rule in CATALOGUE]
    seen = set()
    for line in lines(source, data, at):
        assert (line["verdict"] == "valid") == (not line["reasons"])
        assert [order.index(code) for code in line["reasons"]] == sorted(order.index(code) for code in line["reasons"])
        key = (line["recipient"], line["channel"], line["purpose"], line["sector"], line["object"])
        assert key not in seen
        seen.add(key)
        if line["value"] == "refused":
            assert line["verdict"] == "invalid"


@FAST
@given(events(), instants())
def test_time_only_takes_away(made: tuple[str, Json], at: str) -> None:
    """Evaluated later, no line gets better: consents fade, bans and duties come, none is lifted in this catalogue."""
    source, data = made
    facts = taken(data, source=source, received_at=at).facts
    early, late = (assess(facts, registry(), instant(t)).lines for t in (data["collected_at"], "2030-06-01T00:00:00Z"))
    for before, after in zip(early, late, strict=True):
        assert RANK[after.verdict] >= RANK[before.verdict]


@FAST
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    )
)
def test_anything_at_all_gets_an_answer(line: Any) -> None:
    answer = assess_line(line, registry())
    assert answer["status"] == "rejected"
    assert answer["problems"]
