"""Search: by contact (posted, keyed by the rights handler, never kept here), by record or consent id, by withdrawal."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import Response

from services.console.clients import Refused, place
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.visit import Visit, see
from services.console.words import Catalogue

WORDS: Catalogue = {
    "page.search": ("Recherche", "Search"),
    "search.title": ("Chercher une personne, un accord, un retrait", "Find a person, a consent, a withdrawal"),
    "search.label": (
        "Adresse électronique, téléphone, adresse postale (sur plusieurs lignes), accord ou retrait",
        "E-mail address, telephone, postal address (on several lines), consent or withdrawal",
    ),
    "search.hint": (
        "Un contact n’est jamais écrit dans une adresse ni gardé ici : le journal n’en garde que l’empreinte à clé. Chaque recherche est journalisée.",
        "A contact is never written in an address nor kept here: the log keeps its keyed fingerprint only. Every search is logged.",
    ),
    "search.go": ("Chercher", "Search"),
    "search.found": ("Pour ce contact ({type}) – accords : {records}, retraits : {stops}", "For this contact ({type}) – consents: {records}, withdrawals: {stops}"),
    "search.nobody": ("Rien n’est connu de ce contact.", "Nothing is known of this contact."),
    "search.more": ("{count} de plus, plus anciens, ne sont pas montrés.", "{count} more, older, are not shown."),
    "search.records": ("Accords", "Consents"),
    "search.stops": ("Retraits et oppositions", "Withdrawals and objections"),
    "search.record": ("Accord", "Consent"),
    "search.collector": ("Recueilli par", "Collected by"),
    "search.collected": ("Le", "At"),
    "search.recipients": ("Destinataires", "Recipients"),
    "search.valid": ("Lignes valables", "Valid lines"),
    "search.stop": ("Retrait", "Withdrawal"),
    "search.kind": ("Nature", "Kind"),
    "search.source": ("Reçu par", "Received by"),
    "search.neither": (
        "Aucun accord ni retrait de ce nom.", "No consent and no withdrawal has this name.",
    ),
    "stop.withdrawal": ("retrait", "withdrawal"),
    "stop.objection": ("opposition", "objection"),
    "stop.stop_reply": ("réponse STOP", "STOP reply"),
    "stop.call_refusal": ("refus d’appel", "call refusal"),
    "contact.email": ("courriel", "e-mail"),
    "contact.phone": ("téléphone", "telephone"),
    "contact.post": ("adresse postale", "postal address"),
}  # fmt: skip
NAMED = re.compile(r"[a-z0-9][a-z0-9-]{1,40}/(?:[a-z0-9-]+/)?[A-Za-z0-9._:-]{1,64}")
"""`<collector>/<consent id>` or `<source>/<stop id>`."""
BARE = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
RIGHTS = "rights_handler"


async def form(visit: Visit) -> Response:
    """The empty form."""
    return visit.page("search", found=None, error="")


async def search(visit: Visit) -> Response:
    """Look a contact up and show what has it; or go to the page of what was named."""
    wanted = visit.field("wanted")
    if NAMED.fullmatch(wanted) or BARE.fullmatch(wanted):
        return await _named(visit, wanted)
    if not wanted:
        return visit.page("search", 422, found=None, error=visit.words("search.label"))
    try:
        found = await visit.console.services.post(RIGHTS, "/v1/lookups", {"contact": wanted})
    except Refused as refused:
        return visit.page("search", 422, found=None, error=str(refused))
    await visit.note("search.done", "contact", str(found["key"]), keyed=True)
    return visit.page("search", found=found, error="")


async def _named(visit: Visit, wanted: str) -> Response:
    place(wanted)  # refused before it is written down: it can name nothing
    await visit.note("search.done", "record", wanted)
    for path, page, field in (("/v1/records/", "/records/", "record"), ("/v1/stops/", "/stops/", "stop")):
        try:
            known: dict[str, Any] = await visit.console.services.get(RIGHTS, f"{path}{place(wanted)}")
        except Refused as refused:
            if refused.status == 404:  # noqa: PLR2004
                continue
            raise
        return see(f"{page}{quote(str(known[field]))}")
    try:  # erased, or not assessed yet: the logs know it still
        await visit.console.services.get("proof_archive", f"/v1/dossiers/{place(wanted)}")
    except Refused:
        return visit.page("search", 404, found=None, error=visit.words("search.neither"))
    return see(f"/records/{quote(wanted)}")


PAGE = Page(
    "search", "/search", Ability.PERSON,
    [Route("GET", "/search", form, Ability.PERSON), Route("POST", "/search", search, Ability.PERSON)],
    WORDS, rank=20,
)  # fmt: skip
