"""Which files a record cites by their SHA-256, who owes them, and whether they are about one person. Pure.

A form, a notice, a contract are the same for everyone. What a consent has attached (a session's screenshot, a recording) is
about the person of that consent: it is kept under that record's key, and goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.topics import CONSENTS, REGISTRY

HASH = re.compile(r"[0-9a-f]{64}")
OPERATOR = "operator"
"""Who owes what no collector is known to use."""

_WORD_MOST = 200
_ATTACHMENTS_MOST = 64


@dataclass(frozen=True, slots=True)
class Citation:
    """A file named by an entry. `record` is set where the file is about the person of that one consent."""

    sha256: str
    owner: str
    what: str
    record: str | None = None

    @property
    def id(self) -> str:
        """Its name among what is owed."""
        return f"{self.sha256} {self.owner} {self.record or '-'}"


def citations_of(topic: str, facts: Mapping[str, Any]) -> tuple[Citation, ...]:
    """The files that an entry cites. Never raises on content: what has not the documented form cites nothing."""
    if topic == CONSENTS.name and facts.get("kind") == "consent.recorded":
        return tuple(_of_consent(facts))
    if topic == REGISTRY.name:
        return tuple(_of_registered(facts))
    return ()


def _of_consent(facts: Mapping[str, Any]) -> Iterator[Citation]:
    owner, record = _word(facts.get("collector")), _word(facts.get("record"))
    if owner is None or record is None:
        return
    for name, what in (("form", "page"), ("notice", "notice")):
        sha256 = _hash(facts.get(name), "sha256")
        if sha256:
            yield Citation(sha256, owner, what)
    attached = facts.get("attachments")
    for item in attached[:_ATTACHMENTS_MOST] if isinstance(attached, list) else ():
        sha256 = _hash(item, "sha256")
        if sha256:
            yield Citation(sha256, owner, _word(item.get("kind")) or "attachment", record)


def _of_registered(facts: Mapping[str, Any]) -> Iterator[Citation]:
    owner = _word(facts.get("collector")) or OPERATOR
    by_kind = {
        "form": (("html_sha256", "page"), ("screenshot_sha256", "screenshot")),
        "agreement": (("document_sha256", "contract"),),
        "notice": (("sha256", "notice"),),
    }
    kind = facts.get("kind")
    for name, what in by_kind.get(kind, ()) if isinstance(kind, str) else ():
        sha256 = _hash(facts, name)
        if sha256:
            yield Citation(sha256, owner, what)


def _hash(item: Any, name: str) -> str | None:
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) and HASH.fullmatch(value) else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _WORD_MOST else None
