"""Disputes (« je n’ai jamais consenti ») and the other requests of persons: due dates, branches, and the end of a dispute."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from services.console.clients import Refused
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.errors import InputError, Problem

RIGHTS = "rights_handler"
KINDS = ("dispute", "access", "erasure", "rectification", "restriction", "portability")
SHOWN = 200

WORDS: Catalogue = {
    "page.disputes": ("Contestations", "Disputes"),
    "disputes.title": ("Contestations et demandes de personnes", "Disputes and requests of persons"),
    "disputes.right": ("Droit", "Right"),
    "disputes.request": ("Demande", "Request"),
    "disputes.asked": ("Reçue", "Received"),
    "disputes.due": ("Échéance", "Due"),
    "disputes.state": ("État", "State"),
    "disputes.cause": ("Cause", "Cause"),
    "disputes.owner": ("Doit agir", "Owner"),
    "disputes.late": ("en retard", "late"),
    "disputes.closed": ("Closes aussi", "Closed too"),
    "disputes.one": ("Demande {id}", "Request {id}"),
    "disputes.branches": ("Organismes avertis", "Parties told"),
    "disputes.party": ("Organisme", "Party"),
    "disputes.record": ("Consentement", "Consent"),
    "disputes.history": ("Ce qui s’est passé", "What happened"),
    "disputes.details": ("Lire ce que la personne a écrit", "Read what the person wrote"),
    "disputes.said": ("Ce que la personne a écrit", "What the person wrote"),
    "disputes.nothing": ("Elle n’a rien écrit.", "Nothing was written."),
    "disputes.decide": ("Conclure la contestation", "Conclude the dispute"),
    "disputes.outcome": ("Issue", "Outcome"),
    "disputes.upheld": ("fondée : le consentement n’est pas prouvé", "upheld: the consent is not proven"),
    "disputes.withdrawn": ("retirée par la personne", "withdrawn by the person"),
    "disputes.note": ("Ce que la personne lira (en français)", "What the person will read (in French)"),
    "disputes.send": ("Conclure et écrire à la personne", "Conclude and write to the person"),
    "disputes.letters": ("Courriers", "Letters"),
    "disputes.verified": ("Identité vérifiée", "Identity verified"),
    "right.dispute": ("contestation", "dispute"),
    "right.access": ("accès", "access"),
    "right.erasure": ("effacement", "erasure"),
    "right.rectification": ("rectification", "rectification"),
    "right.restriction": ("limitation", "restriction"),
    "right.portability": ("portabilité", "portability"),
    "rstate.closed": ("clos", "closed"),
    "rstate.open": ("en cours", "open"),
    "rstate.waiting": ("en attente", "waiting"),
    "rstate.contested": ("contesté", "contested"),
    "rstate.refused": ("refusé", "refused"),
    "rstate.escalated": ("opérateur saisi", "escalated"),
    "happened.received": ("reçue", "received"),
    "happened.acted": ("organismes avertis, effets appliqués", "parties told, effects applied"),
    "happened.answered": ("réponse écrite à la personne", "the person was answered"),
    "happened.extended": ("délai prolongé", "extended"),
    "happened.refused": ("refusée", "refused"),
    "happened.reminded": ("rappel", "reminder"),
    "happened.overdue": ("délai dépassé", "overdue"),
    "action.request.opened": ("demande ouverte", "request opened"),
    "action.request.read": ("texte de la personne lu", "person’s words read"),
    "action.dispute.decided": ("contestation conclue", "dispute concluded"),
}  # fmt: skip


async def listed(visit: Visit) -> Response:
    """The requests of one kind, the first due first."""
    kind, closed = visit.query("right") or "dispute", visit.query("closed") == "1"
    found = await visit.console.services.get(RIGHTS, "/v1/requests", **({"all": "true"} if closed else {}))
    rows = [one for one in found["requests"] if one["right"] == kind]
    now = visit.console.clock.now()
    late = {one["request"] for one in rows if not one["closed_at"] and (due := instant(one["due_at"])) and due < now}
    counts = {name: sum(one["right"] == name for one in found["requests"]) for name in KINDS}
    return visit.page("disputes", rows=rows[:SHOWN], late=late, kind=kind, kinds=KINDS, counts=counts, closed=closed)


async def one(visit: Visit) -> Response:
    """One request; with `read=1` what the person wrote, which is noted apart."""
    return await _shown(visit, said=None)


async def read(visit: Visit) -> Response:
    """What the person wrote: personal data, noted before it is shown."""
    name = f"{visit.path('source')}/{visit.path('id')}"
    await visit.note("request.read", "request", name)
    try:
        found = await visit.console.services.get(RIGHTS, f"/v1/requests/{quote(name)}/details")
    except Refused:
        found = {"details": None}
    return await _shown(visit, said=str(found["details"] or ""))


async def decide(visit: Visit) -> Response:
    """Conclude a dispute: noted, then done by the rights handler, which writes to the person."""
    name = f"{visit.path('source')}/{visit.path('id')}"
    outcome, note = visit.field("outcome"), visit.field("note")
    if outcome not in ("upheld", "withdrawn") or not note:
        raise InputError([Problem("DISPUTE", "/note", "an outcome, and what the person will read")])
    await visit.note("dispute.decided", "request", name, reason=outcome)
    await visit.console.services.post(RIGHTS, f"/v1/requests/{quote(name)}/answer", {"outcome": outcome, "note": note})
    return see(f"/disputes/{quote(name)}")


async def _shown(visit: Visit, said: str | None) -> Response:
    name = f"{visit.path('source')}/{visit.path('id')}"
    view = await visit.console.services.get(RIGHTS, f"/v1/requests/{quote(name)}")
    if said is None:
        await visit.note("request.opened", "request", name)
    return visit.page("dispute", view=view, said=said)


PAGE = Page(
    "disputes", "/disputes", Ability.SEE,
    [
        Route("GET", "/disputes", listed, Ability.SEE),
        Route("GET", "/disputes/{source}/{id}", one, Ability.PERSON),
        Route("POST", "/disputes/{source}/{id}/read", read, Ability.PERSON),
        Route("POST", "/disputes/{source}/{id}/decide", decide, Ability.DECIDE),
    ],
    WORDS, rank=65,
)  # fmt: skip
