"""Sub-processors: the register, who is told what and when, and what may not be announced."""

import json
from datetime import date, timedelta

import orjson
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.announcing import processing
from shared.contracts.platform import SubProcessorChanging
from shared.kit.subprocessors import day, markdown, notice_text, state
from shared.registry.load import load_dir, view_of
from shared.registry.models import parse
from shared.registry.subprocessors import change_of, earliest_start, newest, serving
from tests.conftest import EXAMPLE_REGISTRY

BODY = {
    "kind": "subprocessor", "id": "hebergeur", "version": 1, "legal_name": "Nuage du Nord SAS", "siren": "999000300",
    "foreign_id": None, "country": "FR", "locations": ["FR", "DE"], "service": "hébergement des serveurs",
    "data": "toutes, chiffrées", "transfer_guarantee": None, "starts_on": "2027-01-15", "objections_until": "2027-01-14",
    "ends_on": None, "reason": None,
}  # fmt: skip


def version(**change):
    return parse(BODY | change)


def test_a_version_that_leaves_no_time_or_names_no_guarantee_is_none():
    for change, reason in (
        ({"objections_until": "2027-01-15"}, "objections end before"),
        ({"locations": ["US"]}, "outside the EEA"),
        ({"country": "IN", "locations": ["FR"]}, "outside the EEA"),
        ({"ends_on": "2027-01-14"}, "ends after it starts"),
        ({"siren": None}, "exactly one of siren"),
        ({"locations": []}, "locations"),
    ):
        with pytest.raises(ValidationError, match=reason):
            version(**change)
    assert version(locations=["US"], transfer_guarantee="décision d’adéquation (UE) 2023/1795").locations == ("US",)


def test_what_a_version_changes_and_when_it_serves():
    one = version()
    ended = version(version=2, ends_on="2027-06-30", objections_until=None)
    assert change_of(one, None) == "added"
    assert change_of(version(version=2), one) == "changed"
    assert change_of(ended, one) == "ended"
    assert change_of(version(objections_until=None), None) == "listed"
    days = [date(2027, 1, 14), date(2027, 1, 15), date(2027, 6, 30), date(2027, 7, 1)]
    assert [serving(ended, d) for d in days] == [False, True, True, False]
    assert [state(ended, d) for d in days] == ["annoncé", "en service", "en service", "terminé"]
    assert newest([one, ended])["hebergeur"] is ended
    assert newest([one, ended], 1)["hebergeur"] is one
    assert earliest_start(date(2026, 11, 27), 30) == date(2026, 12, 28), "thirty whole days lie between"


def test_the_notice_says_who_what_where_since_when_and_how_to_object():
    text = notice_text(version(reason="fin de l’ancien contrat"), "added", "ACME Jeux SAS")
    for part in (
        "Nouveau sous-traitant ultérieur (RGPD, article 28, paragraphe 2)", "ACME Jeux SAS", "Nuage du Nord SAS (SIREN 999000300)",
        "hébergement des serveurs", "FR, DE", "Motif : fin de l’ancien contrat.", "prend effet le 15 janvier 2027",
        "opposer jusqu’au 14 janvier 2027 inclus",
    ):  # fmt: skip
        assert part in text
    ended = notice_text(version(version=2, ends_on="2027-03-01", objections_until=None), "ended", "ACME Jeux SAS")
    assert "prend fin le 1er mars 2027" in ended
    assert "opposer" not in ended
    assert "opposer" not in notice_text(version(objections_until=None), "listed", "ACME Jeux SAS")
    assert day(date(2027, 8, 1)) == "1er août 2027"


def test_every_registered_party_is_told_once_and_the_event_is_the_contract():
    view = view_of(load_dir(EXAMPLE_REGISTRY))
    view.apply("subprocessor:hebergeur:1", BODY, offset=-1, archived_at=None)
    (one,) = view.subprocessors()
    out = list(processing(one, view))
    assert {m.topic for m in out} == {f"out.{p.id}.requests" for p in view.parties()}
    assert out == list(processing(one, view)), "the same event again is the same"
    for message in out:
        told = SubProcessorChanging.model_validate_json(message.value)
        assert told.change == "added"
        assert told.objections_until == "2027-01-14"
        assert view.party(message.topic.split(".")[1]).legal_name in told.text
    ids = {dict(m.headers)["ce_id"] for m in out}
    assert len(ids) == len(out)
    ended = BODY | {"version": 2, "ends_on": "2027-06-30", "objections_until": None}
    view.apply("subprocessor:hebergeur:2", ended, offset=-1, archived_at=None)
    (later,) = (o for o in view.subprocessors() if o.version == 2)
    assert {orjson.loads(m.value)["change"] for m in processing(later, view)} == {"ended"}


def test_the_register_is_listed_and_written_for_an_annex(tmp_path):
    for file in EXAMPLE_REGISTRY.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    today = date.today()  # noqa: DTZ011 - the command's own day
    started = BODY | {"starts_on": str(today - timedelta(days=40)), "objections_until": None}
    (tmp_path / "sub.yaml").write_text(json.dumps(started))

    def run(*words):
        done = CliRunner().invoke(build(["subprocessor"]), ["subprocessor", *words, "--registry", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.stdout

    (one,) = json.loads(run("list", "--json"))
    assert (one["id"], one["serving"]) == ("hebergeur", True)
    assert "| Nuage du Nord SAS (SIREN 999000300) | hébergement des serveurs |" in run("list", "--markdown")
    assert "hebergeur" in run("list")
    assert "À l’attention de ACME Jeux SAS" in run("notice", "hebergeur", "--party", "acme")
    assert len(json.loads(run("notice", "hebergeur", "--json"))) == len(list(view_of(load_dir(tmp_path)).parties()))


def test_a_cell_of_the_register_cannot_break_its_table():
    assert "a\\|b" in markdown([version(service="a|b")], date(2027, 2, 1))
