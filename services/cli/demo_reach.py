"""Who had to be told of each withdrawal, worked out anew from the published verdicts and the inputs (P3).

This is a second, separate reading of the rule "What a stop covers" and "Who is told" (services/rights_handler/README.md): it
shares no code with the service. It compares contacts in clear, which only the demonstration can: it wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.cli.demo_picture import Order, Picture
from services.cli.demo_promises import Promise, Sent, accepted_lines, promise, record_of
from services.cli.demo_stream import Line
from shared.instants import parse_instant, to_millis
from shared.topics import party_of

Expected = set[tuple[str, str, str]]
"""(stop, party, record) of every order that must exist."""


def everyone_concerned(seen: Picture, sent: Sent) -> Expected:
    """Every order that the stops of the example call for."""
    consents = {record_of(line): line for line in accepted_lines(sent)}
    expected: Expected = set()
    for line in sent.values():
        if "stop_id" not in line.get("data", {}):
            continue
        stop = f"{party_of(line['topic'])}/{line['data']['stop_id']}"
        if stop in seen.stops:
            known = {record: consent for record, consent in consents.items() if record in seen.verdicts}
            named = [r for r, c in known.items() if _names(line, r, c) and _since(seen.stops[stop], seen.verdicts[r])]
            # A stop that names a record names its person: it holds that record's contacts too (docs/decisions/0040).
            contacts = _contacts(line["data"]).union(*(_contacts(known[record]["data"]) for record in named))
            for record, consent in known.items():
                if _names(line, record, consent) or not contacts.isdisjoint(_contacts(consent["data"])):
                    expected |= {(stop, party, record) for party in _told(seen.stops[stop], seen.verdicts[record])}
    return expected


def _names(stop: Line, record: str, consent: Line) -> bool:
    """Does it name this very record, or the collector's own reference of its person?"""
    data = stop["data"]
    same_collector = party_of(stop["topic"]) == party_of(consent["topic"])
    reference = data.get("subject_ref")
    return data.get("record") == record or (
        reference is not None and same_collector and reference == consent["data"].get("subject_ref")
    )


def _since(stop: Mapping[str, Any], verdict: Mapping[str, Any]) -> bool:
    """Does the stop come at or after the consent?"""
    return bool(stop["at"] >= min(verdict["collected_at"], verdict["received_at"]))


def _contacts(data: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Contacts of one event in one spelling each. Enough for the example's own numbers and mailboxes."""
    return {(item["type"], _plain(item["type"], item["value"])) for item in data["contacts"]}


def _plain(kind: str, value: str) -> str:
    if kind != "phone":
        return value.strip().lower()
    digits = "".join(c for c in value if c.isdigit())
    return "33" + digits[1:] if digits.startswith("0") else digits


def _told(stop: Mapping[str, Any], verdict: Mapping[str, Any]) -> set[str]:
    """Parties of one record that one stop must reach: those named and not refused, the collector, the hands in between."""
    if not _since(stop, verdict):
        return set()
    in_scope = [
        line
        for line in verdict["lines"]
        if _within(stop["recipients"], line["recipient"])
        and _within(stop["channels"], line["channel"])
        and _within(stop["purposes"], line["purpose"])
    ]
    if not in_scope and not _within(stop["recipients"], verdict["collector"]):
        return set()
    named = {line["recipient"] for line in in_scope if line["value"] != "refused" and line["recipient"] is not None}
    return named | {verdict["collector"], *verdict["via"]}


def _within(scope: Any, value: str | None) -> bool:
    return scope == "all" or value in scope


def everyone_told(seen: Picture, sent: Sent) -> Promise:
    """Orders published = orders called for; a stop of someone unknown calls for none."""
    expected = everyone_concerned(seen, sent)
    records = {consent: record for record in seen.verdicts for consent in [record.partition("/")[2]]}
    published = {(o.stop, o.party, records.get(o.consent, o.consent)) for o in seen.orders.values()}
    faults = [f"missing: {stop} → {party}" for stop, party, _ in sorted(expected - published)]
    faults += [f"not called for: {stop} → {party}" for stop, party, _ in sorted(published - expected)]
    wanted = [line for line in sent.values() if "stop_id" in line.get("data", {})]
    unrecorded = len(wanted) - len(seen.stops)
    faults += [f"{unrecorded} stops not recorded"] if unrecorded else []
    reached = {stop for stop, _, _ in expected}
    for line in wanted:
        stop = f"{party_of(line['topic'])}/{line['data']['stop_id']}"
        if (stop in reached) != line["expect"]["known"]:
            faults.append(f"{line['scenario']} {stop}: {'someone' if stop in reached else 'nobody'} concerned")
    parties = {party for _, party, _ in expected}
    return promise("stops", faults, stops=len(seen.stops), orders=len(seen.orders), parties=len(parties))


def orders_followed(seen: Picture, behaviours: Mapping[str, str]) -> Promise:
    """Who answers is done; who says it does not know someone it was told of, or stays silent, still owes and is named."""
    faults, reminded = [], 0
    for order in seen.orders.values():
        behaviour = behaviours.get(order.party, "prompt")
        answered, closed = bool(seen.answers.get(order.order)), order.order in seen.closed
        chased = seen.reminders.get(order.order, 0) > 0
        reminded += chased
        # Who was told "you may" is not believed when it says it does not know the person.
        believable = not _was_permitted(seen, order)
        as_it_should = {
            "unknown": answered and (believable or not closed),
            "silent": chased and not answered and not closed,
        }.get(behaviour, answered and closed)
        if not as_it_should:
            faults.append(
                f"{order.stop} → {order.party} ({behaviour}): answered {answered}, closed {closed}, reminded {chased}"
            )
    closed_count = sum(order in seen.closed for order in seen.orders)
    return promise("followed", faults, closed=closed_count, open=len(seen.orders) - closed_count, reminded=reminded)


def owed_is_named(seen: Picture, obligations: Sequence[Mapping[str, Any]]) -> Promise:
    """Every order still owed is an obligation with its owner, cause, due time and next attempt, and no other is (P7)."""
    named = {str(each["refs"].get("order")): each for each in obligations if each["kind"] == "order"}
    owed = set(seen.orders) - seen.closed
    faults = [f"nobody owes {order}" for order in sorted(owed - named.keys())]
    faults += [f"owed though closed: {order}" for order in sorted(named.keys() - owed)]
    faults += [
        f"{order}: no {part}"
        for order, each in sorted(named.items())
        for part in ("owner", "cause", "due_at", "next_at")
        if not each[part]
    ]
    return promise("named", faults, owed=len(owed))


def _was_permitted(seen: Picture, order: Order) -> bool:
    return any(
        party == order.party and record.endswith(f"/{order.consent}") and any(kind == "granted" for kind, _ in told)
        for (party, record, _, _), told in seen.permissions.items()
    )


@dataclass(slots=True)
class Follow:
    """How the orders of one party went. Milliseconds; `open`: orders without an answer that closes them."""

    orders: int = 0
    answered: int = 0
    open: int = 0
    reminders: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    told_ms: list[int] = field(default_factory=list)
    answered_ms: list[int] = field(default_factory=list)


def follow(seen: Picture) -> dict[str, Follow]:
    """By party: orders, answers, delays. The delay of an order runs from the stop's (or the consent's) arrival."""
    arrived = {f"{facts['source']}/{facts['stop_id']}": _millis(facts["received_at"]) for facts in seen.stops.values()}
    parties: dict[str, Follow] = {}
    for order in seen.orders.values():
        one = parties.setdefault(order.party, Follow())
        one.orders += 1
        one.reminders += seen.reminders.get(order.order, 0)
        one.open += order.order not in seen.closed
        if not _late_consent(seen, order, arrived[order.stop]):
            one.told_ms.append(order.at_ms - arrived[order.stop])
        answers = seen.answers.get(order.order, [])
        for status, _ in answers:
            one.answers[status] = one.answers.get(status, 0) + 1
        if answers:
            one.answered += 1
            one.answered_ms.append(answers[0][1] - order.at_ms)
    return parties


def _late_consent(seen: Picture, order: Order, stop_ms: int) -> bool:
    """Did the consent arrive after the stop? Then the order answers the consent, and says nothing of propagation."""
    facts = next((f for record, f in seen.verdicts.items() if record.endswith(order.consent)), None)
    return facts is not None and _millis(facts["received_at"]) > stop_ms


def _millis(instant: str) -> int:
    return to_millis(parse_instant(instant))
