"""What the HTTP answers show of stops and obligations, and to whom: each party sees only its own (promise P6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Scope, Stop
from services.rights_handler.ports import Obligation


def sees(party: str | None, row: Delivery) -> bool:
    """The operator (None) sees all; a party its own orders; a collector those of the records it collected."""
    return party is None or row.party == party or row.record.startswith(f"{party}/")


def stop_state(rows: Sequence[Delivery]) -> str:
    """`recorded`: it concerns nobody yet; `closed`: everyone concerned has applied it; else `open`."""
    if not rows:
        return "recorded"
    return "closed" if all(row.state == "closed" for row in rows) else "open"


def stop_view(stop: Stop, rows: Sequence[Delivery], party: str | None) -> dict[str, Any]:
    """A stop and the branches that the asker may see."""
    return {
        "stop": stop.id,
        "source": stop.source,
        "kind": stop.kind,
        "at": stop.at,
        "recipients": _scope(stop.recipients),
        "channels": _scope(stop.channels),
        "purposes": _scope(stop.purposes),
        "state": stop_state(rows),
        "branches": [branch_view(row) for row in sorted(rows, key=lambda r: (r.record, r.party)) if sees(party, row)],
    }


def branch_view(row: Delivery) -> dict[str, Any]:
    """One order: where it stands, whose turn it is, and all that happened to it."""
    return {
        "order": row.order,
        "party": row.party,
        "record": row.record,
        "state": row.state,
        "status": row.status,
        "published": row.published,
        "ordered_at": row.ordered_at,
        "ack_due_at": row.ack_due_at,
        "next_at": row.next_at,
        "reminders": row.reminders,
        "owner": None if row.state == "closed" else row.owner,
        "cause": None if row.state == "closed" else row.cause,
        "history": list(row.history),
    }


def obligation_view(obligation: Obligation) -> dict[str, Any]:
    """Something an operator or a party must move."""
    return {
        "id": obligation.id,
        "kind": obligation.kind,
        "owner": obligation.owner,
        "cause": obligation.cause,
        "opened_at": obligation.opened_at,
        "due_at": obligation.due_at,
        "next_at": obligation.next_at,
        "refs": dict(obligation.refs),
    }


def waiting_view(row: Delivery) -> dict[str, Any]:
    """An order that is still open, in the form of an obligation."""
    return {
        "id": f"order/{row.order}",
        "kind": "order",
        "owner": row.owner,
        "cause": row.cause,
        "opened_at": row.ordered_at,
        "due_at": row.ack_due_at,
        "next_at": row.next_at,
        "refs": {"stop": row.stop, "party": row.party, "record": row.record, "order": row.order},
    }


def _scope(scope: Scope) -> str | list[str]:
    return "all" if scope == "all" else sorted(scope)
