"""The page as the person saw it: form, notice, the screenshot itself or who owes it. Pure."""

from __future__ import annotations

from typing import Any

from services.proof_archive.attestation.case import Case, Seen
from services.proof_archive.attestation.picture import Picture
from services.proof_archive.attestation.values import archived, object_, objects, row, version_of
from services.proof_archive.attestation.words import MEDIA, word


def seen_page(case: Case, picture: Picture | None, held: str | None) -> dict[str, Any]:
    """The page as the person saw it: form, notice, screenshot or who owes it."""
    facts = case.consent.raw
    form, notice = object_(facts.get("form")), object_(facts.get("notice"))
    registered = case.registered("form", form.get("id"), form.get("version"))
    rows = [row("Support", word(MEDIA, facts.get("medium"))), row("Formulaire", version_of(form))]
    rows.append(row("Empreinte de la page déclarée (SHA-256)", form.get("sha256") or "—", mono=True))
    if registered is not None:
        rows += archived(registered)
        rows.append(
            row("Empreinte de la page enregistrée (SHA-256)", registered.raw.get("html_sha256") or "—", mono=True)
        )
    else:
        rows.append(row("Enregistrement", "aucune version de ce formulaire n’est jointe à la preuve"))
    if facts.get("notice") is None:
        rows.append(row("Mention d’information", "le collecteur déclare qu’aucune n’a été donnée"))
    else:
        own = case.registered("notice", notice.get("id"), notice.get("version")) or case.registered("notice")
        rows.append(row("Mention d’information", version_of(own.raw if own else notice)))
        rows.append(row("Empreinte de la mention (SHA-256)", notice.get("sha256") or (own.raw.get("sha256") if own else None) or "—", mono=True))  # fmt: skip
    return {"rows": rows, "picture": _picture(case, registered, picture, held)}


def screenshot_of(case: Case) -> str | None:
    """The hash of the screenshot to show: of this consent, else of the registered form; one that is kept before one owed.

    What a consent has attached is not a prospecteur's to see: for it, only the form's counts.
    """
    facts = case.consent.raw
    form = object_(facts.get("form"))
    registered = case.registered("form", form.get("id"), form.get("version"))
    attached = [a.get("sha256") for a in objects(facts.get("attachments")) if a.get("kind") == "screenshot"]
    named = [registered.raw.get("screenshot_sha256")] if registered else []
    found = [str(sha256) for sha256 in [*([] if case.party else attached), *named] if isinstance(sha256, str)]
    kept = [sha256 for sha256 in found if sha256 in case.request.evidence or sha256 in case.request.held]
    return next(iter(kept or found), None)


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
    form_name = version_of(form.raw) if form is not None else "formulaire"
    note = "Capture conservée par la plateforme ; son empreinte, vérifiée à l’octet près, est celle que le journal a archivée."
    return {
        "file": picture.name,
        "note": note,
        "sha256": sha256,
        "alt": f"Capture de la page montrée à la personne, {form_name}",
    }
