"""Reasons that an operator gives and that a log keeps for ever: one line, which names a file, never a person. Pure."""

from __future__ import annotations

import re

from shared.errors import InputError, Problem

SHORTEST, LONGEST = 4, 200
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{4,200}")
_PHONE = re.compile(r"(\+|\b0)[\d\s.()-]{8,}")
_MANY_DIGITS = re.compile(r"\d{9,}")


def checked(text: str, pointer: str, prefix: str) -> str:
    """The reason, trimmed. Raises InputError (`<prefix>-TEXT`, `<prefix>-PERSONAL`) where it could name a person."""
    reason = text.strip()
    if _TEXT.fullmatch(reason) is None:
        raise InputError([Problem(f"{prefix}-TEXT", pointer, f"one line of {SHORTEST} to {LONGEST} characters")])
    if "@" in reason or _PHONE.search(reason) or _MANY_DIGITS.search(reason):
        message = (
            "the reason is archived for ever: it must hold no e-mail address and no telephone number; name the file"
        )
        raise InputError([Problem(f"{prefix}-PERSONAL", pointer, message)])
    return reason
