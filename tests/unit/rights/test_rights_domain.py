"""What a stop covers, whom it concerns, what is allowed: examples, then properties over any order of events."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rights_world import PERSON, PERSONS, RECORD, UUID, make_grant, make_line, make_stop

from services.rights_handler.domain import concerned, covers, decide, holds, order_id, verdict_id
from services.rights_handler.matching import meetings, stops_by_record

OTHER = ("phone", "+33199009999")


def reasons(grant, *stops):
    return [(d.line.recipient, d.line.channel, d.granted, d.reasons) for d in decide(grant, stops)]


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (make_stop(), True),
        (make_stop(contact=PERSON.contacts[1]), True),
        (make_stop(contact=OTHER), False),
        (make_stop(contact=None, record=RECORD), True),
        (make_stop(contact=None, record=UUID), True),
        (make_stop(contact=None, record=f"other/{UUID}"), False),
        (make_stop(contact=None, subject_key=PERSONS.subject_key("acme", "lead-1")), True),
        (make_stop(contact=None, subject_key=PERSONS.subject_key("other", "lead-1")), False),
        (make_stop(recipients=frozenset(["canalvert"])), True),
        (make_stop(recipients=frozenset(["assurbrelle"])), False),
        (make_stop(channels=frozenset(["sms"])), False),
        (make_stop(purposes=frozenset(["ad_tracking"])), False),
        (make_stop(at="2026-09-14T08:31:07.120Z"), True),  # the same instant: the tie goes to the stop
        (make_stop(at="2026-09-14T08:31:07.119Z"), False),
    ],
)
def test_covers(stop, expected):
    assert covers(stop, make_grant(), make_line()) is expected


def test_a_collector_with_a_fast_clock_does_not_escape_a_stop():
    grant = make_grant(collected_at="2026-12-01T00:00:00.000Z", received_at="2026-09-14T08:31:07.900Z")
    assert covers(make_stop(at="2026-10-01T00:00:00.000Z"), grant, make_line())


def test_a_stop_never_reaches_a_relative_through_a_shared_telephone():
    """One hop: the stop's contact finds the record, and nothing is looked for through that record's other contacts."""
    shared = PERSON.contacts[1]
    relative = make_grant(
        record=f"acme/{UUID[:-1]}2", contact_keys=PERSONS.contact_keys(replace(PERSON, contacts=(shared,)))
    )
    found = list(meetings([make_stop(contact=PERSON.contacts[0])], [make_grant(), replace(relative, subject_key=None)]))
    assert [grant.record for _, grant in found] == [RECORD]


def test_concerned_is_down_and_upstream_and_whatever_the_verdict():
    grant = make_grant(
        make_line("canalvert", verdict="invalid"), make_line("assurbrelle", "sms", verdict="review"),
        make_line("televerveine", value="refused", verdict="invalid"), make_line(None, verdict="invalid"),
        via=("passeplat",),
    )  # fmt: skip
    assert concerned(make_stop(), grant) == {"canalvert", "assurbrelle", "acme", "passeplat"}
    assert concerned(make_stop(channels=frozenset(["sms"])), grant) == {"assurbrelle", "acme", "passeplat"}
    assert concerned(make_stop(recipients=frozenset(["canalvert"])), grant) == {"canalvert", "acme", "passeplat"}
    assert concerned(make_stop(), grant, ["parti-loin"]) == {
        "canalvert",
        "assurbrelle",
        "acme",
        "passeplat",
        "parti-loin",
    }
    assert concerned(make_stop(recipients=frozenset(["ailleurs"])), grant) == frozenset()
    assert concerned(make_stop(recipients=frozenset(["ailleurs"])), grant, ["parti-loin"]) == frozenset()
    assert concerned(make_stop(recipients=frozenset(["acme"])), grant) == {"acme", "passeplat"}  # its own prospecting
    assert concerned(make_stop(at="2020-01-01T00:00:00.000Z"), grant) == frozenset()
    assert concerned(make_stop(contact=OTHER), grant) == frozenset()


def test_who_was_refused_by_the_person_is_not_told_but_its_collector_is():
    grant = make_grant(make_line("canalvert", value="refused", verdict="invalid"))
    assert concerned(make_stop(recipients=frozenset(["canalvert"])), grant) == {"acme"}


def test_decide_says_stopped_held_refused():
    grant = make_grant(make_line(), make_line("assurbrelle", verdict="invalid", reasons=("LIST-NOT-NAMED",)))
    assert reasons(grant) == [("canalvert", "email", True, ()), ("assurbrelle", "email", False, ("LIST-NOT-NAMED",))]
    assert reasons(grant, make_stop()) == [
        ("canalvert", "email", False, ("STOPPED",)),
        ("assurbrelle", "email", False, ("LIST-NOT-NAMED", "STOPPED")),
    ]
    before = make_stop(at="2026-09-01T00:00:00.000Z")
    assert reasons(make_grant(make_line()), before) == [("canalvert", "email", False, ("REOPEN-UNCONFIRMED",))]
    assert reasons(make_grant(make_line(), confirmed=True), before) == [("canalvert", "email", True, ())]
    assert reasons(make_grant(make_line(), confirmed=True), make_stop()) == [
        ("canalvert", "email", False, ("STOPPED",))
    ]


def test_within_one_event_refused_beats_granted():
    grant = make_grant(make_line(), make_line(value="refused", verdict="invalid", reasons=("REFUSED",)))
    assert [d.granted for d in decide(grant, [])] == [False, False]
    assert [d.reasons for d in decide(grant, [])] == [("REFUSED",), ("REFUSED",)]


def test_review_never_permits():
    assert not decide(make_grant(make_line(verdict="review", reasons=("PARTY-SUSPENDED",))), [])[0].granted


def test_the_highest_verdict_wins_by_rule_set_then_registry_then_time():
    ids = [
        verdict_id(2, 7, "2026-01-01T00:00:00.000Z"),
        verdict_id(2, 70, "2026-01-01T00:00:00.000Z"),
        verdict_id(2, 70, "2026-01-01T00:00:00.001Z"),
        verdict_id(10, 0, "2025-01-01T00:00:00.000Z"),
    ]
    assert sorted(ids) == ids


def test_an_order_is_named_by_stop_party_and_record():
    base = ("canalvert/s1", "canalvert", RECORD)
    assert order_id(*base) == order_id(*base)
    assert len({order_id(*base), order_id("canalvert/s2", *base[1:]), order_id(base[0], "x", RECORD)}) == 3
    assert len(order_id(*base)) == 40


PARTIES = ("canalvert", "assurbrelle", "acme")
CHANNELS = ("email", "sms", "call")
instants = st.integers(1, 9).map(lambda day: f"2026-09-0{day}T08:00:00.000Z")
scopes = lambda values: st.one_of(st.just("all"), st.sets(st.sampled_from(values), min_size=1).map(frozenset))  # noqa: E731
lines = st.builds(
    lambda r, c, v: make_line(r, c, value=v, verdict="valid" if v == "granted" else "invalid"),
    st.sampled_from((*PARTIES, None)), st.sampled_from(CHANNELS), st.sampled_from(("granted", "refused")),
)  # fmt: skip
contacts = st.sampled_from((*PERSON.contacts, OTHER))
grants = st.builds(
    lambda who, ls, at, got, sure: make_grant(
        *ls, contact_keys=frozenset(PERSONS.contact_key(*c) for c in who), collected_at=at, received_at=got, confirmed=sure
    ),
    st.sets(contacts, min_size=1), st.lists(lines, min_size=1, max_size=4), instants, instants, st.booleans(),
)  # fmt: skip
stops = st.builds(
    lambda n, who, at, r, c: make_stop(f"acme/s{n}", contact=who, at=at, recipients=r, channels=c),
    st.integers(0, 3), contacts, instants, scopes(PARTIES), scopes(CHANNELS),
)  # fmt: skip


@given(grants, st.lists(stops, max_size=5), stops)
def test_one_more_stop_never_allows_anything(grant, known, more):
    before = {i for i, d in enumerate(decide(grant, known)) if d.granted}
    after = {i for i, d in enumerate(decide(grant, [*known, more])) if d.granted}
    assert after <= before


@given(grants, st.lists(stops, max_size=5), st.randoms())
def test_neither_order_nor_repetition_of_stops_matters(grant, known, random):
    shuffled = [*known, *known[:2]]
    random.shuffle(shuffled)
    assert decide(grant, known) == decide(grant, shuffled)


@given(grants, stops)
def test_covered_held_or_neither_and_told_when_covered(grant, stop):
    for line in grant.lines:
        assert not (covers(stop, grant, line) and holds(stop, grant, line))
        if covers(stop, grant, line):
            told = concerned(stop, grant)
            assert grant.collector in told
            assert line.value == "refused" or line.recipient is None or line.recipient in told


@given(st.lists(grants, max_size=4), st.lists(stops, max_size=4))
@settings(max_examples=50)
def test_meetings_by_keys_are_those_of_the_full_product(known_grants, known_stops):
    unique = list(
        {g.record: g for g in (replace(g, record=f"{g.record}{i}") for i, g in enumerate(known_grants))}.values()
    )
    expected = {(s, g.record) for s in known_stops for g in unique if s.contact_keys & g.contact_keys}
    assert {(s, g.record) for s, g in meetings(known_stops, unique)} == expected
    assert set(stops_by_record(known_stops, unique)) == {r for _, r in expected}
