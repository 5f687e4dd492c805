"""The catalogue of the sending phase in order, and the answer it gives to one question. Pure.

`allowed` exactly when no rule fires. Rules on the permission are asked of each one: a single permission free of them all is
enough, and where none is, every reason is told. Rules are those in force on the day of the send, in Paris.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from services.rights_handler.sending import call_rules, permission_rules
from services.rights_handler.sending.model import Check, Permission, SendingRule
from services.rights_handler.sending.permission_rules import notice_due_at, notice_owed
from services.rights_handler.sending.words import paris_day

CATALOGUE: tuple[SendingRule, ...] = (
    permission_rules.STOPPED,
    permission_rules.NO_GRANT,
    call_rules.CALL_WINDOW,
    call_rules.CALL_FREQUENCY,
    permission_rules.ART14_OVERDUE,
    permission_rules.REOPEN_UNCONFIRMED,
    permission_rules.UNREACHABLE,
    permission_rules.PERMISSION_STALE,
)
"""Every rule of the sending phase, in the order in which reasons are given."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that fired, and why, in French."""

    rule: SendingRule
    text_fr: str

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.rule.code


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, with what it rests on; or no, with every reason."""

    reasons: tuple[Reason, ...]
    permission: Permission | None = None
    """Where it is yes: the permission it rests on."""
    attach_notice: bool = False
    """Where it is yes: the message must carry the information of RGPD 14, which the person has not had yet."""
    holds_until: datetime | None = None
    """Where it is yes: the first instant at which the rules, all else equal, would say no; None where none is in sight."""

    @property
    def allowed(self) -> bool:
        """Whether the message may be sent."""
        return not self.reasons

    @property
    def codes(self) -> list[str]:
        """The codes, in catalogue order."""
        return [reason.code for reason in self.reasons]


@lru_cache(maxsize=1024)
def on(day: date) -> tuple[SendingRule, ...]:
    """The rules applied to what is sent on a day."""
    return tuple(rule for rule in CATALOGUE if rule.in_force(day))


def find(code: str) -> SendingRule | None:
    """The rule with this code."""
    return next((rule for rule in CATALOGUE if rule.code == code), None)


def judge(check: Check) -> Answer:
    """The answer to one question."""
    rules = on(paris_day(check.at))
    standing = [permission for permission in check.permissions if permission.standing(check.at)]
    asked = [rule for rule in rules if rule.of_permission]
    clear = [p for p in standing if not any(rule.fires(check, p) for rule in asked)]
    candidates: Sequence[Permission | None] = standing or [p for p in check.permissions if p.given(check.at)] or [None]
    reasons: list[Reason] = []
    for rule in rules:
        if rule.of_permission:
            found = [] if clear else [rule.fires(check, candidate) for candidate in candidates]
        else:
            found = [rule.fires(check, None)]
        text = next((text for text in found if text is not None), None)
        if text is not None:
            reasons.append(Reason(rule, text))
    if reasons:
        return Answer(tuple(reasons))
    # Without a reason NO-GRANT did not fire, so a permission stands, and no rule fires on the best of them.
    best = max(
        clear,
        key=lambda p: (not notice_owed(check, p), p.valid_until is None, p.valid_until or check.at, p.record or ""),
    )
    return Answer((), best, notice_owed(check, best), _holds_until(check, best))


def _holds_until(check: Check, permission: Permission) -> datetime | None:
    ends = [permission.valid_until, call_rules.window_ends(check)]
    if permission.duty is not None and notice_owed(check, permission):
        ends.append(notice_due_at(permission.duty))
    return min((end for end in ends if end is not None), default=None)
