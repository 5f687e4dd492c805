"""What was done in the console: who, when, what, on which object, why; and where the transparency log has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Response

from services.console.audit import COMMAND, NOBODY
from services.console.clients import place
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit
from services.console.words import Catalogue
from shared.instants import format_instant

WORDS: Catalogue = {
    "page.audit": ("Journal", "Audit log"),
    "audit.title": ("Journal des opérations", "Audit log"),
    "audit.text": (
        "Écrit avant que la chose soit faite ou montrée, puis archivé dans le journal de transparence : l’un ne change pas sans l’autre.",
        "Written before a thing is done or shown, then archived in the transparency log: one cannot change without the other.",
    ),
    "audit.at": ("Le", "At"),
    "audit.who": ("Qui", "Who"),
    "audit.did": ("Quoi", "What"),
    "audit.object": ("Sur", "On"),
    "audit.reason": ("Motif", "Reason"),
    "audit.log": ("Journal de transparence", "Transparency log"),
    "audit.archived": ("archivé", "archived"),
    "audit.waits": ("en attente", "waiting"),
    "audit.here": ("ici seulement", "here only"),
    "audit.keyed": ("contact (empreinte)", "contact (fingerprint)"),
    "audit.command": ("la commande", "the command"),
    "audit.nobody": ("identifiant inconnu", "unknown login"),
    "audit.entry": ("Opération {id}", "Operation {id}"),
    "audit.facts": ("Ce que le journal de transparence garde", "What the transparency log keeps"),
    "audit.covered": ("sous un point de contrôle signé", "under a signed checkpoint"),
    "audit.uncovered": ("pas encore sous un point de contrôle signé", "not under a signed checkpoint yet"),
    "action.login.done": ("connexion", "sign-in"),
    "action.login.refused": ("connexion refusée", "sign-in refused"),
    "action.logout.done": ("déconnexion", "sign-out"),
    "action.access.refused": ("accès refusé", "access refused"),
    "action.search.done": ("recherche", "search"),
    "action.record.viewed": ("accord consulté", "consent viewed"),
    "action.stop.viewed": ("retrait consulté", "withdrawal viewed"),
    "action.bundle.downloaded": ("preuve téléchargée", "proof downloaded"),
    "action.letter.opened": ("lettre ouverte", "letter opened"),
    "action.letter.replayed": ("lettre rejouée", "letter replayed"),
    "action.letter.dropped": ("lettre abandonnée", "letter dropped"),
    "action.account.added": ("compte créé", "account made"),
    "action.account.role": ("rôle changé", "role changed"),
    "action.account.disabled": ("compte fermé", "account closed"),
    "action.account.enabled": ("compte rouvert", "account reopened"),
    "action.account.password": ("mot de passe changé", "password changed"),
}  # fmt: skip
SHOWN = 100


async def listed(visit: Visit) -> Response:
    """Operations, the newest first."""
    wanted = {"account": await _account(visit), "action": visit.query("action"), "object": visit.query("object")}
    before: datetime | None = instant(visit.query("before")) if visit.query("before") else None
    rows = await visit.console.audit.listed(wanted, before, SHOWN)
    logins = await visit.console.accounts.logins({row["account"] for row in rows})
    actions = sorted(key.removeprefix("action.") for key in visit.console.catalogue if key.startswith("action."))
    asked = {name: visit.query(name) for name in ("who", "action", "object")}
    older = urlencode({**asked, "before": format_instant(rows[-1]["at"])}) if len(rows) == SHOWN else ""
    return visit.page(
        "audit", rows=[(row, _who(visit, row, logins)) for row in rows], asked=asked, actions=actions, older=older
    )


async def entry(visit: Visit) -> Response:
    """One operation as the transparency log has it."""
    name = visit.path("operation")
    found = await visit.console.services.get("proof_archive", f"/v1/operations/{place(name)}")
    return visit.page("operation", name=name, entry=found)


async def _account(visit: Visit) -> str:
    """The id of the account asked for by login; an id that nobody has where the login is unknown."""
    who = visit.query("who")
    if not who or who.startswith("ac-"):
        return who
    known = await visit.console.accounts.of_login(who)
    return "ac-none" if known is None else known.id


def _who(visit: Visit, row: dict[str, Any], logins: dict[str, str]) -> str:
    special = {COMMAND: "audit.command", NOBODY: "audit.nobody"}.get(row["account"])
    return visit.words(special) if special else logins.get(row["account"], row["account"])


PAGE = Page(
    "audit", "/audit", Ability.AUDIT,
    [
        Route("GET", "/audit", listed, Ability.AUDIT),
        Route("GET", "/audit/{operation}", entry, Ability.AUDIT),
    ],
    WORDS, rank=90,
)  # fmt: skip
