"""Who will receive the data, as the page tells it: named on the form, behind a link, by category, or not at all.

CANAL+ SAN-2023-015 (categories are no names), HUBSIDE SAN-2024-004 (a buyer who is not on the list), consid. 42.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.form_inspector import companies
from services.form_inspector.companies import Company
from services.form_inspector.facts import Page
from services.form_inspector.texts import Line
from services.form_inspector.words import speaks_of_calls
from shared.forms.wording import normal
from shared.registry.shown import ListEntry, RecipientList

Shown = Literal["on_form", "link", "absent"]
_WHO = re.compile(
    r"\bdestinataires?\b|\bpartenaires?\b|\bsocietes\b|\bsponsors?\b|\bannonceurs?\b|\btiers\b|\benseignes?\b|\bentreprises?\b"
)
_LIST_LINK = re.compile(
    r"\b(?:liste|voir|consult\w+|decouvr\w+|nos|les|ces|des)\b.*\b(?:partenaires?|destinataires?|societes|sponsors?|annonceurs?)\b|"
    r"^(?:partenaires?|destinataires?)\b"
)
_CATEGORIES = re.compile(
    r"\b(?:secteurs?|categories?|domaines?|types?) (?:suivants?|d[e']|d'activite|:)|\b(?:des|du|aux) secteurs?\b|\bsecteurs? (?:de|d')\w+"
)
_POSTAL = re.compile(r"\b(?:adresse postale|courriers?)\b")
_THIRD = re.compile(
    r"\bpartenaires?\b|\bsocietes (?:listees|tierces|partenaires)|\btiers\b|\bsponsors?\b|\bannonceurs?\b|\bdestinataires\b"
)

_THEIR_PARTNERS = r"(?i:partenaires?(?: \w+)? (?:de |du |d['’])(?:la soci[ée]t[ée] )?)"
"""`les partenaires de Lune SA` names Lune SA, not its partners."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """`link`: where the list stands. `linked`: companies named there, when it could be read.

    `third_parties`: the page speaks of other companies at all. `missing` and `unexpected` compare with a registered list.
    """

    shown: Shown
    nature: Literal["named", "categories"] | None
    entries: tuple[Company, ...]
    linked: tuple[Company, ...]
    link: str | None
    third_parties: bool
    lines: tuple[Line, ...]
    missing: tuple[ListEntry, ...] = ()
    unexpected: tuple[Company, ...] = ()


def find(page: Page, lines: Sequence[Line], registered: RecipientList | None) -> Recipients:
    """What the page tells of its recipients, compared with the registered list when one is given."""
    prose = [line for line in lines if not line.label]
    naming = [line for line in prose if _names_recipients(line)]
    by_category = [
        line
        for line in prose
        if _CATEGORIES.search(line.plain) and (_WHO.search(line.plain) or _WHO.search(line.heading))
    ]
    link = next(
        ((text, url) for line in lines for text, url in line.addresses if _LIST_LINK.search(normal(text))), None
    )
    entries = _distinct(company for text in _rows(naming, prose) for company in companies.in_text(text))
    linked = (
        _distinct(c for text in page.linked.get(link[1].partition("#")[0], ()) for c in companies.in_text(text))
        if link
        else ()
    )
    open_now = [line for line in (naming or by_category) if line.depth == 0 and line.legible]
    shown: Shown = "on_form" if open_now else "link" if link or naming or by_category else "absent"
    found = entries or linked
    missing, unexpected = _compare(found, registered)
    return Recipients(
        shown=shown, nature="named" if found else "categories" if by_category else None, entries=entries, linked=linked,
        link=link[1] if link else None, third_parties=any(_THIRD.search(line.plain) for line in lines),
        lines=tuple(naming or by_category), missing=missing, unexpected=unexpected,
    )  # fmt: skip


def _rows(naming: Sequence[Line], prose: Sequence[Line]) -> list[str]:
    """What names them, whole rows of a table or items of a list: the number may stand in the next cell."""
    rows = {
        (line.path, line.row, line.row < 0 and line.order): " ".join(
            other.text for other in prose if line.row >= 0 and (other.path, other.row) == (line.path, line.row)
        )
        or line.text
        for line in naming
    }
    return list(rows.values())


def _names_recipients(line: Line) -> bool:
    """Names with numbers, or names said to be recipients; not who calls, nor who gets the postal address."""
    named = companies.names(line.text)
    if companies.sirens(line.text) and (named or _WHO.search(line.heading)):
        return True
    if not named or _POSTAL.search(line.plain) or line.title:
        return False
    if _WHO.search(line.heading):
        return True
    third = [name for name in named if not re.search(_THEIR_PARTNERS + re.escape(name), line.text)]
    calls = speaks_of_calls(line.heading) or speaks_of_calls(line.plain)
    return bool(third and _THIRD.search(line.plain)) and not calls


def _distinct(found: Iterable[Company]) -> tuple[Company, ...]:
    """Each once; a name found alone joins the same name found with its number."""
    numbered: dict[str, Company] = {}
    for company in found:
        key = normal(company.legal_name or company.siren or "")
        if key not in numbered or (company.siren and not numbered[key].siren):
            numbered[key] = company
    return tuple(numbered.values())


def _compare(
    found: Sequence[Company], registered: RecipientList | None
) -> tuple[tuple[ListEntry, ...], tuple[Company, ...]]:
    if registered is None:
        return (), ()
    numbers = {company.siren for company in found if company.siren}
    called = {normal(company.legal_name) for company in found if company.legal_name}
    missing = tuple(e for e in registered.entries if e.siren not in numbers and normal(e.legal_name) not in called)
    sirens = {entry.siren for entry in registered.entries}
    legal_names = {normal(entry.legal_name) for entry in registered.entries}
    unexpected = tuple(c for c in found if c.siren not in sirens and normal(c.legal_name or "") not in legal_names)
    return missing, unexpected
