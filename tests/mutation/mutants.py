"""Makes mutants of a source file: one change each, of the kind that a hand or a merge could make to the law.

Dates move by a day, rule codes change, comparisons move by one or turn round, `and` becomes `or`, a condition is dropped, effects
are swapped, a keyword that narrows a rule (channels, bases, audience, third party) is dropped, a row of a table is dropped.
Texts shown to people are left alone: a test compares them with the committed pages.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
NARROWING = {"bases", "channels", "audience", "third_party", "sector", "value", "claim", "tracking", "until"}
SWAPPED = {"INVALID": "REVIEW", "REVIEW": "INVALID"}
TABLES = {
    "CATALOGUE",
    "BASIS_TABLE",
    "PHONE_STATEMENTS",
    "NOTICE_ITEMS",
    "SALES",
    "CALLS",
    "MESSAGES",
    "CALL_CHANNEL",
    "MAIL_LIKE",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed source. `line` of the original, `what` was changed."""

    line: int
    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a source, in order. Those that print as the original are none."""
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    seen = {plain}
    machinery = {id(part) for node in ast.walk(tree) if _is_machinery(node) for part in ast.walk(node)}
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in machinery:
            continue
        for what, change in _changes(node):
            twin = copy.deepcopy(tree)
            change(list(ast.walk(twin))[index])
            text = ast.unparse(ast.fix_missing_locations(twin))
            if text not in seen:
                seen.add(text)
                yield Mutant(getattr(node, "lineno", 0), what, text)


def _is_machinery(node):
    """How a class is built, how much is remembered: no law is in it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"dataclass", "field", "lru_cache"}
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").startswith("MOST_")


def _changes(node):  # noqa: C901, PLR0912 - one case per kind of change
    """(what, change of the same node in a copy) of everything that can be changed at a node."""
    match node:
        case ast.Call(func=ast.Name(id="date"), args=[ast.Constant(), ast.Constant(), ast.Constant()]):
            for days in (1, -1):
                yield f"a date by {days:+} day", lambda n, days=days: _move(n, days)
        case ast.Call(func=ast.Name(id="Rule")):
            yield "the code of a rule", lambda n: setattr(n.args[0], "value", n.args[0].value + "-X")
            yield from _dropped_keywords(node)
        case ast.Call(func=ast.Name(id="BasisRow" | "Ban")):
            yield from _dropped_keywords(node)
        case ast.Compare(ops=[op]):
            for other in COMPARED.get(type(op), ()):
                yield f"{type(op).__name__} to {other.__name__}", lambda n, other=other: n.ops.__setitem__(0, other())
        case ast.BoolOp(op=op, values=values):
            other = ast.Or if isinstance(op, ast.And) else ast.And
            yield f"{type(op).__name__} to {other.__name__}", lambda n, other=other: setattr(n, "op", other())
            for place in range(len(values)):
                if len(values) > 1:
                    yield f"condition {place + 1} dropped", lambda n, place=place: n.values.pop(place)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", lambda n: setattr(n, "op", ast.UAdd()) or _bool(n)
        case ast.Name(id=name) if name in SWAPPED and isinstance(node.ctx, ast.Load):
            yield "effect swapped", lambda n: setattr(n, "id", SWAPPED[n.id])
        case ast.Constant(value=bool() as value):
            yield "a boolean", lambda n, value=value: setattr(n, "value", not value)
        case ast.Constant(value=int() as value):
            yield "a number", lambda n, value=value: setattr(n, "value", value + 1)
        case ast.keyword(arg="days" | "months" | "minutes" | "hours"):
            return
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name in TABLES:
            yield from _dropped_items(node)


def _dropped_keywords(node):
    for place, keyword in enumerate(node.keywords):
        if keyword.arg in NARROWING:
            yield f"{keyword.arg} dropped", lambda n, place=place: n.keywords.pop(place)


def _dropped_items(node):
    items = _items(node.value)
    for place in range(len(items)):
        yield f"item {place + 1} dropped", lambda n, place=place: _items(n.value).pop(place)


def _items(value):
    if isinstance(value, ast.Tuple | ast.Set):
        return value.elts
    if (
        isinstance(value, ast.Call)
        and value.args
        and isinstance(value.args[0], ast.Set)
        and len(value.args[0].elts) > 1
    ):
        return value.args[0].elts
    return []


def _move(call, days):
    moved = date(*(arg.value for arg in call.args)) + timedelta(days=days)
    for arg, value in zip(call.args, (moved.year, moved.month, moved.day), strict=True):
        arg.value = value


def _bool(node):
    """`not x` becomes `bool(x)`."""
    operand = node.operand
    node.op, node.operand = ast.Not(), ast.UnaryOp(op=ast.Not(), operand=operand)
