"""What a DPO should see first: the faults of the page, in French. First the choice itself: accepting, refusing, the boxes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from services.form_inspector.boxes import Box
from services.form_inspector.evidence import Evidence
from services.form_inspector.finding import Finding, error, info, warning
from services.form_inspector.findings_told import told
from services.form_inspector.measures import Measure
from services.form_inspector.names import CHANNEL_NAMES, PART_NAMES, PURPOSE_NAMES, UNSEEN, french, gestures
from shared.forms.wording import says_acceptance, says_refusal, shames
from shared.registry.balance import INVALID_FROM, REVIEW_FROM, Parts

READABLE = Decimal("4.5")
"""WCAG 2.2, 1.4.3: contrast under which body text is hard to read."""
SMALL_PX = 12
_LONGEST_QUOTE = 110


def judge(evidence: Evidence, balance: Parts | None) -> list[Finding]:
    """Every finding, the worst first."""
    found = [*_refusing(evidence, balance), *_boxes(evidence), *told(evidence)]
    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: rank[finding.severity])


def _refusing(evidence: Evidence, balance: Parts | None) -> Iterator[Finding]:
    choices = evidence.choices
    for label, reason in choices.unseen:
        yield error("REFUSAL-UNSEEN", f"Le refus « {label} » est dans la page mais ne se voit pas : {UNSEEN[reason]}.")
    if choices.refusal is not None:
        yield from _look(choices.refusal, balance)
        yield from _reach(evidence, choices.refusal)
        yield from _wording(choices.refusal)
    elif choices.unclear is None and not evidence.unread:
        yield error("FORM-NO-REFUSAL", "Aucun moyen de refuser n'est visible.")
    if choices.named and choices.acceptance and not says_acceptance(choices.acceptance.label):
        yield warning("WORDING-HIDES-CONSENT", f"« {choices.acceptance.label} » vaut consentement sans le dire.")


def _look(refusal: Measure, balance: Parts | None) -> Iterator[Finding]:
    if balance is not None and balance.score >= REVIEW_FROM:
        make = error if balance.score >= INVALID_FROM else warning
        points = [(name, int(part)) for name, part in zip(PART_NAMES, balance, strict=True) if int(part)]
        detail = ", ".join(f"{name} {part}" for name, part in points)
        message = (
            f"Le refus « {refusal.label} » est moins visible que l'acceptation : {balance.score} sur 100 ({detail})."
        )
        yield make("FORM-UNBALANCED", message)
    if refusal.in_text:
        yield warning("REFUSAL-IN-TEXT", f"Le refus « {refusal.label} » est un lien perdu dans un paragraphe.")
    if refusal.contrast is not None and refusal.contrast < READABLE:
        message = f"Le refus se lit mal : contraste {french(refusal.contrast)} (4,5 au moins pour un texte courant)."
        yield warning("REFUSAL-PALE", message)
    if refusal.font_px < SMALL_PX:
        yield warning("REFUSAL-SMALL", f"Le refus est écrit en {refusal.font_px} px.")


def _reach(evidence: Evidence, refusal: Measure) -> Iterator[Finding]:
    choices, acceptance = evidence.choices, evidence.choices.acceptance
    refuse, grant = evidence.refuse_steps, evidence.grant_steps
    if choices.banner and refuse and grant and refuse > grant:
        yield error(
            "TRACKER-PARITY", f"Refuser demande {gestures(refuse)}{_path(refusal)}, accepter {gestures(grant)}."
        )
    elif choices.accept_depth is not None and refusal.depth > choices.accept_depth:
        yield error("REFUSAL-BEHIND-CLICKS", f"Le refus n'est pas sur l'écran de l'acceptation{_path(refusal)}.")
    if evidence.refusal_gone_on_phone:
        reason = UNSEEN[evidence.refusal_gone_on_phone]
        yield error("REFUSAL-PHONE", f"Le refus ne se voit pas sur un téléphone : {reason}.")
    if refusal.by == "unticked":
        way = "en décochant" if any(box.default == "on" for box in evidence.consents) else "sans rien cocher"
        yield info("REFUSAL-BY-EMPTY", f"Refuser se fait par « {refusal.label} », {way}.")
    if acceptance and refusal.order < acceptance.order and refusal.path == acceptance.path:
        yield info("REFUSAL-FIRST", "Le refus vient avant l'acceptation dans l'ordre de lecture.")


def _path(refusal: Measure) -> str:
    opened = " puis ".join(f"« {label} »" for label in refusal.path)
    return f" (ouvrir {opened})" if opened else ""


def _wording(refusal: Measure) -> Iterator[Finding]:
    if refusal.by == "unticked":
        return
    if shames(refusal.label):
        yield warning("WORDING-SHAMES", f"Le refus culpabilise ou fait croire à une perte : « {refusal.label} ».")
    elif not says_refusal(refusal.label):
        yield warning("WORDING-UNCLEAR", f"Le refus ne dit pas qu'il refuse : « {refusal.label} ».")


def _boxes(evidence: Evidence) -> Iterator[Finding]:
    for box in evidence.asked:
        quoted = f"« {_short(box)} »."
        if box.default == "on" and not box.objects:
            yield error("ACT-PRETICKED", f"Cochée d'avance : {quoted}")
        if box.with_terms:
            yield error("ACT-BUNDLED", f"La même case vaut acceptation de conditions : {quoted}")
        elif box.bundled:
            channels = [CHANNEL_NAMES[channel] for channel in box.channels or ()]
            covered = ", ".join(channels + [PURPOSE_NAMES[purpose] for purpose in box.purposes or ()])
            yield error("ACT-BUNDLED", f"Une seule case pour plusieurs choses ({covered}) : {quoted}")
        if box.objects and box.default is None:
            yield error("BOX-OPT-OUT", f"Il faut cocher pour refuser ; ne rien faire vaut accord : {quoted}")
        if not box.label:
            yield warning("BOX-NAMELESS", f"Une case n'a aucun texte : « {box.id} ».")
        elif box.guessed:
            yield info("BOX-LABEL", f"Case sans étiquette propre ; le texte voisin a été lu : {quoted}")
    for box in evidence.unseen_consents:
        reason = UNSEEN[box.hidden or "hidden"]
        yield error("BOX-UNSEEN", f"Une case cochée ne se voit pas : « {_short(box) or box.id} » ({reason}).")
    for name in evidence.concealed_consents:
        yield warning("CONCEALED-FIELD", f"Un champ caché semble porter un accord : « {name} ».")


def _short(box: Box) -> str:
    return box.label if len(box.label) <= _LONGEST_QUOTE else box.label[: _LONGEST_QUOTE - 1] + "…"
