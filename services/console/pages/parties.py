"""Parties: who is there and how each stands, agreements and what lacks, versions of lists and how they differ, service levels."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from fastapi import Response

from services.console.agreements import difference, gaps, newest_lists, standings
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import PARIS
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.problems import Refusal

RIGHTS, ARCHIVE, VALIDATOR = "rights_handler", "proof_archive", "consent_validator"

WORDS: Catalogue = {
    "page.parties": ("Organismes", "Parties"),
    "parties.title": ("Organismes", "Parties"),
    "parties.party": ("Organisme", "Party"),
    "parties.roles": ("Rôles", "Roles"),
    "parties.status": ("Situation", "Standing"),
    "parties.agreements": ("Contrats", "Agreements"),
    "parties.gaps": ("Manques", "Gaps"),
    "parties.late": ("Réponses en retard", "Late answers"),
    "parties.dpo": ("Contact DPO", "DPO contact"),
    "parties.active": ("actif", "active"),
    "parties.suspended": ("suspendu", "suspended"),
    "parties.suspended_since": ("suspendu depuis le {at}", "suspended since {at}"),
    "parties.reason": ("Motif inscrit", "Registered reason"),
    "parties.suspend": ("Suspendre", "Suspend"),
    "parties.reinstate": ("Rétablir", "Reinstate"),
    "parties.suspend_what": (
        "Ses lignes passeront à examiner, les permissions données seront retirées, et ses consentements évalués de nouveau. Inscrit au registre.",
        "Its lines go to review, permissions given end, and its consents are assessed again. Written to the registry.",
    ),
    "parties.reinstate_what": (
        "Ses consentements seront évalués de nouveau, sous les règles d’aujourd’hui. Inscrit au registre.",
        "Its consents are assessed again under today’s rules. Written to the registry.",
    ),
    "parties.rounds": ("Évaluations en cours", "Reassessments under way"),
    "parties.round": ("{asked} consentements demandés, {looked} lus sur {of}", "{asked} consents asked, {looked} read of {of}"),
    "parties.again": ("Évaluer de nouveau ses consentements", "Assess its consents again"),
    "parties.agreement": ("Contrat", "Agreement"),
    "parties.with": ("Avec", "With"),
    "parties.period": ("Période", "Period"),
    "parties.days": ("{days}\u00a0j", "{days}\u00a0d"),
    "parties.channels": ("Canaux", "Channels"),
    "parties.sla": ("Preuve / retrait", "Proof / stop"),
    "parties.clauses": ("Clauses manquantes", "Missing clauses"),
    "parties.undeclared": ("clauses non déclarées", "clauses not declared"),
    "parties.no_gap": ("Chaque destinataire des listes en vigueur a un contrat.", "Every recipient of the current lists has an agreement."),
    "parties.gap_none": ("{collector} nomme {prospector} (liste {list}) sans contrat en vigueur", "{collector} names {prospector} (list {list}) without an agreement in force"),
    "parties.gap_channels": ("{collector} nomme {prospector} (liste {list}) pour {channels}, que le contrat ne couvre pas", "{collector} names {prospector} (list {list}) for {channels}, which the agreement does not cover"),
    "parties.lists": ("Listes de destinataires", "Recipient lists"),
    "parties.list": ("Liste {id}", "List {id}"),
    "parties.version": ("Version", "Version"),
    "parties.published": ("Publiée", "Published"),
    "parties.archived": ("Archivée", "Archived"),
    "parties.entries": ("Destinataires", "Recipients"),
    "parties.compare": ("Comparer", "Compare"),
    "parties.from": ("De la version", "From version"),
    "parties.to": ("à la version", "to version"),
    "parties.difference": ("De la version {a} à la version {b}", "From version {a} to version {b}"),
    "parties.same_list": ("Ces deux versions nomment les mêmes destinataires, pour la même chose.", "Both versions name the same recipients for the same things."),
    "parties.before": ("Avant", "Before"),
    "parties.after": ("Après", "After"),
    "parties.change": ("Changement", "Change"),
    "parties.stops": ("Réponses aux retraits, 30 jours", "Answers to stops, 30 days"),
    "parties.orders": ("Ordres", "Orders"),
    "parties.answered": ("Répondus", "Answered"),
    "parties.waiting": ("En attente", "Waiting"),
    "parties.late_n": ("En retard", "Late"),
    "parties.worst": ("Pire", "Worst"),
    "parties.sampled": ("mesuré sur les 2 000 derniers ordres", "measured on the newest 2,000 orders"),
    "parties.proofs": ("Délais de preuve, {month}", "Proof delays, {month}"),
    "parties.pair": ("Collecteur → demandeur", "Collector → asker"),
    "parties.promised": ("Promis", "Promised"),
    "parties.available": ("Disponible p50 / p99", "Available p50 / p99"),
    "parties.delivered": ("Remise p50 / p99", "Delivered p50 / p99"),
    "parties.unknown": ("non mesuré : le service ne répond pas", "not measured: the service does not answer"),
    "partyrole.collector": ("collecteur", "collector"),
    "partyrole.prospector": ("prospecteur", "prospecteur"),
    "partyrole.processor": ("sous-traitant", "processor"),
    "agreement.in_force": ("en vigueur", "in force"),
    "agreement.ending": ("finit bientôt", "ends soon"),
    "agreement.expired": ("expiré", "expired"),
    "agreement.coming": ("à venir", "to come"),
    "agreement.replaced": ("remplacé", "replaced"),
    "change.added": ("ajouté", "added"),
    "change.removed": ("retiré", "removed"),
    "change.changed": ("modifié", "changed"),
    "action.party.suspended": ("organisme suspendu", "party suspended"),
    "action.party.reinstated": ("organisme rétabli", "party reinstated"),
    "action.party.reassessed": ("consentements évalués de nouveau", "consents assessed again"),
}  # fmt: skip


async def listed(visit: Visit) -> Response:
    """Every party, with what lacks."""
    view, today = visit.console.registry.view, _today(visit)
    late = (await visit.console.services.get_or_none(RIGHTS, "/v1/chain") or {}).get("late", {})
    rows = []
    for party in sorted(view.parties(), key=lambda one: one.legal_name):
        found = standings(view, party.id, today)
        live = [one for one in found if one.state in ("in_force", "ending")]
        rows.append({
            "party": party, "live": len(live), "ending": sum(one.state == "ending" for one in live),
            "expired": sum(one.state == "expired" for one in found), "gaps": len(gaps(view, today, party.id)),
            "late": late.get(party.id, 0),
        })  # fmt: skip
    return visit.page("parties", rows=rows)


async def one(visit: Visit) -> Response:
    """One party."""
    view, today, identity = visit.console.registry.view, _today(visit), visit.path("id")
    party = view.party(identity)
    if party is None:
        raise Refusal(404, "PARTY-UNKNOWN", "No such party is registered")
    levels = await visit.console.services.get_or_none(RIGHTS, f"/v1/parties/{quote(identity)}/stops")
    sla = await visit.console.services.get_or_none(ARCHIVE, "/v1/sla")
    rounds = await visit.console.services.get_or_none(ARCHIVE, "/v1/reassessments")
    return visit.page(
        "party", party=party, agreements=standings(view, identity, today), gaps=gaps(view, today, identity),
        lists=[one for one in newest_lists(view) if one.collector == identity or any(e.party == identity for e in one.entries)],
        levels=levels, sla=sla, pairs=[p for p in (sla or {}).get("pairs", []) if identity in (p["collector"], p["asker"])],
        rounds=[one for one in (rounds or {}).get("rounds", []) if one["party"] == identity],
    )  # fmt: skip


async def versions(visit: Visit) -> Response:
    """The versions of a list, and how two of them differ (the newest two, unless others are asked for)."""
    view, identity = visit.console.registry.view, visit.path("id")
    found = sorted((one for one in view.lists() if one.id == identity), key=lambda one: -one.version)
    if not found:
        raise Refusal(404, "LIST-UNKNOWN", "No such list is registered")
    by_version = {str(one.version): one for one in found}
    after = by_version.get(visit.query("to"), found[0])
    before = by_version.get(visit.query("from"), found[min(1, len(found) - 1)])
    archived = {
        one.version: reference.archived_at
        for one in found
        if (reference := view.reference(f"list:{identity}:{one.version}"))
    }
    return visit.page(
        "list_versions", id=identity, versions=found, before=before, after=after, archived=archived,
        changes=difference(before, after),
    )  # fmt: skip


async def turn(visit: Visit) -> Response:
    """Suspend or reinstate: noted with its reason, written to the registry, then its consents are assessed again."""
    identity, status, reason = visit.path("id"), visit.field("status"), visit.reason()
    action = "party.suspended" if status == "suspended" else "party.reinstated"
    await visit.note(action, "party", identity, reason=reason)
    services = visit.console.services
    now = await services.post(
        VALIDATOR, f"/v1/parties/{quote(identity)}/standing", {"status": status, "reason": reason}
    )
    await services.post(ARCHIVE, "/v1/reassessments", {"party": identity, "id": f"{identity}:{now['registry_offset']}"})
    await visit.console.registry.catch_up()
    return see(f"/parties/{quote(identity)}")


async def again(visit: Visit) -> Response:
    """Ask for a new assessment alone: where the one after a change of standing was not asked for."""
    identity = visit.path("id")
    await visit.note("party.reassessed", "party", identity)
    await visit.console.services.post(ARCHIVE, "/v1/reassessments", {"party": identity})
    return see(f"/parties/{quote(identity)}")


def _today(visit: Visit) -> date:
    return visit.console.clock.now().astimezone(PARIS).date()


PAGE = Page(
    "parties", "/parties", Ability.SEE,
    [
        Route("GET", "/parties", listed, Ability.SEE),
        Route("GET", "/parties/lists/{id}", versions, Ability.SEE),
        Route("GET", "/parties/{id}", one, Ability.SEE),
        Route("POST", "/parties/{id}/standing", turn, Ability.ACT),
        Route("POST", "/parties/{id}/again", again, Ability.ACT),
    ],
    WORDS, rank=50,
)  # fmt: skip
