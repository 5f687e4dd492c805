"""The whole inspection of one page: read, understand, score, judge, write. `inspect` is all that callers need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.form_inspector.address import Address
from services.form_inspector.answers import fill
from services.form_inspector.document import Identity, write
from services.form_inspector.evidence import Evidence, list_of, understand
from services.form_inspector.fiche import compose, draw
from services.form_inspector.finding import Finding
from services.form_inspector.findings import judge
from services.form_inspector.marks import marks
from services.form_inspector.questions import Question
from services.form_inspector.reading import Read, read
from shared.registry.balance import CONTRAST, POSITION, SIZE, WORDING, Parts, parts
from shared.registry.shown import RecipientList

if TYPE_CHECKING:
    from playwright.async_api import Browser


@dataclass(frozen=True, slots=True)
class Inspection:
    """`balance` None: there is nothing to compare. `complete`: every part of the score was measured."""

    read: Read
    evidence: Evidence
    document: dict[str, Any]
    questions: list[Question]
    findings: list[Finding]
    balance: Parts | None
    complete: bool
    compared_with: str | None

    @property
    def title(self) -> str:
        """`<id>, version <n>`."""
        return f"{self.document['id']}, version {self.document['version']}"

    @property
    def faulty(self) -> bool:
        """Whether consents that rely on this page would be invalid."""
        return any(finding.severity == "error" for finding in self.findings)


async def inspect(
    browser: Browser, address: Address, identity: Identity, lists: Sequence[RecipientList] = (), answers: Mapping[str, str] | None = None
) -> Inspection:  # fmt: skip
    """Inspect one page. Raises InputError when it does not load, or an answer contradicts what was measured."""
    found = await read(browser, address)
    registered = list_of(found.page, lists)
    evidence = understand(found.page, registered)
    balance, complete = _score(evidence)
    document, questions = write(evidence, identity)
    questions = fill(document, questions, answers or {})
    compared = f"{registered.id}:{registered.version}" if registered else None
    return Inspection(found, evidence, document, questions, judge(evidence, balance), balance, complete, compared)


async def picture(browser: Browser, inspection: Inspection) -> bytes:
    """The annotated picture, as PNG."""
    page = inspection.read.page
    source = f"{page.source} · {page.browser} · page {page.html_sha256[:16]}…"
    refusal = inspection.evidence.choices.refusal
    html = compose(
        title=inspection.title,
        source=source,
        balance=inspection.balance,
        complete=inspection.complete,
        clicks=refusal.depth if refusal else None,
        pictures=inspection.read.pictures,
        marks=marks(inspection.evidence),
        findings=inspection.findings,
        questions=inspection.questions,
    )
    return await draw(browser, html)


def _score(evidence: Evidence) -> tuple[Parts | None, bool]:
    refusal, acceptance = evidence.choices.refusal, evidence.choices.acceptance
    if refusal is None and evidence.choices.unclear is None and not evidence.unread:
        return Parts(SIZE, CONTRAST, POSITION, WORDING), True
    if refusal is None or acceptance is None or evidence.restyled:
        return None, False
    return parts(refusal, acceptance), refusal.contrast is not None and acceptance.contrast is not None
