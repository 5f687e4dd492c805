"""Rules on the act of consent and on the form that asked for it (RGPD 4(11), 7(2) to 7(4); C-673/17; TAGADAMEDIA, FORIOU)."""

from __future__ import annotations

from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.model import CONSENT_ONLY, INVALID, LCEN, REVIEW, Effect, Rule
from shared.contracts.types import CONTACT_OF_CHANNEL
from shared.registry.shown import Box


def _act_none(line: Line) -> Effect | None:
    return INVALID if line.value == "not_objected" else None


def _box_missing(line: Line) -> Effect | None:
    """A tracker is asked for by its banner; a banner with boxes asks only for the purposes of its boxes."""
    form = line.case.form
    if form is None or line.boxes:
        return None
    if line.channel == "tracker" and form.tracker is not None:
        return INVALID if any("tracker" in box.channels for box in form.boxes) else None
    return INVALID


def _act_preticked(line: Line) -> Effect | None:
    """Of the event's default state and the registered one, the strictest counts."""
    if line.case.default_state == "on":
        return INVALID
    for box in line.boxes:
        if box.default == "on":
            return INVALID
    return None


def _act_bundled(line: Line) -> Effect | None:
    """A box over several things is harmless only where this one thing also has a box of its own."""
    bundled = alone = False
    for box in line.boxes:
        if box.with_terms:
            return INVALID
        if _single(box):
            alone = True
        else:
            bundled = True
    return INVALID if bundled and not alone else None


def _single(box: Box) -> bool:
    return len(box.channels) == len(box.purposes) == 1


def _act_conditional(line: Line) -> Effect | None:
    form = line.case.form
    if form is None:
        return None
    return INVALID if form.service_conditional or (line.channel == "call" and form.incentive) else None


def _form_no_refusal(line: Line) -> Effect | None:
    form = line.case.form
    return INVALID if form is not None and not form.refusal.present else None


def _form_unbalanced(line: Line) -> Effect | None:
    form, settings = line.case.form, line.case.settings
    if form is None or not form.refusal.present:
        return None
    if form.unbalance >= settings.unbalanced_invalid:
        return INVALID
    return REVIEW if form.unbalance >= settings.unbalanced_review else None


def _withdrawal_not_told(line: Line) -> Effect | None:
    form = line.case.form
    return INVALID if form is not None and not form.withdrawal_told else None


def _withdrawal_harder(line: Line) -> Effect | None:
    form = line.case.form
    return INVALID if form is not None and form.steps.withdraw > form.steps.grant else None


def _capacity(line: Line) -> Effect | None:
    facts, form = line.case.facts, line.case.form
    if facts["age_band"] == "under_15":
        return None if facts["parental_consent"] is True else INVALID
    return REVIEW if facts["age_band"] == "unknown" and form is not None and form.targets_minors else None


def _channel_uncovered(line: Line) -> Effect | None:
    needed = CONTACT_OF_CHANNEL[line.channel]
    types = line.case.facts["contact_types"]
    return INVALID if not types or (needed is not None and needed not in types) else None


def _tracker_parity(line: Line) -> Effect | None:
    banner = line.case.form.tracker if line.case.form is not None else None
    return INVALID if banner is not None and banner.steps_refuse > banner.steps_accept else None


ACT_NONE = Rule(
    "ACT-NONE", INVALID, "RGPD 4(11)", "primary",
    "Ne pas s'opposer n'est pas consentir", "Not objecting is not consenting",
    "Recueillir un acte positif.", "Ask for a positive act.",
    _act_none, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
BOX_MISSING = Rule(
    "BOX-MISSING", INVALID, "RGPD 4(11), 7(1)", "primary",
    "Le formulaire ne demande rien pour ce canal et cette finalité", "The form asks nothing for this channel and purpose",
    "Ajouter une case pour ce canal, dans une nouvelle version.", "Add a box for this channel, in a new version.",
    _box_missing, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
ACT_PRETICKED = Rule(
    "ACT-PRETICKED", INVALID, "RGPD 4(11); CJUE C-673/17", "primary",
    "Case cochée par défaut", "Box ticked by default",
    "Laisser la case vide, dans une nouvelle version.", "Leave the box empty, in a new version.",
    _act_preticked, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
ACT_BUNDLED = Rule(
    "ACT-BUNDLED", INVALID, "RGPD 7(2); EDPB 05/2020", "primary",
    "Une seule case pour plusieurs choses, ou avec les conditions générales", "One box for several things, or for the terms",
    "Une case par canal et par finalité, à part des conditions.", "One box per channel and purpose, apart from the terms.",
    _act_bundled, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
ACT_CONDITIONAL = Rule(
    "ACT-CONDITIONAL", INVALID, "RGPD 7(4); HUBSIDE.STORE SAN-2024-004; C. conso. L.121-11", "primary",
    "Service ou avantage subordonné au consentement", "Service or advantage conditional on consent",
    "Offrir le service sans consentement ; aucun avantage pour l'appel.",
    "Offer the service without consent; no advantage for calls.",
    _act_conditional, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
FORM_NO_REFUSAL = Rule(
    "FORM-NO-REFUSAL", INVALID, "TAGADAMEDIA SAN-2023-025", "primary",
    "Aucun moyen de refuser", "No way to refuse",
    "Ajouter un refus aussi visible que l'acceptation.", "Add a refusal as visible as the acceptance.",
    _form_no_refusal, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
FORM_UNBALANCED = Rule(
    "FORM-UNBALANCED", REVIEW, "TAGADAMEDIA SAN-2023-025; FORIOU SAN-2024-003; CALOGA SAN-2025-002", "primary",
    "Refus moins visible que l'acceptation (score 0 à 100)", "Refusal less visible than acceptance (score 0 to 100)",
    "Donner au refus la taille, le contraste et la place de l'acceptation.",
    "Give the refusal the size, contrast and place of the acceptance.",
    _form_unbalanced, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
WITHDRAWAL_NOT_TOLD = Rule(
    "WITHDRAWAL-NOT-TOLD", INVALID, "RGPD 7(3)", "primary",
    "Droit de retrait non annoncé", "Right to withdraw not told",
    "Annoncer le droit de retrait avant le choix.", "Tell of the right to withdraw before the choice.",
    _withdrawal_not_told, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
WITHDRAWAL_HARDER = Rule(
    "WITHDRAWAL-HARDER", INVALID, "RGPD 7(3); CALOGA SAN-2025-002", "primary",
    "Retirer demande plus d'étapes que consentir", "Withdrawing takes more steps than consenting",
    "Un retrait aussi simple que le consentement.", "Make withdrawing as simple as consenting.",
    _withdrawal_harder, bases=CONSENT_ONLY, reads="place",
)  # fmt: skip
CAPACITY = Rule(
    "CAPACITY", INVALID, "loi Informatique et Libertés art. 45", "reported",
    "Moins de 15 ans sans l'accord des parents, ou âge inconnu sur un formulaire pour mineurs",
    "Under 15 without parental consent, or age unknown on a form for minors",
    "Recueillir l'accord des titulaires de l'autorité parentale, ou l'âge.", "Ask for parental consent, or for the age.",
    _capacity, reads="event",
)  # fmt: skip
CHANNEL_UNCOVERED = Rule(
    "CHANNEL-UNCOVERED", INVALID, "CPCE L.34-5", "primary",
    "Pas de coordonnée pour ce canal", "No contact for this channel",
    "Recueillir la coordonnée du canal.", "Collect the channel's contact.",
    _channel_uncovered, applies_from=LCEN, reads="place",
)  # fmt: skip
TRACKER_PARITY = Rule(
    "TRACKER-PARITY", INVALID, "loi Informatique et Libertés art. 82; délib. CNIL 2020-092", "primary",
    "Refuser les traceurs demande plus d'étapes qu'accepter", "Refusing trackers takes more steps than accepting",
    "Un refus en autant d'étapes que l'acceptation.", "Make refusing take no more steps than accepting.",
    _tracker_parity, bases=CONSENT_ONLY, channels=frozenset({"tracker"}), reads="place",
)  # fmt: skip
