"""Accepts `opposable.consent.collected.v1`: checks, normalises, and splits facts from what is personal (contracts.md).

A broken event is refused; a weak one is not: whether the evidence holds is the validator's to say.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from shared.contracts.envelope import Envelope
from shared.contracts.partner import ConsentCollected, Decision, PostInformation
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.accepted import (
    Accepted,
    contacts_of,
    content_of,
    instant_text,
    pointers_of,
    read,
    types_of,
)
from shared.intake.contacts import is_generic
from shared.registry.view import RegistryView

KIND = "consent.recorded"
MAX_LINES = 2000
"""Verdict lines one event may give: its verdict must fit one Kafka record of 1 MiB."""

_ADAPTER = TypeAdapter(ConsentCollected)


def accept_consent(
    envelope: Envelope, data: bytes, received_at: datetime, registry: RegistryView, *, guarded: bool = True
) -> Accepted:
    """The accepted consent. `guarded`: whether its content is wanted. Raises InputError with every problem found."""
    model = read(_ADAPTER, data)
    warnings: list[Problem] = []
    contacts = contacts_of(model.contacts, model.country, warnings)
    problems = _problems(model, registry)
    if problems:
        raise InputError(problems)
    sealed: dict[str, Any] = {"contacts": contacts}
    if model.subject_ref is not None:
        sealed["subject_ref"] = model.subject_ref
    if model.context is not None:
        context = {k: v for k, v in model.context.__dict__.items() if v is not None}
        if context:
            sealed["context"] = context
    record = f"{envelope.source}/{model.consent_id}"
    facts = _facts(model, record, envelope, received_at, contacts)
    return Accepted(
        KIND,
        record,
        facts,
        sealed,
        pointers_of(sealed),
        content_of(data) if guarded else b"",
        consent_id=model.consent_id,
        warnings=warnings,
    )


def _problems(model: ConsentCollected, registry: RegistryView) -> list[Problem]:
    problems = []
    if model.zone is not None and not _is_zone(model.zone):
        problems.append(Problem("ZONE-UNKNOWN", "/zone", "not an IANA time zone; null where it is unknown"))
    reference = model.recipient_list
    published = registry.list_(reference.id, reference.version) if reference is not None else None
    listed = max(1, len(published.entries)) if published is not None else 1
    lines = sum(listed if d.recipients == "all_listed" else len(d.recipients) for d in model.decisions)
    if lines > MAX_LINES:
        problems.append(Problem("TOO-MANY-LINES", "/decisions", f"more than {MAX_LINES} lines: send several events"))
    return problems


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _facts(
    model: ConsentCollected, record: str, envelope: Envelope, received_at: datetime, contacts: list[dict[str, str]]
) -> dict[str, Any]:
    emails = [c["value"] for c in contacts if c["type"] == "email"]
    told = [c.post_information for c in model.contacts if c.post_information is not None]
    return {
        "kind": KIND,
        "v": 1,
        "record": record,
        "collector": envelope.source,
        "consent_id": model.consent_id,
        "event_id": envelope.id,
        "collected_at": format_instant(model.collected_at),
        "received_at": format_instant(received_at),
        "zone": model.zone,
        "country": model.country,
        "audience": model.audience,
        "age_band": model.age_band,
        "parental_consent": model.parental_consent,
        "form": {**model.form.__dict__},
        "notice": _notice(model),
        "recipient_list": _list(model),
        "action": {**model.action.__dict__},
        "decisions": [_decision(decision, told) for decision in model.decisions],
        "relationship": _relationship(model),
        "medium": model.medium,
        "via": list(model.via),
        "contact_types": types_of(contacts),
        "generic_mailbox": bool(emails) and all(is_generic(address) for address in emails),
        "attachments": [{"kind": a.kind, "sha256": a.sha256, "bytes": a.bytes} for a in model.attachments],
    }


def _notice(model: ConsentCollected) -> dict[str, Any] | None:
    """None = the event says that no notice was given. Left out of the event: all fields null = the form's own notice."""
    notice = model.notice
    if notice is not None:
        return {**notice.__dict__}
    if "notice" in model.model_fields_set:
        return None
    return {"id": None, "version": None, "sha256": None, "language": None}


def _list(model: ConsentCollected) -> dict[str, Any] | None:
    reference = model.recipient_list
    if reference is None:
        return None
    return {**reference.__dict__, "displayed_at": instant_text(reference.displayed_at)}


def _decision(decision: Decision, told: list[PostInformation]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        **decision.__dict__,  # every field of a decision is a fact
        "recipients": decision.recipients if decision.recipients == "all_listed" else list(decision.recipients),
        "valid_until": None if decision.valid_until is None else decision.valid_until.isoformat(),
        "post_information": None,
    }
    if decision.channel == "post":
        said = told if decision.post_information is None else [*told, decision.post_information]
        if said:  # of several statements the strictest counts
            facts["post_information"] = {
                "transfer_told": all(s.transfer_told for s in said),
                "objection_offered": all(s.objection_offered for s in said),
            }
    return facts


def _relationship(model: ConsentCollected) -> dict[str, Any] | None:
    relation = model.relationship
    if relation is None:
        return None
    return {
        "with": relation.with_,
        "kind": relation.kind,
        "since": instant_text(relation.since),
        "until": instant_text(relation.until),
        "details_from_person": relation.details_from_person,
        "collected_during": relation.collected_during,
        "analogous": relation.analogous,
        "opt_out_offered": relation.opt_out_offered,
    }
