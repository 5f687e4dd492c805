"""The guide's webhook endpoints, PHP on its own server and Python: the conformance kit has nothing to say against them."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from tests.unit.partner_guide.languages import FOLDER, php, python

pytestmark = pytest.mark.timeout(180)
SECRET = "whsec_KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio="


@pytest.fixture(params=["php", "python"])
def endpoint(request, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"OPPOSABLE_WEBHOOK_SECRET": SECRET, "OPPOSABLE_STATE": str(tmp_path / "state.json")}
    command = (
        php("-S", f"127.0.0.1:{port}", str(FOLDER / "partner.php"))
        if request.param == "php"
        else python("webhook.py", str(port))
    )
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server,
    ):
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.kill()


def test_the_kit_passes_every_item(endpoint, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "party", "check", "canalvert", "--url", f"{endpoint}/hook",
         "--secret-file", str(secret), "--ask", f"{endpoint}/check", "--settle", "0.05", "--json"],
        capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    report = json.loads(done.stdout)
    items = report["items"] if isinstance(report, dict) else report
    assert [one for one in items if one["state"] != "passed"] == [], done.stdout
    assert len(items) == 23
    assert done.returncode == 0
    said = (tmp_path / "log").read_text()
    assert not any(word in said for word in ("Warning", "Fatal", "Traceback")), said
