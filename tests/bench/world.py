"""A registry made for load: three collectors, fifty prospecteurs, a list of three and a list of fifty for each collector."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from shared.instants import format_instant
from shared.registry.hashing import list_hash

COLLECTORS = ("bench-a", "bench-b", "bench-c")
PROSPECTORS = tuple(f"p{i:02d}" for i in range(50))
SHA = "ab" * 32
ITEMS = ["controller", "dpo", "purposes", "basis", "recipients", "retention", "rights", "withdrawal", "complaint",
         "mandatory_fields"]  # fmt: skip
CONTROL = {"present": True, "label": "Valider", "width_px": 230, "height_px": 44, "font_px": 16, "contrast": "8.7"}


def now() -> str:
    """This instant."""
    return format_instant(datetime.now(UTC))


def siren(number: int) -> str:
    """A nine-digit number that passes Luhn's check."""
    body = f"999{number:05d}"
    total = sum(d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(int(c) for c in body))
    return body + str(-total % 10)


def _party(name: str, number: int, role: str) -> dict[str, Any]:
    return {
        "kind": "party", "id": name, "legal_name": f"{name.upper()} SAS", "siren": siren(number), "country": "FR",
        "roles": [role], "contact_dpo": f"dpo@{name}.example", "privacy_url": f"https://{name}.example/vie-privee",
        "brands": [], "status": "active", "public_keys": [], "delivery": {"mode": "kafka"}, "api_keys": [],
    }  # fmt: skip


def _list(collector: str, name: str, members: tuple[str, ...]) -> dict[str, Any]:
    entries = [
        {"party": p, "legal_name": f"{p.upper()} SAS", "siren": siren(100 + PROSPECTORS.index(p)),
         "privacy_url": f"https://{p}.example/vie-privee", "purposes": ["prospecting"], "channels": ["email", "sms"]}
        for p in members
    ]  # fmt: skip
    body = {"kind": "list", "id": f"{collector}-{name}", "version": 1, "collector": collector,
            "published_at": "2026-01-02T00:00:00Z", "nature": "named", "entries": entries, "categories": []}  # fmt: skip
    return {**body, "sha256": list_hash(body), "signature": None}


def documents() -> list[dict[str, Any]]:
    """The registry."""
    parties = [_party(c, i + 1, "collector") for i, c in enumerate(COLLECTORS)]
    parties += [_party(p, 100 + i, "prospector") for i, p in enumerate(PROSPECTORS)]
    rest: list[dict[str, Any]] = [
        {"kind": "notice", "id": "mentions", "version": "2026", "sha256": SHA, "languages": ["fr"], "items": ITEMS}
    ]
    for collector in COLLECTORS:
        rest.append({
            "kind": "form", "id": f"{collector}-form", "version": 1, "collector": collector,
            "published_at": "2026-01-02T00:00:00Z", "html_sha256": SHA, "screenshot_sha256": SHA, "medium": "web",
            "notice": {"id": "mentions", "version": "2026"}, "list_shown": "on_form", "withdrawal_told": True,
            "steps": {"grant": 1, "withdraw": 1}, "service_conditional": False, "incentive": None,
            "targets_minors": False, "refusal": {**CONTROL, "position": "beside"}, "acceptance": CONTROL,
            "boxes": [{"id": f"b-{c}", "channels": [c], "purposes": ["prospecting"], "default": "off",
                       "with_terms": False} for c in ("email", "sms")],
            "phone_statements": [], "post_information": None, "tracker": None,
        })  # fmt: skip
        rest += [
            _list(collector, "three", PROSPECTORS[:3]),
            _list(collector, "ten", PROSPECTORS[:10]),
            _list(collector, "fifty", PROSPECTORS),
        ]
        rest += [
            {"kind": "agreement", "id": f"{collector}-{p}", "version": 1, "collector": collector, "prospector": p,
             "qualification": "independent", "valid_from": "2026-01-01", "valid_until": "2035-12-31",
             "channels": ["email", "sms"], "purposes": ["prospecting"], "sectors": ["general"],
             "list_signature_required": False, "proof_sla": "PT24H", "stop_sla": "PT24H", "onward_transfer": False,
             "audit": {"sample_rate": "0.01", "correction": "P14D"}, "document_sha256": SHA, "signed_at": None,
             "clauses": None, "self_service": False}
            for p in PROSPECTORS
        ]  # fmt: skip
    return parties + rest


def write(directory: Path) -> Path:
    """The registry as one YAML file in a directory, as `opposable up --registry` takes it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "bench.yaml").write_text(yaml.safe_dump_all(documents(), sort_keys=False, allow_unicode=True))
    return directory


HASHES = {d["id"]: d["sha256"] for d in documents() if d["kind"] == "list"}


def consent(collector: str, number: int, which: str, email: str | None = None) -> tuple[str, bytes]:
    """(consent id, JSON) of one consent: one e-mail decision for all listed, valid for every one of them."""
    now = datetime.now(UTC)  # not before: evidence older than the archived form it names goes to review
    consent_id = str(uuid.UUID(int=(int(now.timestamp() * 1000) << 80) | (0x7 << 76) | (0x8 << 60) | number))
    name = f"{collector}-{which}"
    return consent_id, orjson.dumps({
        "consent_id": consent_id, "collected_at": format_instant(now), "zone": "Europe/Paris", "country": "FR",
        "subject_ref": f"lead-{number}", "audience": "consumer", "age_band": "adult",
        "contacts": [{"type": "email", "value": email or f"personne.{number}@{collector}.example"},
                     {"type": "phone", "value": f"01 99 00 {number // 100 % 100:02d} {number % 100:02d}"}],
        "form": {"id": f"{collector}-form", "version": 1, "sha256": SHA},
        "notice": {"version": "2026", "sha256": SHA, "language": "fr"},
        "recipient_list": {"id": name, "version": 1, "sha256": HASHES[name], "displayed_at": format_instant(now)},
        "action": {"type": "checkbox", "default_state": "off", "confirmed_by": "double_opt_in"},
        "decisions": [{"channel": "email", "purpose": "prospecting", "value": "granted", "recipients": "all_listed"}],
        "relationship": None, "medium": "web",
        "context": {"source_url": "https://bench.example/jeu", "ip": "203.0.113.9", "user_agent": "bench"},
    })  # fmt: skip


def stop(number: int, email: str) -> bytes:
    """A withdrawal of everything by e-mail address."""
    return orjson.dumps({
        "stop_id": f"s{number}", "at": format_instant(datetime.now(UTC)),
        "contacts": [{"type": "email", "value": email}], "kind": "withdrawal", "via": "api",
        "recipients": "all", "channels": "all", "purposes": "all",
    })  # fmt: skip


def headers(source: str, event_id: str, kind: str) -> list[tuple[str, bytes]]:
    """CloudEvents headers in binary mode."""
    return [("ce_specversion", b"1.0"), ("ce_id", event_id.encode()), ("ce_source", source.encode()),
            ("ce_type", kind.encode()), ("content-type", b"application/json")]  # fmt: skip


def consents(count: int, which: str = "three") -> Iterator[tuple[str, list[tuple[str, bytes]], bytes]]:
    """(collector, headers, value) of many consents, shared by the collectors in turn."""
    for number in range(count):
        collector = COLLECTORS[number % len(COLLECTORS)]
        _, value = consent(collector, number, which)
        yield collector, headers(collector, f"e{number}", "opposable.consent.collected.v1"), value
