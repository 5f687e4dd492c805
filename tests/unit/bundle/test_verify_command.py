import json
import sys

import pytest
from bundle_world import LOGS, POLICY, WITNESSED_POLICY, erased_world, plain_world, stopped_world
from typer.testing import CliRunner

from services.cli import main
from services.cli.verify_report import clean
from services.proof_archive.bundles.manifest import Reference
from shared.errors import InputError


@pytest.fixture
def files(tmp_path):
    world = plain_world()
    (tmp_path / "proof.zip").write_bytes(world.bundle(disclosures=world.disclosures("/subject_ref")))
    (tmp_path / "policy").write_text(POLICY)
    return tmp_path


def verify(directory, *options, bundle="proof.zip", policy="policy", lang="fr"):
    words = ["--lang", lang, "verify", str(directory / bundle), "--policy", str(directory / policy), *options]
    return CliRunner().invoke(main.build(words), words)


def test_a_good_bundle_exits_0_and_says_so(files):
    result = verify(files)
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "La preuve est vérifiée" in said
    assert "Preuve non indépendante" in said
    assert "témoins 0 sur 0" in said
    assert "/subject_ref = lead-88231" in said
    assert "due par acme" in said
    assert "Non prouvé : que le collecteur a dit vrai" in said
    assert "valide" not in said


def test_english(files):
    said = " ".join(verify(files, lang="en").output.split())
    assert "The proof holds" in said
    assert "Not an independent proof" in said
    assert "Not proven: that the collector told the truth" in said


def test_a_witnessed_bundle_is_independent(files):
    (files / "policy").write_text(WITNESSED_POLICY)
    said = " ".join(verify(files).output.split())
    assert "témoins 2 sur 3" in said
    assert "indépendante" not in said


def test_an_erased_record(files):
    (files / "proof.zip").write_bytes(erased_world().bundle())
    said = " ".join(verify(files).output.split())
    assert "incluses, données personnelles effacées" in said


def test_a_stopped_and_partly_withheld_record(files):
    world = stopped_world()
    entries = [entry for entry in world.request().entries if "/requests/" not in entry.origin]
    withheld = [Reference(origin=world.origin("requests"), index=0, topic="requests", kind="request.received")]
    (files / "proof.zip").write_bytes(world.bundle(entries=entries, withheld=withheld))
    said = " ".join(verify(files).output.split())
    assert "arrêté par la personne, au moins en partie" in said
    assert "1 entrées connues ne sont pas dans ce dossier" in said
    assert "parole du signataire" in said


def test_an_altered_bundle_exits_1_with_the_reason(files):
    data = bytearray((files / "proof.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (files / "proof.zip").write_bytes(data)
    result = verify(files)
    assert result.exit_code == 1
    assert "Le dossier est refusé" in result.output
    answer = verify(files, "--json")
    assert answer.exit_code == 1
    said = json.loads(answer.output)
    assert (said["valid"], said["contents"]) == (False, None)
    assert said["problems"][0]["code"] in result.output


def test_another_deployment_s_trust_file_exits_1(files):
    (files / "policy").write_text("quorum none\n")
    result = verify(files, lang="en")
    assert result.exit_code == 1
    assert "MANIFEST-NOT-SIGNED (manifest.note)" in result.output


def test_json_holds_everything(files):
    result = verify(files, "--json")
    assert result.exit_code == 0
    said = json.loads(result.output)
    assert said["valid"]
    assert said["contents"]["independent"] is False
    assert said["contents"]["disclosed"] == [{"entry": "entries/000", "pointer": "/subject_ref", "value": "lead-88231"}]


@pytest.mark.parametrize(
    ("bundle", "policy", "code"),
    [("none.zip", "policy", "FILE-UNREADABLE"), ("proof.zip", "none", "FILE-UNREADABLE"), (".", "policy", "FILE-UNREADABLE"),
     ("proof.zip", "empty", "POLICY"), ("proof.zip", "proof.zip", "POLICY"), ("proof.zip", "latin", "POLICY")],
)  # fmt: skip
def test_inputs_that_cannot_be_used_exit_2(files, monkeypatch, capsys, bundle, policy, code):
    (files / "empty").write_text(LOGS)
    (files / "latin").write_bytes(b"# \xe9\nquorum none\n")
    result = verify(files, bundle=bundle, policy=policy)
    assert isinstance(result.exception, InputError)
    words = ["opposable", "verify", str(files / bundle), "--policy", str(files / policy)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main.run()
    assert stopped.value.code == 2
    assert code in capsys.readouterr().err


def test_a_trust_file_is_required(files):
    words = ["verify", str(files / "proof.zip")]
    assert CliRunner().invoke(main.build(words), words).exit_code == 2


def test_what_a_file_says_cannot_act_on_the_terminal():
    assert clean("a\x1b[31mb\u202ec\r\n") == "a\ufffd[31mb\ufffdc\ufffd\ufffd"
    assert clean("« déjà » — ok") == "« déjà » — ok"
