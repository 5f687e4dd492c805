"""The French notice: every item of RGPD 14, the objection apart and first, and nothing invented."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from services.rights_handler.sending import words
from services.rights_handler.sending.notice import BASES, CHANNELS, PURPOSES, Company, NoticeFacts, notice_fr
from shared.contracts.types import Channel, Purpose, instant

FACTS = NoticeFacts(
    recipient=Company("Canal Vert SA", "999000029", "dpo@canalvert.example", "https://canalvert.example/vie-privee"),
    collector=Company("ACME Jeux SAS", "999000011"), channel="email", purpose="prospecting", basis="consent",
    collected_at=instant("2026-09-14T08:31:07.120Z"), valid_until=instant("2027-09-13T22:00:00Z"),
    stop_url="https://oppo.example/u/abc",
)  # fmt: skip


def test_every_item_is_there():
    notice = notice_fr(FACTS)
    for item in (
        "Canal Vert SA (SIREN 999000029)", "dpo@canalvert.example", "https://canalvert.example/vie-privee",
        "ACME Jeux SAS (SIREN 999000011)", "lundi 14 septembre 2026 à 10 h 31", "votre adresse électronique", "par courriel",
        "votre consentement", "mardi 14 septembre 2027", "accès", "rectification", "effacement", "limitation", "portabilité",
        "CNIL", "retirer votre consentement",
    ):  # fmt: skip
        assert item in notice.text_fr, item
    assert notice.lacks == ()


def test_the_objection_stands_first_and_apart():
    first, blank, *rest = notice_fr(FACTS).text_fr.split("\n")
    assert first.startswith("VOUS POUVEZ VOUS OPPOSER À TOUT MOMENT")
    assert "https://oppo.example/u/abc" in first
    assert blank == ""
    assert all(": " in line for line in rest)


def test_what_is_not_known_is_named_not_invented():
    bare = replace(FACTS, recipient=Company("Canal Vert SA"), stop_url=None, valid_until=None)
    notice = notice_fr(bare)
    assert notice.lacks == ("dpo", "privacy_url", "stop_url")
    assert "répondez simplement à ce message" in notice.text_fr
    assert "None" not in notice.text_fr
    assert "SIREN 999000029" not in notice.text_fr


@pytest.mark.parametrize("basis", BASES)
def test_rights_follow_the_basis(basis):
    text = notice_fr(replace(FACTS, basis=basis)).text_fr
    assert ("portabilité" in text) is ("retirer votre consentement" in text) is (basis == "consent")
    assert "fondement de : votre consentement" in text or "intérêt légitime" in text


def test_there_are_words_for_everything():
    assert set(CHANNELS) == set(get_args(Channel))
    assert set(PURPOSES) == set(get_args(Purpose))
    for channel in CHANNELS:
        for purpose in PURPOSES:
            assert "None" not in notice_fr(replace(FACTS, channel=channel, purpose=purpose)).text_fr


def test_days_and_instants_in_french():
    assert words.in_paris_text(instant("2026-12-31T23:00:00Z")) == "vendredi 1er janvier 2027 à 0 h 00 (heure de Paris)"
    assert (
        words.in_paris_text(instant("2026-07-01T10:05:09Z"))
        == "mercredi 1er juillet 2026 à 12 h 05 min 09 s (heure de Paris)"
    )
    assert words.in_paris_text(instant("9999-12-31T23:59:00Z")).startswith("vendredi 31 décembre 9999")
    assert words.day(instant("2026-08-11T00:00:00Z").date()) == "mardi 11 août 2026"
