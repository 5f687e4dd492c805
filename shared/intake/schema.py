"""Turns pydantic's findings into our problems: a stable code, a JSON pointer, a sentence that never repeats a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shared.errors import Problem

MOST = 20
"""Problems told of one input; a sender who gets that many has misread the contract, not a field."""

TEXT_EXPECTED = "a text is expected here"
_SAFE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MESSAGES: Mapping[str, tuple[str, str]] = {
    "missing": ("FIELD-MISSING", "a required field is missing"),
    "extra_forbidden": ("FIELD-UNKNOWN", "the contract does not know this field: remove it"),
    "json_invalid": ("JSON", "the data is not JSON"),
    "literal_error": ("VALUE-UNKNOWN", "not one of the words that the contract allows here"),
    "string_pattern_mismatch": ("FIELD-FORMAT", "the text does not have the documented form"),
    "string_too_short": ("FIELD-FORMAT", "the text is too short"),
    "string_too_long": ("FIELD-FORMAT", "the text is too long"),
    "string_type": ("FIELD-TYPE", TEXT_EXPECTED),
    "int_type": ("FIELD-TYPE", "a whole number is expected here"),
    "bool_type": ("FIELD-TYPE", "true or false is expected here"),
    "tuple_type": ("FIELD-TYPE", "a list is expected here"),
    "model_type": ("FIELD-TYPE", "an object is expected here"),
    "model_attributes_type": ("FIELD-TYPE", "an object is expected here"),
    "too_short": ("FIELD-FORMAT", "the list holds too few items"),
    "too_long": ("FIELD-FORMAT", "the list holds too many items"),
    "greater_than_equal": ("FIELD-FORMAT", "the number is too small"),
    "less_than_equal": ("FIELD-FORMAT", "the number is too large"),
    "union_tag_not_found": ("FIELD-MISSING", "the kind is missing"),
    "union_tag_invalid": ("VALUE-UNKNOWN", "this kind is unknown"),
}
_OTHER = ("FIELD-FORMAT", "the value does not have the documented form")


def problems_of(error: ValidationError, data: Any, *, skip: int = 0) -> list[Problem]:
    """Problems of a validation. `data`: the parsed input (to find real pointers); `skip`: leading union tags in `loc`."""
    found: dict[str, Problem] = {}
    no_word: set[str] = set()  # "one word or a list": where a list stands, its own fault is told if there is one
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        code, message = _MESSAGES.get(item["type"], _OTHER)
        pointer, value = _pointer(item["loc"][skip:], data, item["type"])
        if item["type"] == "too_short" and any(p.startswith(f"{pointer}/") for p in found):
            continue  # the list is short only because its items are at fault
        if pointer in no_word:
            del found[pointer]
        found.setdefault(pointer, Problem(code, pointer, message))
        if item["type"] == "literal_error" and isinstance(value, list | dict):
            no_word.add(pointer)
        else:
            no_word.discard(pointer)
        if len(found) == MOST:
            break
    return list(found.values())


def _pointer(location: tuple[int | str, ...], data: Any, kind: str) -> tuple[str, Any]:
    """RFC 6901 pointer of the fields in a location, and what stands there; pydantic's own words (union branches) are left out.

    A name the sender invented could itself be personal data: it is shown only when it looks like a field name.
    """
    pointer = ""
    for part in location:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        elif isinstance(data, dict) and part in data:
            data = data[part]
        elif not (kind == "missing" and isinstance(data, dict)):
            break
        if isinstance(part, str) and not _SAFE_NAME.fullmatch(part):
            break
        pointer += f"/{part}"
    return pointer, data
