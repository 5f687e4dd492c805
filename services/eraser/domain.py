"""What an entry of `erasures` asks of the keys, and when it may be done. Pure.

`record.erased` and `owner.shredded` destroy the keys of the record and of what goes with it (`also`); `record.restricted`
closes them to all but legal claims. Other kinds ask nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.errors import IntegrityError
from shared.kafka.publisher import Outgoing
from shared.kafka.record import Record
from shared.topics import ERASURES

DESTROYING = frozenset({"record.erased", "owner.shredded"})
RESTRICTING = "record.restricted"
KEY_DESTROYED = "key.destroyed"
SOURCE = "opposable/eraser"


@dataclass(frozen=True, slots=True)
class Order:
    """One entry: the names of the keys, the record they go with, and whether they are destroyed or restricted."""

    record: str
    owners: tuple[str, ...]
    destroys: bool
    until: str | None = None


def order_of(record: Record) -> Order | None:
    """The order of a Kafka record; None where it asks nothing of the keys. Raises IntegrityError where it cannot be read."""
    try:
        facts = canonical.loads(record.value or b"")["facts"]
        kind = facts["kind"]
        if kind not in DESTROYING and kind != RESTRICTING:
            return None
        names = [facts["record"], *facts.get("also", [])]
        until = facts.get("until")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError("a record of erasures cannot be read: no key is touched until an operator looks") from None
    if not all(isinstance(name, str) and "/" in name for name in names) or not isinstance(until, str | None):
        raise IntegrityError("an erasure names its keys in another form: no key is touched until an operator looks")
    return Order(names[0], tuple(dict.fromkeys(names)), kind in DESTROYING, until)


def settled(orders: Sequence[Order]) -> tuple[dict[str | None, list[str]], list[str]]:
    """Keys to restrict, by date, and keys to destroy: of one key in both, destroying wins whatever came first."""
    destroyed = {owner for order in orders if order.destroys for owner in order.owners}
    closed: dict[str | None, list[str]] = {}
    for order in orders:
        if not order.destroys:
            closed.setdefault(order.until, []).extend(owner for owner in order.owners if owner not in destroyed)
    return closed, sorted(destroyed)


def waiting_for(upto: Mapping[int, int], passed: Mapping[str, Mapping[int, int]]) -> list[str]:
    """Who has not passed these offsets yet, in words. `passed`: by name, the offset below which all is done, by partition."""
    return [
        f"{name} stands at {done.get(partition, 0)} of partition {partition}, {offset + 1} is needed"
        for name, done in sorted(passed.items())
        for partition, offset in sorted(upto.items())
        if done.get(partition, 0) <= offset
    ]


def destroyed(order: Order, at: str) -> Outgoing:
    """The entry that says that the keys of a record were destroyed, when, and how many names went with it."""
    facts = {"kind": KEY_DESTROYED, "v": 1, "record": order.record, "names": len(order.owners), "at": at}
    identity = sha256(f"{KEY_DESTROYED}\0{order.record}\0{at}".encode()).hexdigest()[:40]
    headers = to_headers(Envelope(id=identity, source=SOURCE, type=f"opposable.{KEY_DESTROYED}.v1", time=None))
    return Outgoing(ERASURES.name, order.record.encode(), canonical.dumps({"facts": facts}), tuple(headers))
