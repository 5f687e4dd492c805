"""Accepts `opposable.stop.requested.v1`, leniently: nobody is to be missed for a clumsy message (contracts.md).

Unknown fields are ignored; a missing or unknown scope is the widest; the date is capped at receipt; a contact that cannot
be normalised is counted and kept sealed, so that it opens an obligation. Only a stop that names nobody is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, get_args

import orjson

from shared.contracts.envelope import Envelope
from shared.contracts.types import (
    CHANNELS,
    CONTACT_TYPES,
    EVENT_ID_PATTERN,
    PARTY_PATTERN,
    PURPOSES,
    RECORD_PATTERN,
    UUID_PATTERN,
    StopKind,
    StopVia,
    lenient_instant,
)
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.accepted import Accepted, content_of, pointers_of, types_of
from shared.intake.contacts import ContactFault, normalise
from shared.registry.view import RegistryView
from shared.topics import PLATFORM_PARTY

KIND = "stop.recorded"
ALIASES: Mapping[str, str] = {
    "mms": "sms",
    "whatsapp": "sms",
    "messenger": "sms",
    "rcs": "sms",
    "fax": "automated_call",
}
"""Channels that count as another (contracts.md): messaging apps and MMS as SMS, fax as automated calls."""
KINDS = frozenset(get_args(StopKind))
VIAS = frozenset(get_args(StopVia))
MAX_WORDS = 100
MAX_TEXT = 512

_STOP_ID, _UUID, _RECORD = re.compile(EVENT_ID_PATTERN), re.compile(UUID_PATTERN), re.compile(RECORD_PATTERN)
_PARTY = re.compile(PARTY_PATTERN)
_COUNTRY = re.compile(r"[A-Z]{2}")


def accept_stop(envelope: Envelope, data: bytes, received_at: datetime, registry: RegistryView) -> Accepted:
    """The accepted stop. Raises InputError only where the data is no JSON object or names nobody."""
    content = content_of(data)
    body = orjson.loads(content)
    if not isinstance(body, dict):
        raise InputError([Problem("FIELD-TYPE", "", "an object is expected here")])
    source = envelope.source
    contacts, unusable = _contacts(body, _region(body, source, registry))
    subject_ref = _text(body.get("subject_ref")) or _text(body.get("source_ref"))
    owner = _matching(_PARTY, body.get("collector")) or source
    record = _record(body.get("record") or body.get("consent_id"), source, registry)
    if not (contacts or unusable or subject_ref or record):
        message = "the stop names nobody: give a contact, a subject_ref or a record"
        raise InputError([Problem("STOP-NOBODY", "/contacts", message)])
    stop_id = _matching(_STOP_ID, body.get("stop_id")) or envelope.id
    sealed: dict[str, Any] = {}
    if contacts:
        sealed["contacts"] = contacts
    if subject_ref:
        sealed["subject_ref"] = subject_ref
        sealed["collector_ref"] = owner
    if unusable:
        sealed["unusable"] = unusable
    reference = _text(body.get("operator_reference"))
    if reference:
        sealed["operator_reference"] = reference
    received_by = _matching(_PARTY, body.get("received_by"))
    facts = {
        "kind": KIND,
        "v": 1,
        "stop": f"{source}/{stop_id}",
        "stop_id": stop_id,
        "source": source,
        "event_id": envelope.id,
        "at": format_instant(min(lenient_instant(body.get("at")) or received_at, received_at)),
        "received_at": format_instant(received_at),
        **_scope(body, source, registry),
        "record": record,
        "contact_types": types_of(contacts),
        "unusable_contacts": len(unusable),
        "lost_reference": bool(subject_ref) and not (contacts or record or _collects(owner, registry)),
        "received_by": received_by if received_by and registry.party(received_by) is not None else None,
    }
    return Accepted(KIND, f"stop/{source}/{stop_id}", facts, sealed, pointers_of(sealed), content)


def _scope(body: Mapping[str, Any], source: str, registry: RegistryView) -> dict[str, Any]:
    kind = _known(body.get("kind"), KINDS) or "objection"
    via = _known(body.get("via"), VIAS) or "api"
    # A STOP reply or a one-click link speaks to the sender addressed; written to us it names its recipients, or means all.
    to_sender = (kind == "stop_reply" or via == "one_click") and source != PLATFORM_PARTY
    recipients: list[str] | str = _words(
        body.get("recipients"), lambda word: word if registry.party(word) is not None else None
    )
    if to_sender and body.get("recipients") in (None, [], ""):
        recipients = [source]
    return {
        "stop_kind": kind,
        "via": via,
        "recipients": recipients,
        "channels": _words(
            body.get("channels"), lambda word: _known(ALIASES.get(word.lower(), word.lower()), CHANNELS)
        ),
        "purposes": _words(body.get("purposes"), lambda word: _known(word.lower(), PURPOSES)),
    }


def _words(value: Any, read: Callable[[str], str | None]) -> list[str] | str:
    """The known words of a scope, in order, once each; "all" when it is missing, empty, or holds anything unknown."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not 0 < len(items) <= MAX_WORDS:
        return "all"
    words: dict[str, None] = {}  # a set that keeps the order
    for item in items:
        word = read(item.strip()) if isinstance(item, str) else None
        if word is None:
            return "all"
        words[word] = None
    return list(words)


def _known(word: Any, words: Collection[str]) -> str | None:
    return word if isinstance(word, str) and word in words else None


def _contacts(body: Mapping[str, Any], region: str | None) -> tuple[list[dict[str, str]], list[str]]:
    given = body.get("contacts", body.get("contact"))
    items = given if isinstance(given, list) else [] if given is None else [given]
    contacts: list[dict[str, str]] = []
    unusable: list[str] = []
    for item in items:
        value = item.get("value") if isinstance(item, dict) else item
        text = str(value)[:MAX_TEXT] if isinstance(value, str | int) else ""
        contact = _contact(item.get("type") if isinstance(item, dict) else None, text, region)
        if contact is None:
            unusable.append(text)
        elif contact not in contacts:
            contacts.append(contact)
    return contacts, unusable


def _contact(kind: Any, value: str, region: str | None) -> dict[str, str] | None:
    """The normalised contact, by its type or, where that is missing or unknown, by what it looks like."""
    if kind not in CONTACT_TYPES:
        kind = "email" if "@" in value else "phone"
    try:
        return {"type": kind, "value": normalise(kind, value, region).value}
    except ContactFault:
        return None


def _region(body: Mapping[str, Any], source: str, registry: RegistryView) -> str | None:
    country = _matching(_COUNTRY, body.get("country"))
    if country is None:
        party = registry.party(source)
        country = party.country if party is not None else None
    return country


def _record(value: Any, source: str, registry: RegistryView) -> str | None:
    """`<collector>/<consent_id>`. A bare id of a collector is its own; of anyone else it stays bare, to be resolved."""
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    if _UUID.fullmatch(text):
        return f"{source}/{text}" if _collects(source, registry) else text
    return _matching(_RECORD, text)


def _collects(party: str, registry: RegistryView) -> bool:
    """Whether a reference can be this party's: only collectors give them. Of anyone else it finds nobody."""
    known = registry.party(party)
    return known is not None and "collector" in known.roles


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT else None
