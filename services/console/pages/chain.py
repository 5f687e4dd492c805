"""The chain: collector → version of a list → prospecteur, with volumes and what is wrong, as a drawing and as a table."""

from __future__ import annotations

from fastapi import Response

from services.console.graph import BOX_HEIGHT, BOX_WIDTH, WIDTH, drawing, edges_of
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import PARIS
from services.console.visit import Visit
from services.console.words import Catalogue

WORDS: Catalogue = {
    "page.chain": ("Chaîne", "Chain"),
    "chain.title": ("La chaîne, du collecteur au prospecteur", "The chain, from collector to prospecteur"),
    "chain.drawing": ("Volumes par collecteur, liste et prospecteur", "Volumes by collector, list and prospecteur"),
    "chain.drawn": (
        "Les {drawn} liens les plus importants sur {total}. Plus le trait est large, plus il passe de consentements ; en rouge, un lien qui a un problème. Le tableau dit la même chose.",
        "The {drawn} largest links of {total}. The wider the line, the more consents; in red, a link with a problem. The table says the same.",
    ),
    "chain.collectors": ("Collecteurs", "Collectors"),
    "chain.lists": ("Listes montrées", "Lists shown"),
    "chain.prospectors": ("Prospecteurs", "Prospecteurs"),
    "chain.collector": ("Collecteur", "Collector"),
    "chain.list": ("Liste", "List"),
    "chain.no_list": ("sans liste", "no list"),
    "chain.recipient": ("Prospecteur", "Prospecteur"),
    "chain.consents": ("Consentements", "Consents"),
    "chain.valid": ("Lignes valables", "Valid lines"),
    "chain.review": ("À examiner", "In review"),
    "chain.invalid": ("Non valables", "Invalid"),
    "chain.last": ("Dernier", "Last"),
    "chain.problems": ("Problèmes", "Problems"),
    "chain.bad_only": ("Problèmes seulement", "Problems only"),
    "chain.truncated": ("Seuls les 2 000 liens les plus importants sont montrés.", "Only the 2,000 largest links are shown."),
    "chain.note": ("Chaque consentement compte une fois, à son premier verdict.", "Each consent counts once, at its first verdict."),
    "problem.collector_suspended": ("collecteur suspendu", "collector suspended"),
    "problem.recipient_suspended": ("prospecteur suspendu", "prospecteur suspended"),
    "problem.collector_unknown": ("collecteur non inscrit", "collector not registered"),
    "problem.recipient_unknown": ("prospecteur non inscrit", "prospecteur not registered"),
    "problem.agreement_missing": ("aucun contrat", "no agreement"),
    "problem.agreement_expired": ("contrat expiré", "agreement expired"),
    "problem.agreement_ending": ("contrat finit bientôt", "agreement ends soon"),
    "problem.late_answers": ("réponses en retard", "late answers"),
}  # fmt: skip


async def chain(visit: Visit) -> Response:
    """The page."""
    asked = {name: visit.query(name) for name in ("collector", "recipient")}
    found = await visit.console.services.get(
        "rights_handler", "/v1/chain", **{name: value for name, value in asked.items() if value}
    )
    view = visit.console.registry.view
    edges = edges_of(found["edges"], found["late"], view, visit.console.clock.now().astimezone(PARIS).date())
    total = len(edges)
    bad_only = visit.query("bad") == "1"
    edges = [edge for edge in edges if edge.problems] if bad_only else edges
    parties = sorted(view.parties(), key=lambda one: one.legal_name)
    return visit.page(
        "chain", edges=edges, total=total, drawing=drawing(edges, {one.id: one.legal_name for one in parties}), asked=asked,
        bad_only=bad_only, truncated=found["truncated"], width=WIDTH, box_width=BOX_WIDTH, box_height=BOX_HEIGHT,
        collectors=[one for one in parties if "collector" in one.roles], recipients=[one for one in parties if "prospector" in one.roles],
    )  # fmt: skip


PAGE = Page("chain", "/chain", Ability.SEE, [Route("GET", "/chain", chain, Ability.SEE)], WORDS, rank=55)
