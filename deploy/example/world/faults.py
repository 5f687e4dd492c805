"""Inputs that no reader can accept: broken bytes, wrong headers, wrong schema, a stolen identity; and repeats of good ones."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable
from typing import Any

from world.events import Author, Line, decide
from world.people import Person
from world.sound import GAME, LIST


def _base(author: Author, person: Person, name: str, code: str) -> Line:
    line = author.consent(person, GAME, LIST, [decide("email")], scenario=f"malformed_{name}")
    return {**line, "expect": {"status": "rejected", "code": code}}


def _headers(line: Line) -> list[list[str | None]]:
    """Binary-mode headers of a line, each value in base64, so that a fault can put anything there."""
    ce = line["ce"]
    pairs = [("ce_specversion", "1.0"), ("ce_id", ce["id"]), ("ce_source", ce["source"]), ("ce_type", ce["type"])]
    return [[name, _b64(value.encode())] for name, value in (*pairs, ("content-type", "application/json"))]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _raw(line: Line, data: bytes) -> None:
    line["raw_b64"] = _b64(data)
    del line["data"], line["after_s"]


def broken_json(line: Line, _rng: random.Random) -> None:
    """Cut in the middle."""
    _raw(line, json.dumps(line["data"]).encode()[:180])


def not_utf8(line: Line, _rng: random.Random) -> None:
    """Bytes of another encoding."""
    _raw(line, json.dumps({"subject_ref": "é"}, ensure_ascii=False).encode("latin-1"))


def empty(line: Line, _rng: random.Random) -> None:
    """No byte at all."""
    _raw(line, b"")


def unknown_field(line: Line, _rng: random.Random) -> None:
    """A field that the contract does not have."""
    line["data"]["horoscope"] = "balance"


def no_consent_id(line: Line, _rng: random.Random) -> None:
    """Nothing to name the consent by."""
    del line["data"]["consent_id"]


def naive_instant(line: Line, _rng: random.Random) -> None:
    """A date without a zone."""
    del line["after_s"]["/collected_at"]
    line["data"]["collected_at"] = "2026-09-14 08:31"


def unknown_channel(line: Line, _rng: random.Random) -> None:
    """A channel that is not in the list."""
    line["data"]["decisions"][0]["channel"] = "carrier_pigeon"


def no_contact(line: Line, _rng: random.Random) -> None:
    """A consent of nobody."""
    line["data"]["contacts"] = []


def impossible_phone(line: Line, _rng: random.Random) -> None:
    """Too short for any numbering plan."""
    line["data"]["contacts"] = [{"type": "phone", "value": "01 99 00"}]


def two_at_signs(line: Line, _rng: random.Random) -> None:
    """Not a mailbox."""
    line["data"]["contacts"] = [{"type": "email", "value": "prenom@nom@courriel.example"}]


def borrowed_identity(line: Line, rng: random.Random) -> None:
    """A source that is not the topic's party."""
    line["ce"]["source"] = rng.choice(["ruisseau-devis", "carte-coing"])


def unknown_type(line: Line, _rng: random.Random) -> None:
    """An event type that nobody publishes."""
    line["ce"]["type"] = "opposable.consent.dreamt.v1"


def no_event_id(line: Line, _rng: random.Random) -> None:
    """No `ce_id` header."""
    line["raw_headers"] = [pair for pair in _headers(line) if pair[0] != "ce_id"]


def null_header(line: Line, _rng: random.Random) -> None:
    """A header without a value."""
    line["raw_headers"] = [["ce_type", None] if pair[0] == "ce_type" else pair for pair in _headers(line)]


def foreign_header(line: Line, _rng: random.Random) -> None:
    """A header that is not UTF-8."""
    line["raw_headers"] = [["ce_source", _b64(b"\xff\xfe")] if p[0] == "ce_source" else p for p in _headers(line)]


FAULTS: tuple[tuple[Callable[[Line, random.Random], None], str], ...] = (
    (broken_json, "JSON"),
    (not_utf8, "JSON"),
    (empty, "EMPTY"),
    (unknown_field, "FIELD-UNKNOWN"),
    (no_consent_id, "FIELD-MISSING"),
    (naive_instant, "FIELD-FORMAT"),
    (unknown_channel, "VALUE-UNKNOWN"),
    (no_contact, "FIELD-FORMAT"),
    (impossible_phone, "CONTACT-PHONE"),
    (two_at_signs, "CONTACT-EMAIL"),
    (borrowed_identity, "IDENTITY"),
    (unknown_type, "TYPE-UNKNOWN"),
    (no_event_id, "ENVELOPE-MISSING"),
    (null_header, "HEADER-NULL"),
    (foreign_header, "HEADER-ENCODING"),
)
"""Each fault with the code that its receipt must carry."""

EACH = 4
"""How many of each fault: 60 lines."""


def malformed(author: Author, people: list[Person]) -> list[Line]:
    """Every fault, `EACH` times."""
    lines = []
    for fault, code in FAULTS:
        for _ in range(EACH):
            line = _base(author, author.rng.choice(people), fault.__name__, code)
            fault(line, author.rng)
            lines.append(line)
    return lines


def repeat(line: Line) -> Line:
    """The same event again, as a producer does that did not see the acknowledgement."""
    return {**copy.deepcopy(line), "scenario": "duplicate", "expect": {"status": "duplicate"}}


def contradict(line: Line, number: int) -> Line:
    """The same consent id with other content (even `number`), or the same event id for another consent (odd)."""
    other: dict[str, Any] = copy.deepcopy(line)
    if number % 2:
        other["data"]["consent_id"] = other["data"]["consent_id"][:-4] + "ffff"
    else:
        other["ce"]["id"] += "-bis"
        other["data"]["decisions"] = [decide("email", "granted", "tisane")]
        other["after_s"] = {k: v for k, v in other["after_s"].items() if not k.startswith("/decisions")}
    return {**other, "scenario": "conflict", "expect": {"status": "conflict"}}
