"""Writes the titles and sources of the rules where attestations read them (services may not import each other).

python -m services.cli.rules_titles
"""

from __future__ import annotations

import json

from services.consent_validator.rules.book import CATALOGUE, VERSION
from services.proof_archive.attestation.rule_texts import FILE


def content() -> str:
    """The whole file."""
    rules = {
        rule.code: {"title": rule.title_fr, "source": rule.source, "confidence": rule.confidence} for rule in CATALOGUE
    }
    return json.dumps({"ruleset": VERSION, "rules": rules}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(content(), encoding="utf-8")
