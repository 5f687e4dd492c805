"""Legal holds: what must not be destroyed, why, and by when somebody looks at it again (RGPD 17(3)(e))."""

from __future__ import annotations

from datetime import datetime, time
from urllib.parse import quote

from fastapi import Response

from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import PARIS
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.errors import InputError, Problem
from shared.instants import format_instant

RIGHTS = "rights_handler"
REASONS = ("litigation", "complaint", "authority_request", "audit", "investigation")

WORDS: Catalogue = {
    "page.holds": ("Gels", "Holds"),
    "holds.title": ("Gels pour procédure", "Legal holds"),
    "holds.intro": ("Ce qu’un gel nomme est conservé et restreint, jamais effacé, jusqu’à sa levée.", "What a hold names is kept and restricted, never erased, until it is released."),
    "holds.id": ("Gel", "Hold"),
    "holds.scope": ("Porte sur", "Names"),
    "holds.author": ("Auteur", "Author"),
    "holds.why": ("Motif", "Reason"),
    "holds.review": ("Réexamen", "Review"),
    "holds.state": ("État", "State"),
    "holds.on": ("en vigueur", "on"),
    "holds.released": ("levé", "released"),
    "holds.overdue": ("réexamen en retard", "review overdue"),
    "holds.act": ("Agir", "Act"),
    "holds.go_on": ("Maintenir jusqu’au", "Goes on until"),
    "holds.do_review": ("Maintenir", "Go on"),
    "holds.release": ("Lever", "Release"),
    "holds.all": ("Voir aussi les gels levés", "Show released holds too"),
    "holds.new": ("Poser un gel", "Put a hold on"),
    "holds.value": ("Identifiant (consentement ou organisme)", "Name (record or party)"),
    "holds.add": ("Poser le gel", "Put on"),
    "holds.none": ("contact (gardé sous forme d’empreinte)", "contact (kept as a keyed hash)"),
    "hold.record": ("consentement", "record"),
    "hold.party": ("organisme", "party"),
    "hold.contact": ("personne", "person"),
    "holdreason.litigation": ("contentieux", "litigation"),
    "holdreason.complaint": ("plainte", "complaint"),
    "holdreason.authority_request": ("demande d’une autorité", "authority request"),
    "holdreason.audit": ("audit", "audit"),
    "holdreason.investigation": ("enquête", "investigation"),
    "action.hold.added": ("gel posé", "hold put on"),
    "action.hold.reviewed": ("gel maintenu", "hold goes on"),
    "action.hold.released": ("gel levé", "hold released"),
}  # fmt: skip


async def listed(visit: Visit) -> Response:
    """The holds, the first to review first."""
    released = visit.query("released") == "1"
    found = await visit.console.services.get(RIGHTS, "/v1/holds", **({"released": "true"} if released else {}))
    return visit.page("holds", holds=found["holds"], released=released, reasons=REASONS)


async def add(visit: Visit) -> Response:
    """Put one on. A hold on a person's contact is put on by the command, so that no contact is typed here."""
    identity = visit.field("id")
    await visit.note("hold.added", "hold", identity)
    await visit.console.services.post(RIGHTS, "/v1/holds", {
        "id": identity, "scope": visit.field("scope"), "value": visit.field("value"), "author": visit.me.role.value,
        "reason": visit.field("why"), "review_at": _evening(visit.field("review")),
    })  # fmt: skip
    return see("/holds")


async def review(visit: Visit) -> Response:
    """It goes on until another day."""
    identity = visit.path("id")
    body = {"review_at": _evening(visit.field("review"))}
    await visit.note("hold.reviewed", "hold", identity)
    await visit.console.services.post(RIGHTS, f"/v1/holds/{quote(identity)}/review", body)
    return see("/holds")


async def release(visit: Visit) -> Response:
    """It is over."""
    identity = visit.path("id")
    await visit.note("hold.released", "hold", identity)
    await visit.console.services.post(RIGHTS, f"/v1/holds/{quote(identity)}/release", {})
    return see("/holds")


def _evening(day: str) -> str:
    """The end of a day in Paris. Raises InputError."""
    try:
        return format_instant(datetime.combine(datetime.fromisoformat(day).date(), time(23, 59), PARIS))
    except ValueError:
        raise InputError([Problem("DAY", "/review", "a day: YYYY-MM-DD")]) from None


PAGE = Page(
    "holds", "/holds", Ability.SEE,
    [
        Route("GET", "/holds", listed, Ability.SEE),
        Route("POST", "/holds", add, Ability.DECIDE),
        Route("POST", "/holds/{id}/review", review, Ability.DECIDE),
        Route("POST", "/holds/{id}/release", release, Ability.DECIDE),
    ],
    WORDS, rank=67,
)  # fmt: skip
