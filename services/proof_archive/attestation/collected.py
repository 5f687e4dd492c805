"""The first half of an attestation: who, what the person saw, what the person did, and the list that names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.proof_archive.attestation.case import Case, Seen
from services.proof_archive.attestation.picture import Picture
from services.proof_archive.attestation.text import moment
from services.proof_archive.attestation.words import (
    ACTIONS,
    CHANNELS,
    CONFIRMED,
    DEFAULTS,
    FIELDS,
    MEDIA,
    PURPOSES,
    SCOPES,
    VALUES,
    word,
)

MOST_NAMED = 60
"""Companies of a list that a page names; the rest is counted, and stands in the bundle."""

Row = dict[str, Any]


def row(label: str, value: object, *, mono: bool = False) -> Row:
    """A line of two columns; `mono` for hashes and names of machines."""
    return {"k": label, "v": str(value), "mono": mono}


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


def seen_page(case: Case, picture: Picture | None, held: str | None) -> dict[str, Any]:
    """The page as the person saw it: form, notice, screenshot or who owes it."""
    facts = case.consent.raw
    form, notice = _object(facts.get("form")), _object(facts.get("notice"))
    registered = case.registered("form", form.get("id"), form.get("version"))
    rows = [row("Support", word(MEDIA, facts.get("medium"))), row("Formulaire", _version(form))]
    rows.append(row("Empreinte de la page déclarée (SHA-256)", form.get("sha256") or "—", mono=True))
    if registered is not None:
        rows += _archived(registered)
        rows.append(
            row("Empreinte de la page enregistrée (SHA-256)", registered.raw.get("html_sha256") or "—", mono=True)
        )
    else:
        rows.append(row("Enregistrement", "aucune version de ce formulaire n’est jointe à la preuve"))
    if facts.get("notice") is None:
        rows.append(row("Mention d’information", "le collecteur déclare qu’aucune n’a été donnée"))
    else:
        own = case.registered("notice", notice.get("id"), notice.get("version")) or case.registered("notice")
        rows.append(row("Mention d’information", _version(own.raw if own else notice)))
        rows.append(row("Empreinte de la mention (SHA-256)", notice.get("sha256") or (own.raw.get("sha256") if own else None) or "—", mono=True))  # fmt: skip
    return {"rows": rows, "picture": _picture(case, registered, picture, held)}


def act(case: Case) -> dict[str, Any]:
    """Which box, which action, in which state it was displayed."""
    facts = case.consent.raw
    action = _object(facts.get("action"))
    form = _object(facts.get("form"))
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
        for d in _objects(facts.get("decisions")) if _is_own(case, d.get("recipients"))
    ]  # fmt: skip
    return {"rows": rows, "choices": choices}


def named(case: Case) -> dict[str, Any] | None:
    """The list that was shown: its version, when it was archived, its hash, whom it names. None where there was none."""
    reference = _object(case.consent.raw.get("recipient_list"))
    if not reference:
        return None
    registered = case.registered("list", reference.get("id"), reference.get("version"))
    rows = [
        row("Liste", _version(reference)),
        row("Affichée le", f"{moment(reference.get('displayed_at'))}, déclaré par le collecteur" if reference.get("displayed_at") else "non dit"),
        row("Empreinte déclarée (SHA-256)", reference.get("sha256") or "—", mono=True),
    ]  # fmt: skip
    if registered is None:
        rows.append(row("Enregistrement", "aucune version de cette liste n’est jointe à la preuve"))
        return {"rows": rows, "named": [], "more": 0, "total": 0}
    rows += _archived(registered)
    rows.append(row("Empreinte enregistrée (SHA-256)", registered.raw.get("sha256") or "—", mono=True))
    entries = _objects(registered.raw.get("entries"))
    own = [entry for entry in entries if case.concerns(entry.get("party"))]
    companies = [
        [str(e.get("legal_name") or "—"), str(e.get("siren") or e.get("foreign_id") or "—"), str(e.get("party") or "—"),
         ", ".join(word(CHANNELS, c) for c in _list(e.get("channels"))), ", ".join(word(PURPOSES, p) for p in _list(e.get("purposes")))]
        for e in own[:MOST_NAMED]
    ]  # fmt: skip
    return {"rows": rows, "named": companies, "more": max(0, len(own) - MOST_NAMED), "total": len(entries)}


def _picture(case: Case, form: Seen | None, picture: Picture | None, held: str | None) -> dict[str, Any]:
    sha256 = screenshot_of(case)
    owner = case.company(case.consent.raw.get("collector"))
    if sha256 is None:
        note = f"Aucune capture de la page n’a été enregistrée avec ce formulaire : {owner} doit pouvoir la produire."
        return {"file": None, "note": note, "sha256": None}
    if picture is None:
        note = (
            held
            or f"Capture non déposée auprès de la plateforme : {owner} doit la produire. Elle se reconnaît à son empreinte."
        )
        return {"file": None, "note": note, "sha256": sha256}
    form_name = _version(form.raw) if form is not None else "formulaire"
    note = "Capture conservée par la plateforme ; son empreinte, vérifiée à l’octet près, est celle que le journal a archivée."
    return {
        "file": picture.name,
        "note": note,
        "sha256": sha256,
        "alt": f"Capture de la page montrée à la personne, {form_name}",
    }


def screenshot_of(case: Case) -> str | None:
    """The hash of the screenshot to show: of this consent, else of the registered form; one that is kept before one owed.

    What a consent has attached is not a prospecteur's to see: for it, only the form's counts.
    """
    facts = case.consent.raw
    form = _object(facts.get("form"))
    registered = case.registered("form", form.get("id"), form.get("version"))
    attached = [a.get("sha256") for a in _objects(facts.get("attachments")) if a.get("kind") == "screenshot"]
    named = [registered.raw.get("screenshot_sha256")] if registered else []
    found = [str(sha256) for sha256 in [*([] if case.party else attached), *named] if isinstance(sha256, str)]
    kept = [sha256 for sha256 in found if sha256 in case.request.evidence or sha256 in case.request.held]
    return next(iter(kept or found), None)


def _archived(seen: Seen) -> list[Row]:
    place = f"journal du registre, entrée n° {seen.read.index}, position {seen.read.offset}"
    return [row("Version archivée le", f"{moment(seen.read.at)} ({place})")]


def _version(value: Mapping[str, Any]) -> str:
    if not value.get("id"):
        return f"version {value['version']}" if value.get("version") is not None else "—"
    version = f", version {value['version']}" if value.get("version") is not None else ""
    return f"« {value['id']} »{version}"


def _box(boxes: Any, decision: Mapping[str, Any]) -> str:
    """The registered boxes that this decision's channel and purpose could be ticked by."""
    found = [
        str(box.get("id"))
        for box in _objects(boxes)
        if decision.get("channel") in _list(box.get("channels"))
        and decision.get("purpose") in _list(box.get("purposes"))
    ]
    return ", ".join(found) if found else "—"


def _is_own(case: Case, recipients: Any) -> bool:
    return recipients == "all_listed" or any(case.concerns(recipient) for recipient in _list(recipients))


def _recipients(case: Case, recipients: Any) -> str:
    if recipients == "all_listed":
        return "tous ceux de la liste"
    own = [recipient for recipient in _list(recipients) if case.concerns(recipient)]
    return ", ".join(own[:8]) + (f" et {len(own) - 8} autres" if len(own) > 8 else "")  # noqa: PLR2004 - one cell


def _field(pointer: str) -> str:
    parts = pointer.strip("/").split("/")
    if parts[0] == "contacts" and len(parts) > 1:
        return f"Coordonnée n° {int(parts[1]) + 1}" if parts[1].isdigit() else pointer
    return word(FIELDS, parts[-1])


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
