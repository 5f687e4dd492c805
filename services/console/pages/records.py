"""One record, and one withdrawal: the whole history on one page, what may be done now, and the proof to download.

Looking is written down before anything is shown; so is a download, which the archive enters in the log as a delivery too.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Response

from services.console.clients import Refused, place
from services.console.render import HEADERS
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.story import registered, told
from services.console.visit import Visit
from services.console.words import Catalogue

WORDS: Catalogue = {
    "record.title": ("Accord {record}", "Consent {record}"),
    "record.erased": (
        "Effacé : les données personnelles ont été détruites ; les entrées du journal se vérifient toujours.",
        "Erased: the personal data was destroyed; the log’s entries still verify.",
    ),
    "record.history": ("Histoire", "History"),
    "record.now": ("Ce qui est permis aujourd’hui", "What is allowed now"),
    "record.absent": ("L’index ne le connaît pas : pas encore évalué, ou effacé.", "The index does not know it: not assessed yet, or erased."),
    "record.unlogged": ("Les journaux n’en parlent pas encore.", "The logs do not name it yet."),
    "record.who": ("Qui", "Who"),
    "record.how": ("Moyen", "Channel"),
    "record.what": ("Finalité", "Purpose"),
    "record.may": ("Permis", "Allowed"),
    "record.until": ("Jusqu’au", "Until"),
    "record.reasons": ("Motifs", "Reasons"),
    "record.nobody": ("personne n’est nommé", "nobody is named"),
    "record.stops": ("Retraits et ordres", "Withdrawals and orders"),
    "record.stop_of": ("{kind} du {at}, reçu par {source}", "{kind} of {at}, received by {source}"),
    "record.order": ("Ordre à", "Order to"),
    "record.state": ("État", "State"),
    "record.ordered": ("Donné le", "Given"),
    "record.due": ("Réponse due", "Answer due"),
    "record.reminders": ("Rappels", "Reminders"),
    "record.no_order": ("Aucun ordre pour cet accord.", "No order about this consent."),
    "record.proof": ("Preuve", "Proof"),
    "record.proof_text": (
        "Le dossier signé contient des données personnelles. Le télécharger est journalisé, ici et dans le journal de transparence.",
        "The signed bundle holds personal data. Downloading it is logged, here and in the transparency log.",
    ),
    "record.zip": ("Dossier vérifiable (.zip)", "Verifiable bundle (.zip)"),
    "record.pdf": ("Attestation (.pdf)", "Attestation (.pdf)"),
    "record.promised": (
        "La preuve n’est pas encore disponible : aucun point de contrôle signé ne la couvre. Réessayez dans un instant.",
        "The proof is not available yet: no signed checkpoint covers it. Try again in a moment.",
    ),
    "record.sealed": ("sous point de contrôle signé", "under a signed checkpoint"),
    "record.pending": ("pas encore signé", "not signed yet"),
    "record.again": ("archivé {count} fois de plus", "archived {count} more times"),
    "record.based": ("Textes et contrats sur lesquels le verdict repose", "What the verdict relies on"),
    "record.verify": ("Vérifier sans nous : opposable verify preuve.zip --policy policy", "Verify without us: opposable verify proof.zip --policy policy"),
    "why.STOPPED": ("retrait de la personne", "withdrawn by the person"),
    "why.OBJECTED": ("opposition de la personne", "objected to by the person"),
    "why.REFUSED": ("la personne a dit non", "the person said no"),
    "why.REOPEN-UNCONFIRMED": ("nouvel accord après un retrait, sans confirmation", "new consent after a withdrawal, not confirmed"),
    "why.EXPIRED": ("expiré", "expired"),
    "stop.title": ("Retrait {stop}", "Withdrawal {stop}"),
    "stop.scope": ("Portée", "Scope"),
    "stop.scope_text": ("destinataires : {recipients} ; moyens : {channels} ; finalités : {purposes}", "recipients: {recipients}; channels: {channels}; purposes: {purposes}"),
    "stop.branches": ("Ordres, un par société et accord", "Orders, one for each company and consent"),
    "stop.none": ("Aucune société n’est concernée à ce jour.", "No company is concerned so far."),
    "state.open": ("en cours", "open"),
    "state.closed": ("appliqué", "applied"),
    "state.contested": ("contesté", "contested"),
    "state.refused": ("refusé", "refused"),
    "state.escalated": ("à l’exploitation", "escalated"),
    "state.recorded": ("enregistré", "recorded"),
    "based.list": ("liste", "list"),
    "based.form": ("formulaire", "form"),
    "based.notice": ("mention", "notice"),
    "based.agreement": ("contrat", "agreement"),
    "based.party": ("organisme", "party"),
}  # fmt: skip
ARCHIVE, RIGHTS = "proof_archive", "rights_handler"
MEDIA = {"zip": "application/zip", "pdf": "application/pdf"}
TONES = {"open": "warn", "closed": "ok", "contested": "bad", "refused": "bad", "escalated": "bad", "recorded": "none"}


async def record(visit: Visit) -> Response:
    """The page of one record."""
    name = visit.path("record")
    dossier, standing = await asyncio.gather(
        _known(visit, ARCHIVE, f"/v1/dossiers/{place(name)}"), _known(visit, RIGHTS, f"/v1/records/{place(name)}")
    )
    if dossier is None and standing is None:
        return visit.told("missing", 404)
    await visit.note("record.viewed", "record", name)
    entries = [] if dossier is None else dossier["entries"]
    return visit.page(
        "record", name=name, standing=standing, dossier=dossier, based=registered(entries), tones=TONES,
        history=told(entries, visit.language, visit.console.legal_name), rules=await _titles(visit, standing),
    )  # fmt: skip


async def stop(visit: Visit) -> Response:
    """The page of one withdrawal."""
    name = visit.path("stop")
    found = await visit.console.services.get(RIGHTS, f"/v1/stops/{place(name)}")
    await visit.note("stop.viewed", "stop", name)
    return visit.page("stop", name=name, stop=found, tones=TONES)


async def proof(visit: Visit) -> Response:
    """The proof, as the archive makes it for the operator; 202 while no checkpoint covers it."""
    name, form = visit.path("record"), visit.field("form")
    if form not in MEDIA:
        return visit.told("missing", 404)
    await visit.note("bundle.downloaded", "record", name)
    answer = await visit.console.services.answer(ARCHIVE, "GET", f"/v1/proofs/{place(name)}.{form}")
    if answer.status_code != 200:  # noqa: PLR2004
        return visit.told("later", 202, detail=visit.words("record.promised"))
    file = f"{name.replace('/', '-')}.{form}"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{file}"'}
    return Response(answer.content, media_type=MEDIA[form], headers=headers)


async def _known(visit: Visit, service: str, path: str) -> dict[str, Any] | None:
    """An answer; None where the service knows nothing. Raises Unavailable where it does not answer: half a history misleads."""
    try:
        return await visit.console.services.get(service, path)
    except Refused as refused:
        if refused.status == 404:  # noqa: PLR2004
            return None
        raise


async def _titles(visit: Visit, standing: dict[str, Any] | None) -> dict[str, str]:
    """What the rules say of the reasons shown, by code, where the validator answers."""
    if standing is None or not any(line["reasons"] for line in standing["lines"]):
        return {}
    found = (await visit.console.services.gathered("/v1/rules", "consent_validator"))["consent_validator"]
    title = f"title_{visit.language}"
    return {
        str(rule["code"]): str(rule.get(title) or rule.get("title_fr") or "") for rule in (found or {}).get("rules", [])
    }


PAGE = Page(
    "records", "/records", Ability.PERSON,
    [
        Route("GET", "/records/{record:path}", record, Ability.PERSON),
        Route("POST", "/proofs/{record:path}", proof, Ability.PROOF),
        Route("GET", "/stops/{stop:path}", stop, Ability.PERSON),
    ],
    WORDS,
)  # fmt: skip
