"""`opposable proof get`: waits for what is promised, and its exit code says what happened."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from services.cli.main import build
from shared.local_engines.endpoints import Endpoints, ServiceAt

RECORD = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"


class Archive(BaseHTTPRequestHandler):
    """Answers what the test has lined up, the last answer again and again."""

    answers: list[tuple[int, bytes]]
    seen: list[tuple[str, str | None]]

    def do_GET(self):
        self.seen.append((self.path, self.headers["Authorization"]))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.delenv("OPPOSABLE_API_KEY", raising=False)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "operator-token").write_text("the operator\n")
    Archive.answers, Archive.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    Endpoints("k", "m", tmp_path / "secrets", "d", {"proof_archive": ServiceAt(1, url)}).write(tmp_path)
    yield Archive
    server.shutdown()
    thread.join()
    server.server_close()


def get(tmp_path, *options, output="proof.zip"):
    words = ["proof", "get", RECORD, "--output", str(tmp_path / output), "--data-dir", str(tmp_path), *options]
    return CliRunner().invoke(build(words), ["--lang", "en", *words])


def promise():
    return 202, json.dumps({"status": "promised", "due": "2026-11-24T10:00:00.000Z"}).encode()


def test_a_promised_proof_is_waited_for(archive, tmp_path):
    archive.answers = [promise(), promise(), (200, b"PK bundle")]
    result = get(tmp_path, "--json")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "proof.zip").read_bytes() == b"PK bundle"
    assert json.loads(result.output) == {
        "record": RECORD,
        "status": 200,
        "file": str(tmp_path / "proof.zip"),
        "bytes": 9,
    }
    assert archive.seen == [(f"/v1/proofs/{RECORD}.zip", "Bearer the operator")] * 3


def test_the_suffix_and_the_key_are_the_callers(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("OPPOSABLE_API_KEY", "of acme")
    archive.answers = [(200, b"{}")]
    assert get(tmp_path, output="proof.json").exit_code == 0
    assert archive.seen == [(f"/v1/proofs/{RECORD}.json", "Bearer of acme")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (promise(), "due 2026-11-24"),
        ((403, b'{"title":"not entitled"}'), "not entitled"),
        ((404, b'{"title":"none"}'), "none"),
    ],
)
def test_no_proof_is_exit_1(archive, tmp_path, answer, said):
    archive.answers = [answer]
    result = get(tmp_path, "--wait", "0")
    assert result.exit_code == 1
    assert said in result.output
    assert not (tmp_path / "proof.zip").exists()


@pytest.mark.parametrize("status", [503, None])
def test_an_archive_that_is_away_is_no_answer(archive, tmp_path, status):
    archive.answers = [(status or 200, b"{}")]
    if status is None:
        Endpoints("k", "m", tmp_path / "secrets", "d", {"proof_archive": ServiceAt(1, "http://127.0.0.1:1")}).write(
            tmp_path
        )
    result = get(tmp_path)
    assert type(result.exception).__name__ == "Unavailable"  # the entry point turns it into exit 2


def test_without_any_key_it_says_what_to_set(archive, tmp_path):
    (tmp_path / "secrets" / "operator-token").unlink()
    result = get(tmp_path)
    assert "OPPOSABLE_API_KEY" in str(result.exception)
    assert archive.seen == []
