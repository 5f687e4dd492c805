"""The rule catalogue of a day: what is law then, since when, from which source, and what changes next."""

from __future__ import annotations

from datetime import date

from fastapi import Response

from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import PARIS
from services.console.visit import Visit
from services.console.words import Catalogue
from shared.contracts.reviews import NOT_DECIDABLE
from shared.errors import InputError, Problem

WORDS: Catalogue = {
    "page.rules": ("Règles", "Rules"),
    "rules.title": ("Catalogue des règles au {day}", "Rule catalogue on {day}"),
    "rules.set": ("Jeu de règles {version}", "Rule set {version}"),
    "rules.day": ("Jour", "Day"),
    "rules.show": ("Voir ce jour", "Show this day"),
    "rules.code": ("Règle", "Rule"),
    "rules.effect": ("Effet", "Effect"),
    "rules.what": ("Ce qu’elle dit", "What it says"),
    "rules.source": ("Source", "Source"),
    "rules.since": ("En vigueur", "In force"),
    "rules.cure": ("Remède : {cure}", "Cure: {cure}"),
    "rules.until": ("jusqu’au {day} exclu", "until {day}, excluded"),
    "rules.count": ("{count} règles en vigueur ce jour", "{count} rules in force on this day"),
    "rules.table": ("Règles en vigueur", "Rules in force"),
    "rules.no_decision": ("aucune décision ne la lève", "no decision lifts it"),
    "effect.invalid": ("refuse", "refuses"),
    "effect.review": ("à examiner", "asks for review"),
    "confidence.primary": ("texte lu", "primary text"),
    "confidence.reported": ("rapporté", "reported"),
    "confidence.unconfirmed": ("non confirmé", "unconfirmed"),
}  # fmt: skip


async def rules(visit: Visit) -> Response:
    """The page."""
    text = visit.query("at")
    try:
        day = date.fromisoformat(text) if text else visit.console.clock.now().astimezone(PARIS).date()
    except ValueError:
        raise InputError([Problem("DAY", "/at", "a day: YYYY-MM-DD")]) from None
    found = await visit.console.services.get("consent_validator", "/v1/rules", at=day.isoformat())
    return visit.page("rules", found=found, day=day.isoformat(), stuck=NOT_DECIDABLE)


PAGE = Page("rules", "/rules", Ability.SEE, [Route("GET", "/rules", rules, Ability.SEE)], WORDS, rank=80)
