"""The rights ports in memory: one world of synchronous steps, and two ways to reach it.

`Direct` turns each step into a coroutine that returns at once (unit and behaviour tests). `Stepping` makes each call wait
for a driver, which decides who goes next and who crashes (the interleaving test).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import coroutine

from services.rights_handler.former import valid_names
from services.rights_handler.matching import keys_of_grant, keys_of_stop
from services.rights_handler.ports import Written
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.reports import earliest


@dataclass
class World:
    """What would survive a crash: the database and Kafka. Values are immutable, so a copy is shallow."""

    grants: dict = field(default_factory=dict)
    stops: dict = field(default_factory=dict)
    transfers: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    obligations: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    once: dict = field(default_factory=dict)
    lifted: dict = field(default_factory=dict)
    requests: dict = field(default_factory=dict)
    published: list = field(default_factory=list)

    def copy(self):
        return World(**{name: type(value)(value) for name, value in vars(self).items()})

    # Index

    def put_grants(self, grants):
        outcome = {}
        for grant in grants:
            there = self.grants.get(grant.record)
            if there is not None and there.vid > grant.vid:
                outcome[grant.record] = Written.SUPERSEDED
                continue
            outcome[grant.record] = Written.NEW if there is None else Written.KNOWN
            if there is not None and there.vid < grant.vid:
                self.once[grant.record] = self.once.get(grant.record, frozenset()) | valid_names(there)
            self.grants[grant.record] = grant
        return outcome

    def once_valid(self, records):
        return {record: self.once[record] for record in records if record in self.once}

    def put_stops(self, stops):
        for stop in stops:
            self.stops.setdefault(stop.id, stop)

    def widen_stops(self, stops):
        for stop in stops:
            there = self.stops[stop.id]
            self.stops[stop.id] = replace(there, contact_keys=there.contact_keys | stop.contact_keys)

    def put_transfers(self, transfers):
        for transfer in transfers:
            self.transfers.setdefault((transfer.record, transfer.to), transfer)

    def stops_about(self, grants, contact_keys=(), kinds=()):
        names = set(contact_keys).union(*(keys_of_grant(grant) | grant.near_keys for grant in grants))
        named = {stop for grant in grants for stop in grant.stopped_by}
        found = [s for s in self.stops.values() if (keys_of_stop(s) | s.near_keys) & names or s.id in named]
        return [stop for stop in found if stop.id not in self.lifted and (not kinds or stop.kind in kinds)]

    def lift(self, stop_id, at):
        self.lifted.setdefault(stop_id, at)

    def grants_about(self, stops):
        names = set().union(*(keys_of_stop(stop) | stop.near_keys for stop in stops))
        return [grant for grant in self.grants.values() if (keys_of_grant(grant) | grant.near_keys) & names]

    def grants_asked(self, contact_keys, aliases):
        return [
            replace(grant, sealed=None) for grant in self.grants.values()
            if grant.contact_keys & set(contact_keys) or set(grant.aliases) & set(aliases)
        ]  # fmt: skip

    def grants_of(self, records):
        return [self.grants[record] for record in sorted(records) if record in self.grants]

    def transfers_of(self, records):
        return [transfer for (record, _), transfer in sorted(self.transfers.items()) if record in records]

    def stop(self, stop_id):
        return self.stops.get(stop_id)

    # Reports

    def put_reports(self, reports):
        for key, report in reports.items():
            self.reports.setdefault((type(report), key), report)

    def reported(self, records, contact_keys, sources, first, last):
        kept, keys = self.reports.values(), {*records, *contact_keys}
        return Reported(
            [r for r in kept if isinstance(r, Notice) and r.record in records],
            [r for r in kept if isinstance(r, Disclosure) and r.record in records],
            [r for r in kept if isinstance(r, Attempt) and r.keys & keys and r.source in sources
             and earliest(first) <= r.at <= last],
        )  # fmt: skip

    # Ledger

    def open_deliveries(self, deliveries):
        known = {delivery.order for delivery in deliveries} & set(self.rows)
        for delivery in deliveries:
            there = self.rows.setdefault(delivery.order, delivery)
            if delivery.may_hold and not there.may_hold:
                self.rows[delivery.order] = replace(there, may_hold=True, rev=there.rev + 1)
        return known

    def unpublished(self, orders):
        return [row for row in self.deliveries(orders) if not row.published]

    def mark_published(self, orders):
        for row in self.unpublished(orders):
            self.rows[row.order] = replace(row, published=True, rev=row.rev + 1)

    def deliveries(self, orders):
        return [self.rows[order] for order in sorted(orders) if order in self.rows]

    def deliveries_of_stop(self, stop):
        return [row for row in self.rows.values() if row.stop == stop]

    def due_deliveries(self, now, limit):
        due = [row for row in self.rows.values() if row.next_at is not None and row.next_at <= now]
        return sorted(due, key=lambda row: row.next_at)[:limit]

    def waiting_deliveries(self, party, limit):
        rows = [r for r in self.rows.values() if r.next_at is not None and party in (None, r.party)]
        return sorted(rows, key=lambda row: row.ack_due_at)[:limit]

    def save_deliveries(self, deliveries):
        saved = set()
        for delivery in deliveries:
            there = self.rows.get(delivery.order)
            if there is not None and there.rev == delivery.rev - 1:
                self.rows[delivery.order] = delivery
                saved.add(delivery.order)
        return saved

    def open_obligations(self, obligations):
        for obligation in obligations:
            self.obligations.setdefault(obligation.id, obligation)

    def obligation(self, obligation_id):
        return self.obligations.get(obligation_id)

    def close_obligations(self, ids, at):
        for key in ids:
            if key in self.obligations and self.obligations[key].closed_at is None:
                self.obligations[key] = replace(self.obligations[key], closed_at=at, next_at=None)

    def list_obligations(self, owner, limit):
        found = [o for o in self.obligations.values() if o.closed_at is None and owner in (None, o.owner)]
        return sorted(found, key=lambda o: o.due_at)[:limit]

    # Requests

    def put(self, requests):
        for request in requests:
            self.requests.setdefault(request.id, without_names(request))

    def get(self, ids):
        return [self.requests[key] for key in sorted(ids) if key in self.requests]

    def due(self, now, limit):
        due = [r for r in self.requests.values() if r.next_at is not None and r.next_at <= now]
        return sorted(due, key=lambda r: r.next_at)[:limit]

    def save(self, requests):
        saved = set()
        for request in requests:
            there = self.requests.get(request.id)
            if there is not None and there.rev == request.rev - 1:
                self.requests[request.id] = without_names(request)
                saved.add(request.id)
        return saved

    def listed(self, open_only, limit):
        found = [r for r in self.requests.values() if not open_only or r.closed_at is None]
        return sorted(found, key=lambda r: r.due_at)[:limit]

    # Outbox

    def send(self, message):
        self.published.append(message)


def without_names(request):
    """A request as it is stored: its person is named by its sealed part only."""
    return replace(request, contact_keys=frozenset(), subject_key=None)


class Direct:
    """The ports over a world, each call done at once."""

    def __init__(self, world=None):
        self.world = world or World()

    async def send_all(self, messages):
        for message in messages:
            self.world.send(message)

    async def obligations(self, owner, limit):
        return self.world.list_obligations(owner, limit)

    def __getattr__(self, name):
        method = getattr(self.world, name)

        async def call(*args, **named):
            return method(*args, **named)

        return call


async def one_by_one(*awaitables):
    """`asyncio.gather` for a driver: one after the other, so that no step hides another."""
    try:
        return [await one for one in awaitables]
    finally:
        for one in awaitables:
            one.close()  # a handler that dies starts none of the rest


@coroutine
def _ask(name, args):
    """Hand a call to whoever drives this coroutine and wait for its result."""
    return (yield (name, args))


class Stepping:
    """The ports as requests to a driver: `coroutine.send(None)` gives (name, args), `coroutine.send(result)` goes on."""

    async def send_all(self, messages):
        for message in messages:  # a crash may fall between any two records
            await _ask("send", (message,))

    def __getattr__(self, name):
        async def call(*args):
            return await _ask(name, args)

        return call
