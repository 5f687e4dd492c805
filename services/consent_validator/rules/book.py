"""The rule book: the catalogue in order, its version, and which rules concern a line on given days.

Adding a rule = one object, its place here, its cases, and a new version. A verdict stores the version it was given under.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from services.consent_validator.rules import act_rules, channel_rules, evidence_rules, recipient_rules
from services.consent_validator.rules.model import Basis, Rule, RuleSettings
from shared import canonical

VERSION = "2026-11-24.1"
"""Day of the state of the law that is encoded, and its edition."""
SEQUENCE = 1
"""Grows by one with each version: of several verdicts on one record the highest sequence wins."""

CATALOGUE: tuple[Rule, ...] = (
    evidence_rules.REFUSED,
    evidence_rules.TIME_FUTURE,
    evidence_rules.FORM_UNKNOWN,
    evidence_rules.FORM_LATER,
    evidence_rules.FORM_HASH,
    evidence_rules.FORM_FOREIGN,
    evidence_rules.FORM_CONTRADICTED,
    evidence_rules.PARTY_UNKNOWN,
    evidence_rules.PARTY_ROLE,
    evidence_rules.NOTICE_MISSING,
    evidence_rules.NOTICE_HASH,
    recipient_rules.LIST_MISSING,
    recipient_rules.LIST_UNKNOWN,
    recipient_rules.LIST_CATEGORIES,
    recipient_rules.LIST_NOT_NAMED,
    recipient_rules.LIST_LATER,
    recipient_rules.LIST_HASH,
    recipient_rules.LIST_SIGNATURE,
    recipient_rules.LIST_NOT_SHOWN,
    recipient_rules.AGREEMENT_MISSING,
    recipient_rules.PARTY_SUSPENDED,
    act_rules.ACT_NONE,
    act_rules.BOX_MISSING,
    act_rules.ACT_PRETICKED,
    act_rules.ACT_BUNDLED,
    act_rules.ACT_CONDITIONAL,
    act_rules.FORM_NO_REFUSAL,
    act_rules.FORM_UNBALANCED,
    act_rules.WITHDRAWAL_NOT_TOLD,
    act_rules.WITHDRAWAL_HARDER,
    act_rules.CAPACITY,
    act_rules.CHANNEL_UNCOVERED,
    channel_rules.PHONE_STATEMENTS_RULE,
    channel_rules.PHONE_PERIOD,
    channel_rules.PHONE_OBJECT,
    channel_rules.SECTOR_BANNED,
    channel_rules.SOFT_TRANSFER,
    channel_rules.SOFT_CONDITIONS,
    channel_rules.B2B_UNRELATED,
    channel_rules.POST_NO_INFO,
    act_rules.TRACKER_PARITY,
    evidence_rules.EVIDENCE_LATE,
    recipient_rules.AGREEMENT_INCOMPLETE,
    evidence_rules.EXPIRED,
)
"""Every rule of the collection phase, in the order in which reasons are given (rules.md)."""

_Key = tuple[Basis, str, str, bool, int, int]
Periods = tuple[int, int]
Ranked = tuple[int, Rule]
"""A rule with its place in the catalogue."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rules that concern a line, by what they read: codes of those settled per event, and those asked anew."""

    per_event: frozenset[str]
    per_place: tuple[Ranked, ...]
    per_line: tuple[Ranked, ...]


@dataclass(frozen=True)
class RuleBook:
    """The catalogue under given settings. Pure: what it keeps are answers that never change."""

    settings: RuleSettings = field(default_factory=RuleSettings)
    catalogue: tuple[Rule, ...] = CATALOGUE
    sequence: int = SEQUENCE
    version: str = VERSION
    """Marked where settings differ from the defaults, so that a verdict says under what it was given."""
    _chosen: dict[_Key, Chosen] = field(default_factory=dict, compare=False, repr=False)
    _events: dict[tuple[int, int], tuple[Ranked, ...]] = field(default_factory=dict, compare=False, repr=False)
    _changes: list[date] = field(default_factory=list, compare=False, repr=False)
    token: object = field(default_factory=object, compare=False, repr=False)
    """Tells this book from any other where answers are kept."""

    def __post_init__(self) -> None:
        days = {r.applies_from for r in self.catalogue} | {r.applies_until for r in self.catalogue}
        self._changes.extend(sorted(day for day in days if day is not None))
        changed = {
            f.name: str(getattr(self.settings, f.name))
            for f in fields(self.settings)
            if getattr(self.settings, f.name) != f.default
        }
        if changed:
            mark = canonical.sha256_hex(canonical.dumps(changed))[:8]
            object.__setattr__(self, "version", f"{self.version}+{mark}")

    def periods(self, collected: date, used: date) -> Periods:
        """Between which changes of the law two days lie: days with the same answer are under the same rules."""
        return bisect_right(self._changes, collected), bisect_right(self._changes, used)

    def rules_for(self, basis: Basis, channel: str, audience: str, periods: Periods, *, third_party: bool) -> Chosen:
        """The rules in force in the period of collection, or in that of use, that concern such a line."""
        key = (basis, channel, audience, third_party, *periods)
        chosen = self._chosen.get(key)
        if chosen is None:
            ranked = [
                (rank, rule)
                for rank, rule in enumerate(self.catalogue)
                if self._law(rule, periods) and rule.concerns(basis, channel, audience, third_party=third_party)
            ]
            chosen = self._chosen[key] = Chosen(
                frozenset(rule.code for _, rule in ranked if rule.reads == "event"),
                tuple(r for r in ranked if r[1].reads == "place"),
                tuple(r for r in ranked if r[1].reads == "line"),
            )
        return chosen

    def event_rules(self, periods: Periods) -> tuple[Ranked, ...]:
        """The rules that look at the event only, in force in either period."""
        rules = self._events.get(periods)
        if rules is None:
            rules = self._events[periods] = tuple(
                (rank, rule)
                for rank, rule in enumerate(self.catalogue)
                if rule.reads == "event" and self._law(rule, periods)
            )
        return rules

    def _law(self, rule: Rule, periods: Periods) -> bool:
        """Whether a rule is law in one of two periods: a period's first day stands for all its days."""
        return any(rule.in_force(self._changes[period - 1] if period else date.min) for period in periods)

    def on(self, day: date) -> Sequence[Rule]:
        """The law of one day."""
        return [rule for rule in self.catalogue if rule.in_force(day)]

    def find(self, code: str) -> Rule | None:
        """The rule with this code."""
        return next((rule for rule in self.catalogue if rule.code == code), None)


STANDARD = RuleBook()
"""The book with the cautious defaults."""
