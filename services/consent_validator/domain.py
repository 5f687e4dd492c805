"""The assessment: facts and registry in, one verdict line out per recipient × channel × purpose. Pure.

A line is `invalid` if any rule of that effect fires, else `review` if any asks for a person, else `valid`. All fired codes
are given, in catalogue order. Within one event `refused` beats `granted`: what a refusal covers gives no other line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from services.consent_validator.choices import choices
from services.consent_validator.rules.basis import row_of
from services.consent_validator.rules.because import because
from services.consent_validator.rules.book import STANDARD, Chosen, Periods, RuleBook
from services.consent_validator.rules.days import CALL_PERIOD, add_months, end_of, start_of
from services.consent_validator.rules.evidence import Case, Fired, Line, notice_key
from services.consent_validator.rules.model import INVALID, REVIEW, Rule
from services.consent_validator.verdict import Verdict, VerdictLine
from shared.contracts.types import instant
from shared.registry.view import Reference, RegistryView

NO_REASONS: tuple[str, ...] = ()


def assess(
    facts: Mapping[str, Any], registry: RegistryView, at: datetime, book: RuleBook = STANDARD, *, live: bool = False
) -> Verdict:
    """The verdict on a `consent.recorded`, evaluated at `at`. `live`: lateness of arrival counts (EVIDENCE-LATE)."""
    case = Case(facts, registry, at, book.settings, live=live)
    lines = [Line(case, recipient, decision) for recipient, decision in choices(case)]
    periods = book.periods(case.collected_day, case.used_day)
    judged = tuple([_judge(line, book, periods) for line in lines])
    common = _references(case)
    relied = tuple([tuple([one for one in line.place.references if one not in common]) for line in lines])
    return Verdict(book.version, book.sequence, registry.offset, at, common, judged, relied)


def explain(
    facts: Mapping[str, Any], registry: RegistryView, at: datetime, book: RuleBook = STANDARD, *, live: bool = False
) -> list[tuple[VerdictLine, list[tuple[Rule, str]]]]:
    """The same verdict's lines, each with the rules that fired and why, in French, with the facts."""
    case = Case(facts, registry, at, book.settings, live=live)
    periods = book.periods(case.collected_day, case.used_day)
    found = []
    for recipient, decision in choices(case):
        line = Line(case, recipient, decision)
        judged = _judge(line, book, periods)
        rules = [rule for code in judged.reasons if (rule := book.find(code)) is not None]
        found.append((judged, [(rule, because(rule.code, line)) for rule in rules]))
    return found


def cites_unknown(facts: Mapping[str, Any], registry: RegistryView) -> bool:
    """Whether the event cites something that this view does not hold: it may be behind the registry's end."""
    form = registry.form(facts["form"]["id"], facts["form"]["version"])
    cited = facts["recipient_list"]
    published = None if cited is None else registry.list_(cited["id"], cited["version"])
    key = notice_key(facts, form)
    if form is None or (cited is not None and published is None) or (key is not None and registry.notice(*key) is None):
        return True
    collector = facts["collector"]
    recipients = {r for d in facts["decisions"] if d["recipients"] != "all_listed" for r in d["recipients"]}
    recipients |= {entry.party for entry in published.entries} if published is not None else set()
    return registry.party(collector) is None or any(
        registry.party(r) is None or not registry.agreements(collector, r) for r in recipients if r != collector
    )


def _judge(line: Line, book: RuleBook, periods: Periods) -> VerdictLine:
    case = line.case
    row = row_of(line)
    line.basis = row.basis if row is not None else "consent"
    line.valid_until = _valid_until(line, row.until if row is not None else None)
    settled, chosen = _settled(line, book, periods)
    fired = list(settled)
    event = _fired_by_event(line, book, periods)
    if event:
        fired += [f for f in event if f[1] in chosen.per_event]
    for rank, rule in chosen.per_line:
        effect = rule.check(line)
        if effect is not None:
            fired.append((rank, rule.code, effect))
    verdict, reasons = "valid", NO_REASONS
    if fired:
        fired.sort()
        verdict = INVALID if any(effect == INVALID for _, _, effect in fired) else REVIEW
        reasons = tuple([code for _, code, _ in fired])
    return VerdictLine(
        line.recipient, line.channel, line.purpose, line.sector, line.decision["object"], line.value, verdict,
        line.basis, case.facts["collected_at"], case.text_of(line.valid_until), reasons,
    )  # fmt: skip


def _settled(line: Line, book: RuleBook, periods: Periods) -> tuple[tuple[Fired, ...], Chosen]:
    """What the registry alone fires on such a line, and the rules still to ask: kept with the line's place."""
    kept = line.place.settled
    key = (book.token, periods, line.basis, line.value, line.case.words)
    found: tuple[tuple[Fired, ...], Chosen] | None = kept.get(key)
    if found is None:
        chosen = book.rules_for(
            line.basis, line.channel, line.case.facts["audience"], periods, third_party=line.third_party
        )
        fired = tuple(
            (rank, rule.code, effect) for rank, rule in chosen.per_place if (effect := rule.check(line)) is not None
        )
        found = kept[key] = fired, chosen
    return found


def _fired_by_event(line: Line, book: RuleBook, periods: Periods) -> list[Fired]:
    """What the event itself fires, worked out with its first line and kept for the others."""
    case = line.case
    if case.fired is None:
        case.fired = [
            (rank, rule.code, effect)
            for rank, rule in book.event_rules(periods)
            if (effect := rule.check(line)) is not None
        ]
    return case.fired


def _valid_until(line: Line, regime_ends: date | None) -> datetime:
    """The first instant at which the line no longer holds, whatever else happens."""
    case, settings = line.case, line.case.settings
    ends = [case.retention_ends]
    if line.channel == "tracker":
        ends.append(add_months(case.collected, settings.tracker_months))
    stated = line.decision["valid_until"]
    if stated is not None:
        ends.append(_end_of_day(stated))
    if line.channel == "call" and (stated is not None or line.basis == "consent"):
        ends.append(case.collected + CALL_PERIOD)
    if regime_ends is not None:
        ends.append(start_of(regime_ends))
    if line.basis == "contract_in_course" and case.relationship is not None and case.relationship["until"] is not None:
        ends.append(instant(case.relationship["until"]))
    return min(ends)


@lru_cache(maxsize=4096)
def _end_of_day(day: str) -> datetime:
    return end_of(date.fromisoformat(day))


def _references(case: Case) -> tuple[Reference, ...]:
    """The registry records that every line relies on, once each: form, list, notice, collector."""
    found = {reference.key: reference for reference in case.page.references}
    if case.notice is not None:
        notice = case.registry.reference(f"notice:{case.notice.id}:{case.notice.version}")
        if notice is not None:
            found[notice.key] = notice
    return tuple(found.values())
