"""Which lines an event gives, and that within one event a refusal beats a grant."""

from __future__ import annotations

import pytest
from law_world import Json, bent_registry, body, call, decision, event, judged

from shared.registry.hashing import list_hash


def values(*decisions: Json, **changes: object) -> list[tuple[str | None, str, str, str]]:
    lines = judged(event(decisions=list(decisions), **changes))
    return [(line.recipient, line.channel, line.sector, line.value) for line in lines]


LISTED = ["televerveine", "assurbrelle", "mandarine-tonique", "groupe-brelle"]


def test_all_listed_gives_one_line_per_entry_of_the_cited_version() -> None:
    assert values(decision(recipients="all_listed")) == [(r, "email", "general", "granted") for r in LISTED]
    lines = judged(event(decisions=[decision("sms", recipients="all_listed")]))
    assert "LIST-NOT-NAMED" in next(line.reasons for line in lines if line.recipient == "groupe-brelle")


@pytest.mark.parametrize("reference", [None, {"id": "nulle-part", "version": 1, "sha256": "0" * 64}])
def test_all_listed_without_a_readable_list_names_nobody(reference: Json | None) -> None:
    (line,) = judged(event(decisions=[decision(recipients="all_listed")], recipient_list=reference))
    assert line.recipient is None
    assert line.reasons == (("LIST-MISSING",) if reference is None else ("LIST-UNKNOWN",))


def test_all_listed_with_categories_names_nobody() -> None:
    data = event("sanction-canalplus-categories-only", decisions=[decision(recipients="all_listed")])
    (line,) = judged(data, source="merle-cendre")
    assert (line.recipient, line.reasons) == (None, ("LIST-CATEGORIES",))


def test_all_listed_with_an_empty_list_names_nobody() -> None:
    document = body("list:ludibrume-partenaires:1")
    document["entries"] = []
    document["sha256"] = list_hash(document)
    data = event(decisions=[decision(recipients="all_listed")])
    data["recipient_list"]["sha256"] = document["sha256"]
    (line,) = judged(data, view=bent_registry(document))
    assert (line.recipient, line.reasons) == (None, ("LIST-NOT-NAMED",))


def test_a_generic_mailbox_needs_no_list_but_somebody_named() -> None:
    data = event("b2b-generic-mailbox", recipient_list=None, decisions=[decision(recipients="all_listed")])
    (line,) = judged(data, source="comparlune")
    assert (line.recipient, line.basis, line.reasons) == (None, "none", ("AGREEMENT-MISSING",))


def test_a_recipient_named_twice_is_one_line() -> None:
    assert len(values(decision(recipients=["televerveine", "televerveine"]))) == 1
    assert len(values(decision(), decision())) == 1


def test_refused_beats_granted_in_any_order() -> None:
    yes, no = decision(recipients="all_listed"), decision(value="refused")
    for order in ((yes, no), (no, yes)):
        found = values(*order)
        assert ("televerveine", "email", "general", "refused") in found
        assert len(found) == 4
        assert sum(value == "granted" for *_, value in found) == 3


def test_a_refusal_touches_its_own_channel_and_purpose_only() -> None:
    found = values(decision(), decision("sms", value="refused"), decision(purpose="open_tracking", value="refused"))
    assert [value for *_, value in found] == ["granted", "refused", "refused"]


def test_a_general_refusal_covers_every_sector_and_object() -> None:
    no = decision("call", value="refused")
    assert [v for *_, v in values(call(), call(sector="press"), no)] == ["refused"]
    partial = decision("call", value="refused", sector="press")
    assert sorted(v for *_, v in values(call(), call(sector="press"), partial)) == ["granted", "refused"]
    one_object = decision("call", value="refused", object="abonnements de télévision")
    assert sorted(v for *_, v in values(call(), call(object="assurances"), one_object)) == ["granted", "refused"]


def test_different_objects_are_different_lines() -> None:
    assert len(values(call(), call(object="assurances"))) == 2


def test_refused_to_all_partners_without_a_list_refuses_each_but_not_the_collector() -> None:
    no = decision(value="refused", recipients="all_listed")
    own = decision(recipients=["ludibrume"])
    found = values(decision(), own, no, recipient_list=None)
    assert sorted((r or "", v) for r, _, _, v in found) == [("", "refused"), ("ludibrume", "granted")]


def test_of_contradicting_words_the_stricter_counts() -> None:
    assert [v for *_, v in values(decision(), decision(value="not_objected"))] == ["not_objected"]
