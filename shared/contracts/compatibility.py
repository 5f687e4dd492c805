"""What in a new schema would break those who rely on the old one. Pure.

The versioning policy (contracts): within a type's version, only an optional field may be added. For what parties send, asking for more
or accepting less breaks them; for what they receive, promising less or giving other values does. Anything else is a new version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

Direction = Literal["sent", "received"]
Json = dict[str, Any]
_BOUNDS = ("pattern", "format", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "const", "type")


def breaking(old: Json, new: Json, direction: Direction) -> list[str]:
    """Each breaking change as a sentence with the JSON pointer of its place; [] where there is none.

    `sent`: events that parties send us; `received`: events that they receive.
    """
    return sorted(set(_compare(old, new, direction, "", (old, new), 0)))


def _compare(old: Any, new: Any, direction: Direction, at: str, roots: tuple[Json, Json], depth: int) -> Iterator[str]:
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    if depth > 40 or not isinstance(old, dict) or not isinstance(new, dict):  # noqa: PLR2004 - contracts are not that deep
        return
    where = at or "/"
    yield from _properties(old, new, direction, at, roots, depth)
    for name in _BOUNDS:
        if old.get(name) != new.get(name):
            yield f"{where}: {name} changed from {old.get(name)!r} to {new.get(name)!r}"
    if "enum" in old or "enum" in new:
        before, after = set(map(str, old.get("enum", ()))), set(map(str, new.get("enum", ())))
        lost = before - after if direction == "sent" else after - before
        verb = "no longer accepted" if direction == "sent" else "may now be received"
        yield from (f"{where}: {value!r} {verb}" for value in lost)
    if "items" in old or "items" in new:
        yield from _compare(old.get("items", {}), new.get("items", {}), direction, f"{at}/*", roots, depth + 1)
    before, after = old.get("anyOf", []), new.get("anyOf", [])
    if len(before) != len(after):
        yield f"{where}: other alternatives than before"
    for left, right in zip(before, after, strict=False):
        yield from _compare(left, right, direction, at, roots, depth + 1)


def _properties(
    old: Json, new: Json, direction: Direction, at: str, roots: tuple[Json, Json], depth: int
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    yield from (f"{at}/{name}: removed" for name in before.keys() - after.keys())
    required = set(new.get("required", ())) - set(old.get("required", ()))
    freed = set(old.get("required", ())) - set(new.get("required", ()))
    if direction == "sent":
        yield from (f"{at}/{name}: required now" for name in required)
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{at or '/'}: unknown fields are refused now"
    else:
        yield from (f"{at}/{name}: no longer always there" for name in freed & after.keys())
    for name in before.keys() & after.keys():
        yield from _compare(before[name], after[name], direction, f"{at}/{name}", roots, depth + 1)


def _resolved(value: Any, root: Json) -> Any:
    while isinstance(value, dict) and "$ref" in value:
        target: Any = root
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value
