"""Rules on the permission itself: stops, the valid line, the information owed, and answers that cannot be relied upon."""

from __future__ import annotations

from datetime import datetime

from services.rights_handler.moments import one_month_after
from services.rights_handler.sending import words
from services.rights_handler.sending.model import ANSWER_VALID, GDPR, Check, Duty, Permission, SendingRule
from shared.instants import format_instant, parse_instant


def notice_due_at(duty: Duty) -> datetime:
    """The last instant at which the information of RGPD 14 is not late: one month after the data were obtained."""
    return parse_instant(one_month_after(format_instant(duty.obtained_at)))


def notice_owed(check: Check, permission: Permission) -> bool:
    """Whether the recipient owes the person the information and has not reported giving it."""
    duty = permission.duty
    return duty is not None and not _by(duty.notice_at, check.at)


def _by(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and moment <= at


def _stopped(check: Check, permission: Permission | None) -> str | None:
    """A stop at or after the grant; where there is no grant yet, any stop about the contact. Ties go to the stop."""
    if permission is None:
        covering = [stop for stop in check.stops if stop <= check.at]
    else:
        covering = [stop for stop in permission.stops if permission.covered_from <= stop <= check.at]
    if not covering:
        return None
    return (
        f"La personne s'est opposée ou a retiré son accord le {words.in_paris_text(max(covering))} : rien ne peut plus lui "
        "être adressé par ce moyen."
    )


def _no_grant(check: Check, _: Permission | None) -> str | None:
    if any(permission.standing(check.at) for permission in check.permissions):
        return None
    given = [permission for permission in check.permissions if permission.given(check.at)]
    ended = max((p.valid_until for p in given if p.valid_until is not None), default=None)
    if ended is not None:
        return f"L'accord qui permettait cet envoi a pris fin le {words.in_paris_text(ended)}."
    return "Aucun accord valable ne nomme cette société pour ce moyen, cette finalité et ce secteur."


def _reopen_unconfirmed(check: Check, permission: Permission | None) -> str | None:
    """A consent newer than a stop re-opens only when a double opt-in or a signature shows that the person gave it."""
    if permission is None or permission.confirmed is not False or not permission.standing(check.at):
        return None
    older = [stop for stop in permission.stops if stop < permission.covered_from]
    if not older:
        return None
    return (
        f"Le seul accord date du {words.in_paris_text(permission.collected_at)}, après l'opposition du "
        f"{words.in_paris_text(max(older))}, et rien ne montre qu'il vient bien de la personne."
    )


def _art14_overdue(check: Check, permission: Permission | None) -> str | None:
    if permission is None or not permission.standing(check.at) or not notice_owed(check, permission):
        return None
    duty, at = permission.duty, check.at
    assert duty is not None  # noqa: S101 - notice_owed says so
    if duty.contacted_at is not None and duty.contacted_at <= at:
        cause = f"un premier contact a eu lieu le {words.in_paris_text(duty.contacted_at)}"
    elif duty.disclosed_at is not None and duty.disclosed_at <= at:
        cause = f"ses données ont été transmises à un tiers le {words.in_paris_text(duty.disclosed_at)}"
    elif notice_due_at(duty) < at:
        cause = f"ses données ont été obtenues le {words.in_paris_text(duty.obtained_at)}, il y a plus d'un mois"
    else:
        return None
    return f"La personne n'a pas reçu l'information qui lui est due, alors que {cause}."


def _unreachable(check: Check, _: Permission | None) -> str | None:
    if not check.unreachable:
        return None
    return "Une donnée nécessaire ne peut pas être lue, ou n'est pas à jour : tant qu'on ne sait pas, c'est non."


def _permission_stale(check: Check, _: Permission | None) -> str | None:
    if check.answered_at is None or check.at - check.answered_at <= ANSWER_VALID:
        return None
    minutes = int(ANSWER_VALID.total_seconds()) // 60
    return (
        f"La réponse sur laquelle repose l'envoi date du {words.in_paris_text(check.answered_at)} : elle ne vaut que "
        f"{minutes} minutes."
    )


STOPPED = SendingRule(
    "STOPPED", "RGPD 7(3), 21(3)", "primary",
    "La personne s'est opposée ou a retiré son accord", "The person objected or withdrew",
    "Aucun. Seul un nouvel accord de la personne, postérieur et confirmé, peut rouvrir.",
    "None. Only a new consent of the person, later and confirmed, can re-open.",
    _stopped, of_permission=True,
)  # fmt: skip
NO_GRANT = SendingRule(
    "NO-GRANT", "RGPD 6 ; CPCE L.34-5 ; C. conso. L.223-1", "primary",
    "Aucun accord valable pour cette société, ce moyen et cette finalité",
    "No valid line for this company, channel and purpose",
    "Recueillir un accord qui nomme la société, pour ce moyen et cette finalité.",
    "Collect a consent that names the company, for this channel and purpose.",
    _no_grant,
)  # fmt: skip
ART14_OVERDUE = SendingRule(
    "ART14-OVERDUE", "RGPD 14(3)", "primary",
    "Information due à la personne non donnée dans les délais",
    "Information owed to the person not given in time",
    "Donner l'information (source, droits, opposition à part) et la déclarer, puis redemander.",
    "Give the information (source, rights, objection apart), report it, then ask again.",
    _art14_overdue, applies_from=GDPR, of_permission=True,
)  # fmt: skip
REOPEN_UNCONFIRMED = SendingRule(
    "REOPEN-UNCONFIRMED", "RGPD 7(1), 7(3), 21(3)", "primary",
    "Accord postérieur à une opposition, et non confirmé", "Consent later than a stop, and not confirmed",
    "Faire confirmer l'accord par la personne (double opt-in ou signature).",
    "Have the person confirm the consent (double opt-in or signature).",
    _reopen_unconfirmed, of_permission=True,
)  # fmt: skip
UNREACHABLE = SendingRule(
    "UNREACHABLE", "RGPD 5(2), 24, 25", "primary",
    "Une donnée nécessaire est injoignable ou en retard", "Something needed to know is unreachable or behind",
    "Redemander dans un instant.", "Ask again in a moment.",
    _unreachable,
)  # fmt: skip
PERMISSION_STALE = SendingRule(
    "PERMISSION-STALE", "RGPD 5(2), 7(3), 21(3)", "primary",
    "Réponse trop ancienne pour s'y fier", "Answer too old to rely upon",
    "Redemander juste avant l'envoi.", "Ask again just before sending.",
    _permission_stale,
)  # fmt: skip
