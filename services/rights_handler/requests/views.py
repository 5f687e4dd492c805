"""What the HTTP answers show of requests, and to whom: no personal data, each party only its own part (promise P6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.requests.controllers import Controller
from services.rights_handler.requests.model import Request
from services.rights_handler.views import branch_view, sees
from shared.topics import PLATFORM_PARTY


def sender_of(request: Request) -> str:
    """Whose request it is: of those that came by HTTP the id starts with the party that sent it (`<party>.`)."""
    if request.source != PLATFORM_PARTY:
        return request.source
    sender, dot, _ = request.id.partition("/")[2].partition(".")
    return sender if dot else PLATFORM_PARTY


def request_view(
    request: Request, rows: Sequence[Delivery], party: str | None, who: Sequence[Controller] = ()
) -> dict[str, Any]:
    """A request and its branches, as far as the asker may see them."""
    branches = [branch_view(row) for row in sorted(rows, key=lambda r: (r.record, r.party)) if sees(party, row)]
    view: dict[str, Any] = {
        "request": request.id,
        "right": request.right,
        "state": request.state,
        "asked_at": request.asked_at,
        "due_at": request.due_at,
        "extended": request.extended,
        "outcome": request.outcome,
        "closed_at": request.closed_at,
        "branches": branches,
    }
    if party is None:
        view |= {
            "source": request.source,
            "identity_verified": request.verified,
            "overdue": request.overdue,
            "owner": None if request.state == "closed" else request.owner,
            "cause": None if request.state == "closed" else request.cause,
            "next_at": request.next_at,
            "reason": request.reason,
            "erased": list(request.erased),
            "controllers": [
                {"party": one.party, "legal_name": one.legal_name, "role": one.role, "contact": one.contact} for one in who
            ],
            "letters": [
                {"template": one.template, "at": one.at, "sent": one.sent, "sha256": one.sha256} for one in request.letters
            ],
            "history": list(request.history),
        }  # fmt: skip
    return view


def owed_view(request: Request) -> dict[str, Any]:
    """A request that waits for its answer, in the form of an obligation."""
    return {
        "id": f"request/{request.id}",
        "kind": "request-overdue" if request.overdue else "request",
        "owner": request.owner,
        "cause": f"{request.right}: {request.cause}",
        "opened_at": request.asked_at,
        "due_at": request.due_at,
        "next_at": request.next_at,
        "refs": {"request": request.id},
    }
