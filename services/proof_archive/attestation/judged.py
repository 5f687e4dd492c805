"""The second half: how each line stands and why, what became of withdrawals, how to verify, what is not proven. Pure."""

from __future__ import annotations

from typing import Any

import segno

from services.proof_archive.attestation.case import Case, Seen
from services.proof_archive.attestation.rule_texts import rule_texts
from services.proof_archive.attestation.text import moment, short_day, short_moment
from services.proof_archive.attestation.values import Row, row
from services.proof_archive.attestation.words import (
    BASES,
    CHANNELS,
    KINDS,
    PURPOSES,
    STATES,
    STOPS,
    VALUES,
    VIAS,
    word,
)
from services.proof_archive.bundles.state import LineState
from services.proof_archive.bundles.timeline import ANSWERS
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import leaf_hash

MOST_LINES = 150
"""Lines of a table that a page shows; the rest is counted, and stands in the bundle."""
QR_MOST = 1200
"""Bytes that a printed code of 40 mm can hold and still be read."""

Pair = tuple[LineState, dict[str, Any]]


def lines_of(case: Case) -> list[Pair]:
    """The lines that this audience reads: their state, and their facts."""
    verdict = case.verdict
    if verdict is None:
        return []
    return [
        pair
        for pair in zip(case.state().lines, verdict.raw["lines"], strict=True)
        if case.concerns(pair[0].recipient)
    ]  # fmt: skip


def lines_table(case: Case, lines: list[Pair]) -> dict[str, Any]:
    """One line per recipient, channel and purpose."""
    rows = [
        [
            case.company(state.recipient), word(CHANNELS, state.channel), word(PURPOSES, state.purpose),
            word(VALUES, raw.get("value")), word(STATES, state.state), word(BASES, state.basis),
            short_day(state.valid_until) if state.state == "valid" else "—", ", ".join(state.reasons) or "—",
        ]
        for state, raw in lines[:MOST_LINES]
    ]  # fmt: skip
    return {"rows": rows, "more": max(0, len(lines) - MOST_LINES)}


def reasons_table(lines: list[Pair]) -> dict[str, Any]:
    """Each reason once: code, title, legal source."""
    version, texts = rule_texts()
    codes = list(dict.fromkeys(code for state, _ in lines for code in state.reasons))
    rows = []
    for code in codes:
        text = texts.get(code)
        title = text.title if text else "règle d’un autre jeu que celui cité ici : voir la documentation de ce jeu"
        rows.append([code, title, text.source if text else "—"])
    return {"rows": rows, "version": version}


def verdict_rows(case: Case) -> list[Row]:
    """Under which rules, and when."""
    verdict = case.verdict
    if verdict is None:
        return [row("Contrôles", "pas encore faits au dernier point de contrôle")]
    facts = verdict.raw
    return [
        row("Jeu de règles", facts["ruleset"]),
        row("Contrôles faits le", moment(facts["evaluated_at"])),
        row("Registre lu jusqu’à", f"position {facts['registry_offset']} du journal du registre"),
    ]


def withdrawals(case: Case) -> dict[str, Any]:
    """Stops, who was told when, who answered what."""
    stops = [
        [
            word(STOPS, s.raw.get("stop_kind")), short_moment(s.raw.get("at")), _source(case, s.raw.get("source")),
            word(VIAS, s.raw.get("via")), _scope(s.raw.get("channels"), CHANNELS), short_moment(s.read.at),
        ]
        for s in case.of_kind("stop.recorded")
    ]  # fmt: skip
    orders: dict[str, list[Seen]] = {}
    for seen in case.of_kind("delivery.ordered", "delivery.reminded", "delivery.acknowledged", "delivery.escalated"):
        if not case.concerns(seen.raw.get("party")):
            continue
        orders.setdefault(str(seen.raw.get("order")), []).append(seen)
    said = {str(s.raw.get("order")): s for s in case.of_kind("order.acknowledged")}
    told = [_told(case, found, said.get(order)) for order, found in orders.items()]
    return {"stops": stops, "orders": told[:MOST_LINES], "more": max(0, len(told) - MOST_LINES), "total": len(told)}


def checkpoints(case: Case) -> list[dict[str, Any]]:
    """The signed checkpoint of every log that an entry stands in: size, root, hash of the note."""
    rows: list[dict[str, Any]] = []
    for origin in sorted({seen.read.origin for seen in case.entries}):
        data = case.request.checkpoints[origin]
        point = Checkpoint.parse(note.split(data)[0])
        sha256 = canonical.sha256_hex(data)
        rows.append(
            {"origin": origin, "size": str(point.size), "root": point.root.hex(), "sha256": sha256, "mono": True}
        )
    return rows


def code_of(case: Case) -> dict[str, str]:
    """The checkpoint of the consent's log as a QR code (SVG), and what it holds."""
    data = case.request.checkpoints[case.consent.read.origin]
    held = "point de contrôle signé, avec ses cosignatures"
    if len(data) > QR_MOST:
        text, signatures = note.split(data)
        data, held = note.join(text, list(signatures)[:1]), "point de contrôle signé"
    if len(data) > QR_MOST:
        data, held = canonical.sha256_hex(data).encode(), "SHA-256 du point de contrôle"
    code = segno.make_qr(data, error="m", mode="byte", boost_error=False)
    return {"svg": code.svg_inline(border=2, scale=1, dark="#000", light="#fff", omitsize=True), "held": held}


def entries_table(case: Case) -> dict[str, Any]:
    """Every entry joined: what, archived when, where, and the hash that the log commits to."""
    rows = [
        {
            "n": f"{number:03d}", "what": word(KINDS, seen.read.kind), "at": short_moment(seen.read.at),
            "place": f"{seen.read.origin} n° {seen.read.index}", "hash": leaf_hash(seen.data).hex(), "mono": True,
        }
        for number, seen in enumerate(case.entries[:MOST_LINES])
    ]  # fmt: skip
    more = max(0, len(case.entries) - MOST_LINES)
    return {"rows": rows, "more": more, "withheld": len(case.request.withheld), "pending": case.pending}


def _told(case: Case, found: list[Seen], said: Seen | None) -> list[str]:
    """One order: to whom, told when, reminded how often, answered what and when, how it stands."""
    by_kind: dict[str, list[Seen]] = {}
    for seen in found:
        by_kind.setdefault(seen.read.kind, []).append(seen)
    first = (by_kind.get("delivery.ordered") or found)[0]
    answers, reminders = by_kind.get("delivery.acknowledged", []), len(by_kind.get("delivery.reminded", []))
    last = answers[-1] if answers else None
    answer = word(ANSWERS, last.raw.get("status")) if last else "aucune"
    applied = said.raw.get("applied_at") if said else None
    if last and last.raw.get("closed"):
        state = "clos"
    else:
        state = "ouvert, opérateur saisi" if "delivery.escalated" in by_kind else "ouvert"
    return [
        case.company(first.raw.get("party")), short_moment(first.read.at), str(reminders), answer,
        short_moment(last.read.at) if last else "—", short_moment(applied), state,
    ]  # fmt: skip


def _source(case: Case, source: Any) -> str:
    """Who received a stop; another prospecteur is not named to this one."""
    known = (case.consent.raw.get("collector"), "platform")
    return case.company(source) if case.concerns(source) or source in known else "un autre destinataire"


def _scope(value: Any, words: Any) -> str:
    if value == "all" or value is None:
        return "tous"
    return ", ".join(word(words, item) for item in value) if isinstance(value, list) else word(words, value)
