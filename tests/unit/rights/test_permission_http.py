"""`POST /v1/permissions/check` and `check-batch`: answers, who may ask, match keys, failing closed, and equality with the fold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from http_bench import Bench, Registry
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.errors import ServerSelectionTimeoutError
from rights_world import PERSON, PERSONS, RECORD, UUID, make_grant, make_line, make_stop

from services.rights_handler.checking import Asked, Checking, callers_for
from services.rights_handler.permissions import Question, check
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.sending.model import SendingSettings
from shared.instants import parse_instant

CHECK = {"contact": {"type": "email", "value": " Jeanne@Exemple.example "}, "channel": "email"}
LATER = CHECK | {"at": "2026-10-01T00:00:00Z"}
PATH, BATCH = "/v1/permissions/check", "/v1/permissions/check-batch"


@pytest.fixture
async def bench():
    bench = Bench()
    yield bench
    await bench.client.aclose()


async def grant(bench, *lines, **more):
    await bench.ports.put_grants([make_grant(*(lines or (make_line(),)), **more)])


async def ask(bench, body, token="key-canalvert", path=PATH):  # noqa: S107
    return (await bench.ask("POST", path, token, json=body)).json()


def codes(answer):
    return [reason["code"] for reason in answer["reasons"]]


def match_key(kind, value, party="canalvert"):
    (one,) = (
        k for k in PERSONS.match_keys(party, PERSON) if (k["type"], value) in [(kind, v) for t, v in PERSON.contacts]
    )
    return one


async def test_a_check_says_yes_then_no_once_stopped(bench):
    await grant(bench)
    bench.clock.advance(timedelta(minutes=1))
    answer = await ask(bench, CHECK)
    notice = answer.pop("notice_fr")
    assert answer == {
        "allowed": True, "reasons": [], "attach_notice": True, "valid_until": "2026-09-14T10:16:00.000Z", "record": RECORD,
        "basis": "consent", "notice_lacks": ["dpo", "privacy_url"], "checked_at": "2026-09-14T10:01:00.000Z",
    }  # fmt: skip
    assert "Canalvert <SA>" in notice
    assert "de Acme <SA>, qui les a recueillies le lundi 14 septembre 2026" in notice
    assert "https://oppo.example/u/" in notice
    await bench.ports.put_stops([make_stop(contact=PERSON.contacts[1], at="2026-09-14T10:00:30.000Z")])
    answer = await ask(bench, CHECK)
    assert (answer["allowed"], codes(answer), answer["record"], answer["valid_until"]) == (
        False,
        ["STOPPED"],
        None,
        None,
    )
    assert "lundi 14 septembre 2026 à 12 h 00" in answer["reasons"][0]["text_fr"]
    assert "notice_fr" not in answer


async def test_once_the_information_is_given_nothing_is_attached(bench):
    await grant(bench)
    await bench.ports.put_reports({"canalvert/1": Notice(RECORD, "canalvert", "2026-09-14T09:00:00.000Z")})
    answer = await ask(bench, CHECK)
    assert (answer["allowed"], answer["attach_notice"]) == (True, False)
    assert "notice_fr" not in answer
    late = await ask(bench, CHECK | {"at": "2026-12-01T00:00:00Z"})
    assert late["allowed"]


async def test_the_month_contacts_and_disclosures(bench):
    await grant(bench)
    assert codes(await ask(bench, CHECK | {"at": "2026-10-15T00:00:00Z"})) == ["ART14-OVERDUE"]
    await bench.ports.put_reports({"canalvert/1": Disclosure(RECORD, "canalvert", "hibou", "2026-09-14T09:00:00.000Z")})
    assert codes(await ask(bench, CHECK)) == ["ART14-OVERDUE"]


async def test_an_answer_never_outlives_fifteen_minutes_nor_what_it_rests_on(bench):
    await grant(bench, make_line(channel="call"), make_line(valid_until="2026-09-14T10:05:00.000Z"))
    phone = {"contact": {"type": "phone", "value": "01 99 00 12 34"}, "channel": "call", "zone": "Europe/Paris"}
    assert (await ask(bench, phone))["valid_until"] == "2026-09-14T10:15:00.000Z"  # 12:00 in Paris
    bench.clock.advance(timedelta(minutes=50))
    assert (await ask(bench, phone))["valid_until"] == "2026-09-14T11:00:00.000Z"  # 13:00 in Paris
    bench.clock.advance(timedelta(minutes=-50))
    assert (await ask(bench, CHECK))["valid_until"] == "2026-09-14T10:05:00.000Z"


async def test_calls_need_the_persons_zone_and_take_an_appointment(bench):
    await grant(bench, make_line(channel="call"))
    phone = {"contact": {"type": "phone", "value": "+33199001234"}, "channel": "call"}
    assert codes(await ask(bench, phone)) == ["CALL-WINDOW"]
    assert (await ask(bench, phone | {"zone": "Europe/Paris"}))["allowed"]
    assert codes(await ask(bench, phone | {"zone": "America/Guadeloupe"})) == ["CALL-WINDOW"]
    asked = phone | {"zone": "America/Guadeloupe", "appointment": "2026-09-14T10:10:00Z"}
    assert (await ask(bench, asked))["allowed"]


async def test_attempts_are_counted_with_those_of_who_calls_for_it(bench):
    await grant(bench, make_line(channel="call"))
    await bench.ports.put_reports({"canalvert/n": Notice(RECORD, "canalvert", "2026-09-14T09:00:00.000Z")})
    key = frozenset([PERSONS.contact_key("phone", "+33199001234")])
    phone = {"contact": {"type": "phone", "value": "0199001234"}, "channel": "call", "zone": "Europe/Paris"}

    async def attempt(source, number, **more):
        one = Attempt(**{
            "source": source, "channel": "call", "at": f"2026-09-14T09:0{number}:00.000Z", "record": None,
            "contact_keys": key, "outcome": "no_answer",
        } | more)  # fmt: skip
        await bench.ports.put_reports({f"{source}/{number}": one})

    for number in range(3):
        await attempt("canalvert", number)
        await attempt("autrecentre", number)  # a processor, but of someone else
        await attempt("assurbrelle", number)
    assert (await ask(bench, phone))["allowed"]
    await attempt("allocentre", 9, record=RECORD, contact_keys=frozenset())
    assert codes(await ask(bench, phone)) == ["CALL-FREQUENCY"]


async def test_a_stop_is_not_told_to_strangers(bench):
    await grant(bench)
    await bench.ports.put_stops([make_stop(at="2026-09-14T09:00:00.000Z")])
    assert codes(await ask(bench, CHECK)) == ["STOPPED"]
    stranger = await ask(bench, CHECK, "key-assurbrelle")
    unknown = await ask(
        bench, CHECK | {"contact": {"type": "email", "value": "nobody@exemple.example"}}, "key-assurbrelle"
    )
    assert stranger == unknown  # not even who exists


@pytest.mark.parametrize("what", ["late", "grants_asked", "reported", "stops_about"])
@pytest.mark.parametrize("path", [PATH, BATCH])
async def test_a_check_fails_closed(bench, what, path):
    await grant(bench)

    async def away(*_args):
        raise ServerSelectionTimeoutError("no primary")

    if what == "late":
        bench.fresh.late = True
    else:
        setattr(bench.ports, what, away)
    body = CHECK if path == PATH else {"channel": "email", "contacts": [{"contact": CHECK["contact"]}]}
    answer = await bench.ask("POST", path, json=body)
    told = answer.json()
    assert (answer.status_code, told["allowed"], codes(told), told["code"]) == (
        503,
        False,
        ["UNREACHABLE"],
        "UNREACHABLE",
    )
    assert "c'est non" in told["reasons"][0]["text_fr"]
    assert answer.headers["retry-after"]


async def test_a_party_checks_for_itself_and_the_operator_for_anyone(bench):
    await grant(bench)
    for path, body in ((PATH, LATER), (BATCH, {"channel": "email", "contacts": [{"contact": CHECK["contact"]}]})):
        assert (await bench.ask("POST", path, json=body | {"recipient": "assurbrelle"})).status_code == 403
        assert (await bench.ask("POST", path, "operator", json=body)).status_code == 422
        assert (await bench.ask("POST", path, None, json=body)).status_code == 401
        assert (await bench.ask("POST", path, "key-allocentre", json=body)).status_code == 403
    assert (await ask(bench, LATER | {"recipient": "canalvert"}, "operator"))["allowed"]


@pytest.mark.parametrize(
    "body",
    [
        CHECK | {"channel": "call"}, CHECK | {"contact": {"type": "email", "value": "nobody"}}, CHECK | {"channel": "fax"},
        CHECK | {"match_key": {"type": "email", "key": "m1." + "A" * 43}}, {"channel": "email"}, CHECK | {"at": "yesterday"},
        CHECK | {"zone": 3}, CHECK | {"colour": "jeanne@exemple.example"}, [], "jeanne@exemple.example",
        {"channel": "email", "match_key": {"type": "email", "key": "jeanne@exemple.example"}},
        {"channel": "call", "match_key": match_key("email", "jeanne@exemple.example")},
    ],
)  # fmt: skip
async def test_a_check_that_makes_no_sense_is_refused_without_echo(bench, body):
    answer = await bench.ask("POST", PATH, json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert "eanne@" not in answer.text.lower()
    assert "nobody" not in answer.text


async def test_a_body_has_a_most(bench):
    assert (await bench.ask("POST", PATH, content=b" " * 4_200_000)).status_code == 413


async def test_the_openapi_document_describes_the_bodies_whole(bench):
    paths = (await bench.client.get("/openapi.json")).json()["paths"]
    for path, field in ((PATH, "match_key"), (BATCH, "contacts")):
        schema = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert {"channel", field} <= set(schema["properties"])
        assert schema["required"][0] == "channel"
        assert "$ref" not in str(schema)


# Match keys


async def test_a_party_may_ask_with_its_own_match_key(bench):
    await grant(bench, make_line(), make_line(channel="call"), make_line("assurbrelle", verdict="invalid"))
    for token, kind, value, channel, expected in [
        ("key-canalvert", "email", "jeanne@exemple.example", "email", []),
        ("key-canalvert", "phone", "+33199001234", "call", []),
        ("key-canalvert", "phone", "+33199001234", "sms", ["NO-GRANT"]),
        ("key-assurbrelle", "email", "jeanne@exemple.example", "email", ["NO-GRANT"]),
    ]:
        key = match_key(kind, value, token.removeprefix("key-"))
        answer = await ask(bench, {"match_key": key, "channel": channel, "zone": "Europe/Paris"}, token)
        assert codes(answer) == expected, (token, kind)
    stolen = match_key("email", "jeanne@exemple.example")
    assert codes(await ask(bench, {"match_key": stolen, "channel": "email"}, "key-assurbrelle")) == ["NO-GRANT"]
    lied = {"type": "phone", "key": stolen["key"]}
    assert codes(await ask(bench, {"match_key": lied, "channel": "call", "zone": "Europe/Paris"})) == ["NO-GRANT"]


async def test_a_match_key_sees_stops_and_calls_of_its_contact(bench):
    await grant(bench, make_line(), make_line(channel="call"))
    await bench.ports.put_reports({f"canalvert/{n}": Attempt(
        "canalvert", "call", f"2026-09-14T09:0{n}:00.000Z", None, frozenset([PERSONS.contact_key("phone", "+33199001234")]),
        "no_answer") for n in range(4)})  # fmt: skip
    phone = {"match_key": match_key("phone", "+33199001234"), "channel": "call", "zone": "Europe/Paris"}
    assert codes(await ask(bench, phone)) == ["CALL-FREQUENCY"]
    await bench.ports.put_stops([make_stop(at="2026-09-14T09:30:00.000Z")])
    assert codes(await ask(bench, phone)) == ["STOPPED", "CALL-FREQUENCY"]


def test_aliases_need_the_pepper_and_differ_by_party_and_kind():
    alias = PERSONS.alias("canalvert", "email", "m1.x")
    assert alias != PERSONS.alias("assurbrelle", "email", "m1.x") != PERSONS.alias("canalvert", "phone", "m1.x")
    assert len(alias) == 22
    twice = PERSONS.index_keys(type(PERSON)((*PERSON.contacts, *PERSON.contacts)), ["a", "b"])[1]
    assert twice == PERSONS.index_keys(PERSON, ["a", "b"])[1]
    assert len(set(twice)) == 4
    contacts = sorted(PERSONS.contact_keys(PERSON))
    one = make_grant(make_line("a"), make_line("b", "sms"), make_line("c", verdict="invalid"))
    assert [one.contact_of(a) for a in one.aliases] == [contacts[0]] * 2 + [contacts[1]] * 2


# Batches


async def test_a_batch_answers_each_in_order(bench):
    await grant(bench, make_line(), make_line(channel="call"))
    other = f"acme/{UUID[:-1]}2"
    await grant(bench, record=other, contact_keys=frozenset([PERSONS.contact_key("email", "paul@exemple.example")]))
    await bench.ports.put_stops([make_stop(contact=("email", "paul@exemple.example"), at="2026-09-14T09:00:00.000Z")])
    body = {"channel": "email", "contacts": [
        {"contact": {"type": "email", "value": "paul@exemple.example"}, "ref": "b"},
        {"contact": {"type": "email", "value": "not an address"}, "ref": "c"},
        {"contact": CHECK["contact"], "ref": "a"},
        {"match_key": match_key("email", "jeanne@exemple.example")},
        {"contact": {"type": "phone", "value": "0199001234"}},
        {},
        {"contact": {"type": "email", "value": "nobody@exemple.example"}},
    ]}  # fmt: skip
    answer = await ask(bench, body, path=BATCH)
    assert answer["checked_at"] == "2026-09-14T10:00:00.000Z"
    told = [(one.get("ref"), one["allowed"], codes(one)) for one in answer["results"]]
    assert told == [
        ("b", False, ["STOPPED"]), ("c", False, []), ("a", True, []), (None, True, []), (None, False, []), (None, False, []),
        (None, False, ["NO-GRANT"]),
    ]  # fmt: skip
    problems = {n: one["problems"][0] for n, one in enumerate(answer["results"]) if "problems" in one}
    assert {n: (p["code"], p["pointer"]) for n, p in problems.items()} == {
        1: ("CONTACT-EMAIL", "/contacts/1/contact/value"), 4: ("CONTACT-CHANNEL", "/contacts/4/contact/type"),
        5: ("CONTACT-NAMED", "/contacts/5"),
    }  # fmt: skip
    assert not any("notice_fr" in one for one in answer["results"])
    with_texts = await ask(bench, body | {"with_notices": True}, path=BATCH)
    assert ["notice_fr" in one for one in with_texts["results"]] == [n in (2, 3) for n in range(7)]


async def test_zone_and_country_of_a_batch_are_those_of_who_says_nothing(bench):
    await grant(bench, make_line(channel="call"))
    contact = {"type": "phone", "value": "01 99 00 12 34"}
    body = {"channel": "call", "zone": "America/Guadeloupe", "contacts": [
        {"contact": contact}, {"contact": contact, "zone": "Europe/Paris"}, {"contact": contact, "country": "BE"},
    ]}  # fmt: skip
    answer = await ask(bench, body, path=BATCH)
    first, second, third = answer["results"]
    assert (codes(first), second["allowed"]) == (["CALL-WINDOW"], True)
    assert codes(third)[0] == "NO-GRANT" if "problems" not in third else third["problems"]
    answer = await ask(bench, body | {"country": "FR"}, path=BATCH)
    assert answer["results"][0] == first


async def test_a_batch_has_a_most(bench):
    one = {"contact": CHECK["contact"]}
    for contacts in ([], [one] * 10_001):
        assert (await bench.ask("POST", BATCH, json={"channel": "email", "contacts": contacts})).status_code == 422


class Counting:
    def __init__(self, ports):
        self._ports, self.calls = ports, []

    def __getattr__(self, name):
        async def call(*args):
            self.calls.append(name)
            return await getattr(self._ports, name)(*args)

        return call


@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_a_batch_of_any_size_is_three_reads(size):
    bench = Bench()
    await grant(bench)
    counting = Counting(bench.ports)
    checking = Checking(counting, counting, bench.fresh, Registry, SendingSettings())
    asked = [Asked(Question(frozenset([f"p1.{n}"]), "canalvert", "email", "prospecting", "general", "2026-09-14T10:00:00.000Z"))
             for n in range(size)]  # fmt: skip
    assert len(await checking("canalvert", asked)) == size
    assert counting.calls == ["grants_asked", "reported", "stops_about"]  # stops last: one written meanwhile is seen
    await bench.client.aclose()


async def test_questions_at_several_moments_each_see_their_own_past():
    bench = Bench()
    await grant(bench, make_line(channel="call", valid_until=None))
    key = frozenset([PERSONS.contact_key("phone", "+33199001234")])
    await bench.ports.put_reports({"canalvert/n": Notice(RECORD, "canalvert", "2026-09-14T09:00:00.000Z")} | {
        f"canalvert/{n}": Attempt("canalvert", "call", f"2026-09-{15 + n}T09:00:00.000Z", None, key, "no_answer") for n in range(4)
    })  # fmt: skip
    moments = ("2026-09-18T09:30:00.000Z", "2027-01-05T10:00:00.000Z", "2026-09-17T09:30:00.000Z")
    asked = [Asked(Question(key, "canalvert", "call", "prospecting", "general", at, "Europe/Paris")) for at in moments]
    checking = Checking(bench.ports, bench.ports, bench.fresh, Registry, SendingSettings())
    assert [ruling.codes for ruling in await checking("canalvert", asked)] == [["CALL-FREQUENCY"], [], []]
    assert [ruling.codes for ruling in await checking("canalvert", asked[::-1])] == [[], [], ["CALL-FREQUENCY"]]
    await bench.client.aclose()


async def test_calls_to_any_number_of_the_person_count(bench):
    person = type(PERSON)((("phone", "+33199001234"), ("phone", "+33199005678")))
    await grant(bench, make_line(channel="call"), person=person)
    await bench.ports.put_reports({f"canalvert/{n}": Attempt(
        "canalvert", "call", f"2026-09-14T09:0{n}:00.000Z", None, frozenset([PERSONS.contact_key("phone", "+33199005678")]),
        "no_answer") for n in range(4)})  # fmt: skip
    phone = {"contact": {"type": "phone", "value": "0199001234"}, "channel": "call", "zone": "Europe/Paris"}
    assert codes(await ask(bench, phone)) == ["CALL-FREQUENCY"]


def test_who_calls_for_whom_is_said_by_agreements():
    assert callers_for(Registry, "canalvert") == {"allocentre"}
    assert callers_for(Registry, "allocentre") == frozenset()  # nobody is its own processor
    assert callers_for(Registry, "assurbrelle") == frozenset()


# Equality with the fold

PEOPLE = [(("email", f"p{n}@exemple.example"), ("phone", f"+3319900{n:04d}")) for n in range(3)]
AT = [f"2026-09-{day:02d}T{hour:02d}:30:00.000Z" for day in (7, 8, 9, 10, 11) for hour in (9, 22)]
moments = st.sampled_from(AT)
contacts = st.sampled_from([contact for person in PEOPLE for contact in person])
keys = st.frozensets(contacts.map(lambda c: PERSONS.contact_key(*c)), min_size=1, max_size=3)
parties = st.sampled_from(["canalvert", "assurbrelle", "acme", "allocentre"])
records = st.integers(0, 3).map(lambda n: f"acme/{UUID[:-1]}{n}")
lines = st.builds(
    lambda who, channel, verdict, until: make_line(who, channel, verdict=verdict, valid_until=until),
    parties, st.sampled_from(["email", "call"]), st.sampled_from(["valid", "valid", "invalid"]),
    st.sampled_from([None, "2026-09-09", "2027-01-01T00:00:00.000Z"]),
)  # fmt: skip


@st.composite
def grants(draw):
    people = draw(st.frozensets(contacts, min_size=1, max_size=3))
    person, record = type(PERSON)(tuple(sorted(people))), draw(records)
    return make_grant(
        *draw(st.lists(lines, min_size=1, max_size=3)), person=person, record=record, consent_id=record.split("/")[1],
        collected_at=draw(moments), received_at=draw(moments), confirmed=draw(st.booleans()),
        subject_key=draw(st.sampled_from([None, "s1.a"])),
    )  # fmt: skip


stops = st.builds(
    lambda n, at, ks, record, subject, who: make_stop(
        f"x/{n}", contact=None, at=at, record=record, subject_key=subject, recipients=who
    ) if ks is None else make_stop(f"x/{n}", contact=ks, at=at, record=record, subject_key=subject, recipients=who),
    st.integers(0, 50), moments, st.none() | contacts, st.none() | records, st.sampled_from([None, "s1.a"]),
    st.just("all") | st.frozensets(parties, min_size=1),
)  # fmt: skip
reports = st.one_of(
    st.builds(Notice, records, parties, moments), st.builds(Disclosure, records, parties, parties, moments),
    st.builds(
        lambda source, channel, at, record, ks, outcome: Attempt(
            source, channel, at, record, frozenset() if record and not ks else ks, outcome
        ),
        parties, st.sampled_from(["email", "call"]), moments, st.none() | records, keys,
        st.sampled_from(["no_answer", "answered"]),
    ),
)  # fmt: skip


@given(
    st.lists(grants(), max_size=4), st.lists(stops, max_size=3), st.lists(reports, max_size=8), parties,
    st.lists(contacts, min_size=1, max_size=4), st.sampled_from(["email", "call"]), moments,
    st.sampled_from([None, "Europe/Paris", "America/Guadeloupe"]),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
async def test_the_answer_over_http_is_the_fold_of_everything(known, stopped, reported, who, asked, channel, at, zone):
    bench = Bench()
    await bench.ports.put_grants(known)
    await bench.ports.put_stops(stopped)
    await bench.ports.put_reports({f"r/{n}": one for n, one in enumerate(reported)})
    world = bench.ports.world
    everything = Reported(
        [r for r in world.reports.values() if isinstance(r, Notice)],
        [r for r in world.reports.values() if isinstance(r, Disclosure)],
        [r for r in world.reports.values() if isinstance(r, Attempt)],
    )
    kind = "email" if channel == "email" else "phone"
    asked = [contact for contact in asked if contact[0] == kind]
    expected = [
        check(
            Question(frozenset([PERSONS.contact_key(*contact)]), who, channel, "prospecting", "general", at, zone),
            list(world.grants.values()), list(world.stops.values()), everything, callers=callers_for(Registry, who),
        )
        for contact in asked
    ]  # fmt: skip
    use = {"channel": channel, "at": at, "recipient": who, "zone": zone}
    batch = [{"contact": {"type": kind, "value": value}} for _, value in asked]
    if asked:
        answer = await ask(bench, use | {"contacts": batch}, "operator", BATCH)
        for got, wanted in zip(answer["results"], expected, strict=True):
            assert (got["allowed"], codes(got), got["attach_notice"]) == (
                wanted.allowed, wanted.codes, wanted.answer.attach_notice,
            )  # fmt: skip
            assert [reason["text_fr"] for reason in got["reasons"]] == [reason.text_fr for reason in wanted.reasons]
        for contact, wanted in zip(asked, expected, strict=True):
            got = await ask(bench, use | {"contact": {"type": kind, "value": contact[1]}}, "operator")
            assert (got["allowed"], codes(got), got["record"]) == (
                wanted.allowed, wanted.codes, None if wanted.grant is None else wanted.grant.record,
            )  # fmt: skip
            (key,) = PERSONS.match_keys(who, type(PERSON)((contact,)))
            by_key = await ask(bench, use | {"match_key": key}, "operator")
            assert by_key["allowed"] is wanted.allowed
            if any(who in {line.recipient for line in g.lines if line.verdict == "valid"} for g in known
                   if PERSONS.contact_key(*contact) in g.contact_keys and world.grants[g.record] == g):  # fmt: skip
                assert codes(by_key) == codes(got)
    await bench.client.aclose()


def test_moments_of_the_fold_test_reach_both_sides_of_the_hours():
    hours = {parse_instant(at).hour for at in AT}
    assert hours == {9, 22}
