"""How the sentences of `because.py` name things: documents, companies, uses and dates, never a person. Pure."""

from __future__ import annotations

from services.consent_validator.rules.evidence import Line
from shared.instants import format_instant


def form_of(line: Line) -> str:
    """The facts of form of."""
    cited = line.case.facts["form"]
    return f"le formulaire {cited['id']} version {cited['version']}"


def list_of(line: Line) -> str:
    """The facts of list of."""
    cited = line.case.list_reference
    return "la liste" if cited is None else f"la liste {cited['id']} version {cited['version']}"


def recipient_of(line: Line) -> str:
    """The facts of recipient of."""
    if line.party is not None:
        return f"{line.party.legal_name} ({line.party.registration})"
    return line.recipient or "aucun destinataire nommé"


def use_of(line: Line) -> str:
    """The facts of use of."""
    return f"{line.channel}/{line.purpose}"


def collected_on(line: Line) -> str:
    """The facts of collected on."""
    return f"le choix est daté du {format_instant(line.case.collected)}"
