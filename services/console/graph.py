"""The chain as a drawing: collectors, versions of their lists, prospecteurs, in three columns; wider where more passes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log10
from typing import Any

from services.console.agreements import standing
from shared.registry.view import RegistryView

EDGES_DRAWN = 60
"""The largest edges; the table below the drawing holds all of them."""
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT, TOP = 962, 46, 230, 34, 30
COLUMNS = (1, 366, 731)
WIDEST, NARROWEST = 10.0, 1.2


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge: volumes and what is wrong with it (codes of `chain.problem.*`)."""

    collector: str
    list: str
    recipient: str
    consents: int
    valid: int
    review: int
    invalid: int
    last_at: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the drawing. `path`: the page it leads to."""

    label: str
    note: str
    x: int
    y: int
    bad: bool
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of the drawing."""

    path: str
    width: float
    bad: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws, in pixels."""

    nodes: Sequence[Node]
    lines: Sequence[Line]
    height: int
    drawn: int


def edges_of(rows: Sequence[Mapping[str, Any]], late: Mapping[str, int], view: RegistryView, today: date) -> list[Edge]:
    """The edges with their problems, the largest first."""
    made = [
        Edge(
            row["collector"], row["list"], row["recipient"], row["consents"], row["valid"], row["review"], row["invalid"],
            row["last_at"], tuple(_problems(row["collector"], row["recipient"], late, view, today)),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(made, key=lambda one: (-one.consents, one.collector, one.list, one.recipient))


def _problems(collector: str, recipient: str, late: Mapping[str, int], view: RegistryView, today: date) -> list[str]:
    found = []
    for place, party in (("collector", collector), ("recipient", recipient)):
        known = view.party(party)
        if known is None:
            found.append(f"{place}_unknown")
        elif known.status == "suspended":
            found.append(f"{place}_suspended")
    if collector != recipient:
        versions = view.agreements(collector, recipient)
        states = {standing(one, versions, today).state for one in versions}
        if not versions:
            found.append("agreement_missing")
        elif not states & {"in_force", "ending"}:
            found.append("agreement_expired")
        elif "in_force" not in states:
            found.append("agreement_ending")
    if late.get(recipient):
        found.append("late_answers")
    return found


def drawing(edges: Sequence[Edge], names: Mapping[str, str]) -> Drawing:
    """The largest edges as boxes and curves. `names`: legal names by party."""
    shown = edges[:EDGES_DRAWN]
    passed: dict[tuple[str, str, str], int] = {}
    for edge in shown:
        for left, right in ((0, 1), (1, 2)):
            pair = (str(left), _key(edge, left), _key(edge, right))
            passed[pair] = passed.get(pair, 0) + edge.consents
    bad = {(str(left), _key(e, left), _key(e, left + 1)) for e in shown for left in (0, 1) if _grave(e)}
    columns = [_column(shown, place) for place in range(3)]
    tallest = max((len(column) for column in columns), default=0)
    places = {
        (place, key): TOP + round((row + 0.5) * ROW * tallest / len(column))
        for place, column in enumerate(columns)
        for row, key in enumerate(column)
    }
    most = max(passed.values(), default=1)
    lines = [
        Line(
            _curve(int(left), places[int(left), a], places[int(left) + 1, b]), _width(count, most), (left, a, b) in bad
        )
        for (left, a, b), count in passed.items()
    ]
    nodes = [
        Node(
            *_labels(place, key, names, shown),
            COLUMNS[place],
            y - BOX_HEIGHT // 2,
            _is_bad(place, key, shown),
            _path(place, key),
        )
        for (place, key), y in places.items()
    ]
    return Drawing(nodes, sorted(lines, key=lambda line: line.bad), TOP + ROW * tallest + 10, len(shown))


def _key(edge: Edge, place: int) -> str:
    return (edge.collector, f"{edge.collector} {edge.list}", edge.recipient)[place]


def _column(edges: Sequence[Edge], place: int) -> list[str]:
    volumes: dict[str, int] = {}
    for edge in edges:
        volumes[_key(edge, place)] = volumes.get(_key(edge, place), 0) + edge.consents
    if place == 1:  # lists stand in the order of their collectors, so that fewer curves cross
        order = _column(edges, 0)
        return sorted(volumes, key=lambda key: (order.index(key.split(" ", 1)[0]), -volumes[key]))
    return sorted(volumes, key=lambda key: -volumes[key])


def _labels(place: int, key: str, names: Mapping[str, str], edges: Sequence[Edge]) -> tuple[str, str]:
    total = sum(edge.consents for edge in edges if _key(edge, place) == key)
    text = f"{total:,}".replace(",", "\u202f")
    if place == 1:
        return key.split(" ", 1)[1] or "—", text
    return names.get(key, key), text


def _path(place: int, key: str) -> str:
    if place != 1:
        return f"/parties/{key}"
    name = key.split(" ", 1)[1].rpartition(":")[0]
    return f"/parties/lists/{name}" if name else ""


def _is_bad(place: int, key: str, edges: Sequence[Edge]) -> bool:
    wanted = {
        0: ("collector_suspended", "collector_unknown"),
        2: ("recipient_suspended", "recipient_unknown", "late_answers"),
    }
    return any(set(edge.problems) & set(wanted.get(place, ())) for edge in edges if _key(edge, place) == key)


def _grave(edge: Edge) -> bool:
    return bool(set(edge.problems) - {"agreement_ending"})


def _width(count: int, most: int) -> float:
    """By orders of magnitude: a prospecteur with a thousandth of the volume is still seen."""
    share = log10(1 + count) / log10(1 + most) if most else 0
    return round(NARROWEST + (WIDEST - NARROWEST) * share, 1)


def _curve(left: int, y1: int, y2: int) -> str:
    x1, x2 = COLUMNS[left] + BOX_WIDTH, COLUMNS[left + 1]
    middle = (x1 + x2) // 2
    return f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}"
