"""The register of breaches (RGPD 33, 34): open one, the 72 hours, who is affected, notices, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Response

from services.console.render import HEADERS
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.errors import InputError, Problem
from shared.instants import format_instant

PARIS = ZoneInfo("Europe/Paris")
RIGHTS = "rights_handler"
NATURES = ("confidentiality", "integrity", "availability")
DATA = ("contacts", "references", "choices", "connection", "evidence", "pseudonyms")
ORIGINS = ("unknown", "attack", "unauthorised_access", "misdirected", "misconfiguration", "loss", "processor")
RISKS = ("risk", "high", "unlikely")
EXEMPTIONS = ("risk_not_high", "data_unintelligible", "measures_taken_after", "public_communication")
ENDINGS = ("remedied", "no_breach", "authority_closed")

WORDS: Catalogue = {
    "page.breaches": ("Violations", "Breaches"),
    "breaches.title": ("Registre des violations de données", "Register of breaches"),
    "breaches.law": ("RGPD, articles 33 et 34. Aucun nom ni contact dans les textes : ils sont refusés.", "GDPR, articles 33 and 34. No name and no contact in the texts: they are refused."),
    "breaches.id": ("Référence", "Reference"),
    "breaches.noticed": ("Constatée", "Noticed"),
    "breaches.due": ("Fin des 72 heures", "End of the 72 hours"),
    "breaches.left": ("encore {span}", "{span} left"),
    "breaches.overdue": ("délai dépassé", "overdue"),
    "breaches.persons": ("Personnes, au plus", "Persons, at most"),
    "breaches.persons_short": ("Personnes", "Persons"),
    "breaches.records": ("Enregistrements", "Records"),
    "breaches.state": ("État", "State"),
    "breaches.open": ("ouverte", "open"),
    "breaches.closed": ("close", "closed"),
    "breaches.settled": ("autorité : réglé", "authority: settled"),
    "breaches.all": ("Voir aussi les violations closes", "Show closed breaches too"),
    "breaches.print": ("Registre imprimable (PDF, français)", "Printable register (PDF, French)"),
    "breaches.new": ("Ouvrir une violation", "Open a breach"),
    "breaches.nature": ("Nature", "Nature"),
    "breaches.data": ("Données", "Data"),
    "breaches.origin": ("Origine", "Origin"),
    "breaches.risk": ("Risque pour les personnes", "Risk for persons"),
    "breaches.what": ("Circonstances", "What happened"),
    "breaches.effects": ("Conséquences probables", "Likely effects"),
    "breaches.measures": ("Mesures prises ou proposées", "Measures taken or proposed"),
    "breaches.at": ("(heure de Paris)", "(Paris time)"),
    "breaches.do_open": ("Ouvrir et faire courir les 72 heures", "Open and start the 72 hours"),
    "breaches.amend": ("Compléter", "Complete"),
    "breaches.count": ("Compter les personnes concernées", "Count who is affected"),
    "breaches.collector": ("Collecteur", "Collector"),
    "breaches.recipient": ("Destinataire", "Recipient"),
    "breaches.from": ("Reçus depuis", "Received since"),
    "breaches.until": ("Reçus avant", "Received before"),
    "breaches.do_count": ("Compter", "Count"),
    "breaches.counting": ("comptage en cours", "counting"),
    "breaches.parties": ("Organismes concernés", "Parties concerned"),
    "breaches.party": ("Organisme", "Party"),
    "breaches.told": ("Averti", "Told"),
    "breaches.ack": ("Accusé", "Acknowledged"),
    "breaches.do_tell": ("Avertir tous ces organismes", "Tell all these parties"),
    "breaches.do_ack": ("Accusé reçu", "Acknowledged"),
    "breaches.authority": ("Autorité de contrôle (33)", "Supervisory authority (33)"),
    "breaches.reference": ("Référence de l’autorité", "Authority’s reference"),
    "breaches.late_because": ("Motifs du retard, après 72 heures", "Reasons for the delay, after 72 hours"),
    "breaches.do_notify": ("Notification faite maintenant", "Notified now"),
    "breaches.do_waive": ("Notification non nécessaire", "Notification not needed"),
    "breaches.notified": ("notifiée le {at}", "notified at {at}"),
    "breaches.waived": ("non nécessaire : risque peu probable", "not needed: a risk is unlikely"),
    "breaches.text": ("Texte de la notification", "Text of the notification (French)"),
    "breaches.inform": ("Personnes concernées (34)", "Persons concerned (34)"),
    "breaches.do_inform": ("Personnes informées maintenant", "Persons told now"),
    "breaches.do_exempt": ("Pas d’information individuelle", "Not told one by one"),
    "breaches.exempt": ("Exemption", "Exemption"),
    "breaches.informed": ("informées le {at}", "told at {at}"),
    "breaches.close": ("Clore", "Close"),
    "breaches.ending": ("Issue", "Ending"),
    "breaches.do_close": ("Clore la violation", "Close the breach"),
    "breaches.history": ("Ce qui a été fait (archivé)", "What was done (archived)"),
    "breaches.hash": ("Empreinte des textes au journal", "Hash of the texts in the log"),
    "nature.confidentiality": ("confidentialité", "confidentiality"),
    "nature.integrity": ("intégrité", "integrity"),
    "nature.availability": ("disponibilité", "availability"),
    "data.contacts": ("coordonnées", "contacts"),
    "data.references": ("références", "references"),
    "data.choices": ("choix exprimés", "choices"),
    "data.connection": ("données de connexion", "connection data"),
    "data.evidence": ("pièces", "evidence"),
    "data.pseudonyms": ("empreintes", "pseudonyms"),
    "origin.unknown": ("non établie", "unknown"),
    "origin.attack": ("attaque", "attack"),
    "origin.unauthorised_access": ("accès non autorisé", "unauthorised access"),
    "origin.misdirected": ("mauvais destinataire", "misdirected"),
    "origin.misconfiguration": ("erreur de configuration", "misconfiguration"),
    "origin.loss": ("perte ou vol", "loss or theft"),
    "origin.processor": ("sous-traitant", "processor"),
    "risk.unlikely": ("peu probable", "unlikely"),
    "risk.risk": ("risque", "risk"),
    "risk.high": ("risque élevé", "high risk"),
    "exempt.risk_not_high": ("risque non élevé, 34(1)", "risk not high, 34(1)"),
    "exempt.data_unintelligible": ("données incompréhensibles, 34(3)(a)", "data unintelligible, 34(3)(a)"),
    "exempt.measures_taken_after": ("mesures prises depuis, 34(3)(b)", "measures taken since, 34(3)(b)"),
    "exempt.public_communication": ("communication publique, 34(3)(c)", "public communication, 34(3)(c)"),
    "ending.remedied": ("remédiée", "remedied"),
    "ending.no_breach": ("pas de violation, après examen", "no breach, after examination"),
    "ending.authority_closed": ("close par l’autorité", "closed by the authority"),
    "act.opened": ("ouverte", "opened"),
    "act.amended": ("complétée", "amended"),
    "act.counted": ("personnes comptées", "persons counted"),
    "act.reminded": ("rappel", "reminder"),
    "act.parties_told": ("organismes avertis", "parties told"),
    "act.party_acknowledged": ("accusé d’un organisme", "a party acknowledged"),
    "act.authority_notified": ("autorité notifiée", "authority notified"),
    "act.authority_not_needed": ("notification non nécessaire", "notification not needed"),
    "act.persons_informed": ("personnes informées", "persons told"),
    "act.persons_exempt": ("personnes non informées", "persons not told"),
    "act.closed": ("close", "closed"),
    "kind.breach-notification": ("violation à notifier", "breach to notify"),
    "kind.breach-notice": ("violation à accuser", "breach to acknowledge"),
    "action.breach.opened": ("violation ouverte", "breach opened"),
    "action.breach.changed": ("violation modifiée", "breach changed"),
    "action.breach.exported": ("registre des violations exporté", "register of breaches exported"),
}  # fmt: skip


async def listed(visit: Visit) -> Response:
    """The register, and a form to open a breach."""
    closed = visit.query("closed") == "1"
    found = await visit.console.services.get(RIGHTS, "/v1/breaches", **({"closed": "true"} if closed else {}))
    now = visit.console.clock.now()
    return visit.page("breaches", found=found["breaches"], left={one["id"]: _left(one, now) for one in found["breaches"]},
                      closed=closed, **_choices(), now=f"{now.astimezone(PARIS):%Y-%m-%dT%H:%M}")  # fmt: skip


async def opened(visit: Visit) -> Response:
    """Open one."""
    identity = visit.field("id")
    await visit.note("breach.opened", "breach", identity)
    made = await visit.console.services.post(RIGHTS, "/v1/breaches", {
        "id": identity, "noticed_at": _paris(visit, "noticed"), "author": visit.me.role.value,
        "natures": visit.fields.get("nature", []), "data": visit.fields.get("data", []),
        "origin": visit.field("origin"), "risk": visit.field("risk"), "what": visit.field("what"),
        "effects": visit.field("effects"), "measures": visit.field("measures"),
    })  # fmt: skip
    return see(f"/breaches/{quote(made['id'])}")


async def one(visit: Visit) -> Response:
    """One breach, and what may be done next."""
    identity = quote(visit.path("id"))
    services = visit.console.services
    view = await services.get(RIGHTS, f"/v1/breaches/{identity}")
    text = (await services.answer(RIGHTS, "GET", f"/v1/breaches/{identity}/notification")).text
    parties = visit.console.registry.view.parties()
    return visit.page(
        "breach", view=view, text=text, left=_left(view, visit.console.clock.now()), **_choices(),
        collectors=[p.id for p in parties if "collector" in p.roles],
        recipients=[p.id for p in parties if "prospector" in p.roles],
    )  # fmt: skip


async def act(visit: Visit) -> Response:
    """One act on a breach: noted, then done by the rights handler, which archives it."""
    identity, what = visit.path("id"), visit.path("act")
    path, body = _asked(visit, what)
    await visit.note("breach.changed", "breach", identity, reason=what)
    await visit.console.services.post(RIGHTS, f"/v1/breaches/{quote(identity)}/{path}", body)
    return see(f"/breaches/{quote(identity)}")


async def register(visit: Visit) -> Response:
    """The printable register."""
    await visit.note("breach.exported", "register")
    pdf = await visit.console.services.answer(RIGHTS, "GET", "/v1/breaches/register.pdf")
    names = {"Content-Disposition": 'attachment; filename="registre-des-violations.pdf"'}
    return Response(pdf.content, media_type="application/pdf", headers={**HEADERS, **names})


def _asked(visit: Visit, what: str) -> tuple[str, Mapping[str, Any]]:
    """The route and the body of an act. Raises InputError for one that the page does not have."""
    make = ACTS.get(what)
    if make is None:
        raise InputError([Problem("BREACH-ACT", "", "no such act")])
    return make(visit)


def _amend(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    given = {name: visit.field(name) for name in ("what", "effects", "measures", "risk")}
    return "amend", {name: value for name, value in given.items() if value}


def _count(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    named = {"collectors": visit.field("collector"), "recipients": visit.field("recipient")}
    scope: dict[str, Any] = {name: [value] if value else [] for name, value in named.items()}
    scope |= {"received_from": _paris(visit, "from"), "received_until": _paris(visit, "until")}
    return "amend", {"scope": scope}


def _notify(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    return "authority", {name: visit.field(name) or None for name in ("reference", "late_because")}


ACTS: Mapping[str, Callable[[Visit], tuple[str, Mapping[str, Any]]]] = {
    "amend": _amend,
    "count": _count,
    "notify": _notify,
    "waive": lambda _visit: ("authority", {"waived": True}),
    "tell": lambda _visit: ("parties", {"parties": []}),
    "acknowledged": lambda visit: (f"parties/{quote(visit.field('party'), safe='')}/acknowledged", {}),
    "inform": lambda visit: ("persons", {"informed_at": format_instant(visit.console.clock.now())}),
    "exempt": lambda visit: ("persons", {"exempt": visit.field("exempt")}),
    "close": lambda visit: ("close", {"ending": visit.field("ending")}),
}
"""What may be done with a breach: the route of the rights handler, and its body from the form."""


def _choices() -> dict[str, Any]:
    return {
        "natures": NATURES,
        "kinds": DATA,
        "origins": ORIGINS,
        "risks": RISKS,
        "exemptions": EXEMPTIONS,
        "endings": ENDINGS,
    }


def _left(view: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds until the 72 hours end; None once the clock is stopped."""
    due = instant(view["due_at"])
    stopped = view["authority"] is not None or view["closed_at"] is not None or due is None
    return None if stopped or due is None else (due - now).total_seconds()


def _paris(visit: Visit, name: str) -> str | None:
    """An instant from a field of date and time in Paris; None where it is empty. Raises InputError."""
    text = visit.field(name)
    if not text:
        return None
    try:
        return format_instant(datetime.fromisoformat(text).replace(tzinfo=PARIS))
    except ValueError:
        raise InputError([Problem("INSTANT", f"/{name}", "a date and a time")]) from None


PAGE = Page(
    "breaches", "/breaches", Ability.SEE,
    [
        Route("GET", "/breaches", listed, Ability.SEE),
        Route("POST", "/breaches", opened, Ability.DECIDE),
        Route("GET", "/breaches/register.pdf", register, Ability.SEE),
        Route("GET", "/breaches/{id}", one, Ability.SEE),
        Route("POST", "/breaches/{id}/{act}", act, Ability.DECIDE),
    ],
    WORDS, rank=70,
)  # fmt: skip
