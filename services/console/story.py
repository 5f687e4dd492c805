"""One history of a record from what the logs hold: each entry in a sentence, in order. Pure.

French sentences are the archive's own, those that the proof carries; English ones are made here from the same facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.showing import when
from services.console.words import Language

Facts = Mapping[str, Any]
TONES: Mapping[str, str] = {
    "consent.recorded": "", "consent.conflict": "bad", "consent.assessed": "", "stop.recorded": "warn",
    "request.received": "warn", "delivery.ordered": "", "delivery.reminded": "warn", "delivery.acknowledged": "ok",
    "delivery.escalated": "bad", "order.acknowledged": "ok", "proof.delivered": "", "proof.opened": "warn",
}  # fmt: skip
"""How an entry's mark looks; what is not named here is neutral, an erasure stands out by its ending."""
REGISTERED = frozenset({"list", "form", "notice", "agreement", "party"})
RIGHT_NAMES = {"dispute": "“I never consented”"}


@dataclass(frozen=True, slots=True)
class Told:
    """One entry as it is shown."""

    at: str
    kind: str
    tone: str
    sentence: str
    origin: str
    index: int
    covered: bool
    again: int
    """How many more times the very same fact was archived (a crash republishes)."""


def told(entries: Sequence[Mapping[str, Any]], language: Language, name: Callable[[str | None], str]) -> list[Told]:
    """The history, oldest first; registry objects apart from it. `name` gives a party's legal name."""
    found: list[Told] = []
    places: dict[str, int] = {}
    for entry in entries:
        facts: Facts = entry.get("facts") or {}
        kind = str(entry.get("kind", ""))
        if kind in REGISTERED:
            continue
        same = repr((kind, sorted(facts.items(), key=str)))
        if same in places:
            first = found[places[same]]
            found[places[same]] = Told(
                first.at,
                first.kind,
                first.tone,
                first.sentence,
                first.origin,
                first.index,
                first.covered,
                first.again + 1,
            )
            continue
        places[same] = len(found)
        sentence = _sentence(kind, entry, language, name)
        found.append(
            Told(
                str(entry["ts"]),
                kind,
                tone_of(kind),
                sentence,
                str(entry["origin"]),
                int(entry["index"]),
                bool(entry["covered"]),
                0,
            )
        )
    return found


def _sentence(kind: str, entry: Mapping[str, Any], language: Language, name: Callable[[str | None], str]) -> str:
    facts: Facts = entry.get("facts") or {}
    if (
        language == "fr" and kind == "consent.assessed"
    ):  # the archive's sentence tells what a proof discloses: here, all lines
        count = _counted(facts)
        return (
            f"Contrôles selon les règles {facts.get('ruleset', '?')} : {count['valid']} ligne(s) aux contrôles satisfaits au vu des "
            f"déclarations du collecteur, {count['invalid']} aux contrôles non satisfaits, {count['review']} à examiner."
        )
    french = entry.get("text_fr")
    return str(french) if language == "fr" and french else english(kind, facts, name)


def registered(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What the verdict relied on: kind, id and version of each registry object."""
    found = {
        (str(one["kind"]), str(one["facts"].get("id", "")), str(one["facts"].get("version") or ""))
        for one in entries if one.get("kind") in REGISTERED
    }  # fmt: skip
    return sorted(found)


def tone_of(kind: str) -> str:
    """The mark's class."""
    return TONES.get(kind, "bad" if kind.endswith(("erased", "shredded")) else "none")


def english(kind: str, facts: Facts, name: Callable[[str | None], str]) -> str:
    """A sentence for an entry; for a kind unknown here, its name."""
    maker = _ENGLISH.get(kind)
    if maker is not None:
        return maker(facts, name)
    if kind.endswith(("erased", "shredded")):
        return "Personal data erased; the log’s entries still verify."
    return f"“{kind}” archived."


def _party(facts: Facts, name: Callable[[str | None], str], field: str = "party") -> str:
    return name(facts.get(field))


def _scope(value: Any) -> str:
    return "all" if value in (None, "all") else value if isinstance(value, str) else ", ".join(map(str, value))


def _counted(facts: Facts) -> Counter[Any]:
    return Counter(line.get("verdict") for line in facts.get("lines", []) if isinstance(line, dict))


def _instant(value: Any) -> str:
    return "without delay" if value is None else when(value)


def _verdict(facts: Facts, _name: Callable[[str | None], str]) -> str:
    count = _counted(facts)
    return (
        f"Checked against rules {facts.get('ruleset', '?')}: {count['valid']} line(s) satisfy the checks on what the collector "
        f"declared, {count['invalid']} do not, {count['review']} to review."
    )


def _consent(facts: Facts, name: Callable[[str | None], str]) -> str:
    form = facts.get("form") or {}
    shown = f", form “{form['id']}” version {form.get('version')}" if form.get("id") else ""
    return f"{_party(facts, name, 'collector')} declares a choice collected at {_instant(facts.get('collected_at'))}{shown}."


def _stop(facts: Facts, name: Callable[[str | None], str]) -> str:
    what = str(facts.get("stop_kind", "withdrawal")).replace("_", " ").capitalize()
    return (
        f"{what} received by {_party(facts, name, 'source')}; recipients: {_scope(facts.get('recipients'))}; channels: "
        f"{_scope(facts.get('channels'))}; purposes: {_scope(facts.get('purposes'))}."
    )


def _request(facts: Facts, name: Callable[[str | None], str]) -> str:
    right = str(facts.get("right", "?"))
    return f"Request received by {_party(facts, name, 'source')}: {RIGHT_NAMES.get(right, right)}."


def _status(facts: Facts) -> str:
    return str(facts.get("status") or "no status").replace("_", " ")


_ENGLISH: Mapping[str, Callable[[Facts, Callable[[str | None], str]], str]] = {
    "consent.recorded": _consent,
    "consent.conflict": lambda _f, _n: "Other content presented under the same id: refused, and archived.",
    "consent.assessed": _verdict,
    "stop.recorded": _stop,
    "request.received": _request,
    "delivery.ordered": lambda f, n: f"Order to stop sent to {_party(f, n)}; answer due {_instant(f.get('ack_due_at'))}.",
    "delivery.reminded": lambda f, n: f"Reminder no. {f.get('reminder', '?')} to {_party(f, n)}.",
    "delivery.acknowledged": lambda f, n: f"{_party(f, n)} answered: {_status(f)}; order {'closed' if f.get('closed') else 'still open'}.",
    "delivery.escalated": lambda f, n: f"No sufficient answer from {_party(f, n)}: an operator owns it.",
    "order.acknowledged": lambda f, n: f"{_party(f, n, 'source')} reports: {_status(f)}.",
    "notice.given": lambda f, n: f"{_party(f, n, 'source')} declares that it gave the information of GDPR 14.",
    "data.transferred": lambda f, n: f"{_party(f, n, 'source')} declares a transfer to {_party(f, n, 'to')}.",
    "contact.attempted": lambda f, n: f"{_party(f, n, 'source')} declares a contact attempt ({f.get('channel', '?')}).",
    "proof.delivered": lambda f, _n: f"Proof handed over ({f.get('format', '?')}).",
    "proof.opened": lambda f, _n: f"Proof opened for a legal claim: {f.get('claim', '?')}",
}  # fmt: skip
