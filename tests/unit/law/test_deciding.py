"""A person's decision on a line in review: it may refuse, or let through where the law leaves room, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_world import body, documents, event, registry, taken
from test_assessor import Feed, assessor

from services.consent_validator.deciding import ReviewDecision, decided
from services.consent_validator.domain import assess
from shared.contracts.reviews import NOT_DECIDABLE, REVIEW_REFUSED, line_key
from shared.contracts.types import instant
from shared.instants import to_millis
from shared.kafka.record import StoredRecord
from shared.registry.load import view_of
from shared.verdicts import said

AT = "2026-10-20T10:00:00.000Z"
FACTS = taken(event()).facts | {"commitments": {}}
VERDICT = assess(FACTS, registry(), instant(AT))
(LINE,) = VERDICT.lines
KEY = line_key(LINE.as_dict())


def verdict(state, reasons=()):
    return replace(VERDICT, lines=(LINE._replace(verdict=state, reasons=tuple(reasons)),))


def decision(outcome, codes=(), at="2026-10-19T00:00:00.000Z", identity="d1", lines=(KEY,)):
    return ReviewDecision(identity, outcome, "evidence_checked", frozenset(codes), frozenset(lines), at)


def test_what_was_looked_at_is_let_through() -> None:
    after = decided(verdict("review", ["EVIDENCE-LATE"]), [decision("accept", ["EVIDENCE-LATE"])])
    assert [(line.verdict, line.reasons) for line in after.lines] == [("valid", ())]
    facts = after.as_event(FACTS, bytes(32))["facts"]
    assert facts["decisions"] == ["d1"], "the verdict names what it rests on, and no line of anybody"


@pytest.mark.parametrize(
    ("fired", "looked_at"),
    [
        (["EVIDENCE-LATE", "FORM-UNBALANCED"], ["EVIDENCE-LATE"]),  # another doubt has come since
        (["PARTY-SUSPENDED"], ["PARTY-SUSPENDED"]),
        (["AGREEMENT-INCOMPLETE"], ["AGREEMENT-INCOMPLETE"]),
    ],
)
def test_what_no_examination_cures_stays_in_review(fired, looked_at) -> None:
    (line,) = decided(verdict("review", fired), [decision("accept", looked_at)]).lines
    assert (line.verdict, line.reasons) == ("review", tuple(fired))


def test_a_refusal_holds_whatever_fires_later_and_the_last_decision_counts() -> None:
    refusal = decision("refuse", ["EVIDENCE-LATE"])
    (line,) = decided(verdict("valid"), [refusal]).lines
    assert (line.verdict, line.reasons) == ("invalid", (REVIEW_REFUSED,))
    later = decision("accept", ["EVIDENCE-LATE"], at="2026-10-19T08:00:00.000Z", identity="d2")
    (line,) = decided(verdict("review", ["EVIDENCE-LATE"]), [later, refusal]).lines
    assert line.verdict == "valid"


def test_another_line_is_untouched() -> None:
    other = ("someone-else", *KEY[1:])
    assert (
        decided(verdict("review", ["EVIDENCE-LATE"]), [decision("refuse", lines=[other])]).lines[0].verdict == "review"
    )


CODES = st.lists(st.sampled_from(["EVIDENCE-LATE", "FORM-UNBALANCED", "LIST-NOT-SHOWN", *sorted(NOT_DECIDABLE)]))


@given(
    state=st.sampled_from(["valid", "review", "invalid"]), fired=CODES,
    made=st.lists(st.tuples(st.sampled_from(["accept", "refuse"]), CODES, st.integers(0, 9)), max_size=4),
)  # fmt: skip
def test_no_decision_ever_makes_valid_what_a_rule_refuses(state, fired, made) -> None:
    decisions = [decision(o, c, at=f"2026-10-1{n}T00:00:00.000Z", identity=str(i)) for i, (o, c, n) in enumerate(made)]
    (line,) = decided(verdict(state, fired), decisions).lines
    if state == "invalid":
        assert (line.verdict, line.reasons) == ("invalid", tuple(fired))
    elif line.verdict == "valid" and state == "review":
        accepting = [one for one in decisions if one.outcome == "accept" and set(fired) <= one.codes]
        assert accepting
        assert not set(fired) & NOT_DECIDABLE
    elif line.verdict == "invalid":
        assert line.reasons[-1] == REVIEW_REFUSED


async def test_the_decision_travels_with_the_question_and_stands_in_the_new_verdict() -> None:
    view = view_of(documents())
    one, sent = assessor(Feed(view))
    suspended = body("party:ludibrume") | {"status": "suspended", "suspended_from": None}
    view.apply("party:ludibrume", suspended, offset=99, archived_at=instant("2026-09-02T00:00:00Z"))
    line = dict(zip(("recipient", "channel", "purpose", "sector", "object"), KEY, strict=True))
    refusal = {"id": "d1", "outcome": "refuse", "reason": "doubt_remains", "codes": ["PARTY-SUSPENDED"], "lines": [line],
               "decided_at": AT}  # fmt: skip
    value = orjson.dumps({"facts": FACTS, "sealed": "c2VhbGVk", "decisions": [refusal]})
    await one.reassess([StoredRecord("reassessments", 0, 0, to_millis(instant(AT)), b"k", value)])
    facts = said(orjson.loads(sent.messages[0].value or b""))
    (told,) = facts["lines"]
    assert (told["verdict"], told["reasons"]) == ("invalid", ["PARTY-SUSPENDED", REVIEW_REFUSED])
    assert facts["decisions"] == ["d1"]


async def test_a_question_that_is_none_goes_to_dead_and_its_neighbours_are_answered() -> None:
    dead: list[str] = []

    async def dead_all(letters) -> None:
        dead.extend(code for _, code, _ in letters)

    one, sent = assessor(Feed(view_of(documents())), dead_all=dead_all)
    values = (b"null", orjson.dumps({"facts": FACTS, "sealed": "c2VhbGVk"}))
    await one.reassess(
        [StoredRecord("reassessments", 0, n, to_millis(instant(AT)), b"k", v) for n, v in enumerate(values)]
    )
    assert dead == ["FACTS"]
    assert len(sent.messages) == 1
