"""The language of the command: `--lang`, else OPPOSABLE_LANG, else the locale; French or English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Literal

Language = Literal["fr", "en"]

_chosen: ContextVar[Language | None] = ContextVar("language", default=None)
_VARIABLES = ("OPPOSABLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def of_environment(environment: Mapping[str, str]) -> Language:
    """French where the first variable that is set starts with `fr`, else English."""
    first = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return "fr" if first.lower().startswith("fr") else "en"


def choose(language: Language | None) -> None:
    """What `--lang` asked for (None = nothing)."""
    _chosen.set(language)


def language() -> Language:
    """The language to speak now."""
    return _chosen.get() or of_environment(os.environ)


def tr(en: str, fr: str) -> str:
    """One of two texts."""
    return fr if language() == "fr" else en
