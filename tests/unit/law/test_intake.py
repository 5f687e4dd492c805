"""Accepting events: identity, strictness, the split in facts and sealed, problems that tell and never repeat."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from law_world import Json, case, decision, event, registry, taken

from shared import canonical
from shared.contracts.envelope import Envelope
from shared.contracts.types import instant
from shared.errors import InputError
from shared.intake import accept as accept_module
from shared.intake.accept import accept
from shared.intake.problems import CODES

T = "2026-10-01T10:00:00.000Z"
CONSENT = "opposable.consent.collected.v1"
RECORD = "ludibrume/019eca8d-c830-7dee-ae3e-c67dc8033b33"


def door(data: Any, kind: str = CONSENT, *, source: str = "ludibrume", party: str | None = None) -> Any:
    raw = data if isinstance(data, bytes) else orjson.dumps(data)
    return accept(
        Envelope("e-1", source, kind), raw, party=party or source, received_at=instant(T), registry=registry()
    )  # fmt: skip


def problems(data: Any, kind: str = CONSENT, **how: Any) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        door(data, kind, **how)
    for problem in caught.value.problems:
        assert problem.code in CODES
    return [(problem.code, problem.pointer) for problem in caught.value.problems]


def test_identity() -> None:
    assert problems(event(), party="comparlune") == [("IDENTITY", "/source")]
    assert problems(event(), source="inconnu") == [("IDENTITY-UNREGISTERED", "/source")]
    assert problems(event(), source="platform") == [("IDENTITY-UNREGISTERED", "/source")]  # no consent from our edges
    assert problems(event(), "opposable.consent.collected.v2") == [("TYPE-UNKNOWN", "/type")]
    stop = door(
        {"contacts": [{"type": "email", "value": "a@b.example"}]}, "opposable.stop.requested.v1", source="platform"
    )
    assert stop.record_id == "stop/platform/e-1"


def test_a_registered_company_without_the_role_is_heard() -> None:
    assert taken(event(), source="televerveine").record_id.startswith("televerveine/")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consent_id": "pas-un-uuid"}, ("FIELD-FORMAT", "/consent_id")),
        ({"collected_at": 1781514750}, ("FIELD-TYPE", "/collected_at")),
        ({"collected_at": "2026-13-01T00:00:00Z"}, ("FIELD-FORMAT", "/collected_at")),
        ({"collected_at": "0001-01-01T00:00:00+14:00"}, ("FIELD-FORMAT", "/collected_at")),
        ({"zone": "Mars/Olympus"}, ("ZONE-UNKNOWN", "/zone")),
        ({"zone": "../../etc/passwd"}, ("ZONE-UNKNOWN", "/zone")),
        ({"country": "fr"}, ("FIELD-FORMAT", "/country")),
        ({"audience": ["consumer"]}, ("VALUE-UNKNOWN", "/audience")),
        ({"audience": "robot"}, ("VALUE-UNKNOWN", "/audience")),
        ({"decisions": []}, ("FIELD-FORMAT", "/decisions")),
        ({"decisions": [decision(recipients=[])]}, ("FIELD-FORMAT", "/decisions/0/recipients")),
        ({"decisions": [decision(recipients="tous")]}, ("VALUE-UNKNOWN", "/decisions/0/recipients")),
        ({"decisions": [decision(valid_until="2026-02-30")]}, ("FIELD-FORMAT", "/decisions/0/valid_until")),
        ({"decisions": [decision(price=1.5)]}, ("FIELD-UNKNOWN", "/decisions/0/price")),
        ({"parental_consent": "yes"}, ("FIELD-TYPE", "/parental_consent")),
        ({"form": {"id": "f", "version": "1", "sha256": "0" * 64}}, ("FIELD-TYPE", "/form/version")),
        ({"form": {"id": "f", "version": 1, "sha256": "0" * 63}}, ("FIELD-FORMAT", "/form/sha256")),
        ({"form": None}, ("FIELD-TYPE", "/form")),
        ({"contacts": [{"type": "email", "value": "a@@b"}]}, ("CONTACT-EMAIL", "/contacts/0/value")),
        ({"contacts": [{"type": "post", "value": "  \n"}]}, ("CONTACT-EMPTY", "/contacts/0/value")),
        ({"contacts": [{"type": "fax", "value": "1"}]}, ("VALUE-UNKNOWN", "/contacts/0/type")),
    ],
)
def test_refusals_name_the_field(changes: Json, expected: tuple[str, str]) -> None:
    assert expected in problems(event(**changes))


def test_broken_json_and_unspeakable_fields() -> None:
    assert problems(b"{") == [("JSON", "")]
    assert problems(b'{"a":"\xff"}') == [("JSON", "")]
    assert problems(b"[" * 100_000) == [("JSON", "")]
    secret = "jeanne@courriel.example"
    with pytest.raises(InputError) as caught:
        door(event(**{secret: secret, "audience": secret, "subject_ref": 7}))
    told = str([problem.as_dict() for problem in caught.value.problems]) + str(caught.value)
    assert secret not in told  # neither a value nor a name that the sender made up
    assert "/subject_ref" in told


def test_too_many_lines() -> None:
    many = [
        decision(c, recipients=[f"p{n:03d}" for n in range(500)]) for c in ("email", "sms", "push", "social", "call")
    ]
    assert problems(event(decisions=many)) == [("TOO-MANY-LINES", "/decisions")]


def test_facts_hold_nothing_personal_and_sealed_holds_the_rest() -> None:
    data = {**case("four-channels-each-granted")["data"], "via": ["comparlune"]}
    data["consent_id"] = data["consent_id"].upper()
    accepted = taken(data)
    text = json.dumps(accepted.facts)
    for personal in ("jeanne", "199001234", "lead-p0002", "203.0.113", "Mozilla", 'jeu-tilleuls"/', "s-p0002"):
        assert personal not in text
    assert accepted.facts["contact_types"] == ["email", "phone"]
    assert accepted.record_id == f"ludibrume/{data['consent_id'].lower()}" == accepted.facts["record"]
    assert accepted.sealed["contacts"][1] == {"type": "phone", "value": "+33199001234"}
    assert accepted.pointers == [
        "/contacts/0/value", "/contacts/1/value", "/subject_ref", "/context/source_url", "/context/ip",
        "/context/user_agent", "/context/session",
    ]  # fmt: skip
    canonical.check(accepted.facts)
    canonical.check(accepted.sealed)
    assert accepted.warnings == []


def test_content_is_the_data_as_sent_however_written() -> None:
    data = event()
    spaced = json.dumps(dict(reversed(data.items())), indent=3).encode()
    assert door(spaced).content == door(data).content
    assert door(event(subject_ref="autre")).content != door(data).content


def test_instants_become_utc_milliseconds() -> None:
    accepted = taken(event(collected_at="2026-06-15T11:12:30.000999+02:00"))
    assert accepted.facts["collected_at"] == "2026-06-15T09:12:30.000Z"


def test_unassigned_number_is_a_warning() -> None:
    accepted = taken(
        event(contacts=[{"type": "phone", "value": "+33 2 06 12 34 56"}, {"type": "phone", "value": "+1 555 010 0000"}])
    )
    assert {w.code for w in accepted.warnings} == {"PHONE-UNASSIGNED"}
    assert all(w.pointer.startswith("/contacts/") for w in accepted.warnings)


def test_other_kinds() -> None:
    request = door(
        {"request_id": "r1", "right": "access", "received_at": "2026-09-30T10:00:00Z", "identity": {"verified": True},
         "contacts": [{"type": "phone", "value": "01 99 00 12 34"}], "details": "tout, s'il vous plaît"},
        "opposable.right.requested.v1",
    )  # fmt: skip
    assert (request.kind, request.record_id) == ("request.received", "request/ludibrume/r1")
    assert request.facts["request"] == "ludibrume/r1"
    assert request.facts["asked_at"] == "2026-09-30T10:00:00.000Z"
    assert request.sealed["contacts"] == [{"type": "phone", "value": "+33199001234"}]
    assert request.pointers == ["/contacts/0/value", "/details"]
    ack = door(
        {"order_id": "o/1:2", "status": "refused", "reason": "Jeanne a rappelé"}, "opposable.order.acknowledged.v1"
    )
    assert (ack.kind, ack.facts["order"], ack.facts["status"]) == ("order.acknowledged", "o/1:2", "refused")
    assert "Jeanne" not in json.dumps(ack.facts)
    assert ack.sealed == {"reason": "Jeanne a rappelé"}
    notice = door({"record": RECORD, "at": T, "channel": "email"}, "opposable.notice.given.v1")
    assert (notice.kind, notice.facts["record"], notice.sealed) == ("notice.given", RECORD, {})
    transfer = door(
        {"record": RECORD, "to": "televerveine", "at": T, "fields": ["email"]}, "opposable.data.transferred.v1"
    )
    assert (transfer.facts["to"], transfer.record_id) == ("televerveine", "report/ludibrume/e-1")
    attempt = door(
        {"contacts": [{"type": "phone", "value": "0199001234"}], "channel": "call", "at": T, "outcome": "no_answer",
         "campaign": "Rentrée de Jeanne"},
        "opposable.contact.attempted.v1",
    )  # fmt: skip
    assert attempt.facts["contact_types"] == ["phone"]
    assert "Jeanne" not in json.dumps(attempt.facts)
    for accepted in (request, ack, notice, transfer, attempt):
        assert accepted.facts["source"] == "ludibrume"
        assert accepted.facts["received_at"] == T
        canonical.check(accepted.facts)


@pytest.mark.parametrize("kind", ["opposable.right.requested.v1", "opposable.contact.attempted.v1"])
def test_about_nobody(kind: str) -> None:
    data = {
        "opposable.right.requested.v1": {
            "request_id": "r",
            "right": "access",
            "received_at": T,
            "identity": {"verified": False},
        },
        "opposable.contact.attempted.v1": {"channel": "call", "at": T, "outcome": "answered"},
    }[kind]
    assert problems(data, kind) == [("REQUEST-NOBODY", "/contacts")]


def test_every_code_used_is_in_the_table_and_no_other() -> None:
    folder = Path(accept_module.__file__).parents[1]
    files = [*(folder / "intake").glob("*.py"), folder / "contracts/envelope.py", folder / "registry/load.py"]
    used = set()
    for file in files:
        if file.name != "problems.py":
            used |= set(re.findall(r'"([A-Z]+(?:-[A-Z]+)+|JSON|EMPTY|IDENTITY)"', file.read_text("utf-8")))
    assert used == set(CODES)
