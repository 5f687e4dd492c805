"""Object first: is everyone already told to stop for this record, with every contact of it? Else a stop is entered. Pure.

A stop of ours names the record; by the protocol of stops it is ordered of everyone concerned and comes to hold the record's
contacts as keyed hashes, which keep blocking later imports once everything else is gone (RGPD 17(1)(c), 19, 21(3)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant, Stop, about, concerned, order_id, since
from services.rights_handler.erasing.model import Erasure
from services.rights_handler.kinds import REVERSIBLE, withholds
from services.rights_handler.requesting import stop_identity


def objection(stops: Sequence[Stop], grant: Grant) -> Stop | None:
    """The earliest stop that withholds all of a record for good and holds every contact of it; None where there is none."""
    fit = [stop for stop in stops if _objects(stop, grant)]
    return min(fit, key=lambda stop: (stop.at, stop.id), default=None)


def stop_for(erasure: Erasure) -> dict[str, Any]:
    """The stop that an erasure enters (`opposable.stop.requested.v1`): an objection to everything, by everyone, for the record."""
    stop_id = stop_identity("erasure", erasure.record, erasure.requested_at)
    return {"stop_id": stop_id, "record": erasure.record, "kind": "objection", "via": "api"}


def orders_of(stop: Stop, grant: Grant, transferred_to: Collection[str]) -> dict[str, str]:
    """The orders that must exist, and the party of each."""
    parties = concerned(stop, grant, transferred_to)
    return {order_id(stop.id, party, grant.record): party for party in parties}


def all_told(orders: Mapping[str, str], rows: Mapping[str, Delivery], registered: Collection[str]) -> bool:
    """Every order is stored on its party's topic; a party that has none is an obligation of the operator's instead."""
    return all(
        (row := rows.get(order)) is not None and (row.published or party not in registered)
        for order, party in orders.items()
    )


def _objects(stop: Stop, grant: Grant) -> bool:
    widest = stop.recipients == "all" and stop.channels == "all" and stop.purposes == "all"
    lasting = withholds(stop.kind) and stop.kind not in REVERSIBLE
    return widest and lasting and since(stop, grant) and about(stop, grant) and grant.contact_keys <= stop.contact_keys
