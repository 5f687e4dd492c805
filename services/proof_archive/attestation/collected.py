"""Who, what the person did, and the list that names the prospecteur. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.proof_archive.attestation.case import Case
from services.proof_archive.attestation.text import moment
from services.proof_archive.attestation.values import Row, archived, object_, objects, row, strings, version_of
from services.proof_archive.attestation.words import (
    ACTIONS,
    CHANNELS,
    CONFIRMED,
    DEFAULTS,
    FIELDS,
    PURPOSES,
    SCOPES,
    VALUES,
    word,
)

MOST_NAMED = 60
"""Companies of a list that a page names; the rest is counted, and stands in the bundle."""


def who(case: Case) -> list[Row]:
    """Deployment, collector, requester."""
    audience, facts = case.request.requested_for, case.consent.raw
    asked = word(SCOPES, audience.scope)
    if audience.party:
        asked = f"{asked} : {case.company(audience.party)}"
    return [
        row("Plateforme", case.request.deployment),
        row("Collecteur", case.company(facts.get("collector"))),
        row("Établie pour", asked),
        row("Établie le", moment(case.at)),
        row("Consentement n°", case.request.record, mono=True),
    ]


def person(case: Case) -> list[Row]:
    """What this audience may read of the person; empty once erased, or where it is entitled to nothing."""
    if case.erasure is not None:
        return []
    consent = case.consent.read
    found = [d for d in case.request.disclosures if (d.origin, d.index) == (consent.origin, consent.index)]
    return [row(_field(d.pointer), d.value) for d in found]


def act(case: Case) -> dict[str, Any]:
    """Which box, which action, in which state it was displayed."""
    facts = case.consent.raw
    action = object_(facts.get("action"))
    form = object_(facts.get("form"))
    registered = case.registered("form", form.get("id"), form.get("version"))
    boxes = registered.raw.get("boxes") if registered else None
    rows = [
        row("Recueilli le", f"{moment(facts.get('collected_at'))}, déclaré par le collecteur"),
        row("Reçu le", f"{moment(facts.get('received_at'))}, horloge de la plateforme"),
        row("Acte", word(ACTIONS, action.get("type"))),
        row("État à l’affichage", word(DEFAULTS, action.get("default_state"))),
        row("Confirmation", word(CONFIRMED, action.get("confirmed_by")) if action.get("confirmed_by") else "aucune"),
    ]
    choices = [
        [
            word(CHANNELS, d.get("channel")), word(PURPOSES, d.get("purpose")), word(VALUES, d.get("value")),
            _box(boxes, d), str(d.get("object") or "—"), _recipients(case, d.get("recipients")),
        ]
        for d in objects(facts.get("decisions")) if _is_own(case, d.get("recipients"))
    ]  # fmt: skip
    return {"rows": rows, "choices": choices}


def named(case: Case) -> dict[str, Any] | None:
    """The list that was shown: its version, when it was archived, its hash, whom it names. None where there was none."""
    reference = object_(case.consent.raw.get("recipient_list"))
    if not reference:
        return None
    registered = case.registered("list", reference.get("id"), reference.get("version"))
    rows = [
        row("Liste", version_of(reference)),
        row("Affichée le", f"{moment(reference.get('displayed_at'))}, déclaré par le collecteur" if reference.get("displayed_at") else "non dit"),
        row("Empreinte déclarée (SHA-256)", reference.get("sha256") or "—", mono=True),
    ]  # fmt: skip
    if registered is None:
        rows.append(row("Enregistrement", "aucune version de cette liste n’est jointe à la preuve"))
        return {"rows": rows, "named": [], "more": 0, "total": 0}
    rows += archived(registered)
    rows.append(row("Empreinte enregistrée (SHA-256)", registered.raw.get("sha256") or "—", mono=True))
    entries = objects(registered.raw.get("entries"))
    own = [entry for entry in entries if case.concerns(entry.get("party"))]
    companies = [
        [str(e.get("legal_name") or "—"), str(e.get("siren") or e.get("foreign_id") or "—"), str(e.get("party") or "—"),
         ", ".join(word(CHANNELS, c) for c in strings(e.get("channels"))), ", ".join(word(PURPOSES, p) for p in strings(e.get("purposes")))]
        for e in own[:MOST_NAMED]
    ]  # fmt: skip
    return {"rows": rows, "named": companies, "more": max(0, len(own) - MOST_NAMED), "total": len(entries)}


def _box(boxes: Any, decision: Mapping[str, Any]) -> str:
    """The registered boxes that this decision's channel and purpose could be ticked by."""
    found = [
        str(box.get("id"))
        for box in objects(boxes)
        if decision.get("channel") in strings(box.get("channels"))
        and decision.get("purpose") in strings(box.get("purposes"))
    ]
    return ", ".join(found) if found else "—"


def _is_own(case: Case, recipients: Any) -> bool:
    return recipients == "all_listed" or any(case.concerns(recipient) for recipient in strings(recipients))


def _recipients(case: Case, recipients: Any) -> str:
    if recipients == "all_listed":
        return "tous ceux de la liste"
    own = [recipient for recipient in strings(recipients) if case.concerns(recipient)]
    return ", ".join(own[:8]) + (f" et {len(own) - 8} autres" if len(own) > 8 else "")  # noqa: PLR2004 - one cell


def _field(pointer: str) -> str:
    parts = pointer.strip("/").split("/")
    if parts[0] == "contacts" and len(parts) > 1:
        return f"Coordonnée n° {int(parts[1]) + 1}" if parts[1].isdigit() else pointer
    return word(FIELDS, parts[-1])
