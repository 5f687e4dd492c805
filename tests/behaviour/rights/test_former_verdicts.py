"""What replaced verdicts held valid: the same on the fake and on a real MongoDB."""

from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient
from test_rights_ports import LINE, grant

from services.rights_handler.former import name_of
from services.rights_handler.index import MongoIndex
from tests.fakes.rights import Direct

OTHER = replace(LINE, channel="sms", object="$lines of a price {list}")


@pytest.fixture(params=["fake", pytest.param("mongodb", marks=pytest.mark.engines)])
async def ports(request):
    if request.param == "fake":
        yield Direct()
        return
    client = AsyncMongoClient(request.getfixturevalue("mongo_uri"))
    index = MongoIndex(client, request.getfixturevalue("database_name"))
    await index.prepare()
    yield index
    await client.close()


async def test_a_verdict_that_replaces_nothing_remembers_nothing(ports):
    await ports.put_grants([grant(0, lines=(LINE,))])
    assert await ports.once_valid([grant(0).record]) == {}
    await ports.put_grants([grant(0, lines=(LINE,))])  # a replay
    assert await ports.once_valid([grant(0).record, "acme/none"]) == {}
    assert await ports.once_valid([]) == {}


async def test_each_replacement_adds_what_it_replaced(ports):
    fallen = replace(LINE, verdict="invalid", reasons=("X",))
    await ports.put_grants([grant(0, lines=(LINE, replace(OTHER, verdict="review")))])
    await ports.put_grants([grant(0, seq=2, lines=(fallen, OTHER))])
    assert await ports.once_valid([grant(0).record]) == {grant(0).record: frozenset([name_of(LINE)])}
    await ports.put_grants([grant(0, seq=3, lines=(fallen,))])
    assert await ports.once_valid([grant(0).record]) == {grant(0).record: frozenset(map(name_of, (LINE, OTHER)))}


async def test_a_superseded_verdict_changes_nothing(ports):
    await ports.put_grants([grant(0, seq=2, lines=(LINE,))])
    await ports.put_grants([grant(0, seq=1, lines=(OTHER,))])
    assert await ports.once_valid([grant(0).record]) == {}
    assert [g.lines for g in await ports.grants_of([grant(0).record])] == [(LINE,)]


async def test_the_new_verdict_is_stored_as_it_is(ports):
    newer = grant(0, seq=2, sref="s1.y", lines=(OTHER,), via=(), confirmed=True, sealed=b"\x01other")
    await ports.put_grants([grant(0)])
    await ports.put_grants([newer])
    assert await ports.grants_of([newer.record]) == [newer]
