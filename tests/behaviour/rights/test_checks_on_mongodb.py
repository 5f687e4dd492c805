"""Permission checks on a real MongoDB: the same answers as the fold of everything, and as many commands for one as for all."""

import random
import time

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener

from services.rights_handler.checking import Asked, Checking
from services.rights_handler.domain import Grant, Line, Stop, verdict_id
from services.rights_handler.index import MongoIndex
from services.rights_handler.permissions import Question, check
from services.rights_handler.persons import Person, Persons
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.reports import MongoReports
from services.rights_handler.sending.model import SendingSettings

pytestmark = pytest.mark.engines
PARTIES = ("canalvert", "hibou", "acme")
DAYS = [f"2026-09-{day:02d}T{hour:02d}:15:00.000Z" for day in range(1, 29) for hour in (9, 12, 22)]
AT = "2026-09-22T09:30:00.000Z"
CHANNELS = ("email", "call")


class Nothing:
    async def read(self, _record_ids):
        return {}


PERSONS = Persons(Nothing(), pepper=b"p" * 32, match_master=b"m" * 32)


class NobodyCalls:
    class view:  # noqa: N801
        @staticmethod
        def parties():
            return ()


class Fresh:
    @staticmethod
    def lagging():
        return False


class Commands(CommandListener):
    """The commands sent to the server, by name."""

    def __init__(self):
        self.names = []

    def started(self, event):
        self.names.append(event.command_name)

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


@pytest.fixture
async def store(mongo_uri, database_name):
    commands = Commands()
    client = AsyncMongoClient(mongo_uri, event_listeners=[commands])
    index, reports = MongoIndex(client, database_name), MongoReports(client, database_name)
    await index.prepare()
    await reports.prepare()
    yield index, reports, commands
    await client.close()


def contact(n):
    return ("email", f"p{n}@exemple.example") if n % 2 else ("phone", f"+3319900{n:04d}")


def some_grant(n, rnd, people):
    uuid = f"0190f6c2-6f1e-7cc3-9a55-{n:012d}"
    person = Person(tuple(sorted({contact(rnd.randrange(people)) for _ in range(rnd.randint(1, 3))})))
    lines = tuple(
        Line(
            rnd.choice(PARTIES), rnd.choice(CHANNELS), "prospecting", "general", None, "granted",
            rnd.choice(("valid", "valid", "invalid")), "consent", None, rnd.choice((None, "2026-09-20", "2027-01-01")), (),
        )
        for _ in range(rnd.randint(1, 4))
    )  # fmt: skip
    granted = sorted({line.recipient for line in lines if line.verdict == "valid"})
    return Grant(
        record=f"acme/{uuid}", vid=verdict_id(1, 1, AT), collector="acme", consent_id=uuid, collected_at=rnd.choice(DAYS),
        received_at=rnd.choice(DAYS), confirmed=rnd.random() < 0.5, via=(), contact_keys=PERSONS.contact_keys(person),
        subject_key=rnd.choice((None, f"s1.{n % 7}")), ruleset="r.1", lines=lines, sealed=b"sealed",
        aliases=PERSONS.index_keys(person, granted)[1],
    )  # fmt: skip


def some_stop(n, rnd, people, grants):
    named = rnd.randrange(3)
    return Stop(
        id=f"x/{n}", source="x", kind="objection", at=rnd.choice(DAYS),
        contact_keys=frozenset([PERSONS.contact_key(*contact(rnd.randrange(people)))]) if named == 0 else frozenset(),
        subject_key=f"s1.{n % 7}" if named == 1 else None,
        record=rnd.choice((rnd.choice(grants).record, rnd.choice(grants).consent_id)) if named == 2 else None,
        recipients=rnd.choice(("all", frozenset(["canalvert"]))), channels=rnd.choice(("all", frozenset(["call"]))),
    )  # fmt: skip


def some_report(rnd, people, grants):
    record, at = rnd.choice(grants).record, rnd.choice(DAYS)
    kind = rnd.randrange(6)
    if kind == 0:
        return Notice(record, rnd.choice(PARTIES), at)
    if kind == 1:
        return Disclosure(record, rnd.choice(PARTIES), rnd.choice(PARTIES), at)
    keys = frozenset([PERSONS.contact_key(*contact(rnd.randrange(people)))])
    by_record = rnd.random() < 0.4
    return Attempt(
        rnd.choice(PARTIES), rnd.choice(CHANNELS), at, record if by_record else None, frozenset() if by_record else keys,
        rnd.choice(("answered", "no_answer")),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
async def test_the_answers_are_those_of_the_fold_of_everything(store, seed):
    index, reports, _ = store
    rnd, people = random.Random(seed), 40
    grants = [some_grant(n, rnd, people) for n in range(60)]
    stops = [some_stop(n, rnd, people, grants) for n in range(15)]
    told = {f"r/{n}": some_report(rnd, people, grants) for n in range(250)}
    await index.put_grants(grants)
    await index.put_stops(stops)
    await reports.put_reports(told)
    everything = Reported(
        [r for r in told.values() if isinstance(r, Notice)], [r for r in told.values() if isinstance(r, Disclosure)],
        [r for r in told.values() if isinstance(r, Attempt)],
    )  # fmt: skip
    checking = Checking(index, reports, Fresh, NobodyCalls, SendingSettings())
    seen = set()
    for recipient in PARTIES:
        for channel in CHANNELS:
            kinds = [contact(n) for n in range(people) if (contact(n)[0] == "email") is (channel == "email")]
            questions = [
                Question(
                    frozenset([PERSONS.contact_key(*one)]), recipient, channel, "prospecting", "general", rnd.choice(DAYS),
                    "Europe/Paris",
                )
                for one in kinds
            ]  # fmt: skip
            expected = [check(question, grants, stops, everything) for question in questions]
            got = await checking(recipient, [Asked(question) for question in questions])
            assert [(r.codes, r.answer.attach_notice, r.reasons) for r in got] == [
                (r.codes, r.answer.attach_notice, r.reasons) for r in expected
            ]
            assert [r.grant and r.grant.record for r in got] == [r.grant and r.grant.record for r in expected]
            keys = [PERSONS.match_keys(recipient, Person((one,)))[0] for one in kinds]
            by_key = await checking(recipient, [
                Asked(
                    Question(frozenset(), recipient, channel, "prospecting", "general", question.at, "Europe/Paris"),
                    PERSONS.alias(recipient, key["type"], key["key"]),
                )
                for key, question in zip(keys, questions, strict=True)
            ])  # fmt: skip
            assert [r.allowed for r in by_key] == [r.allowed for r in expected]
            seen |= {code for ruling in expected for code in ruling.codes} | {r.allowed for r in expected}
    assert {True, False, "STOPPED", "NO-GRANT", "CALL-WINDOW", "ART14-OVERDUE"} <= seen, seen


async def test_ten_thousand_cost_as_many_commands_as_one(store):
    index, reports, commands = store
    rnd = random.Random(1)
    people = 10_000
    grants = []
    for n in range(people):
        person = Person((contact(2 * n),))
        one = some_grant(n, rnd, 1)
        line = Line("canalvert", "call", "prospecting", "general", None, "granted", "valid", "consent", None, None, ())
        grants.append(Grant(**{
            **{name: getattr(one, name) for name in Grant.__dataclass_fields__}, "contact_keys": PERSONS.contact_keys(person),
            "lines": (line,), "aliases": PERSONS.index_keys(person, ["canalvert"])[1], "collected_at": DAYS[0], "received_at": DAYS[0],
        }))  # fmt: skip
    await index.put_grants(grants)
    await reports.put_reports({f"n/{n}": Notice(grant.record, "canalvert", DAYS[1]) for n, grant in enumerate(grants)})
    checking = Checking(index, reports, Fresh, NobodyCalls, SendingSettings())

    def asked(count):
        return [
            Asked(Question(grant.contact_keys, "canalvert", "call", "prospecting", "general", AT, "Europe/Paris"))
            for grant in grants[:count]
        ]

    used = {}
    for count in (1, people):
        commands.names.clear()
        start = time.perf_counter()
        rulings = await checking("canalvert", asked(count))
        print(f"{count} checks: {time.perf_counter() - start:.3f} s")  # noqa: T201 - shown by pytest -s
        assert all(ruling.allowed for ruling in rulings)
        used[count] = [name for name in commands.names if name != "getMore"]
    assert used[1] == used[people] == ["find"] * 5
