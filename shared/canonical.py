"""Public JSON profile: the only serialisation that is ever hashed or signed.

ASCII keys, no floats, |int| < 2^53, keys sorted, no insignificant space, UTF-8. On this profile the bytes equal those
of RFC 8785 (JCS), which a test proves with an independent implementation.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from shared.errors import IntegrityError

MAX_SAFE_INTEGER = 2**53 - 1
"""Largest integer every JSON reader keeps exact (RFC 8785 §3.2.2.3, IEEE 754)."""


def dumps(value: Any) -> bytes:
    """Canonical bytes of a value already known to be in the profile (see `check`)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def loads(data: bytes) -> Any:
    """Parse JSON bytes. Raises `orjson.JSONDecodeError` (a ValueError)."""
    return orjson.loads(data)


MAX_DEPTH = 64
"""Levels of nesting: far beyond any contract, far below what would exhaust a reader's stack."""


def check(value: Any) -> None:
    """Raise IntegrityError naming the JSON pointer of the first thing outside the profile."""
    if not _fits(value):
        _explain(value, "", 0)


def _fits(value: Any) -> bool:
    """Whether a value is in the profile, level by level; False of what only `_explain` can judge (subclasses)."""
    level, depth = [value], 0
    while level:
        if depth > MAX_DEPTH:
            return False
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str or kind is bool or item is None:
                continue
            if kind is dict:
                if not all(type(key) is str and key.isascii() for key in item):
                    return False
                below += item.values()
            elif kind is list or kind is tuple:
                below += item
            elif kind is not int or abs(item) > MAX_SAFE_INTEGER:
                return False
        level, depth = below, depth + 1
    return True


def _explain(value: Any, pointer: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise IntegrityError(f"more than {MAX_DEPTH} levels of nesting")
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise IntegrityError(f"a key that is not ASCII stands in {pointer or '(root)'}")
            _explain(item, f"{pointer}/{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _explain(item, f"{pointer}/{index}", depth + 1)
    else:
        _check_scalar(value, pointer or "(root)")


def _check_scalar(value: Any, where: str) -> None:
    if isinstance(value, float):
        raise IntegrityError(f"a float stands at {where}: write decimals as strings")
    if value is not None and not isinstance(value, bool | str | int):
        raise IntegrityError(f"{type(value).__name__} at {where} is not JSON")
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        raise IntegrityError(f"an integer beyond 2^53 stands at {where}")


def sha256_hex(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()
