"""The single file as a stranger runs it: alone in a folder, with nothing but Python."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from bundle_world import LOGS, POLICY, WITNESSED_POLICY
from mutants_base import bundle_of, members_of
from three import PAGE, SINGLE_FILE, by_command, call_page, single

from services.proof_archive.bundles.canonical_zip import write_zip
from services.proof_archive.bundles.readme import KNOWN
from services.proof_archive.verifier.seal import sealed
from services.proof_archive.verifying.codes import REASONS


@pytest.fixture
def alone(tmp_path):
    """A folder that holds the file, a bundle and two trust files, and no more."""
    shutil.copy(SINGLE_FILE, tmp_path)
    (tmp_path / "proof.zip").write_bytes(bundle_of("stopped"))
    (tmp_path / "erased.zip").write_bytes(bundle_of("erased"))
    (tmp_path / "cut.zip").write_bytes(bundle_of("stopped")[:-100])
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "witnesses").write_text(WITNESSED_POLICY)
    (tmp_path / "no-quorum").write_text(LOGS)
    (tmp_path / "latin").write_bytes(b"# \xe9\nquorum none\n")
    return tmp_path


def run(folder, *words, **environment):
    command = [sys.executable, "-I", "-S", SINGLE_FILE.name, *words]  # isolated, without site-packages
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "OPPOSABLE", "PYTHON"))
    }
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", env={**clean, **environment}, check=False
    )  # fmt: skip


def test_it_imports_nothing_but_the_standard_library_and_parses_as_python_3_8():
    tree = ast.parse(SINGLE_FILE.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in names} <= sys.stdlib_module_names
    later = r"\.removeprefix|\.removesuffix|\.bit_count|math\.lcm|zip\([^)]*strict=|functools\.cache\b|fromisoformat|isinstance\([^)]*\|"
    assert re.search(later, SINGLE_FILE.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("bundle", ["proof.zip", "erased.zip", "cut.zip"])
@pytest.mark.parametrize("policy", ["policy", "witnesses"])
def test_json_and_exit_code_are_those_of_the_command(alone, bundle, policy):
    result = run(alone, bundle, "--policy", policy, "--json")
    expected = by_command((alone / policy).read_bytes(), (alone / bundle).read_bytes())
    assert json.loads(result.stdout) == expected
    assert result.returncode == (0 if expected["valid"] else 1)
    assert result.stderr == ""


def test_what_a_person_reads(alone):
    french = run(alone, "proof.zip", "--policy", "policy", "--lang", "fr").stdout
    for said in (
        "✔ La preuve est vérifiée", "Preuve non indépendante", "0 sur 0", "/subject_ref = lead-88231", "due par acme",
        "arrêtée par la personne (canalvert/s1)", "Non prouvé : que le collecteur a dit vrai", "Retrait du consentement reçu",
    ):  # fmt: skip
        assert said in french
    assert "valide" not in french
    english = run(alone, "proof.zip", "--policy", "witnesses", "--lang", "en").stdout
    assert "✔ The proof holds" in english
    assert "2 of 3" in english
    assert "independent" not in english
    assert (
        "incluses, données personnelles effacées"
        in run(alone, "erased.zip", "--policy", "policy", "--lang", "fr").stdout
    )
    assert (
        "✘ Le dossier est refusé\nZIP-UNREADABLE : Ce n'est pas"
        in run(alone, "cut.zip", "--policy", "policy", "--lang", "fr").stdout
    )


def test_the_language_comes_from_the_environment(alone):
    assert "La preuve est" in run(alone, "proof.zip", "--policy", "policy", LANG="fr_FR.UTF-8").stdout
    assert "The proof holds" in run(alone, "proof.zip", "--policy", "policy", LC_ALL="C", LANG="fr_FR.UTF-8").stdout


@pytest.mark.parametrize(
    ("bundle", "policy", "code"),
    [("none.zip", "policy", "FILE-UNREADABLE"), ("proof.zip", "none", "FILE-UNREADABLE"), (".", "policy", "FILE-UNREADABLE"),
     ("proof.zip", "no-quorum", "POLICY"), ("proof.zip", "proof.zip", "POLICY"), ("proof.zip", "latin", "POLICY")],
)  # fmt: skip
def test_inputs_that_cannot_be_used_exit_2(alone, bundle, policy, code):
    result = run(alone, bundle, "--policy", policy)
    assert result.returncode == 2
    assert result.stderr.startswith(f"{code} -: ")
    assert "Traceback" not in result.stderr


def test_it_is_used_wrongly(alone):
    assert run(alone, "proof.zip").returncode == 2
    assert run(alone, "--help").returncode == 0


def test_the_three_say_the_same_of_each_code(tmp_path):
    expected = {code: (said.en, said.fr) for code, said in REASONS.items()}
    assert expected == single.REASONS
    page = PAGE.read_text(encoding="utf-8")
    for said in REASONS.values():
        assert json.dumps(said.en, ensure_ascii=False) in page
        assert json.dumps(said.fr, ensure_ascii=False) in page
    readme = members_of("plain")["LISEZMOI.txt"]
    assert hashlib.sha256(readme).hexdigest() == single.README_SHA256[1]
    assert set(single.README_SHA256) == KNOWN
    assert all(one in page for one in KNOWN)
    assert call_page([["sha256Hex", {"hex": readme.hex()}]], tmp_path) == [{"value": single.README_SHA256[1]}]


def test_its_zip_is_the_writers():
    members = list(members_of("stopped").items())
    assert single.write_zip([(name.encode(), data) for name, data in members]) == write_zip(members)


def test_the_page_is_sealed():
    """After each change of the page: `python -m services.proof_archive.verifier.seal`."""
    page = PAGE.read_text(encoding="utf-8")
    assert sealed(page) == page
    assert "default-src 'none'" in page
    assert "unsafe" not in page.partition("<style>")[0]


def test_the_page_names_nothing_to_load():
    page = PAGE.read_text(encoding="utf-8")
    assert not re.search(
        r"https?://|\bsrc=|\bhref=|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|innerHTML|eval\(", page
    )
