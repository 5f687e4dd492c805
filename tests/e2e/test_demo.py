"""The demonstration itself, as a newcomer runs it, on a smaller stream: every promise kept, nothing left running."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]


def test_the_demonstration_keeps_every_promise_and_leaves_nothing_behind(tmp_path: Path) -> None:
    stream, data = tmp_path / "stream", tmp_path / "data"
    generator = ROOT / "deploy" / "example" / "generate.py"
    subprocess.run(
        [sys.executable, str(generator), "--scale", "0.1", "--out", str(stream)], check=True, capture_output=True
    )
    command = [sys.executable, "-m", "services.cli.main", "--lang", "en", "demo", "--json"]
    command += ["--consents", str(stream / "consents.jsonl"), "--data-dir", str(data)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=360, check=False)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    said = json.loads(done.stdout)
    assert said["kept"] is True
    promises = {one["promise"]: one for one in said["promises"]}
    assert len(promises) == 16
    assert promises["person"]["mails"] == promises["person"]["asked"] == 5
    assert promises["lost"]["accepted"] == promises["lost"]["archived"] == promises["lost"]["verdicts"] > 200
    assert promises["dead"]["rejected"] == promises["dead"]["dead"] == 60
    assert promises["stops"]["stops"] == 40
    assert said["withdrawals"]["late"] == ["Tisane Télécom SAS", "Voyages Marmotte SAS"]
    assert Path(said["proof"]).is_file()
    assert not (data / "endpoints.json").exists()
    deadline = time.monotonic() + 10
    while left := [p for p in psutil.process_iter(["cmdline"]) if str(data) in " ".join(p.info["cmdline"] or [])]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def test_a_directory_in_use_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("here")
    command = [sys.executable, "-m", "services.cli.main", "--lang", "en", "demo", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
