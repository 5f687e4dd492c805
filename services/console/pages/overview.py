"""The overview: how the system stands, looked at again every few seconds. No personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from services.console.lag import Lag
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.scrape import PROOF, Counters, highest, quantile
from services.console.settings import WATCHED
from services.console.visit import Visit
from services.console.watch import Instance, Snapshot
from services.console.words import Catalogue
from shared.clock import Clock

WORDS: Catalogue = {
    "page.overview": ("Vue d’ensemble", "Overview"),
    "overview.title": ("Vue d’ensemble", "Overview"),
    "overview.seen": ("Vu à {at}, {zone}", "Seen at {at}, {zone}"),
    "overview.first": ("Premier relevé en cours…", "First look under way…"),
    "overview.late": (
        "Dernier relevé il y a {span} : la console elle-même est en retard.",
        "Last look {span} ago: the console itself is behind.",
    ),
    "overview.ingest": ("Entrées par seconde", "Inputs per second"),
    "overview.minute": ("sur la dernière minute", "over the last minute"),
    "overview.curve": ("Entrées par seconde, depuis {span}", "Inputs per second, since {span}"),
    "overview.received": ("reçues depuis le démarrage du collecteur", "received since the collector started"),
    "overview.receipts": ("Réponses aux partenaires", "Answers to partners"),
    "overview.stops": ("Retraits et oppositions", "Withdrawals and objections"),
    "overview.stops_open": ("en cours", "open"),
    "overview.stops_late": ("en retard", "late"),
    "overview.orders": ("{open} ordres attendent une réponse, dont {late} en retard", "{open} orders await an answer, {late} late"),
    "overview.unknown": ("le service des droits ne répond pas", "the rights service does not answer"),
    "overview.proof": ("Délai de la preuve", "Time to proof"),
    "overview.proof_note": ("de la réception au point de contrôle signé", "from receipt to the signed checkpoint"),
    "overview.half_note": ("au plus, une preuve sur deux", "at most, for half of the proofs"),
    "overview.most": ("99 sur 100 en", "99 of 100 within"),
    "overview.health": ("Services", "Services"),
    "overview.ready": ("prêt", "ready"),
    "overview.waits": ("en attente", "waiting"),
    "overview.silent": ("ne répond pas", "does not answer"),
    "overview.absent": ("non installé ici", "not run here"),
    "overview.verdicts": ("Lignes de verdict", "Verdict lines"),
    "overview.reasons": ("Motifs des refus", "Reasons of refusals"),
    "overview.lag": ("Retard par groupe et sujet", "Lag per group and topic"),
    "overview.group": ("Groupe", "Group"),
    "overview.topic": ("Sujet", "Topic"),
    "overview.partitions": ("Partitions", "Partitions"),
    "overview.taken": ("Lus", "Taken"),
    "overview.behind": ("En retard", "Behind"),
    "overview.even": ("{count} lectures à jour (groupe et sujet)", "{count} readings up to date (group and topic)"),
    "overview.all_even": ("Aucun retard.", "Nothing is behind."),
    "overview.no_kafka": ("Kafka ne répond pas à la console.", "Kafka does not answer the console."),
    "overview.dead_waiting": ("Lettres mortes en attente :", "Dead letters waiting:"),
    "status.accepted": ("acceptées", "accepted"),
    "status.duplicate": ("doublons", "duplicates"),
    "status.conflict": ("conflits", "conflicts"),
    "status.rejected": ("rejetées", "rejected"),
    "verdict.valid": ("valables", "valid"),
    "verdict.invalid": ("non valables", "invalid"),
    "verdict.review": ("à examiner", "to review"),
}  # fmt: skip
RECEIPTS, LINES, REASONS = (
    "opposable_receipts_total", "opposable_verdict_lines_total", "opposable_verdict_reasons_total",
)  # fmt: skip
MINUTE, POINTS, MOST = 60.0, 120, 8
CURVE_WIDTH, CURVE_HEIGHT = 300, 50
STALE_S = 45.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One count of a list, with its share of the largest (0 to 100)."""

    name: str
    count: float
    share: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page shows of one look."""

    at: Any
    age: float
    rate: float | None
    received: float
    receipts: Sequence[tuple[str, float]]
    line: str
    area: str
    curve_span: float
    standing: Mapping[str, Any] | None
    half: float | None
    most: float | None
    services: Sequence[tuple[str, Sequence[Instance]]]
    verdicts: Sequence[Bar]
    reasons: Sequence[Bar]
    behind: Sequence[Lag] | None
    even: Sequence[Lag]
    letters: int


async def overview(visit: Visit) -> Response:
    """The page."""
    return visit.page("overview", seen=_seen(visit))


async def live(visit: Visit) -> Response:
    """The part that changes, asked by the page every few seconds."""
    return visit.page("overview_live", seen=_seen(visit))


def _seen(visit: Visit) -> Seen | None:
    console = visit.console
    snapshot = console.watch.asked()
    if snapshot is None:
        return None
    return seen_of(snapshot, console.watch.counters, console.clock, len(console.letters.waiting()))


def seen_of(snapshot: Snapshot, counters: Counters, clock: Clock, letters: int) -> Seen:
    """What is shown of a look. Pure."""
    receipts = counters.totals(RECEIPTS)
    curve = counters.curve(RECEIPTS, POINTS)
    line, area = paths(curve)
    proofs = counters.totals(PROOF)
    behind = None if snapshot.lags is None else sorted(
        (lag for lag in snapshot.lags if lag.records), key=lambda lag: -lag.records
    )  # fmt: skip
    first = counters.samples[-min(len(counters.samples), POINTS)][0]
    return Seen(
        at=snapshot.at, age=(clock.now() - snapshot.at).total_seconds(), rate=counters.rate(RECEIPTS, MINUTE),
        received=sum(receipts.values()), receipts=highest(receipts, MOST), line=line, area=area,
        curve_span=counters.samples[-1][0] - first, standing=snapshot.standing,
        half=quantile(proofs, 0.5), most=quantile(proofs, 0.99),
        services=[(name, [one for one in snapshot.instances if one.service == name]) for name in WATCHED],
        verdicts=bars(counters.totals(LINES)), reasons=bars(counters.totals(REASONS)), behind=behind,
        even=[lag for lag in snapshot.lags or () if not lag.records], letters=letters,
    )  # fmt: skip


def bars(counts: Mapping[str, float]) -> list[Bar]:
    """The largest counts, each with its share of the first. Pure."""
    found = highest(counts, MOST)
    return [Bar(name, count, 100 * count / found[0][1]) for name, count in found]


def paths(curve: Sequence[float]) -> tuple[str, str]:
    """A line and the area under it, as SVG paths in a box of CURVE_WIDTH × CURVE_HEIGHT. Empty for fewer than two points. Pure."""
    if len(curve) < 2:  # noqa: PLR2004 - a line needs two
        return "", ""
    top = max(*curve, 1e-9)
    points = [
        f"{CURVE_WIDTH * place / (len(curve) - 1):.1f},{CURVE_HEIGHT - (CURVE_HEIGHT - 4) * value / top:.1f}"
        for place, value in enumerate(curve)
    ]
    line = "M" + " L".join(points)
    return line, f"{line} L{CURVE_WIDTH},{CURVE_HEIGHT} L0,{CURVE_HEIGHT} Z"


PAGE = Page(
    "overview", "/", Ability.SEE,
    [Route("GET", "/", overview, Ability.SEE), Route("GET", "/overview/live", live, Ability.SEE, polls=True)],
    WORDS, rank=10,
)  # fmt: skip
