"""What keeps a person suppressed, on the fake and on a real MongoDB: keys that are only ever added, and rows that stay."""

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.domain import Grant, Line, Stop, verdict_id
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.ports import Obligation
from tests.fakes.rights import Direct

NOW = "2026-10-02T17:05:01.000Z"
UUID = "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
LINE = Line("canalvert", "post", "prospecting", "general", None, "granted", "valid", "consent", NOW, None, ())


class Both:
    def __init__(self, *parts):
        self._parts = parts

    def __getattr__(self, name):
        return next(getattr(one, name) for one in self._parts if hasattr(one, name))


@pytest.fixture(params=["fake", pytest.param("mongodb", marks=pytest.mark.engines)])
async def ports(request):
    if request.param == "fake":
        yield Direct()
        return
    client = AsyncMongoClient(request.getfixturevalue("mongo_uri"))
    name = request.getfixturevalue("database_name")
    parts = MongoIndex(client, name), MongoLedger(client, name)
    for part in parts:
        await part.prepare()
    yield Both(*parts)
    await client.close()


def grant(record=f"acme/{UUID}", keys=("p1.a",), near=(), **more):
    return Grant(
        record=record, vid=verdict_id(1, 1, NOW), collector="acme", consent_id=record.split("/")[1], collected_at=NOW,
        received_at=NOW, confirmed=False, via=(), contact_keys=frozenset(keys), subject_key=None, ruleset="r.1",
        lines=(LINE,), sealed=None, near_keys=frozenset(near), **more,
    )  # fmt: skip


def stop(identity="platform/s1", keys=(), record=None, near=()):
    return Stop(
        id=identity, source="platform", kind="objection", at=NOW, contact_keys=frozenset(keys), subject_key=None,
        record=record, near_keys=frozenset(near),
    )  # fmt: skip


async def test_a_stop_gains_keys_and_never_loses_any(ports):
    await ports.put_stops([stop(record=f"acme/{UUID}")])
    await ports.widen_stops([stop(keys=["p1.a"])])
    await ports.widen_stops([stop(keys=["p1.b"])])
    await ports.widen_stops([])
    await ports.put_stops([stop(record=f"acme/{UUID}")])  # a replay puts nothing back
    found = await ports.stop("platform/s1")
    assert found.contact_keys == {"p1.a", "p1.b"}
    assert [s.id for s in await ports.stops_about([grant("acme/other", ["p1.b"])])] == ["platform/s1"]


async def test_near_keys_find_each_other_from_both_sides_and_are_read_back(ports):
    await ports.put_grants([grant(near=["n1.x", "n1.y"])])
    letter = stop(keys=["p1.z"], near=["n1.y"])
    await ports.put_stops([letter])
    assert await ports.stops_about([grant(near=["n1.y"])]) == [letter]
    (found,) = await ports.grants_about([letter])
    assert found.near_keys == {"n1.x", "n1.y"}
    assert await ports.stops_about([grant("acme/other", ["p1.q"], ["n1.q"])]) == []


async def test_one_obligation_is_found_open_or_closed(ports):
    assert await ports.obligation("near/x") is None
    one = Obligation("near/x", "postal-near-match", "operator", "?", NOW, NOW, NOW, (("record", "r"), ("stop", "s")))
    await ports.open_obligations([one])
    assert await ports.obligation("near/x") == one
    await ports.close_obligations(["near/x"], NOW)
    assert (await ports.obligation("near/x")).closed_at == NOW
