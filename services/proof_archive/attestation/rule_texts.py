"""Titles and sources of the rules, as an attestation quotes them: `rules.json`, generated from the rules themselves.

`python -m services.cli.rules_titles` writes it again; a test fails while it says anything else than the rules do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("rules.json")


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a code means: its title in French, its source, and what was read of it."""

    title: str
    source: str
    confidence: str


@lru_cache(maxsize=1)
def rule_texts() -> tuple[str, dict[str, RuleText]]:
    """The version of the rule set that the texts come from, and the texts by code."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return content["ruleset"], {code: RuleText(**rule) for code, rule in content["rules"].items()}
