"""The contract of the index and the ledger, one suite on the fake and on a real MongoDB: what the P3 search assumes is true."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.deliveries import Answer, Times, answered, open_delivery
from services.rights_handler.domain import Grant, Line, Stop, Transfer, verdict_id
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.ports import Obligation, Written
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.reports import MongoReports
from tests.fakes.rights import Direct

NOW = "2026-10-02T17:05:01.000Z"
TIMES = Times((timedelta(hours=6),), timedelta(hours=24))
LINE = Line(
    "canalvert", "email", "prospecting", "general", None, "granted", "valid", "consent", "2026-09-14T08:31:07.120Z",
    "2029-09-14T08:31:07.120Z", (),
)  # fmt: skip
UUIDS = [f"0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a1{i}" for i in range(5)]


class Ports:
    """Index, ledger and reports as one, like the fake."""

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
    parts = MongoIndex(client, name), MongoLedger(client, name), MongoReports(client, name)
    for part in parts:
        await part.prepare()
    yield Ports(*parts)
    await client.close()


def grant(n=0, *, seq=1, keys=("p1.a",), sref=None, **more):
    values = {
        "record": f"acme/{UUIDS[n]}", "vid": verdict_id(seq, 1, NOW), "collector": "acme", "consent_id": UUIDS[n],
        "collected_at": NOW, "received_at": NOW, "confirmed": False, "via": ("passeplat",), "contact_keys": frozenset(keys),
        "subject_key": sref, "ruleset": "r.1", "lines": (LINE, replace(LINE, recipient=None, reasons=("X", "Y"))),
        "sealed": b"\x00sealed",
    }  # fmt: skip
    return Grant(**{**values, **more})


def stop(n=0, *, keys=("p1.a",), sref=None, record=None, **more):
    values = {"id": f"acme/s{n}", "source": "acme", "kind": "objection", "at": NOW, "contact_keys": frozenset(keys),
              "subject_key": sref, "record": record}  # fmt: skip
    return Stop(**{**values, **more})


def delivery(n=0, *, holds=False, party="canalvert"):
    return open_delivery(
        stop(n, recipients=frozenset(["a", "b"])), grant(), party, may_hold=holds, now=NOW,
        ack_within=timedelta(hours=24), times=TIMES,
    )  # fmt: skip


async def test_what_is_written_is_read_back_equal(ports):
    await ports.put_grants([grant(sref="s1.x")])
    scoped = stop(1, sref="s1.x", record="acme/r", channels=frozenset(["sms"]), recipients=frozenset(["canalvert"]))
    await ports.put_stops([scoped])
    assert await ports.grants_of([grant().record]) == [grant(sref="s1.x")]
    assert await ports.stop("acme/s1") == scoped
    assert await ports.stop("acme/s9") is None


async def test_verdicts_new_known_superseded(ports):
    assert await ports.put_grants([grant(0), grant(1)]) == {grant(0).record: Written.NEW, grant(1).record: Written.NEW}
    again = await ports.put_grants([grant(0), grant(1, seq=2), grant(2)])
    assert list(again.values()) == [Written.KNOWN, Written.KNOWN, Written.NEW]
    assert (await ports.put_grants([grant(1, seq=1)]))[grant(1).record] is Written.SUPERSEDED
    assert [g.vid for g in await ports.grants_of([grant(1).record])] == [grant(1, seq=2).vid]
    assert await ports.put_grants([]) == {}


async def test_a_newer_verdict_replaces_everything(ports):
    await ports.put_grants([grant(sref="s1.x")])
    newer = grant(seq=2, keys=("p1.b",), lines=(LINE,), via=())
    await ports.put_grants([newer])
    assert await ports.grants_about([stop(keys=("p1.a",))]) == []
    assert [g.lines for g in await ports.grants_about([stop(keys=("p1.b",))])] == [(LINE,)]


@pytest.mark.parametrize(
    "by",
    [{"keys": ("p1.a",)}, {"keys": (), "sref": "s1.x"}, {"keys": (), "record": f"acme/{UUIDS[0]}"},
     {"keys": (), "record": UUIDS[0]}],
)  # fmt: skip
async def test_a_stop_and_a_grant_find_each_other_by_each_name(ports, by):
    one, other = grant(0, keys=("p1.a", "p1.b"), sref="s1.x"), grant(1, keys=("p1.c",))
    await ports.put_grants([one, other])
    asked = stop(0, **by)
    await ports.put_stops([asked, stop(1, keys=("p1.z",))])
    assert await ports.grants_about([asked]) == [one]
    assert await ports.stops_about([one]) == [asked]
    assert await ports.stops_about([other]) == []


async def test_nobody_named_finds_nobody(ports):
    await ports.put_grants([grant(0)])
    await ports.put_stops([stop(0, keys=())])
    assert await ports.grants_about([stop(0, keys=())]) == []
    assert await ports.grants_about([]) == []
    assert await ports.stops_about([]) == []
    assert await ports.stops_about([grant(0, keys=())]) == []


async def test_a_match_on_several_names_comes_once(ports):
    one = grant(0, keys=("p1.a", "p1.b"), sref="s1.x")
    await ports.put_grants([one])
    asked = stop(0, keys=("p1.a", "p1.b"), sref="s1.x", record=one.record)
    await ports.put_stops([asked])
    assert await ports.grants_about([asked, asked]) == [one]
    assert await ports.stops_about([one]) == [asked]


async def test_contacts_of_a_check(ports):
    await ports.put_grants([grant(0), grant(1, keys=("p1.b",))])
    await ports.put_stops([stop(0, keys=("p1.q",)), stop(1)])
    assert await ports.grants_asked({"p1.a"}, set()) == [replace(grant(0), sealed=None)]
    assert await ports.grants_asked(set(), set()) == []
    assert [s.id for s in await ports.stops_about([], {"p1.q"})] == ["acme/s0"]
    assert len(await ports.stops_about([grant(0)], {"p1.q"})) == 2


async def test_the_first_stop_and_the_first_transfer_stay(ports):
    await ports.put_stops([stop(0)])
    await ports.put_stops([stop(0, at="2030-01-01T00:00:00.000Z"), stop(1)])
    assert (await ports.stop("acme/s0")).at == NOW
    first = Transfer("acme/r", "televerveine", NOW)
    await ports.put_transfers([first])
    await ports.put_transfers([replace(first, at="2030-01-01T00:00:00.000Z"), replace(first, to="hibou")])
    assert sorted(await ports.transfers_of(["acme/r", "acme/q"]), key=str) == [replace(first, to="hibou"), first]
    assert await ports.transfers_of([]) == []


async def test_rows_are_opened_once_and_only_ever_hold_more(ports):
    row = delivery(holds=False)
    await ports.open_deliveries([row, delivery(1)])
    await ports.open_deliveries([replace(row, ordered_at="2030-01-01T00:00:00.000Z", may_hold=True)])
    (there,) = await ports.deliveries([row.order])
    assert there == replace(row, may_hold=True, rev=1)
    await ports.open_deliveries([row])
    assert (await ports.deliveries([row.order]))[0].may_hold


async def test_unpublished_until_marked(ports):
    rows = [delivery(0), delivery(1)]
    await ports.open_deliveries(rows)
    orders = [row.order for row in rows]
    assert {row.order for row in await ports.unpublished(orders)} == set(orders)
    await ports.mark_published(orders[:1])
    assert [row.order for row in await ports.unpublished(orders)] == orders[1:]
    await ports.mark_published(orders[:1])
    assert (await ports.deliveries(orders[:1]))[0].rev == 1
    assert await ports.unpublished([]) == []


async def test_a_change_made_from_an_old_reading_is_lost(ports):
    row = delivery()
    await ports.open_deliveries([row, delivery(1)])
    given = Answer(row.order, "canalvert", "refused", "e1", NOW, applied_at=NOW)
    stale = answered(row, given)
    await ports.mark_published([row.order])
    fresh = answered((await ports.deliveries([delivery(1).order]))[0], given)
    assert await ports.save_deliveries([stale, fresh]) == {fresh.order}
    (there,) = await ports.deliveries([row.order])
    assert (there.published, there.state) == (True, "open")
    assert await ports.deliveries([fresh.order]) == [fresh]
    assert await ports.save_deliveries([]) == set()


async def test_due_rows_oldest_first_and_closed_ones_never(ports):
    rows = [replace(delivery(n), next_at=f"2026-10-0{9 - n}T00:00:00.000Z") for n in range(3)]
    closed = replace(delivery(3), next_at=None, state="closed")
    await ports.open_deliveries([*rows, closed])
    assert [r.stop for r in await ports.due_deliveries("2026-10-08T00:00:00.000Z", 10)] == ["acme/s2", "acme/s1"]
    assert len(await ports.due_deliveries("2030-01-01T00:00:00.000Z", 1)) == 1
    assert len(await ports.waiting_deliveries(None, 10)) == 3
    assert await ports.waiting_deliveries("hibou", 10) == []
    assert [r.order for r in await ports.deliveries_of_stop("acme/s3")] == [closed.order]


async def test_obligations_open_once_and_close_once(ports):
    one = Obligation("u/1", "party-unregistered", "operator", "why", NOW, NOW, NOW, (("order", "o"), ("party", "p")))
    await ports.open_obligations([one, replace(one, id="u/2", owner="canalvert")])
    await ports.open_obligations([replace(one, cause="else")])
    assert sorted(o.id for o in await ports.obligations(None, 10)) == ["u/1", "u/2"]
    assert await ports.obligations("operator", 10) == [one]
    await ports.close_obligations(["u/1", "u/9"], NOW)
    await ports.open_obligations([one])
    assert await ports.obligations("operator", 10) == []


async def test_a_match_alias_finds_its_grant_and_its_contact(ports):
    one = grant(0, keys=("p1.b", "p1.a"), aliases=("a-canalvert", "a-hibou", "b-canalvert", "b-hibou"))
    await ports.put_grants([one, grant(1, keys=("p1.a",), aliases=("x",))])
    (found,) = await ports.grants_asked(set(), {"b-canalvert", "nobody"})
    assert found == replace(one, sealed=None)
    contacts = [found.contact_of(alias) for alias in (*one.aliases, "nobody")]
    assert contacts == ["p1.a", "p1.a", "p1.b", "p1.b", None]
    await ports.put_grants([grant(0, seq=2, keys=("p1.a",), aliases=())])
    assert await ports.grants_asked(set(), {"b-canalvert"}) == []


def attempt(at, *, source="canalvert", record=None, keys=("p1.a",), channel="call"):
    return Attempt(source, channel, at, record, frozenset(keys), "no_answer")


async def test_reports_are_kept_once_and_found_by_record_or_contact(ports):
    notice, disclosure = Notice("acme/r", "canalvert", NOW), Disclosure("acme/r", "canalvert", "hibou", NOW)
    call, other = attempt(NOW, record="acme/r", keys=()), attempt(NOW, source="hibou")
    await ports.put_reports({"canalvert/1": notice, "canalvert/2": disclosure, "canalvert/3": call, "hibou/1": other})
    await ports.put_reports({"canalvert/1": Notice("acme/r", "canalvert", "2030-01-01T00:00:00.000Z")})
    await ports.put_reports({})
    assert await ports.reported(["acme/r"], [], {"canalvert"}, NOW, NOW) == Reported([notice], [disclosure], [call])
    assert await ports.reported([], ["p1.a"], {"canalvert", "hibou"}, NOW, NOW) == Reported([], [], [other])
    assert await ports.reported(["acme/q"], ["p1.q"], {"canalvert"}, NOW, NOW) == Reported([], [], [])
    assert list((await ports.reported([], [], {"canalvert"}, NOW, NOW)).attempts) == []


async def test_attempts_are_read_as_far_back_as_they_matter(ports):
    at = {name: f"2026-{name}T17:05:01.000Z" for name in ("08-29", "08-31", "09-30", "10-02", "10-03")}
    await ports.put_reports({f"c/{day}": attempt(moment) for day, moment in at.items()})
    found = await ports.reported([], ["p1.a"], {"canalvert"}, NOW, NOW)
    assert sorted(one.at for one in found.attempts) == [at["08-31"], at["09-30"], at["10-02"]]
    wider = await ports.reported([], ["p1.a"], {"canalvert"}, at["09-30"], at["10-03"])
    assert len(wider.attempts) == 5
    assert await ports.reported([], ["p1.a"], {"canalvert"}, "0001-01-01T00:00:00.000Z", "0001-01-02T00:00:00.000Z")


async def test_an_attempt_is_read_back_equal(ports):
    whole = attempt(NOW, record="acme/r", keys=("p1.b", "p1.a"), channel="sms")
    await ports.put_reports({"canalvert/1": whole})
    for names in (("acme/r", "p1.q"), ("acme/q", "p1.a"), ("acme/r", "p1.b")):
        (found,) = (await ports.reported([names[0]], [names[1]], {"canalvert"}, NOW, NOW)).attempts
        assert found == whole
