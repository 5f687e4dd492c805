"""`opposable party check` as a partner runs it: report, languages, exit codes."""

import asyncio
import json
import os
import sys

import pytest

from services.cli.party_system import PartySystem
from services.cli.party_webhook import Endpoint, make_app, serving
from shared.webhooks import format_secret
from tests.unit.relay.partner_world import SECRET


async def command(*words):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KAFKA_", "OPPOSABLE_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli.main", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment | {"COLUMNS": "200"},
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(format_secret(SECRET) + "\n")
    return str(path)


async def test_a_right_and_a_lying_partner(secret_file):
    async with serving(make_app(Endpoint(PartySystem(), [SECRET]))) as url:
        words = ("party", "check", "canalvert", "--url", f"{url}/hook", "--secret-file", secret_file, "--ask", f"{url}/check",
                 "--settle", "0.05")  # fmt: skip
        code, out, err = await command(*words, "--json")
        assert code == 0, out + err
        report = json.loads(out)
        assert (report["party"], report["passed"], report["failed"]) == ("canalvert", 23, 0)
        assert all(item["why"] is None for item in report["items"])
    async with serving(make_app(Endpoint(PartySystem(lying=True), [SECRET]))) as url:
        words = ("party", "check", "canalvert", "--url", f"{url}/hook", "--secret-file", secret_file, "--ask", f"{url}/check",
                 "--settle", "0.05", "--ack-within", "0.5")  # fmt: skip
        code, out, err = await command("--lang", "fr", *words)
    assert code == 1, err
    assert "ACK-TRUE" in out
    assert "l’ordre est acquitté, et la personne reste contactée" in out
    assert "en échec" in out


async def test_what_cannot_be_checked_is_one_sentence(secret_file, tmp_path):
    async with serving(make_app(Endpoint(PartySystem(), [SECRET]))) as url:
        pass  # nobody there from here on
    code, _, err = await command(
        "--lang", "en", "party", "check", "acme", "--url", f"{url}/hook", "--secret-file", secret_file
    )
    assert (code, "does not answer" in err) == (2, True), err
    code, _, err = await command("--lang", "en", "party", "check", "acme", "--url", "https://x.example/")
    assert (code, "--secret-file" in err) == (2, True), err
    (tmp_path / "bad").write_text("whsec_short")
    code, _, err = await command(
        "--lang", "en", "party", "check", "acme", "--url", f"{url}/", "--secret-file", str(tmp_path / "bad")
    )
    assert code == 2
    assert "short" not in err.replace("--secret-file", "")
