"""From internal events (`{"facts", "sealed"}`) to domain values. Anything unreadable raises InputError: it goes to `dead`.

Kinds read: `consent.assessed`, `stop.recorded`, `order.acknowledged`, `data.transferred`, `notice.given`, `contact.attempted`,
and requests, which are only kept. Refused conflicts (`….conflict`) are the archive's alone.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.rights_handler.deliveries import Answer
from services.rights_handler.domain import Grant, Instant, Line, Stop, Transfer, verdict_id
from services.rights_handler.persons import Person, Persons
from services.rights_handler.reported import Attempt, Disclosure, Notice
from services.rights_handler.rows import scope_of
from shared import canonical
from shared.errors import InputError, IntegrityError, Problem
from shared.instants import format_instant, parse_instant
from shared.verdicts import said

CONFLICT = ".conflict"
CANONICAL_LENGTH = len("2026-09-14T08:31:07.120Z")


@dataclass(frozen=True, slots=True)
class Internal:
    """An internal event: its facts, and its sealed part where it has one."""

    facts: Mapping[str, Any]
    sealed: bytes | None

    @property
    def kind(self) -> str:
        """What happened."""
        return str(self.facts["kind"])


def read(value: bytes | None) -> Internal:
    """The event of a Kafka value."""
    try:
        body = canonical.loads(value or b"")
        facts, sealed = said(body), body.get("sealed")
        str(facts["kind"])
        return Internal(facts, None if sealed is None else base64.b64decode(sealed, validate=True))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, IntegrityError):
        raise InputError([Problem("FACTS", "", "no internal event: facts with a kind are missing")]) from None


def instant(text: str) -> str:
    """The comparable form of an instant (it is so already, where our own services wrote it)."""
    if len(text) == CANONICAL_LENGTH and text.endswith("Z"):
        return text
    return format_instant(parse_instant(text))


def grant(event: Internal, person: Person, persons: Persons) -> Grant:
    """The index row of a verdict."""
    facts = event.facts
    with _named("consent.assessed"):
        lines = tuple(_line(line) for line in facts["lines"])
        granted = sorted({line.recipient for line in lines if line.verdict == "valid" and line.recipient is not None})
        contact_keys, aliases = persons.index_keys(person, granted)
        return Grant(
            record=facts["record"],
            vid=verdict_id(facts["ruleset_seq"], facts["registry_offset"], instant(facts["evaluated_at"])),
            collector=facts["collector"],
            consent_id=facts["consent_id"],
            collected_at=instant(facts["collected_at"]),
            received_at=instant(facts["received_at"]),
            confirmed=facts["confirmed"] is True,
            via=tuple(facts["via"]),
            contact_keys=frozenset(contact_keys),
            subject_key=persons.subject_key(facts["collector"], person.subject_ref),
            ruleset=facts["ruleset"],
            lines=lines,
            sealed=event.sealed,
            aliases=aliases,
            near_keys=persons.near_keys(person),
            form=next((r["key"] for r in facts.get("references", ()) if r["key"].startswith("form:")), None),
        )


def _line(line: Mapping[str, Any]) -> Line:
    return Line(
        line["recipient"], line["channel"], line["purpose"], line["sector"], line["object"], line["value"], line["verdict"],
        line["basis"], line["valid_from"], line["valid_until"], tuple(line["reasons"]),
    )  # fmt: skip


def stop(event: Internal, person: Person, persons: Persons) -> Stop:
    """The index row of a stop. `subject_ref` is the reference of one collector: the one named, else the sender."""
    facts = event.facts
    with _named("stop.recorded"):
        return Stop(
            id=facts["stop"],
            source=facts["source"],
            kind=facts["stop_kind"],
            at=instant(facts["at"]),
            contact_keys=persons.contact_keys(person),
            subject_key=persons.subject_key(person.collector_ref or facts["source"], person.subject_ref),
            record=facts.get("record"),
            recipients=scope_of(facts["recipients"]),
            channels=scope_of(facts["channels"]),
            purposes=scope_of(facts["purposes"]),
            near_keys=persons.near_keys(person),
        )


def transfer(event: Internal) -> Transfer:
    """A reported transfer."""
    with _named("data.transferred"):
        return Transfer(event.facts["record"], event.facts["to"], instant(event.facts["at"]))


def notice(event: Internal) -> Notice:
    """The report that the information of RGPD 14 was given."""
    with _named("notice.given"):
        return Notice(event.facts["record"], event.facts["source"], _reported_at(event))


def disclosure(event: Internal) -> Disclosure:
    """A reported transfer, with who reported it."""
    with _named("data.transferred"):
        return Disclosure(event.facts["record"], event.facts["source"], event.facts["to"], _reported_at(event))


def attempt(event: Internal, person: Person, persons: Persons) -> Attempt:
    """A reported call or message."""
    facts = event.facts
    with _named("contact.attempted"):
        return Attempt(
            facts["source"], facts["channel"], _reported_at(event), facts.get("record"), persons.contact_keys(person),
            facts["outcome"],
        )  # fmt: skip


def _reported_at(event: Internal) -> Instant:
    """When it happened, never after its receipt: no clock that runs ahead hides what was done."""
    return min(instant(event.facts["at"]), instant(event.facts["received_at"]))


def answer(event: Internal, identity: str) -> Answer:
    """An acknowledgement. `identity`: where the report stands, so that it counts once."""
    facts = event.facts
    with _named("order.acknowledged"):
        return Answer(
            order=facts["order"],
            source=facts["source"],
            status=facts["status"],
            event=str(facts.get("event_id") or identity),
            at=instant(facts["received_at"]),
            applied_at=facts.get("applied_at"),
            last_send_at=facts.get("last_send_at"),
            signed_by=facts.get("signed_by"),
        )


class _named:  # noqa: N801 - reads as a phrase: with _named(kind)
    """Turns a missing or ill-typed fact into an InputError that names the kind, not the value."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError):
            raise InputError([Problem("FACTS", "", f"a fact of {self._kind} is missing or has another form")]) from None
