"""Assessed again: a new verdict on the same record, as of when it was asked, and only for whom it concerns."""

from __future__ import annotations

import orjson
import pytest
from law_world import body, decision, documents, event, registry, taken
from test_assessor import Feed, assessor

from services.proof_archive.reassessing.asking import concerns
from shared.contracts.types import instant
from shared.instants import to_millis
from shared.kafka.record import StoredRecord
from shared.registry.load import view_of
from shared.verdicts import said

LATER = "2026-10-20T10:00:00.000Z"


def asked(facts, at=LATER):
    value = orjson.dumps({"facts": facts, "sealed": "c2VhbGVk"})
    return StoredRecord("reassessments", 0, 0, to_millis(instant(at)), b"k", value)


async def test_the_new_verdict_stands_at_the_instant_it_was_asked_and_carries_the_sealed_part() -> None:
    feed = Feed(view_of(documents()))
    one, sent = assessor(feed)
    facts = taken(event()).facts | {"commitments": {}}
    await one.process([asked(facts, facts["received_at"])])
    await one.reassess([asked(facts)])
    assert feed.asked == 1, "the registry is read to its end first"
    first, again = (orjson.loads(message.value or b"") for message in sent.messages)
    assert first["facts"]["record"] == again["facts"]["record"]
    assert again["facts"]["evaluated_at"] == LATER > first["facts"]["evaluated_at"]
    assert again["sealed"] == first["sealed"] == "c2VhbGVk"
    assert again["facts"]["ruleset_seq"] == first["facts"]["ruleset_seq"]


async def test_a_suspension_turns_its_lines_to_review() -> None:
    view = view_of(documents())
    one, sent = assessor(Feed(view))
    facts = taken(event()).facts | {"commitments": {}}
    suspended = body("party:ludibrume") | {"status": "suspended", "suspended_from": None}
    view.apply("party:ludibrume", suspended, offset=99, archived_at=instant("2026-09-02T00:00:00Z"))
    await one.reassess([asked(facts, "2026-09-03T00:00:00.000Z")])
    (line,) = said(orjson.loads(sent.messages[0].value or b""))["lines"]
    assert (line["verdict"], line["reasons"]) == ("review", ["PARTY-SUSPENDED"])
    view.apply("party:ludibrume", body("party:ludibrume"), offset=100, archived_at=instant("2026-09-04T00:00:00Z"))
    await one.reassess([asked(facts, "2026-09-05T00:00:00.000Z")])
    (line,) = said(orjson.loads(sent.messages[1].value or b""))["lines"]
    assert line["verdict"] == "valid"


@pytest.mark.parametrize(
    ("parties", "expected"),
    [(set(), True), ({"ludibrume"}, True), ({"televerveine"}, True), ({"formabrume"}, False), ({"formabrume", "televerveine"}, True)],
)  # fmt: skip
def test_whom_a_consent_concerns(parties, expected) -> None:
    facts = taken(event(decisions=[decision()], recipient_list=None)).facts
    assert concerns(facts, frozenset(parties), registry()) is expected
    listed = taken(event(decisions=[decision(recipients="all_listed")])).facts
    assert concerns(listed, frozenset(parties), registry()) is expected
