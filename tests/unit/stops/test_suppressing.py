"""A stop that names a record holds its contacts from then on; addresses that look alike become questions, never orders."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rights_handler.persons import Person
from services.rights_handler.suppressing.near import near_pairs, review_id
from services.rights_handler.suppressing.postal import traits
from services.rights_handler.suppressing.widening import widened
from tests.fakes.rights import Direct
from tests.unit.rights.rights_world import (
    PERSON,
    PERSONS,
    RECORD,
    UUID,
    make_crossing,
    make_grant,
    make_line,
    make_stop,
    ordered,
    permissions,
)

OTHER = "bellis/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a99"
LATER = {"collected_at": "2026-11-01T00:00:00.000Z", "received_at": "2026-11-01T00:00:00.000Z"}
ADDRESS = "Mme Jeanne Dupont\n12 rue des Lilas\n75011 Paris"


def other(person=PERSON, **more):
    values = {"record": OTHER, "collector": "bellis", "consent_id": OTHER.split("/")[1]}
    return make_grant(make_line(), person=person, **{**values, **more})


def by_record(**more):
    return make_stop("platform/click", contact=None, record=RECORD, **more)


@pytest.mark.parametrize("order", ["stop-last", "stop-first", "stop-between"])
async def test_a_one_click_stop_holds_for_another_consent_to_the_same_address(order):
    ports = Direct()
    crossing = make_crossing(ports)
    shared = Person((PERSON.contacts[0],), "their-own-ref")
    first = lambda: crossing.verdicts([make_grant()], {RECORD: PERSON})  # noqa: E731
    second = lambda: crossing.verdicts([other(shared)], {OTHER: shared})  # noqa: E731
    stop = lambda: crossing.stops([by_record(recipients=frozenset(["canalvert"]))])  # noqa: E731
    for step in {"stop-last": (first, second, stop), "stop-first": (stop, first, second),
                 "stop-between": (second, stop, first)}[order]:  # fmt: skip
        await step()
    rows = {(row.party, row.record) for row in ports.world.rows.values()}
    assert rows == {("canalvert", RECORD), ("acme", RECORD), ("canalvert", OTHER), ("bellis", OTHER)}
    assert ordered(ports.world) == {"canalvert", "acme"}  # bellis is not registered: an obligation says so
    if order == "stop-first":
        said = [kind for party, kind, _, _ in permissions(ports.world) if party == "canalvert"]
        assert said == ["refused", "refused"]


async def test_a_record_that_only_shares_a_contact_adds_none_of_its_own():
    """Families share telephones: the stop of one is never carried to the other's e-mail address."""
    ports = Direct()
    crossing = make_crossing(ports)
    phone = PERSON.contacts[1]
    spouse = Person((phone, ("email", "paul@exemple.example")))
    await crossing.verdicts([make_grant()], {RECORD: PERSON})
    await crossing.stops([make_stop(contact=phone)])
    await crossing.verdicts([other(spouse)], {OTHER: spouse})
    (stop,) = ports.world.stops.values()
    assert stop.contact_keys == {PERSONS.contact_key(*phone)}


def test_an_older_stop_and_a_request_gain_nothing():
    stop = by_record(at="2026-01-01T00:00:00.000Z")
    assert widened([stop], [make_grant()]) == []
    request = make_stop("request/platform/r1", contact=None, record=RECORD, kind="rectification")
    assert widened([request], [make_grant()]) == []
    (wider,) = widened([by_record()], [make_grant()])
    assert wider.contact_keys == PERSONS.contact_keys(PERSON)
    assert widened([wider], [make_grant()]) == [wider]  # a replay looks again for what the keys lead to


async def test_after_the_erasure_of_everything_else_a_later_consent_is_still_withheld():
    ports = Direct()
    crossing = make_crossing(ports)
    await crossing.verdicts([make_grant()], {RECORD: PERSON})
    await crossing.stops([by_record()])
    ports.world.grants.clear()  # what an erasure leaves of the index: the suppression
    again = other(Person(PERSON.contacts[1:]), confirmed=True)  # dated before the stop: a re-import
    await crossing.verdicts([again], {OTHER: Person(PERSON.contacts[1:])})
    await crossing.verdicts([other(**LATER, record="bellis/2")], {"bellis/2": PERSON})
    await crossing.verdicts([other(**LATER, record="bellis/3", confirmed=True)], {"bellis/3": PERSON})
    said = [(kind, why) for party, kind, _, why in permissions(ports.world)[2:] if party == "canalvert"]
    assert said == [("refused", ("STOPPED",)), ("refused", ("REOPEN-UNCONFIRMED",)), ("granted", ())]


@pytest.mark.parametrize(
    "alike",
    [
        "MME DUPOND JEANNE\n12 R DES LILAS\n75011 PARIS",
        "Dupont J., 12 rue des lilas, 75011 PARIS CEDEX 11",
        "JEANNE DUPONT\nAPPT 4\n12 BIS RUE DES LILAS\n75011 PARIS",
    ],
)
def test_what_is_copied_by_hand_shares_a_trait(alike):
    assert traits(ADDRESS) & traits(alike)


@pytest.mark.parametrize(
    "unlike",
    [
        "MME JEANNE DUPONT\n14 RUE DES LILAS\n75011 PARIS",
        "MME JEANNE DUPONT\n12 RUE DES LILAS\n75012 PARIS",
        "M PAUL MARTIN\n12 RUE DES LILAS\n75011 PARIS",
        "MME JEANNE DUPONT\nLIEU DIT LES LILAS\n75011 PARIS",
        "12 RUE DES LILAS\n75011 PARIS",
        "",
    ],
)
def test_another_person_or_an_unreadable_address_shares_none(unlike):
    assert not traits(ADDRESS) & traits(unlike)


@given(st.text(max_size=300))
def test_any_text_has_traits_or_none_and_never_its_words(text):
    for trait in traits(text):
        postcode, number, name = trait.split("|")
        assert len(postcode) == 5
        assert number.isdigit()
        assert 1 <= len(name) <= 3


def living_at(address, **more):
    person = Person((("post", address.upper()),))
    return person, PERSONS.contact_keys(person), PERSONS.near_keys(person)


async def test_a_near_address_becomes_an_owned_question_and_no_order():
    ports = Direct()
    crossing = make_crossing(ports)
    person, keys, near = living_at(ADDRESS)
    grant = make_grant(make_line(channel="post"), contact_keys=keys, near_keys=near, subject_key=None)
    _, letter_keys, letter_near = living_at("Jeanne Dupond\n12 R des Lilas\n75011 Paris")
    letter = make_stop("platform/letter", contact=None)
    letter = type(letter)(**{**{f: getattr(letter, f) for f in letter.__slots__}, "contact_keys": letter_keys,
                             "near_keys": letter_near})  # fmt: skip
    for first, second in ((0, 1), (1, 0)):
        ports = Direct()
        crossing = make_crossing(ports)
        steps = (lambda: crossing.verdicts([grant], {RECORD: person})), (lambda: crossing.stops([letter]))  # noqa: B023
        await steps[first]()
        await steps[second]()
        (question,) = ports.world.obligations.values()
        assert question.id == review_id("platform/letter", RECORD)
        assert question.owner == "operator"
        assert question.due_at > question.opened_at
        assert dict(question.refs)["record"] == RECORD
        assert not ports.world.rows
        assert not ordered(ports.world)


async def test_an_equal_address_is_a_match_and_asks_nothing():
    person, keys, near = living_at(ADDRESS)
    grant = make_grant(make_line(channel="post"), contact_keys=keys, near_keys=near, subject_key=None)
    stop = make_stop("platform/letter", contact=person.contacts[0])
    assert (
        list(near_pairs([type(stop)(**{**{f: getattr(stop, f) for f in stop.__slots__}, "near_keys": near})], [grant]))
        == []
    )


async def test_orders_of_a_named_stop_name_the_consent_of_each_record():
    ports = Direct()
    crossing = make_crossing(ports)
    await crossing.verdicts([make_grant(), other()], {RECORD: PERSON, OTHER: PERSON})
    await crossing.stops([by_record()])
    told = [orjson.loads(m.value) for m in ports.world.published if m.topic == "out.canalvert.withdrawals"]
    assert {c for order in told for c in order["consent_ids"]} == {UUID, OTHER.split("/")[1]}
