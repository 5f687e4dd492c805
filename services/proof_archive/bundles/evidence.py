"""The evidence that the entries hash: page copies, screenshots, notices, contracts, and who owes those not joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.facts import Consent, Hashed, Registered


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that an entry names by its SHA-256. `owed_by`: the party that must be able to show it."""

    sha256: str
    what: str
    owed_by: str


def member_name(sha256: str) -> str:
    """Where the bundle keeps a file."""
    return f"evidence/{sha256}.bin"


def evidence_of(entries: Sequence[ReadEntry]) -> list[Evidence]:
    """Every file that the entries name, once, sorted by hash."""
    collector = next((e.facts.collector for e in entries if isinstance(e.facts, Consent)), "")
    found: dict[str, Evidence] = {}
    for entry in entries:
        facts = entry.facts
        if isinstance(facts, Consent):
            named = _of_consent(facts)
        elif isinstance(facts, Registered):
            named = _of_registered(facts)
        else:
            continue
        for sha256, what in named:
            found.setdefault(sha256, Evidence(sha256, what, collector))
    return [found[sha256] for sha256 in sorted(found)]


def _of_consent(facts: Consent) -> Iterator[tuple[str, str]]:
    objects: list[tuple[str, Hashed | None]] = [("page", facts.form), ("notice", facts.notice)]
    objects += [(item.kind or "attachment", item) for item in facts.attachments]
    yield from ((item.sha256, what) for what, item in objects if item is not None and item.sha256)


def _of_registered(facts: Registered) -> Iterator[tuple[str, str]]:
    hashes = [("page", facts.html_sha256), ("screenshot", facts.screenshot_sha256), ("contract", facts.document_sha256)]
    if facts.kind == "notice":  # a list's sha256 is that of its entry in the log: nothing more to show
        hashes.append(("notice", facts.sha256))
    yield from ((sha256, what) for what, sha256 in hashes if sha256)
