"""Examines registry documents as a whole: what a schema cannot see (contracts.md, rules.md). Pure.

Errors: a SIREN that is none, a reference to nothing, a hash or signature that does not hold, a version written twice.
Warnings: an agreement that says nothing of its clauses, lacks one, or ends soon; a form whose refusal is less visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.errors import Problem
from shared.registry.balance import REVIEW_FROM
from shared.registry.clauses import BALANCING, MEANING, WARNED_BEFORE, days_left, missing_clauses
from shared.registry.hashing import list_hash, signature_state
from shared.registry.load import Document, view_of
from shared.registry.models import Agreement, Party, parse
from shared.registry.shown import Form, Notice, RecipientList
from shared.registry.view import RegistryView
from shared.topics import PLATFORM_PARTY, SERVICES

POST = "post"
RESERVED = frozenset({PLATFORM_PARTY, "operator", *SERVICES})
"""Ids that no party may have."""
PHONE_CHANNELS = frozenset({"call", "automated_call", "sms"})
SEEN: Mapping[str, str] = {"web": "screenshot", "app": "screenshot", "paper": "scan"}
"""What shows a form of each medium; a call script (oral) and a screen of ours (crm) are their own text."""


DEVELOPMENT = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
"""Endpoints of parties that are tried out on this machine."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `pointer` of the problem = `file#number/field`."""

    severity: Literal["error", "warning"]
    key: str
    problem: Problem


def luhn(siren: str) -> bool:
    """Whether nine digits are a SIREN (Luhn's key)."""
    total = 0
    for position, digit in enumerate(reversed(siren)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digits of a number up to 18 added
    return total % 10 == 0


def check(documents: Sequence[Document], today: date | None = None) -> list[Finding]:
    """Every finding, in the order of the documents. The documents must be readable (`load.read_dir`)."""
    view = view_of(documents)
    findings: list[Finding] = []
    seen: dict[str, Document] = {}
    for document in documents:
        first = seen.setdefault(document.key, document)
        if first is not document:
            message = f"already written in {first.place}: a version is written once"
            findings.append(_finding("error", document, "", "REGISTRY-TWICE", message))
        findings += _examine(document, view, today)
    return findings


def examine(document: Document, view: RegistryView, today: date | None = None) -> list[Finding]:
    """What is found of one document among those of a view. `today`: the day on which agreements are looked at."""
    return list(_examine(document, view, today))


def _examine(document: Document, view: RegistryView, today: date | None) -> Iterable[Finding]:
    match parse(document.body):
        case Party() as party:
            return _party(document, party)
        case Form() as form:
            return _form(document, form, view)
        case RecipientList() as published:
            return _list(document, published, view)
        case Agreement() as agreement:
            return _agreement(document, agreement, view, today)
        case Notice():
            return ()
        case _:
            return ()


def _party(document: Document, party: Party) -> Iterator[Finding]:
    if party.siren is not None and not luhn(party.siren):
        yield _finding("error", document, "/siren", "REGISTRY-SIREN", "not a SIREN: its key (Luhn) is wrong")
    if party.id in RESERVED:
        message = "this id names the platform's own edges, or a service: topics or consumer groups would be mixed"
        yield _finding("error", document, "/id", "REGISTRY-RESERVED", message)
    if party.delivery.mode == "webhook" and party.delivery.url is None:
        yield _finding("error", document, "/delivery/url", "REGISTRY-REFERENCE", "a webhook needs its address")
    if party.delivery.url is not None and not party.delivery.url.startswith(("https://", *DEVELOPMENT)):
        message = "a webhook is https://; the relay refuses anything else (plain http: to 127.0.0.1, in development)"
        yield _finding("error", document, "/delivery/url", "REGISTRY-WEBHOOK", message)


def _form(document: Document, form: Form, view: RegistryView) -> Iterator[Finding]:
    yield from _owner(document, form.collector, view)
    if form.notice is not None and view.notice(form.notice.id, form.notice.version) is None:
        yield _finding("error", document, "/notice", "REGISTRY-REFERENCE", "no such notice version is registered")
    if form.screenshot_sha256 is None and form.medium in SEEN:
        message = f"no {SEEN[form.medium]} is registered: what the person saw cannot be shown"
        yield _finding("warning", document, "/screenshot_sha256", "FORM-EVIDENCE", message)
    asks_number = any(PHONE_CHANNELS.intersection(box.channels) for box in form.boxes)
    if asks_number and form.phone_objection_told is False:
        message = "asks for a telephone number without saying that one may object to calls (C. conso. L.223-2)"
        yield _finding("warning", document, "/phone_objection_told", "FORM-PHONE-MENTION", message)
    if form.medium == "oral" and form.boxes and not form.phone_statements and asks_number:
        message = "a call script that states none of the five things a consent to calls needs (C. conso. R.223-1)"
        yield _finding("warning", document, "/phone_statements", "FORM-SCRIPT", message)
    if form.refusal.present and form.unbalance >= REVIEW_FROM:
        message = f"the refusal is less visible than the acceptance: {form.unbalance} of 100"
        yield _finding("warning", document, "/refusal", "FORM-UNBALANCED", message)


def _list(document: Document, published: RecipientList, view: RegistryView) -> Iterator[Finding]:
    yield from _owner(document, published.collector, view)
    if list_hash(document.body) != published.sha256:
        yield _finding("error", document, "/sha256", "LIST-HASH", "not the hash of this body")
    owner = view.party(published.collector)
    if signature_state(published, owner.public_keys if owner is not None else ()) == "wrong":
        message = "no good signature by a registered key of the collector over this id, version and hash"
        yield _finding("error", document, "/signature", "LIST-SIGNATURE", message)
    if (published.nature == "named") != bool(published.entries):
        message = "a list of names has entries; a list of categories names nobody and has none"
        yield _finding("warning", document, "/entries", "LIST-CATEGORIES", message)
    for index, entry in enumerate(published.entries):
        pointer = f"/entries/{index}"
        if entry.siren is not None and not luhn(entry.siren):
            message = "not a SIREN: its key (Luhn) is wrong"
            yield _finding("error", document, f"{pointer}/siren", "REGISTRY-SIREN", message)
        party = view.party(entry.party)
        if party is None:
            yield _finding("error", document, f"{pointer}/party", "REGISTRY-REFERENCE", "no such party is registered")
        elif party.registration != entry.registration:
            message = "not the registration of this party: the list names another legal person"
            yield _finding("error", document, f"{pointer}/siren", "REGISTRY-REFERENCE", message)
        if party is not None and plain_name(entry.legal_name) != plain_name(party.legal_name):
            brand = plain_name(entry.legal_name) in {plain_name(name) for name in party.brands}
            message = (
                "a brand, not the company: persons must be shown who it is" if brand else "not this party's legal name"
            )
            yield _finding("warning", document, f"{pointer}/legal_name", "REGISTRY-NAME", message)


def plain_name(name: str) -> str:
    """A company's name as compared: case and white space do not tell companies apart."""
    return " ".join(name.casefold().split())


def _agreement(document: Document, agreement: Agreement, view: RegistryView, today: date | None) -> Iterator[Finding]:
    yield from _owner(document, agreement.collector, view)
    yield from _role(document, "/prospector", agreement.prospector, "prospector", view)
    if agreement.valid_until is not None and agreement.valid_until < agreement.valid_from:
        yield _finding("error", document, "/valid_until", "REGISTRY-DATES", "ends before it begins")
    if agreement.clauses is None:
        message = "declares no clauses: whether RGPD 26 or 28(3) is satisfied cannot be seen"
        yield _finding("warning", document, "/clauses", "AGREEMENT-INCOMPLETE", message)
    for clause in sorted(missing_clauses(agreement)):
        message = f"lacks the clause {clause} ({MEANING[clause]})"
        yield _finding("warning", document, "/clauses", "AGREEMENT-INCOMPLETE", message)
    if POST in agreement.channels and BALANCING in missing_clauses(agreement, balancing=True):
        message = f"covers post, which rests on legitimate interest, and lacks the clause {BALANCING}"
        yield _finding("warning", document, "/clauses", "AGREEMENT-INCOMPLETE", message)
    if today is not None:
        yield from _expiry(document, agreement, view, today)


def _expiry(document: Document, agreement: Agreement, view: RegistryView, today: date) -> Iterator[Finding]:
    """Said 60, 30 and 7 days before the end, and after it, unless a later version takes over."""
    days = days_left(agreement, view.agreements(agreement.collector, agreement.prospector), today)
    if days is None or days > WARNED_BEFORE[0]:
        return
    if days < 0:
        message = f"ended on {agreement.valid_until}: no consent given since then reaches this prospecteur"
        yield _finding("warning", document, "/valid_until", "AGREEMENT-ENDED", message)
        return
    step = min(step for step in WARNED_BEFORE if days <= step)
    message = (
        f"ends in {days} days, on {agreement.valid_until} (less than {step} days): renew it, or stop collecting for it"
    )
    yield _finding("warning", document, "/valid_until", "AGREEMENT-EXPIRES", message)


def _owner(document: Document, party_id: str, view: RegistryView) -> Iterator[Finding]:
    return _role(document, "/collector", party_id, "collector", view)


def _role(document: Document, pointer: str, party_id: str, role: str, view: RegistryView) -> Iterator[Finding]:
    party = view.party(party_id)
    if party is None:
        yield _finding("error", document, pointer, "REGISTRY-REFERENCE", "no such party is registered")
    elif role not in party.roles:
        yield _finding("error", document, pointer, "REGISTRY-ROLE", f"this party has not the role {role}")


def _finding(
    severity: Literal["error", "warning"], document: Document, pointer: str, code: str, message: str
) -> Finding:
    return Finding(severity, document.key, Problem(code, document.place + pointer, message))
