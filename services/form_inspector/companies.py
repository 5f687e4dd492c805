"""Companies named in a text: by legal form (`Téléverveine SA`, `SAS Dupont`) and by SIREN. Invented names read like real ones.

A brand without a legal form is not a legal person and is not found: HUBSIDE SAN-2024-004, COSMOSPACE SAN-2024-014.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.registry.check import luhn

LEGAL_FORMS = frozenset({
    "SAS", "SASU", "SARL", "EURL", "SA", "SNC", "SCA", "SCOP", "SCIC", "SCS", "SE", "GIE", "SELARL", "SCI", "GMBH", "LTD",
    "INC", "BV", "AG", "SPA", "SRL", "NV", "PLC", "LLC",
})  # fmt: skip
_JOINS = frozenset({"de", "du", "des", "d", "la", "le", "les", "et", "en", "l", "au", "aux", "&", "à", "pour", "sur"})
_STARTS = frozenset(
    {"Les", "Vos", "Nos", "Par", "Pour", "Avec", "Société", "Sociétés", "Partenaires", "Destinataires", "Aucun"}
)
"""Words that open a sentence or name a kind of thing: not part of a name when they come first."""
_TOKEN = re.compile(r"\w(?:[\w&’'.+-]*\w)?|[^\w\s]")
_NUMBER = re.compile(r"(?<![\d+])(\d{3}[ \u00a0.]?\d{3}[ \u00a0.]?\d{3})(?:[ \u00a0.]?\d{5})?(?!\d)")


class Company(NamedTuple):
    """A company as the page names it; one of the two may be missing."""

    legal_name: str | None
    siren: str | None


def names(text: str) -> list[str]:
    """Legal names, as written, each once."""
    tokens = _TOKEN.findall(text)
    found: dict[str, None] = {}
    for at, token in enumerate(tokens):
        if token.upper().replace(".", "") not in LEGAL_FORMS or not token[0].isupper():
            continue
        before = _run(tokens[:at])
        name = " ".join([*before, token]) if before else _after(token, tokens[at + 1 :])
        if name:
            found[name] = None
    return list(found)


def sirens(text: str) -> list[str]:
    """SIREN numbers: nine digits, by three or together, with a right key (a telephone number has ten, by two)."""
    found: dict[str, None] = {}
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match.group(1))
        if luhn(digits):
            found[digits] = None
    return list(found)


def in_text(text: str) -> list[Company]:
    """Companies of one line or paragraph: names and numbers are paired when there are as many of each."""
    called, numbered = names(text), sirens(text)
    if len(called) == len(numbered):
        return [Company(name, number) for name, number in zip(called, numbered, strict=True)]
    return [Company(name, None) for name in called] + [Company(None, number) for number in numbered]


def _run(tokens: list[str]) -> list[str]:
    """The capitalised words, and the small words between them, that end a list of tokens."""
    run: list[str] = []
    for token in reversed(tokens):
        if token.upper() in LEGAL_FORMS:
            break
        if token[0].isupper() or token[0].isdigit() or (run and token.lower().rstrip("'’") in _JOINS):
            run.insert(0, token)
        else:
            break
    while run and (not run[0][0].isupper() or run[0] in _STARTS):
        run.pop(0)
    return run


def _after(form: str, tokens: list[str]) -> str | None:
    """`SAS Dupont Frères`: the capitalised words that follow a form which opens the name."""
    run: list[str] = []
    for token in tokens:
        if not token[0].isupper():
            break
        run.append(token)
    return " ".join([form, *run]) if run else None
