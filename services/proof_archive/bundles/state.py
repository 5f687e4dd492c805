"""What the entries of a bundle say of the record, last: its lines under the latest verdict, the stops, the erasure.

As of the sizes of the manifest's checkpoints, and on the entries joined: nothing is said of what came after. The rule is
the one of the whole system: a stop covers a line when its scope matches and it is not older than the consent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.fact_types import AnyOf
from services.proof_archive.bundles.facts import Consent, Stop
from services.proof_archive.bundles.verdict_facts import Line, Verdict


@dataclass(frozen=True, slots=True)
class LineState:
    """One line and where it stands: `valid`, `invalid`, `review`, or `stopped` by the stops named."""

    recipient: str | None
    channel: str
    purpose: str
    state: str
    basis: str | None
    valid_until: str | None
    reasons: tuple[str, ...]
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """`erased`, else `stopped` (a line shown is), `assessed`, or `unassessed`; with the lines of the latest verdict.

    `hidden`: how many more lines that verdict commits to, that this bundle does not show.
    """

    code: str
    ruleset: str | None
    evaluated_at: str | None
    lines: tuple[LineState, ...]
    hidden: int = 0


def state_of(entries: Sequence[ReadEntry]) -> State:
    """The latest state that the entries (all tied to one record) tell."""
    verdicts = [entry.facts for entry in entries if isinstance(entry.facts, Verdict)]
    stops = [entry.facts for entry in entries if isinstance(entry.facts, Stop)]
    consent = next(entry.facts for entry in entries if isinstance(entry.facts, Consent))
    latest = max(verdicts, key=lambda v: (v.ruleset_seq, v.registry_offset, v.evaluated_at), default=None)
    lines = tuple(_line(line, consent, stops) for line in latest.lines) if latest else ()
    code = "assessed" if latest else "unassessed"
    if any(line.state == "stopped" for line in lines):
        code = "stopped"
    if any(entry.is_erasure for entry in entries):
        code = "erased"
    if latest is None:
        return State(code, None, None, ())
    return State(code, latest.ruleset, latest.evaluated_at, lines, latest.hidden)


def _line(line: Line, consent: Consent, stops: Sequence[Stop]) -> LineState:
    covering = tuple(sorted({stop.stop for stop in stops if _covers(stop, line, consent)}))
    state = "stopped" if covering and line.verdict == "valid" else line.verdict
    return LineState(
        line.recipient, line.channel, line.purpose, state, line.basis, line.valid_until, tuple(line.reasons), covering
    )


def _covers(stop: Stop, line: Line, consent: Consent) -> bool:
    return (
        stop.at >= min(consent.collected_at, consent.received_at)
        and _within(stop.recipients, line.recipient)
        and _within(stop.channels, line.channel)
        and _within(stop.purposes, line.purpose)
    )


def _within(scope: AnyOf, value: str | None) -> bool:
    return scope == "all" or (isinstance(scope, list) and value in scope)
