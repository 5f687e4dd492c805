"""P3 on the real protocol code: every order of the steps of the verdict, stop and transfer handlers, with a crash and a
replay after any step (or after the end), on a world in memory. Three tempting variants must be caught losing a stop.

Each handler is a coroutine whose every call is a request to the driver, which answers, or lets the handler die. A state of
the search is (world, results each handler has received, crashes left), and each is visited once.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from rights_world import PERSON, RECORD, make_crossing, make_grant, make_line, make_stop

from services.rights_handler.domain import Transfer, concerned, decide, order_id
from services.rights_handler.fanout import FanOut, Touch
from services.rights_handler.matching import meetings, stops_by_record
from services.rights_handler.ports import Written
from services.rights_handler.protocol import Crossing
from services.rights_handler.suppressing.widening import widened
from tests.fakes.rights import Stepping, World

DONE = "done"
pytestmark = pytest.mark.timeout(900)  # pure computing: seconds, unless the machine is very busy


class Durable(World):
    """A world that remembers of Kafka only *that* an event was stored: (topic, kind)."""

    def __init__(self, **values):
        super().__init__(**{"published": set(), **values})

    def copy(self):
        return Durable(**{name: value.copy() for name, value in vars(self).items()})

    def send(self, message):
        self.published.add(said(message))

    def send_many(self, messages):
        self.published.update(map(said, messages))

    def key(self):
        return (
            frozenset(self.grants), frozenset(self.stops), frozenset(self.transfers), frozenset(self.published),
            frozenset((row.party, row.published, row.may_hold) for row in self.rows.values()),
        )  # fmt: skip


def said(message):
    return message.topic, dict(message.headers)["ce_type"].decode().split(".", 1)[1]


@dataclass(frozen=True)
class State:
    """`logs`: per handler, the number of its log (see `Search`). `done`: which have returned."""

    world: Durable
    logs: tuple
    done: tuple
    crashes: tuple

    def key(self):
        return (self.world.key(), self.logs, self.done, self.crashes)


class Search:
    """Visits every state once. A log is the list of results a handler has received since it last started; equal logs have
    one number, and what a handler asks next is worked out once per log, by running it through those results."""

    def __init__(self, handlers):
        self.handlers = handlers
        self.logs = [()]
        self.numbers = {(0, i, None): 0 for i in range(len(handlers))}
        self.requests = {}

    def request(self, i, log):
        if (i, log) not in self.requests:
            self.requests[i, log] = self._run(i, self.logs[log])
        return self.requests[i, log]

    def _run(self, i, results):
        running = self.handlers[i]()
        try:
            request = running.send(None)
            for result in results:
                request = running.send(result)
        except StopIteration:
            return DONE
        running.close()
        return request

    def longer(self, i, log, result):
        key = (log, i, repr(result))
        if key not in self.numbers:
            self.numbers[key] = len(self.logs)
            self.logs.append((*self.logs[log], result))
        return self.numbers[key]

    def explore(self, *, crashes, promise, most=99, first_only=False, world=Durable):
        """Returns (number of states, number of final states, what is broken in them). `crashes` each, `most` together."""
        count = len(self.handlers)
        first = State(world(), (0,) * count, (False,) * count, (crashes,) * count)
        seen, todo, finals, broken = {first.key()}, [first], 0, []
        while todo:
            state = todo.pop()
            if all(state.done):
                finals += 1
                broken += [fault for fault in promise(state.world) if fault]
                if broken and first_only:
                    break
            if sum(state.crashes) < len(self.handlers) * crashes - most:
                continue
            for following in self.steps(state):
                key = following.key()
                if key not in seen:
                    seen.add(key)
                    todo.append(following)
        return len(seen), finals, broken

    def steps(self, state):
        for i in range(len(self.handlers)):
            if not state.done[i]:
                request = self.request(i, state.logs[i])
                if request == DONE:
                    yield put(state, i, done=True)
                else:
                    name, args = request
                    world = state.world.copy()
                    result = getattr(world, name)(*args)
                    yield put(state, i, world=world, logs=self.longer(i, state.logs[i], result))
            if state.crashes[i] and (state.logs[i] or state.done[i]):  # lost, or redelivered after its end
                yield put(state, i, logs=0, done=False, crashes=state.crashes[i] - 1)


def put(state, i, *, world=None, **change):
    fields = {
        name: (*getattr(state, name)[:i], change[name], *getattr(state, name)[i + 1 :])
        if name in change else getattr(state, name)
        for name in ("logs", "done", "crashes")
    }  # fmt: skip
    return State(world or state.world, **fields)


GRANT = make_grant(make_line("canalvert"), make_line("canalvert", "sms"), make_line("assurbrelle"))
STOP = make_stop(channels=frozenset(["email"]))
TRANSFER = Transfer(RECORD, "televerveine", "2026-09-20T00:00:00.000Z")


def promise_kept(transferred=()):
    """Everyone concerned has been sent the order, and is known to, and whoever may hold the data is not believed blindly."""
    parties = concerned(STOP, GRANT, transferred)

    def promise(world):
        told = {topic.split(".")[1] for topic, _ in world.published if topic.endswith(".withdrawals")}
        granted = {topic.split(".")[1] for topic, kind in world.published if kind == "permission.granted.v1"}
        yield parties != told and f"not told: {sorted(parties - told)}"
        for party in parties:
            row = world.rows.get(order_id(STOP.id, party, RECORD))
            yield (row is None or not row.published) and f"no published row: {party}"
            yield row is not None and party in granted and not row.may_hold and f"told it may, yet believed: {party}"

    return promise


def handlers(crossing=Crossing, fan_out=FanOut, ports=Stepping, *, transfer=False):
    protocol = make_crossing(ports(), crossing=crossing, fan_out=fan_out)
    verdict = lambda: protocol.verdicts([GRANT], {RECORD: PERSON})  # noqa: E731
    found = [verdict, lambda: protocol.stops([STOP])]
    return [*found, lambda: protocol.transfers([TRANSFER])] if transfer else found


def test_a_verdict_and_a_stop_in_any_order_with_two_crashes_each():
    states, finals, broken = Search(handlers()).explore(crashes=2, promise=promise_kept())
    assert not broken, broken[:3]
    assert finals > 10
    assert states > 5_000


def test_a_transfer_reported_meanwhile_is_told_too():
    states, finals, broken = Search(handlers(ports=Quick, transfer=True)).explore(
        crashes=1, most=1, promise=promise_kept(["televerveine"])
    )
    assert not broken, broken[:3]
    assert finals > 10
    assert states > 5_000


def test_no_permission_goes_out_that_a_stop_seen_before_forbids():
    """Whatever happens, a run of G that read after the stop was written never says "you may" for what it covers."""

    protocol = make_crossing(Stepping())
    world = World()
    world.put_stops([STOP])
    for replay in range(2):
        running = protocol.verdicts([GRANT], {RECORD: PERSON})
        result = None
        try:
            while True:
                name, args = running.send(result)
                result = getattr(world, name)(*args)
        except StopIteration:
            pass
        said = [dict(m.headers)["ce_type"] for m in world.published if m.topic == "out.assurbrelle.permissions"]
        assert said == [b"opposable.permission.refused.v1"] * (replay + 1)


class Quick(Stepping):
    """Publishes a call's records as one step (three handlers at once would otherwise be too many states)."""

    async def send_all(self, messages):
        if messages:
            await self.send_many(messages)


class ReadFirst(Crossing):
    """Broken: looks before it writes."""

    async def verdicts(self, arrived, persons):
        stops = await self._index.stops_about(arrived)
        await self._index.put_grants(arrived)
        met = stops_by_record(stops, arrived)
        await self._fan_out([Touch(s, g, None) for s, g in meetings(stops, arrived)], persons)
        await self._teller.permissions([(g, decide(g, met.get(g.record, ()))) for g in arrived], persons)

    async def stops(self, arrived):
        grants = await self._index.grants_about(arrived)
        await self._index.put_stops(arrived)
        await self._fan_out([Touch(stop, grant, None) for stop, grant in meetings(arrived, grants)])


class SilentVerdicts(Crossing):
    """Broken: withholds the permission and tells nobody of the stop."""

    async def verdicts(self, arrived, persons):
        written = await self._index.put_grants(arrived)
        current = [grant for grant in arrived if written[grant.record] is not Written.SUPERSEDED]
        met = stops_by_record(await self._index.stops_about(current), current)
        await self._teller.permissions([(g, decide(g, met.get(g.record, ()))) for g in current], persons)


class SkipIfThere(Stepping):
    """Broken: takes a delivery row that exists for one whose order went out."""

    async def unpublished(self, _orders):
        return []


class TransfersReadFirst(Crossing):
    """Broken: a transfer looks for stops before it is written down."""

    async def transfers(self, arrived):
        grants = await self._index.grants_of({transfer.record for transfer in arrived})
        stops = await self._index.stops_about(grants)
        await self._index.put_transfers(arrived)
        await self._fan_out([Touch(stop, grant, None) for stop, grant in meetings(stops, grants)])


@pytest.mark.parametrize(
    "broken",
    [{"crossing": ReadFirst}, {"crossing": SilentVerdicts}, {"ports": SkipIfThere}],
    ids=["read-first", "silent-verdicts", "skip-if-row"],
)
def test_the_search_catches_tempting_variants(broken):
    _, _, faults = Search(handlers(**broken)).explore(crashes=1, first_only=True, promise=promise_kept())
    assert any("not told" in fault for fault in faults)


def test_the_search_catches_a_transfer_that_looks_first():
    variant = handlers(crossing=TransfersReadFirst, ports=Quick, transfer=True)
    _, _, faults = Search(variant).explore(crashes=1, first_only=True, promise=promise_kept(["televerveine"]))
    assert any("not told: ['televerveine']" in fault for fault in faults)


NAMED = make_stop("platform/click", contact=None, record=RECORD)
"""A stop that names one record; the other shares a contact with that record, and nothing with the stop as it arrives."""
UUID_2 = "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a99"
FIRST = make_grant(make_line("acme"))
SECOND = make_grant(make_line("televerveine"), record=f"acme/{UUID_2}", consent_id=UUID_2, subject_key=None)


def both_told(world):
    """Whoever may hold either record has its order: the stop holds the contacts of the record it names."""
    wanted = {("acme", RECORD), ("televerveine", SECOND.record), ("acme", SECOND.record)}
    found = {(row.party, row.record) for row in world.rows.values()}
    yield wanted != found and f"not told: {sorted(wanted - found)}"
    unpublished = {row.party for row in world.rows.values() if not row.published}
    yield unpublished and f"no published row: {unpublished}"


class WithKeys(Durable):
    """Remembers what each stop holds by now."""

    def copy(self):
        return WithKeys(**{name: value.copy() for name, value in vars(self).items()})

    def key(self):
        rows = frozenset((row.party, row.record, row.published) for row in self.rows.values())
        return super().key(), rows, frozenset((s.id, s.contact_keys) for s in self.stops.values())


class OrdersOnly(Quick):
    """Steps that this promise is about: no transfer nor suspension is here, and permissions are another test's matter."""

    async def stops_about(self, grants, contact_keys=(), kinds=()):
        return [] if kinds else await self.__getattr__("stops_about")(grants, contact_keys)

    async def transfers_of(self, _records):
        return []

    async def once_valid(self, _records):
        return {}

    async def send_all(self, messages):
        await super().send_all([m for m in messages if m.topic.endswith(".withdrawals")])


def naming_handlers(crossing=Crossing):
    protocol = make_crossing(OrdersOnly(), crossing=crossing)
    return [
        lambda: protocol.verdicts([FIRST], {RECORD: PERSON}),
        lambda: protocol.verdicts([SECOND], {SECOND.record: PERSON}),
        lambda: protocol.stops([NAMED]),
    ]


def test_a_stop_that_names_a_record_reaches_another_of_the_same_contact_in_any_order():
    search = Search(naming_handlers())
    states, finals, broken = search.explore(crashes=1, most=1, promise=both_told, world=WithKeys)
    assert not broken, broken[:3]
    assert finals > 10
    assert states > 5_000


class WidensLast(Crossing):
    """Broken: looks for further records before the stop holds the contacts they would be found by."""

    async def _follow(self, stops, grants):
        wider = widened(stops, grants)
        met = await self._index.grants_about(wider) if wider else []
        if wider:
            await self._index.widen_stops(wider)
        now, known = {stop.id: stop for stop in wider}, {grant.record for grant in grants}
        return [now.get(stop.id, stop) for stop in stops], [grant for grant in met if grant.record not in known]


class WidensOnce(Crossing):
    """Broken: takes a stop that holds the contacts for one whose further records were told."""

    async def _follow(self, stops, grants):
        before = {stop.id: stop for stop in stops}
        if all(stop == before[stop.id] for stop in widened(stops, grants)):
            return stops, []
        return await super()._follow(stops, grants)


class WidensInMemory(Crossing):
    """Broken: follows the name without writing down where it led."""

    async def _follow(self, stops, grants):
        wider = {stop.id: stop for stop in widened(stops, grants)}
        return [wider.get(stop.id, stop) for stop in stops], []


@pytest.mark.parametrize("variant", [WidensLast, WidensOnce, WidensInMemory])
def test_the_search_catches_a_stop_that_widens_wrongly(variant):
    search = Search(naming_handlers(variant))
    _, _, faults = search.explore(crashes=1, most=1, first_only=True, promise=both_told, world=WithKeys)
    assert any("not told" in fault for fault in faults)
