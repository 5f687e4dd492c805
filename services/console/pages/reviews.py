"""Lines of verdicts that wait for a person: the list, one record, and the DPO's decision, archived with its reason."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.contracts.reviews import ACCEPTING, DecisionReason, Outcome
from shared.errors import InputError, Problem

WORDS: Catalogue = {
    "page.reviews": ("À examiner", "Reviews"),
    "reviews.title": ("Lignes à examiner", "Lines in review"),
    "reviews.count": ("{count} consentements attendent une décision", "{count} consents await a decision"),
    "reviews.count_least": ("au moins {count} consentements attendent une décision", "at least {count} consents await a decision"),
    "reviews.intro": (
        "Une décision refuse une ligne, ou la laisse passer là où le droit le permet. Elle ne rend jamais valable ce qu’une règle refuse.",
        "A decision refuses a line, or lets it through where the law leaves room. It never makes valid what a rule refuses.",
    ),
    "reviews.table": ("Consentements à examiner, le plus ancien d’abord", "Consents in review, the longest first"),
    "reviews.record": ("Consentement", "Consent"),
    "reviews.collector": ("Collecteur", "Collector"),
    "reviews.lines": ("Lignes", "Lines"),
    "reviews.cause": ("Motifs", "Cause"),
    "reviews.since": ("Depuis", "Since"),
    "reviews.due": ("Échéance", "Due"),
    "reviews.owner": ("Doit agir", "Owner"),
    "reviews.dpo": ("DPO", "DPO"),
    "reviews.late": ("en retard", "late"),
    "reviews.decided": ("Dernières décisions", "Latest decisions"),
    "reviews.addresses": ("Adresses postales qui se ressemblent", "Postal addresses that look alike"),
    "reviews.same": ("Même personne", "Same person"),
    "reviews.other": ("Autre personne", "Another person"),
    "reviews.stop": ("Retrait", "Stop"),
    "reviews.one": ("Examen de {record}", "Review of {record}"),
    "reviews.verdict": ("Verdict en vigueur", "Verdict in force"),
    "reviews.recipient": ("Destinataire", "Recipient"),
    "reviews.nobody": ("personne n’est nommé", "nobody is named"),
    "reviews.channel": ("Canal", "Channel"),
    "reviews.purpose": ("Finalité", "Purpose"),
    "reviews.state": ("Résultat", "Result"),
    "reviews.choose": ("Décider", "Decide"),
    "reviews.all_lines": ("Lignes concernées", "Lines concerned"),
    "reviews.outcome": ("Décision", "Decision"),
    "reviews.accept": ("Laisser passer", "Let through"),
    "reviews.refuse": ("Refuser", "Refuse"),
    "reviews.why": ("Fondement", "Ground"),
    "reviews.note": ("Motivation (chiffrée sous la clé du consentement, effacée avec lui)", "Reasons in words (sealed under the consent’s key, erased with it)"),
    "reviews.decide": ("Décider et archiver", "Decide and archive"),
    "reviews.stuck": (
        "Aucun examen ne lève {codes} : la suspension se lève sur la page de l’organisme, le contrat se complète au registre.",
        "No examination cures {codes}: a suspension is lifted on the party’s page, an agreement is completed in the registry.",
    ),
    "reviews.done": ("Décisions archivées", "Archived decisions"),
    "reviews.awaited": ("nouveau verdict attendu", "new verdict awaited"),
    "reviews.given": ("nouveau verdict le {at}", "new verdict at {at}"),
    "reviews.archived": ("décision {id}", "decision {id}"),
    "reviews.open": ("Examiner", "Open"),
    "reviews.nothing": ("Plus aucune ligne de ce consentement n’est à examiner.", "No line of this consent is in review any more."),
    "outcome.accept": ("laissée passer", "let through"),
    "outcome.refuse": ("refusée", "refused"),
    "decision.evidence_checked": ("pièces examinées, elles confirment", "pieces examined, they confirm"),
    "decision.collector_explained": ("explication du collecteur, vérifiée", "collector’s explanation, verified"),
    "decision.person_confirmed": ("la personne a confirmé", "the person confirmed"),
    "decision.evidence_insufficient": ("pièces insuffisantes", "evidence insufficient"),
    "decision.collector_silent": ("le collecteur n’a pas répondu", "the collector did not answer"),
    "decision.person_denies": ("la personne conteste", "the person denies it"),
    "decision.doubt_remains": ("le doute demeure", "doubt remains"),
    "result.valid": ("valable", "valid"),
    "result.invalid": ("non valable", "invalid"),
    "result.review": ("à examiner", "in review"),
    "action.review.opened": ("examen ouvert", "review opened"),
    "action.review.decided": ("ligne décidée", "line decided"),
    "action.address.answered": ("adresse décidée", "address answered"),
}  # fmt: skip
RIGHTS = "rights_handler"
NAMED_BY = ("recipient", "channel", "purpose", "sector", "object")


async def listed(visit: Visit) -> Response:
    """What waits, the longest first."""
    services = visit.console.services
    asked = {name: visit.query(name) for name in ("collector", "after")}
    page = await services.get(RIGHTS, "/v1/reviews", **{name: value for name, value in asked.items() if value})
    addresses = await services.get(RIGHTS, "/v1/reviews/addresses")
    decided = await services.get(RIGHTS, "/v1/reviews/decisions", limit="20")
    collectors = sorted(p.id for p in visit.console.registry.view.parties() if "collector" in p.roles)
    now = visit.console.clock.now()
    late = {one["record"] for one in page["reviews"] if (due := instant(one["due_at"])) is not None and due < now}
    return visit.page(
        "reviews", found=page, addresses=addresses["reviews"], decided=decided["decisions"], collectors=collectors,
        collector=asked["collector"], late=late,
    )  # fmt: skip


async def one(visit: Visit) -> Response:
    """One record. Looking at it is noted: it is a person's."""
    record = visit.path("record")
    view = await visit.console.services.get(RIGHTS, f"/v1/reviews/records/{quote(record)}")
    await visit.note("review.opened", "record", record)
    reasons = [
        (reason.value, (Outcome.ACCEPT if reason in ACCEPTING else Outcome.REFUSE).value) for reason in DecisionReason
    ]
    return visit.page("review", view=view, record=record, reasons=reasons)


async def decide(visit: Visit) -> Response:
    """The decision: noted, then asked of the rights handler, which archives it and has the consent assessed again."""
    record = visit.path("record")
    services = visit.console.services
    view = await services.get(RIGHTS, f"/v1/reviews/records/{quote(record)}")
    chosen = {int(text) for text in visit.fields.get("line", ()) if text.isdecimal()}
    lines = [line for place, line in enumerate(view["lines"]) if place in chosen]
    if not lines:
        raise InputError([Problem("REVIEW-LINES", "/line", "choose at least one line")])
    reason = visit.field("why")
    await visit.note("review.decided", "record", record, reason=f"{visit.field('outcome')}: {reason}"[:200])
    await services.post(RIGHTS, "/v1/reviews/decisions", {
        "record": record, "outcome": visit.field("outcome"), "reason": reason, "author": visit.me.role.value,
        "note": visit.field("note") or None, "lines": [{name: line[name] for name in NAMED_BY} for line in lines],
    })  # fmt: skip
    return see(f"/reviews/{quote(record)}")


async def address(visit: Visit) -> Response:
    """The answer to a question about two postal addresses."""
    identity, answer = visit.field("id"), visit.field("answer")
    await visit.note("address.answered", "review", identity, reason=answer)
    await visit.console.services.post(RIGHTS, "/v1/reviews", {"id": identity, "answer": answer})
    return see("/reviews")


PAGE = Page(
    "reviews", "/reviews", Ability.SEE,
    [
        Route("GET", "/reviews", listed, Ability.SEE),
        Route("POST", "/reviews/addresses", address, Ability.ACT),
        Route("GET", "/reviews/{record:path}", one, Ability.PERSON),
        Route("POST", "/reviews/{record:path}", decide, Ability.DECIDE),
    ],
    WORDS, rank=60,
)  # fmt: skip
