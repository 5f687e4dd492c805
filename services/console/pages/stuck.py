"""What is stuck: every open obligation of every service, with its owner, cause, due time and next attempt (promise P7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Response

from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit
from services.console.words import Catalogue

WORDS: Catalogue = {
    "page.stuck": ("En suspens", "Stuck"),
    "stuck.title": ("Tout ce qui attend quelqu’un", "Everything that waits for somebody"),
    "stuck.count": ("{shown} sur {total}", "{shown} of {total}"),
    "stuck.service": ("Service", "Service"),
    "stuck.kind": ("Nature", "Kind"),
    "stuck.owner": ("Doit agir", "Owner"),
    "stuck.cause": ("Cause", "Cause"),
    "stuck.opened": ("Depuis", "Since"),
    "stuck.due": ("Échéance", "Due"),
    "stuck.next": ("Prochain essai", "Next attempt"),
    "stuck.refs": ("Concerne", "About"),
    "stuck.late": ("Retard seulement", "Late only"),
    "stuck.late_tag": ("en retard", "late"),
    "stuck.text": ("Contient", "Contains"),
    "stuck.silent": ("Ne répond pas, ses attentes manquent ici : {names}.", "Does not answer, what it owes is missing here: {names}."),
    "stuck.most": ("Un service donne 1 000 lignes au plus, les plus urgentes d’abord.", "A service gives 1,000 lines at most, the most urgent first."),
    "stuck.table": ("Obligations ouvertes, la plus urgente d’abord", "Open obligations, the most urgent first"),
    "kind.order": ("ordre de retrait", "withdrawal order"),
    "kind.log.halted": ("journal arrêté", "log halted"),
    "kind.operation.unarchived": ("journal de la console", "console’s log"),
    "kind.proof.unarchived": ("preuve remise, pas archivée", "proof delivered, not archived"),
    "kind.proof.late": ("preuve en retard", "proof late"),
    "kind.proof.sla_breached": ("délai de preuve dépassé", "proof delay exceeded"),
    "kind.webhook": ("webhook", "webhook"),
    "kind.webhook-given-up": ("webhook abandonné", "webhook given up"),
    "kind.webhook-endpoint": ("adresse de webhook", "webhook endpoint"),
    "kind.webhook-gap": ("trou de lecture", "reading gap"),
    "kind.request": ("demande d’une personne", "request of a person"),
    "kind.request-overdue": ("demande hors délai", "request overdue"),
    "kind.message-failed": ("message non parti", "message failed"),
    "kind.message-bounced": ("message revenu", "message bounced"),
    "kind.message-waiting": ("message en attente", "message waiting"),
    "kind.erasure": ("effacement", "erasure"),
    "kind.evidence.owed": ("pièces dues", "evidence owed"),
    "kind.notice": ("information due (RGPD 14)", "information owed (GDPR 14)"),
    "cause.no answer yet": ("pas encore de réponse", "no answer yet"),
    "cause.answered unknown_person, though it may hold the data": (
        "répond « personne inconnue », alors qu’elle peut détenir les données", "answered unknown_person, though it may hold the data",
    ),
    "cause.refused to apply the order": ("refuse d’appliquer l’ordre", "refused to apply the order"),
    "cause.no acceptable answer in time": ("pas de réponse acceptable à temps", "no acceptable answer in time"),
    "cause.not delivered to the party yet": ("pas encore remis à la société", "not delivered to the party yet"),
    "ref.stop": ("retrait", "withdrawal"),
    "ref.record": ("accord", "consent"),
    "ref.party": ("société", "party"),
    "ref.order": ("ordre", "order"),
    "ref.files": ("fichiers", "files"),
}  # fmt: skip
ASKED = ("rights_handler", "proof_archive", "webhook_relay", "notifier")
OWN = "console"
SHOWN = 100
LINKED = {"record": "/records/", "stop": "/stops/"}
"""References that a page exists for, and where it is."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation as it is shown."""

    service: str
    id: str
    kind: str
    owner: str
    cause: str
    opened: Any
    due: Any
    next: Any
    refs: Sequence[tuple[str, str, str]]
    """Name, value, and the path of its page (empty where there is none)."""
    late: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; empty = all."""

    service: str = ""
    owner: str = ""
    kind: str = ""
    text: str = ""
    late: bool = False

    def keeps(self, one: Owed) -> bool:
        """Whether an obligation is asked for."""
        found = f"{one.id} {one.cause} {' '.join(value for _, value, _ in one.refs)}".casefold()
        return (
            self.service in ("", one.service) and self.owner in ("", one.owner) and self.kind in ("", one.kind)
            and (one.late or not self.late) and self.text.casefold() in found
        )  # fmt: skip

    def query(self, **change: str) -> str:
        """The same filter as the query of an address."""
        values = {
            "service": self.service, "owner": self.owner, "kind": self.kind, "text": self.text,
            "late": "1" if self.late else "",
        } | change  # fmt: skip
        return urlencode({name: value for name, value in values.items() if value})


async def stuck(visit: Visit) -> Response:
    """The page."""
    owed, silent = await gathered(visit)
    asked = Filter(
        visit.query("service"),
        visit.query("owner"),
        visit.query("kind"),
        visit.query("text"),
        visit.query("late") == "1",
    )
    chosen = [one for one in owed if asked.keeps(one)]
    start = int(visit.query("from")) if visit.query("from").isdecimal() else 0
    choices = {
        name: sorted({str(getattr(one, name)) for one in owed} | {getattr(asked, name)} - {""})
        for name in ("service", "owner", "kind")
    }
    more = start + SHOWN if start + SHOWN < len(chosen) else None
    return visit.page(
        "stuck", shown=chosen[start : start + SHOWN], total=len(chosen), all=len(owed), silent=silent, asked=asked,
        choices=choices, start=start, more=more,
    )  # fmt: skip


async def gathered(visit: Visit) -> tuple[list[Owed], list[str]]:
    """Every obligation, the most urgent first, and the services that do not answer."""
    console = visit.console
    answers = await console.services.gathered("/v1/obligations", *ASKED)
    now = console.clock.now()
    owed = [owed_of(OWN, one, now) for one in await console.audit.owed()]
    silent = []
    for service, answer in answers.items():
        if answer is None:
            silent.append(service)
        else:
            owed += [owed_of(service, one, now) for one in answer.get("obligations", [])]
    return sorted(owed, key=lambda one: (str(one.due or "~"), one.id)), silent


def owed_of(service: str, one: Mapping[str, Any], now: datetime) -> Owed:
    """An obligation as a service tells it. Pure."""
    due = instant(one.get("due_at"))
    return Owed(
        service=service, id=str(one.get("id", "")), kind=str(one.get("kind", "")), owner=str(one.get("owner", "")),
        cause=str(one.get("cause", "")), opened=one.get("opened_at"), due=one.get("due_at"), next=one.get("next_at"),
        refs=tuple(_refs({n: v for n, v in (one.get("refs") or {}).items() if (n, v) != ("party", one.get("owner"))})), late=due is not None and due < now,
    )  # fmt: skip


def _refs(refs: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    for name, value in refs.items():
        place = LINKED.get(name)
        yield name, str(value), f"{place}{value}" if place and "/" in str(value) else ""


PAGE = Page("stuck", "/stuck", Ability.SEE, [Route("GET", "/stuck", stuck, Ability.SEE)], WORDS, rank=30)
