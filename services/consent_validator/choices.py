"""Which lines an event gives: one per recipient, channel and purpose, after refusals have taken out what they cover.

Within one event `refused` beats `granted`. A refusal that names no sector or object covers all of them; one for "all
listed" where no list can be read covers every third party. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.consent_validator.rules.evidence import Case

Decision = Mapping[str, Any]
Choice = tuple[str | None, Decision]
"""A recipient (None: nobody can be named) and the decision about it."""


def choices(case: Case) -> Sequence[Choice]:
    """(recipient, decision), one per line, after refusals have taken out what they cover."""
    plain = [(r, d) for d in case.facts["decisions"] for r in _recipients(case, d["recipients"])]
    if len({(r, d["channel"], d["purpose"]) for r, d in plain}) == len(plain) and not _refuses_everyone(plain):
        return plain
    groups: dict[tuple[str, str], dict[str | None, list[Decision]]] = {}
    for recipient, decision in plain:
        group = groups.setdefault((decision["channel"], decision["purpose"]), {})
        group.setdefault(recipient, []).append(decision)
    return [choice for group in groups.values() for choice in _settled(case, group)]


def _refuses_everyone(choices: Sequence[Choice]) -> bool:
    return any(recipient is None and decision["value"] == "refused" for recipient, decision in choices)


def _settled(case: Case, group: Mapping[str | None, Sequence[Decision]]) -> Iterator[Choice]:
    """The choices left on one channel and purpose."""
    # Refused for "all listed" where no list can be read: for every third party.
    everyone = [d for d in group.get(None, ()) if d["value"] == "refused"]
    for recipient, decisions in group.items():
        refusals = [d for d in decisions if d["value"] == "refused"]
        covering = refusals if recipient == case.collector else [*refusals, *everyone]
        kept = refusals + [d for d in decisions if d["value"] != "refused" and not _covered(d, covering)]
        for decision in _once_each(kept):
            yield recipient, decision


def _recipients(case: Case, said: str | Sequence[str]) -> Sequence[str | None]:
    if said != "all_listed":
        return said if len(said) == 1 else list(dict.fromkeys(said))
    published = case.list_
    if published is None or published.nature == "categories" or not published.entries:
        return [None]
    return list(dict.fromkeys(entry.party for entry in published.entries))


def _covered(decision: Decision, refusals: Sequence[Decision]) -> bool:
    """Whether a refusal takes this in: one that names no sector or object covers all of them."""
    return any(
        (r["sector"] is None or r["sector"] == (decision["sector"] or "general"))
        and (not r["object"] or r["object"] == decision["object"])
        for r in refusals
    )


_STRICTNESS = {"refused": 0, "not_objected": 1, "granted": 2}


def _once_each(decisions: Sequence[Decision]) -> list[Decision]:
    """One decision per sector and object; of several the strictest, then the first."""
    chosen: dict[tuple[str, str | None], Decision] = {}
    for decision in decisions:
        key = (decision["sector"] or "general", decision["object"])
        known = chosen.get(key)
        if known is None or _STRICTNESS[decision["value"]] < _STRICTNESS[known["value"]]:
            chosen[key] = decision
    return list(chosen.values())
