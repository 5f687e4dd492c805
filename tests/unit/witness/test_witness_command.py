"""`opposable witness` as a process: makes its key once, serves, remembers through a kill -9, refuses what it cannot use."""

import json
import signal
import stat
import subprocess
import sys

import httpx
import pytest
from witness_world import LOG, GrowingLog

from services.cli import main
from services.witness.key_file import read_key, write_key
from shared.crypto.note import Verifier, open_note
from shared.errors import ConfigurationError


def command(*words):
    return [sys.executable, "-m", "services.cli.main", "--lang", "en", "witness", *map(str, words)]


@pytest.fixture
def key(tmp_path):
    run = subprocess.run(
        command("keygen", "--name", "acme.example/witness", "--key", tmp_path / "key", "--json"),
        capture_output=True,
        check=True,
    )
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    return json.loads(run.stdout)["vkey"]


class Running:
    """A witness process."""

    def __init__(self, folder):
        words = command(
            "serve",
            "--key",
            folder / "key",
            "--log",
            LOG.verifier.vkey(),
            "--state",
            folder / "state",
            "--listen",
            "127.0.0.1:0",
            "--json",
        )
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, "the witness ended"
            text += line
        self.said = json.loads(text)

    def post(self, data):
        return httpx.post(f"{self.said['url']}/add-checkpoint", content=data, trust_env=False)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stdout.close()
        return self.process.returncode


def test_a_witness_process(tmp_path, key):
    log = GrowingLog()
    running = Running(tmp_path)
    assert (running.said["vkey"], running.said["new_state"]) == (key, True)
    answer = running.post(log.request(0, 5))
    assert answer.status_code == 200
    assert open_note(log.note(5) + answer.content, [Verifier.parse(key)])
    running.end(signal.SIGKILL)
    again = Running(tmp_path)
    assert again.said["new_state"] is False
    assert again.post(log.request(0, 9)).text == "5\n"
    assert again.post(log.request(5, 9)).status_code == 200
    assert again.end(signal.SIGTERM) in {0, -signal.SIGTERM}


@pytest.mark.parametrize(
    "words",
    [
        ("keygen", "--name", "acme.example/witness", "--key", "key"),
        ("keygen", "--name", "a b", "--key", "new"),
        ("keygen", "--name", "a", "--key", "no/such/folder/key"),
        ("serve", "--key", "none", "--log", LOG.verifier.vkey(), "--state", "s", "--listen", "127.0.0.1:0"),
        ("serve", "--key", "junk", "--log", LOG.verifier.vkey(), "--state", "s", "--listen", "127.0.0.1:0"),
        ("serve", "--key", "key", "--log", "junk", "--state", "s", "--listen", "127.0.0.1:0"),
        ("serve", "--key", "key", "--log", LOG.verifier.vkey(), "--state", "junk", "--listen", "127.0.0.1:0"),
        ("serve", "--key", "key", "--log", LOG.verifier.vkey(), "--state", "s", "--listen", "nowhere"),
    ],
)
def test_what_cannot_be_used_exits_2_in_one_sentence(tmp_path, words, monkeypatch, capsys):
    (tmp_path / "junk").write_text("nothing of the kind " * 100)
    write_key(tmp_path / "key", "acme.example/witness")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["opposable", "--lang", "en", "witness", *words])
    with pytest.raises(SystemExit) as stopped:
        main.run()
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error [CONFIGURATION]")
    assert len(said.splitlines()) == 1
    assert "PRIVATE+KEY" not in said


def test_keys_are_read_back_or_refused(tmp_path):
    made = write_key(tmp_path / "key", "acme.example/witness")
    assert read_key(tmp_path / "key") == made
    good = (tmp_path / "key").read_text()
    for bad in (
        "",
        "x",
        good.replace("PRIVATE", "PUBLIC"),
        good.replace("acme", "acne"),
        good[:-9],
        good.replace("+B", "+A"),
        good + "x",
    ):
        (tmp_path / "bad").write_text(bad)
        with pytest.raises(ConfigurationError):
            read_key(tmp_path / "bad")
