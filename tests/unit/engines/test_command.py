import re
import subprocess
import sys

import pytest

from services.cli import language, main
from services.cli.target import resolve
from shared.errors import ConfigurationError, InputError, Problem
from shared.local_engines.endpoints import Endpoints, ServiceAt
from shared.local_engines.plan import ROOT


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "OPPOSABLE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_only_the_named_command_is_imported():
    assert main.wanted(["--lang", "fr", "dead", "list"]) == ["dead"]
    assert main.wanted(["registry", "apply", "up"]) == list(main.COMMANDS["registry"])
    assert set(main.wanted(["--help"])) == {module for modules in main.COMMANDS.values() for module in modules}


def test_help_of_a_command_imports_no_other():
    code = "import sys\nfrom services.cli.main import build\nbuild(['dead'])\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "services.cli.dead" in loaded
    assert not {"services.cli.up", "services.cli.party", "services.cli.topics"} & loaded


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE", "OPPOSABLE_LANG": "FR"}, "fr"),
        ({}, "en"),
    ],
)
def test_the_language_follows_the_environment(environment, expected):
    assert language.of_environment(environment) == expected


@pytest.mark.usefixtures("nowhere")
def test_without_a_system_the_command_says_what_to_give():
    with pytest.raises(ConfigurationError, match="--data-dir"):
        resolve()


def test_the_given_directory_then_the_environment_then_the_one_here(nowhere, monkeypatch):
    def at(name):
        return Endpoints(name, "mongodb://m", nowhere, "d", {"collector": ServiceAt(1, "http://c")})

    (nowhere / ".opposable").mkdir()
    (nowhere / "other").mkdir()
    at("here:1").write(nowhere / ".opposable")
    at("other:1").write(nowhere / "other")
    assert resolve().kafka == "here:1"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "environment:1")
    monkeypatch.setenv("OPPOSABLE_PROOF_ARCHIVE_URL", "http://archive/")
    found = resolve()
    assert (found.kafka, found.url("proof_archive")) == ("environment:1", "http://archive")
    assert resolve(nowhere / "other").kafka == "other:1"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationError("no Kafka"), "error [CONFIGURATION] no Kafka"),
        (
            InputError([Problem("A-B", "/x", "say it"), Problem("C-D", "", "and this")]),
            "A-B /x: say it\nC-D -: and this",
        ),
    ],
)
def test_errors_are_sentences_and_exit_code_2(error, said, monkeypatch, capsys):
    def build(_words):
        def fail():
            raise error

        return fail

    monkeypatch.setenv("OPPOSABLE_LANG", "en")
    monkeypatch.setattr(main, "build", build)
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip() == said


def test_the_version_is_printed():
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"opposable \S.*\n", done.stdout)
