"""The pages on the law say what the rules say: they are generated, and the committed ones are up to date."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from services.cli.rules_docs import FILES, page
from services.cli.rules_words import CHANNEL, SETTING
from services.consent_validator.rules.book import CATALOGUE, VERSION
from services.consent_validator.rules.model import RuleSettings
from services.rights_handler.sending.book import CATALOGUE as SENDING
from services.rights_handler.sending.model import SendingSettings
from shared.contracts.types import CHANNELS

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_committed_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == page(FILES[name]), "run: opposable rules docs docs"


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_rule_is_told_with_its_source_date_and_cure(name: str) -> None:
    text = page(FILES[name])
    rows = {line.split("|")[1].strip(" `"): line for line in text.splitlines() if line.startswith("| `")}
    assert VERSION in text
    for rule in (*CATALOGUE, *SENDING):
        row = rows[rule.code]
        assert rule.source in row
        assert (rule.title_fr if FILES[name] == "fr" else rule.title_en) in row
        assert (rule.cure_fr if FILES[name] == "fr" else rule.cure_en) in row
        if rule.applies_from is not None:
            assert rule.applies_from.isoformat() in row


def test_every_setting_and_channel_has_its_words() -> None:
    names = {f.name for settings in (RuleSettings, SendingSettings) for f in fields(settings)}
    assert set(SETTING) == names
    assert set(CHANNEL) == set(CHANNELS)
