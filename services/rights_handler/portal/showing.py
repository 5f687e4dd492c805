"""The plain values that pages show, and how they are made of domain values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Decision, Scope, Stop
from services.rights_handler.kinds import request_of
from services.rights_handler.portal.words import CHANNELS, PURPOSES, order_words, why
from services.rights_handler.sending.words import day
from shared.contracts.types import CHANNELS as ALL_CHANNELS
from shared.instants import parse_instant
from shared.registry.models import Party

Name = Callable[[str], str]
_DAY = len("2026-09-14")


@dataclass(frozen=True, slots=True)
class Line:
    """One use: who, by which means, allowed or not, and why."""

    party: str | None
    company: str | None
    channel: str
    purpose: str
    allowed: bool
    refused: bool
    """The person said no: this company was never meant to receive the data for it."""
    until: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One consent as it was collected."""

    name: str
    collector: str
    when: str
    medium: str
    page: str | None
    has_picture: bool
    contacts: tuple[str, ...]
    context: tuple[str, ...]
    erased: bool
    via: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """A party that has, or may have, the data."""

    party: str
    name: str
    privacy_url: str | None
    contact: str | None
    collected: bool
    passed: bool
    transferred: str | None
    """When a transfer to it was reported."""
    may: tuple[str, ...]
    """The means it was told it may use."""
    may_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One party of a withdrawal: where it stands."""

    company: str
    state: str
    sentence: str
    done: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal or request, and every party told of it."""

    when: str
    what: str
    steps: tuple[Known, ...]
    coming: bool = False

    @property
    def done(self) -> int:
        """How many have applied it."""
        return sum(step.done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of one contact."""

    contact: str
    records: tuple[Record, ...]
    more: int
    companies: tuple[Company, ...]

    @property
    def channels(self) -> tuple[tuple[str, str], ...]:
        """The means that can be stopped apart: (code, words)."""
        return tuple((channel, CHANNELS[channel]) for channel in ALL_CHANNELS)


def line_of(decision: Decision, name: Name, today: str) -> Line:
    """A line of a verdict with what stops say of it, as of a day (`YYYY-MM-DD`)."""
    line = decision.line
    until = line.valid_until[:_DAY] if line.valid_until else None
    over = until is not None and until < today
    reasons = [*decision.reasons, *(["EXPIRED"] if over and "EXPIRED" not in decision.reasons else [])]
    allowed = decision.granted and not over
    return Line(
        party=line.recipient,
        company=name(line.recipient) if line.recipient is not None else None,
        channel=CHANNELS.get(line.channel, line.channel),
        purpose=PURPOSES.get(line.purpose, line.purpose),
        allowed=allowed,
        refused=line.value == "refused",
        until=day(parse_instant(f"{until}T12:00:00Z").date()) if until else None,
        reasons=() if allowed else tuple(why(reasons)),
    )


def company(
    known: Party | None, party: str, lines: Sequence[Line], *, collected: bool, passed: bool, transferred: str | None
) -> Company:
    """A party as the person sees it."""
    return Company(
        party=party,
        name=known.legal_name if known is not None else party,
        privacy_url=known.privacy_url if known is not None else None,
        contact=known.contact_dpo if known is not None else None,
        collected=collected, passed=passed, transferred=transferred,
        may=tuple(dict.fromkeys(line.channel for line in lines if line.allowed)),
        may_not=tuple(dict.fromkeys(line.channel for line in lines if not line.allowed)),
    )  # fmt: skip


def step_of(row: Delivery, name: str) -> Known:
    """Where a party of a withdrawal stands."""
    state, sentence = order_words(row)
    return Known(name, state, sentence, row.state == "closed")


_REQUESTS = {
    "erasure": "Demande d’effacement", "rectification": "Demande de correction", "restriction": "Demande de gel des données",
    "dispute": "Contestation : « je n’ai jamais donné cet accord »",
}  # fmt: skip


def withdrawal_words(stop: Stop, name: Name) -> str:
    """What was asked, in a sentence."""
    if request_of(stop.id) is not None:
        return _REQUESTS.get(stop.kind, "Demande") + "."
    who = "toutes les sociétés" if stop.recipients == "all" else _listed(stop.recipients, name)
    how = "tous les moyens" if stop.channels == "all" else _listed(stop.channels, lambda c: CHANNELS.get(c, c))
    return f"Arrêt demandé pour {who}, par {how}."


def _listed(scope: Scope, name: Name) -> str:
    return ", ".join(sorted(name(word) for word in scope))
