"""Rules on calls: when the person may be called, and how often (C. conso. D.223-9; C. trav. L.3133-1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.rights_handler.sending import words
from services.rights_handler.sending.hours import first_day, holiday, local, span_of
from services.rights_handler.sending.model import (
    CALL_HOURS,
    CALL_PERIOD_DAYS,
    MOST_CALLS,
    Check,
    Permission,
    SendingRule,
)
from shared.errors import IntegrityError

_CLOCK_CHANGES = timedelta(days=1)
"""By how much thirty days on a clock may exceed thirty times 24 hours: an hour in France, a day where a date line moved."""
_HOURS_FR = "les appels ne sont permis que du lundi au vendredi, de 10 h à 13 h et de 14 h à 20 h"


def is_call(check: Check) -> bool:
    """Whether the rules on calls concern it."""
    return check.channel == "call" or (check.channel == "automated_call" and check.settings.automated_calls_keep_hours)


def at_appointment(check: Check) -> bool:
    """Whether it falls when the person asked to be called, within the tolerance (both ends included)."""
    return check.appointment is not None and abs(check.at - check.appointment) <= check.settings.appointment_tolerance


def window_ends(check: Check) -> datetime | None:
    """Until when (excluded) the hours that allow this call last; None where they bind it to nothing."""
    if not is_call(check):
        return None
    ends = []
    if at_appointment(check) and check.appointment is not None:
        ends.append(check.appointment + check.settings.appointment_tolerance)
    moment = local(check.at, check.zone)
    span = None if moment is None else span_of(moment)
    if moment is not None and span is not None:
        ends.append(datetime.combine(moment.date(), span.end, moment.tzinfo))
    return max(ends, default=None)


def _call_window(check: Check, _: Permission | None) -> str | None:
    if not is_call(check) or at_appointment(check):
        return None
    moment = local(check.at, check.zone)
    if moment is None:
        return (
            "Le fuseau horaire de la personne n'est pas connu : un indicatif +33 ne dit pas où elle se trouve, et l'heure qui "
            "compte est la sienne."
        )
    here = f"Chez la personne ({check.zone}), l'appel tomberait le {words.moment(moment)}"
    try:
        name = holiday(moment.date(), alsace_moselle=check.settings.alsace_moselle)
    except IntegrityError:
        return f"{here}, et les jours fériés de cette année-là ne sont pas connus."
    if name is not None:
        return f"{here}, jour férié ({name})."
    return None if span_of(moment) is not None else f"{here} : {_HOURS_FR}."


def _call_frequency(check: Check, _: Permission | None) -> str | None:
    if not is_call(check):
        return None
    counted = counted_attempts(check)
    if len(counted) < MOST_CALLS:
        return None
    return (
        f"{len(counted)} appels ou tentatives ont déjà eu lieu sur les {CALL_PERIOD_DAYS} jours qui s'achèvent le jour de "
        f"l'appel, le premier le {words.in_paris_text(min(counted))} : {MOST_CALLS} au plus sont permis."
    )


def counted_attempts(check: Check) -> list[datetime]:
    """The attempts of the 30 calendar days that end on the day of the check, on the person's clock.

    Where the clock is unknown, the longest such period that any clock could give is taken: 30 times 24 hours.
    """
    longest = timedelta(days=CALL_PERIOD_DAYS)
    moment = local(check.at, check.zone)
    if moment is None:
        return [attempt for attempt in check.attempts if timedelta() <= check.at - attempt < longest]
    first = first_day(moment.date(), CALL_PERIOD_DAYS)
    recent = [attempt for attempt in check.attempts if timedelta() <= check.at - attempt < longest + _CLOCK_CHANGES]
    return [attempt for attempt in recent if attempt.astimezone(moment.tzinfo).date() >= first]


CALL_WINDOW = SendingRule(
    "CALL-WINDOW", "C. conso. D.223-9 ; C. trav. L.3133-1", "reported",
    "Appel hors des jours et des heures permis, à l'heure de la personne",
    "Call outside the days and hours allowed, on the person's own clock",
    "Appeler dans les heures permises là où se trouve la personne, ou à l'heure qu'elle a expressément donnée.",
    "Call within the hours allowed where the person is, or at the time the person expressly gave.",
    _call_window, applies_from=CALL_HOURS,
)  # fmt: skip
CALL_FREQUENCY = SendingRule(
    "CALL-FREQUENCY", "C. conso. D.223-9", "reported",
    "Déjà quatre appels ou tentatives en trente jours",
    "Four calls or attempts already in thirty days",
    "Attendre que le premier de ces appels ait plus de trente jours.",
    "Wait until the first of these calls is more than thirty days old.",
    _call_frequency, applies_from=CALL_HOURS,
)  # fmt: skip
