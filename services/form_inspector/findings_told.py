"""Findings on what the page tells around the choice: conditions, withdrawal, calls, post, recipients, and what was not read."""

from __future__ import annotations

from collections.abc import Iterator

from services.form_inspector.conditions import by_letter_only
from services.form_inspector.evidence import Evidence
from services.form_inspector.finding import Finding, error, info, warning
from services.form_inspector.names import ITEM_NAMES, STATEMENT_NAMES, gestures
from services.form_inspector.questions import UNREAD
from services.form_inspector.statements import STATEMENTS, too_long
from services.form_inspector.texts import Line
from shared.contracts.types import CONTACT_OF_CHANNEL


def told(evidence: Evidence) -> Iterator[Finding]:
    """Findings on texts, in the order a DPO would check them."""
    yield from _conditions(evidence)
    yield from _withdrawal(evidence)
    yield from _calls(evidence)
    yield from _information(evidence)
    yield from _recipients(evidence)
    yield from _limits(evidence)


def _conditions(evidence: Evidence) -> Iterator[Finding]:
    if evidence.service and evidence.service.value:
        yield error("ACT-CONDITIONAL", "Le service dépend du consentement.")
    if evidence.incentive:
        make = error if evidence.calls_asked else warning
        yield make("INCENTIVE", f"Un avantage est promis avec le consentement : {_quote(evidence.incentive[0])}.")
    if evidence.minors and evidence.minors.value:
        yield info("CAPACITY", f"La page s'adresse à des mineurs : {_quote(evidence.minors.lines[0])}.")


def _withdrawal(evidence: Evidence) -> Iterator[Finding]:
    hidden, limited = evidence.illegible_withdrawal, evidence.calls_told.get("withdrawal")
    if evidence.denied:
        yield error("WITHDRAWAL-DENIED", f"La page dit qu'on ne peut pas retirer : {_quote(evidence.denied[0])}.")
    elif not (evidence.withdrawal or evidence.unread or hidden or limited):
        yield error("WITHDRAWAL-NOT-TOLD", "Le droit de retirer son consentement n'est pas annoncé.")
    if hidden:
        yield warning("TEXT-ILLEGIBLE", "Une phrase sur le retrait est écrite trop petit ou trop pâle pour être lue.")
    steps, grant = evidence.withdrawal_steps, evidence.grant_steps
    if (steps and grant and steps.value > grant) or by_letter_only(evidence.withdrawal):
        needed = gestures(steps.value) if steps else "une lettre"
        yield error("WITHDRAWAL-HARDER", f"Retirer demande {needed}, consentir {grant or '?'}.")


def _calls(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.calls_asked:
        return
    missing = [STATEMENT_NAMES[name] for name in STATEMENTS if name not in evidence.calls_told]
    if missing:
        yield error("PHONE-STATEMENTS", f"Pour les appels, la page ne prouve pas : {' ; '.join(missing)}.")
    if too_long(evidence.calls_told.get("period", [])):
        yield error("PHONE-PERIOD", "La durée annoncée pour les appels dépasse un an.")


def _information(evidence: Evidence) -> Iterator[Finding]:
    if evidence.post and not all(evidence.post.values()):
        lacks = "annoncée" if not evidence.post["transfer_told"] else "refusable ici"
        yield error("POST-NO-INFO", f"La transmission de l'adresse postale n'est pas {lacks}.")
    found = {*evidence.items_on_page, *evidence.items_linked}
    lacking = [name for item, name in ITEM_NAMES.items() if item not in found]
    if evidence.items_linked and lacking:
        yield error("NOTICE-MISSING", f"La mention d'information lue ne dit pas : {', '.join(lacking)}.")
    if evidence.notice_link is None and not evidence.items_on_page and not evidence.unread:
        yield error("NOTICE-MISSING", "Aucune mention d'information n'est présentée.")
    contacts = {CONTACT_OF_CHANNEL[channel] for box in evidence.consents for channel in box.channels or ()}
    if "phone" in contacts and not evidence.asks_phone:
        yield info("CHANNEL-UNCOVERED", "Un accord par téléphone ou SMS est demandé, mais aucun numéro ne l'est.")


def _recipients(evidence: Evidence) -> Iterator[Finding]:
    found = evidence.recipients
    if found.nature == "categories":
        yield error("LIST-CATEGORIES", "Les destinataires sont donnés par catégories, pas nommés.")
    if found.shown == "link":
        yield warning("LIST-NOT-SHOWN", "La liste des destinataires est derrière un lien ou un clic.")
    elif found.shown == "absent" and found.third_parties and evidence.asks and not evidence.unread:
        yield error("LIST-NOT-SHOWN", "La page parle de tiers mais n'en donne pas la liste.")
    for entry in found.missing if found.entries or found.linked else ():
        yield error("LIST-NOT-NAMED", f"{entry.legal_name} ({entry.registration}) est au registre, pas sur la page.")
    for company in found.unexpected:
        called = " ".join(filter(None, [company.legal_name, company.siren]))
        yield warning("LIST-UNEXPECTED", f"{called} est sur la page, pas dans la liste du registre.")
    without = [c.legal_name for c in (*found.entries, *found.linked) if c.legal_name and not c.siren]
    if without:
        yield info("LIST-NO-SIREN", f"Nommés sans numéro SIREN : {', '.join(without)}.")


def _limits(evidence: Evidence) -> Iterator[Finding]:
    for code in evidence.unread:
        yield warning("PAGE-UNREAD", f"N'a pas pu être lu : {UNREAD[code]}.")
    if evidence.restyled:
        message = "Une feuille de style d'un autre hôte n'a pas été chargée : les mesures sont à refaire."
        yield warning("PAGE-RESTYLED", message)
    if evidence.choices.other_banner:
        yield info("OTHER-BANNER", "La page porte un autre bandeau ou dialogue de choix : l'inspecter à part.")


def _quote(line: Line) -> str:
    return f"« {line.text[:160]} »"
