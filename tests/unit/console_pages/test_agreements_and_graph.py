"""What the pages of parties and of the chain work out from the registry: agreements today, gaps, differences, problems, the drawing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.console.agreements import difference, gaps, newest_lists, standings
from services.console.graph import EDGES_DRAWN, drawing, edges_of
from shared.registry.load import Document, load_dir, view_of

EXAMPLE = Path(__file__).parents[3] / "deploy" / "example" / "registry"
DOCUMENTS = load_dir(EXAMPLE)
TODAY = date(2026, 11, 27)


def bent(**changes):
    """The example's registry with bodies changed: `key=lambda body: …`, keys with `_` for `:` and `-`."""
    made = []
    for document in DOCUMENTS:
        change = changes.get(document.key.replace(":", "_").replace("-", "_"))
        body = {**document.body, **change(document.body)} if change else document.body
        made.append(Document(document.key, body))
    return view_of(made)


VIEW = view_of(DOCUMENTS)
AGREEMENTS = [d for d in DOCUMENTS if d.body["kind"] == "agreement" and d.body["collector"] == "acme"]
ONE = AGREEMENTS[0]


def renamed(key):
    return key.replace(":", "_").replace("-", "_")


@pytest.mark.parametrize(
    ("until", "state"), [("2026-11-26", "expired"), ("2026-11-27", "ending"), ("2027-01-26", "ending"), ("2027-01-27", "in_force")]
)  # fmt: skip
def test_an_agreement_is_in_force_on_its_last_day_and_told_sixty_days_before(until, state) -> None:
    view = bent(**{renamed(ONE.key): lambda _: {"valid_until": until}})
    found = {one.agreement.id: one for one in standings(view, ONE.body["prospector"], TODAY)}
    assert found[ONE.body["id"]].state == state
    assert found[ONE.body["id"]].days == (date.fromisoformat(until) - TODAY).days


def test_what_a_processor_s_agreement_lacks_is_named_only_where_clauses_are_declared() -> None:
    said = {"qualification": "processor", "clauses": ["instructions", "security"]}
    view = bent(**{renamed(ONE.key): lambda _: said})
    (one,) = [s for s in standings(view, "acme", TODAY) if s.agreement.id == ONE.body["id"]]
    assert "audit" in one.missing
    assert "security" not in one.missing
    silent = bent(**{renamed(ONE.key): lambda _: {"qualification": "processor", "clauses": None}})
    (one,) = [s for s in standings(silent, "acme", TODAY) if s.agreement.id == ONE.body["id"]]
    assert (one.missing, one.declared) == ((), False)


def test_a_recipient_that_no_agreement_in_force_covers_is_a_gap() -> None:
    assert not gaps(VIEW, TODAY, ONE.body["prospector"])
    view = bent(**{renamed(ONE.key): lambda _: {"valid_until": "2026-01-01"}})
    (gap,) = [g for g in gaps(view, TODAY, ONE.body["prospector"]) if g.collector == "acme"]
    assert gap.channels == ()
    narrow = bent(**{renamed(ONE.key): lambda _: {"channels": ["post"]}})
    (gap,) = [g for g in gaps(narrow, TODAY, ONE.body["prospector"]) if g.collector == "acme"]
    assert "email" in gap.channels


def test_two_versions_of_a_list_differ_recipient_by_recipient() -> None:
    (listed,) = [one for one in newest_lists(VIEW) if one.id == "acme-partners"]
    first, *others = listed.entries
    changed = listed.model_copy(update={"entries": (first.model_copy(update={"channels": ("post",)}), *others[1:])})
    found = {one.party: one for one in difference(listed, changed)}
    assert (found[first.party].kind, found[first.party].after) == ("changed", "post")
    assert found[others[0].party].kind == "removed"
    assert {one.kind for one in difference(changed, listed)} == {"changed", "added"}
    assert difference(listed, listed) == []


def row(collector, listed, recipient, consents=10):
    return {"collector": collector, "list": listed, "recipient": recipient, "consents": consents, "valid": consents, "review": 0,
            "invalid": 0, "last_at": "2026-11-27T00:00:00.000Z"}  # fmt: skip


def test_problems_of_an_edge() -> None:
    prospector = ONE.body["prospector"]
    rows = [row("acme", "acme-partners:12", prospector)]
    assert edges_of(rows, {}, VIEW, TODAY)[0].problems == ()
    assert edges_of(rows, {prospector: 3}, VIEW, TODAY)[0].problems == ("late_answers",)
    suspended = bent(party_acme=lambda _: {"status": "suspended"})
    assert edges_of(rows, {}, suspended, TODAY)[0].problems == ("collector_suspended",)
    over = bent(**{renamed(ONE.key): lambda _: {"valid_until": "2026-01-01"}})
    assert edges_of(rows, {}, over, TODAY)[0].problems == ("agreement_expired",)
    assert edges_of([row("acme", "x:1", "nobody")], {}, VIEW, TODAY)[0].problems == (
        "recipient_unknown",
        "agreement_missing",
    )
    assert edges_of([row("acme", "", "acme")], {}, VIEW, TODAY)[0].problems == (), (
        "its own prospecting needs no agreement"
    )


def test_the_drawing_holds_the_largest_edges_and_each_box_once() -> None:
    rows = [row("acme", f"l:{n % 3}", f"p{n}", consents=1000 - n) for n in range(EDGES_DRAWN + 20)]
    edges = edges_of(rows, {"p0": 1}, VIEW, TODAY)
    made = drawing(edges, {"acme": "ACME Jeux SAS"})
    assert made.drawn == EDGES_DRAWN
    boxes = [(node.label, node.x) for node in made.nodes]
    assert len(boxes) == len(set(boxes)) == 1 + 3 + EDGES_DRAWN
    assert ("ACME Jeux SAS", 1) in boxes
    assert all(node.y >= 0 and node.y < made.height for node in made.nodes)
    places = sorted((node.x, node.y) for node in made.nodes)
    assert len(places) == len(set(places)), "no box lies on another"
    assert {node.label for node in made.nodes if node.bad} == {f"p{n}" for n in range(EDGES_DRAWN)}, (
        "nobody of these is registered"
    )
    widths = [line.width for line in made.lines]
    assert 1 <= min(widths) <= max(widths) <= 10
