"""What waits, volumes and counts on a real MongoDB: kept across verdicts, counted once, from keyed hashes alone."""

from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.breaches.model import Scope
from services.rights_handler.breaches.store import MongoBreaches
from services.rights_handler.chain.store import MongoChain
from services.rights_handler.chain.volumes import added
from services.rights_handler.deciding.store import MongoDecisions
from services.rights_handler.domain import Grant, Line, verdict_id
from services.rights_handler.index import MongoIndex

pytestmark = pytest.mark.engines
DAYS = [f"2026-09-{day:02d}T09:00:00.000Z" for day in range(1, 29)]


@pytest.fixture
async def client(mongo_uri):
    async with AsyncMongoClient(mongo_uri) as client:
        yield client


def line(recipient="hibou", verdict="review", value="granted"):
    return Line(
        recipient, "email", "prospecting", "general", None, value, verdict, "consent", DAYS[0], None, ("EVIDENCE-LATE",)
    )


def grant(name, *lines, at=DAYS[0], collector="acme", keys=("p1.a",)):
    return Grant(f"{collector}/{name}", verdict_id(1, 1, at), collector, name, DAYS[0], at, bool(keys), (), frozenset(keys), None, "r",
                 lines, b"sealed")  # fmt: skip


async def test_a_record_waits_since_its_first_line_in_review_until_none_is(client, database_name):
    index, store = MongoIndex(client, database_name), MongoDecisions(client, database_name)
    await index.prepare()
    await store.prepare()
    first = [grant("a", line(), at=DAYS[1]), grant("b", line(), at=DAYS[0]), grant("c", line(verdict="valid"))]
    await index.put_grants([*first, grant("d", line(), at=DAYS[2], collector="voyages")])
    assert [(since, one.record) for since, one in await store.waiting(None, None, 10)] == [
        (DAYS[0], "acme/b"), (DAYS[1], "acme/a"), (DAYS[2], "voyages/d"),
    ]  # fmt: skip
    page = await store.waiting(None, (DAYS[0], "acme/b"), 1)
    assert [one.record for _, one in page] == ["acme/a"]
    assert [one.record for _, one in await store.waiting("voyages", None, 10)] == ["voyages/d"]
    assert (await store.count(None), await store.count("acme")) == (3, 2)
    again = replace(first[0], vid=verdict_id(1, 1, DAYS[5]))
    await index.put_grants([again])
    assert await store.since("acme/a") == DAYS[1], "it has waited since the first, not since it was assessed again"
    await index.put_grants([replace(first[0], vid=verdict_id(1, 1, DAYS[6]), lines=(line(verdict="valid"),))])
    assert await store.since("acme/a") is None
    await index.put_grants([replace(first[0], vid=verdict_id(1, 1, DAYS[7]))])
    assert await store.since("acme/a") == DAYS[7]
    plan = (
        await client[database_name]
        .grants.find({"reviewing": {"$type": "string"}})
        .sort([("reviewing", 1), ("_id", 1)])
        .explain()
    )
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


def facts(recipient="hibou"):
    return {"collector": "acme", "received_at": DAYS[0], "evaluated_at": DAYS[0], "references": [{"key": "list:l:1"}],
            "lines": [{"recipient": recipient, "verdict": "valid"}]}  # fmt: skip


async def test_volumes_count_each_record_once_whatever_is_redone(client, database_name):
    chain = MongoChain(client, database_name)
    await chain.prepare()
    await chain.count(added([(0, 0, facts()), (0, 1, facts())]))
    await chain.count(added([(0, 0, facts()), (0, 1, facts())]))
    await chain.count(added([(0, 1, facts()), (0, 2, facts()), (1, 0, facts()), (0, 3, facts("tisane"))]))
    edges = {edge["recipient"]: edge for edge in await chain.edges("acme", None)}
    assert (edges["hibou"]["consents"], edges["hibou"]["valid"], edges["tisane"]["consents"]) == (4, 4, 1)
    assert edges["hibou"]["list"] == "l:1"
    assert await chain.edges(None, "nobody") == []


async def test_who_is_affected_is_counted_by_party_without_what_was_refused_or_erased(client, database_name):
    index, store = MongoIndex(client, database_name), MongoBreaches(client, database_name)
    await store.prepare()
    await index.put_grants([
        grant("a", line("hibou"), line("tisane", value="refused"), at=DAYS[0], keys=("p1.a", "p1.z")),
        grant("b", line("hibou"), line("tisane"), at=DAYS[3], keys=("p1.a",)),
        grant("c", line("hibou"), at=DAYS[9], keys=("p1.c",)),
        grant("d", line("tisane"), at=DAYS[3], collector="voyages", keys=("p1.d",)),
    ])  # fmt: skip
    await client[database_name].grants.update_one({"_id": "acme/c"}, {"$set": {"erased": "erased"}})
    everyone = ["acme", "voyages"]
    records, persons, by_party = await store.affected(Scope(), everyone)
    assert (records, persons) == (3, 2), "two of the records are one person's"
    assert by_party == {
        "acme": {"records": 2, "persons": 1}, "hibou": {"records": 2, "persons": 1},
        "tisane": {"records": 2, "persons": 2}, "voyages": {"records": 1, "persons": 1},
    }  # fmt: skip
    early = Scope(collectors=("acme",), received_until=DAYS[3])
    assert (await store.affected(early, everyone))[2].keys() == {"acme", "hibou"}, (
        "the end is excluded, the refused is not held"
    )
    assert (await store.affected(Scope(recipients=("voyages",)), everyone))[0] == 0, (
        "a recipient is one that a line names"
    )
    assert (await store.affected(Scope(recipients=("tisane",), received_from=DAYS[3]), everyone))[:2] == (2, 2)
    assert (await store.affected(Scope(records=("acme/b",)), everyone))[:2] == (1, 1)
    assert await store.affected(Scope(records=("acme/none",)), everyone) == (0, 0, {})
