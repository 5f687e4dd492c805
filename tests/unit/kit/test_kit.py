"""The register of processing and a form's mention: what the registry says is there, what it cannot know is marked, nobody is left out."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from services.cli.main import build
from shared.errors import ConfigurationError
from shared.kit.mention import mention
from shared.kit.register import COLUMNS, TO_FILL_IN, of_operator, register
from shared.kit.words import CHANNELS, DATA, PURPOSES, listed
from shared.registry.load import load_dir, view_of
from tests.conftest import EXAMPLE_REGISTRY

VIEW = view_of(load_dir(EXAMPLE_REGISTRY))


def run(*words):
    return CliRunner().invoke(
        build(["register"]), ["register", *words, "--registry", str(EXAMPLE_REGISTRY)], catch_exceptions=False
    )


def test_words_are_there_for_every_channel_and_purpose():
    from typing import get_args  # noqa: PLC0415

    from shared.contracts.types import Channel, Purpose  # noqa: PLC0415

    assert set(CHANNELS) == set(DATA) == set(get_args(Channel))
    assert set(PURPOSES) == set(get_args(Purpose))
    assert (listed([]), listed(["a"]), listed(["a", "b", "a"]), listed("abc")) == ("", "a", "a et b", "a, b et c")


def test_a_collector_has_one_activity_for_each_of_its_forms_newest_version():
    acme = VIEW.party("acme")
    found = [one for one in register(VIEW, acme) if one.source.startswith("form:")]
    newest = {}
    for form in VIEW.forms():
        if form.collector == "acme":
            newest[form.id] = max(form.version, newest.get(form.id, 0))
    assert {one.source for one in found} == {f"form:{name}:{version}" for name, version in newest.items()}
    for one in found:
        assert "Canal Vert SA (SIREN 999000029)" in one.destinataires
        assert one.contact_dpo == "dpo@acme.example"


def test_a_prospecteur_has_one_activity_for_each_agreement_and_names_the_source():
    found = register(VIEW, VIEW.party("canalvert"))
    assert {one.source.split(":")[0] for one in found} == {"agreement"}
    assert any("ACME Jeux SAS (SIREN 999000011)" in one.personnes for one in found)
    assert all(one.transferts_hors_ue == TO_FILL_IN for one in found), "the registry knows nothing of transfers"


def test_the_operator_lists_every_controller_it_works_for():
    found = of_operator(VIEW, "Opérateur SAS", "dpo@op.example")
    assert {one.nature for one in found} == {"sous-traitant"}
    assert len(found) == len(VIEW.parties())


def test_the_mention_names_every_recipient_and_the_rights():
    form, published = VIEW.form("jeu-rentree", 7), VIEW.list_("acme-partners", 12)
    text = mention(VIEW.party("acme"), form, published)
    for entry in published.entries:
        assert entry.legal_name in text
        assert entry.siren in text
    for word in (
        "retirer votre consentement",
        "réclamation à la CNIL",
        "L.223-2",
        "effacer",
        "version 12",
        "facultatif",
    ):
        assert word in text, word
    assert "à personne d’autre" in mention(VIEW.party("acme"), form, None)


def test_no_mention_is_written_for_categories():
    categories = VIEW.list_("acme-categories", 1)
    with pytest.raises(ValueError, match="names nobody"):
        mention(VIEW.party("acme"), VIEW.form("jeu-rentree", 7), categories)


def test_the_commands(tmp_path):
    assert "Registre des activités de traitement : acme" in run("export", "--party", "acme").stdout
    rows = list(
        csv.DictReader(
            io.StringIO(run("export", "--party", "canalvert", "--format", "csv").stdout.lstrip("\ufeff")), delimiter=";"
        )
    )
    assert tuple(rows[0]) == COLUMNS
    assert json.loads(run("export", "--format", "json", "--operator", "Op").stdout)[0]["nature"] == "sous-traitant"
    file = tmp_path / "mention.txt"
    assert run("mention", "jeu-rentree", "7", "--list", "acme-partners:12", "--output", str(file)).exit_code == 0
    assert "Canal Vert SA" in file.read_text()
    for words in (["export", "--party", "nobody"], ["mention", "jeu-rentree", "99"], ["mention", "jeu-rentree", "7", "--list", "x"],
                  ["mention", "jeu-rentree", "7", "--list", "acme-categories:1"]):  # fmt: skip
        with pytest.raises(ConfigurationError):
            run(*words)
