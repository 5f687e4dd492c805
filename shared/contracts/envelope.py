"""CloudEvents 1.0 on Kafka: binary mode (attributes in `ce_*` headers) and structured mode (one JSON body).

Nothing here looks into the data. Specification: CloudEvents 1.0.2 §3.1, Kafka protocol binding §3.2 and §3.3.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from shared.contracts.partner_rights import STOP_REQUESTED
from shared.contracts.types import EVENT_ID_PATTERN, lenient_instant
from shared.errors import InputError, Problem

SPEC_VERSION = "1.0"
STRUCTURED = "application/cloudevents"
JSON = b"application/json"
MAX_ATTRIBUTE = 256
"""Longest source, type or time in characters."""

_EVENT_ID = re.compile(EVENT_ID_PATTERN)

_NAMES = frozenset({
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_dataschema", "content-type", "traceparent",
})  # fmt: skip

Headers = Sequence[tuple[str, bytes | None]]


class Envelope(NamedTuple):
    """The attributes we use. Identity of an event = (`source`, `id`); `time` is as written, or None."""

    id: str
    source: str
    type: str
    time: str | None = None


def from_headers(headers: Headers, value: bytes | None) -> tuple[Envelope, bytes]:
    """The envelope and the data's bytes of a Kafka record. Raises InputError with every fault of the envelope."""
    texts = _texts(headers)
    if not value:
        raise InputError([Problem("EMPTY", "", "the record has no value: send the event as JSON")])
    if texts.get("content-type", "").startswith(STRUCTURED):
        return from_structured(value)
    attributes = {name[3:]: text for name, text in texts.items() if name.startswith("ce_")}
    if not attributes:  # a producer that cannot set headers sends the whole event as its value
        return from_structured(value)
    return envelope_of(attributes, "/headers/ce_"), value


def from_structured(value: bytes) -> tuple[Envelope, bytes]:
    """The same of an event in structured mode. The data's bytes are those of its JSON written anew."""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        raise InputError([Problem("JSON", "", "neither ce_ headers nor a JSON event: see the partner guide")]) from None
    if not isinstance(event, dict) or "specversion" not in event:
        message = "ce_ headers are missing, and the value is no CloudEvent in structured mode"
        raise InputError([Problem("ENVELOPE-MISSING", "", message)])
    envelope = envelope_of(event, "/")
    if "data_base64" in event:
        try:
            return envelope, base64.b64decode(event["data_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise InputError([Problem("ENVELOPE-DATA", "/data_base64", "not base64")]) from None
    if "data" not in event:
        raise InputError([Problem("ENVELOPE-DATA", "/data", "the event has no data")])
    try:
        return envelope, orjson.dumps(event["data"])
    except orjson.JSONEncodeError:  # nested deeper than can be written
        raise InputError([Problem("ENVELOPE-DATA", "/data", "the data is nested beyond reason")]) from None


def to_headers(envelope: Envelope) -> list[tuple[str, bytes | None]]:
    """Headers of the same event in binary mode."""
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("content-type", JSON),
    ]
    if envelope.time is not None:
        headers.append(("ce_time", envelope.time.encode()))
    return headers


def _texts(headers: Headers) -> dict[str, str]:
    """Headers by lower-case name. Every header must be readable: one that is not may hide what the sender meant."""
    plain = dict(headers)
    if len(plain) == len(headers) and plain.keys() <= _NAMES:  # nearly always: known names, each once
        try:
            return {name: raw.decode("utf-8") for name, raw in plain.items()}  # type: ignore[union-attr]
        except (AttributeError, UnicodeDecodeError):
            pass  # a null or unreadable header: told below, one by one
    texts: dict[str, str] = {}
    problems = []
    for name, raw in headers:
        key = name.lower()
        pointer = f"/headers/{key}" if key.startswith("ce_") or key == "content-type" else "/headers"
        if raw is None:
            problems.append(Problem("HEADER-NULL", pointer, "a header has no value: leave it out or give it one"))
        elif key in texts and key.startswith("ce_"):
            problems.append(Problem("HEADER-TWICE", pointer, "the header stands twice: send it once"))
        else:
            try:
                texts[key] = raw.decode("utf-8")
            except UnicodeDecodeError:
                problems.append(Problem("HEADER-ENCODING", pointer, "the header is not UTF-8 text"))
    if problems:
        raise InputError(problems)
    return texts


def envelope_of(attributes: Mapping[str, Any], prefix: str) -> Envelope:
    """The envelope of attributes by name. Raises InputError; `prefix` starts the pointers."""
    plain = _plain(attributes)
    if plain is not None:
        return plain
    problems = []
    texts: dict[str, str] = {}
    for name in ("specversion", "id", "source", "type"):
        value = attributes.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_ATTRIBUTE:
            problems.append(Problem("ENVELOPE-MISSING", prefix + name, f"the attribute {name} is missing or empty"))
        else:
            texts[name] = value
    if texts.get("specversion", SPEC_VERSION) != SPEC_VERSION:
        problems.append(Problem("ENVELOPE-VERSION", prefix + "specversion", "only CloudEvents 1.0 is read"))
    if "id" in texts and not _EVENT_ID.fullmatch(texts["id"]):
        message = "an event id is 1 to 64 characters of A-Z a-z 0-9 . _ : -"
        problems.append(Problem("ENVELOPE-ID", prefix + "id", message))
    time = attributes.get("time")
    if time is not None and lenient_instant(time) is None:
        if texts.get("type") == STOP_REQUESTED:
            time = None  # a stop is never refused for a date; its receipt dates it
        else:
            message = "an instant needs a date, a time and a zone"
            problems.append(Problem("ENVELOPE-TIME", prefix + "time", message))
    if problems:
        raise InputError(problems)
    return Envelope(texts["id"], texts["source"], texts["type"], time)


def _plain(attributes: Mapping[str, Any]) -> Envelope | None:
    """The envelope where nothing at all is wrong with it; None = look closer."""
    identity, source, kind, time = (attributes.get(name) for name in ("id", "source", "type", "time"))
    if attributes.get("specversion") != SPEC_VERSION or type(identity) is not str or not _EVENT_ID.fullmatch(identity):
        return None
    if type(source) is not str or type(kind) is not str:
        return None
    if not (0 < len(source) <= MAX_ATTRIBUTE and 0 < len(kind) <= MAX_ATTRIBUTE):
        return None
    if time is not None and lenient_instant(time) is None:
        return None
    return Envelope(identity, source, kind, time)
