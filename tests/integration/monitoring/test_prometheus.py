"""A real Prometheus scrapes a real system: every service is up, every rule loads, every panel's expression is answered."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from shared.monitoring.dashboards import DASHBOARDS
from tests.e2e.partner import Partner, consent

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
DEPLOY = Path(__file__).parents[3] / "deploy" / "prometheus"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def system(make_system):
    return make_system()


@pytest.fixture(scope="module")
def prometheus(system, tmp_path_factory):
    """The server, with the deployment's rules and the running services as targets."""
    binary = shutil.which("prometheus")
    if binary is None:
        if os.environ.get("OPPOSABLE_REQUIRE_PROMETHEUS"):
            pytest.fail("Prometheus is required and not installed")
        pytest.skip("Prometheus is not installed (apt-get install prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(DEPLOY / "alerts.yaml")]
    config["scrape_configs"][0]["static_configs"] = [
        {"targets": [at.url.removeprefix("http://")], "labels": {"service": name}}
        for name, at in system.endpoints().services.items()
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        wait_for(lambda: client.get("/-/ready").status_code == httpx.codes.OK)
        yield client
    process.terminate()
    process.wait(20)


def wait_for(look, within=WITHIN_S):
    end = time.monotonic() + within
    while True:
        try:
            if found := look():
                return found
        except httpx.HTTPError:
            pass
        assert time.monotonic() < end, "not seen in time"
        time.sleep(0.3)


def query(client, expr):
    answer = client.get("/api/v1/query", params={"query": expr}).json()
    assert answer["status"] == "success", (expr, answer)
    return {json.dumps(one["metric"], sort_keys=True): float(one["value"][1]) for one in answer["data"]["result"]}


async def test_what_happens_is_seen(system, prometheus):
    names = set(system.endpoints().services)
    wait_for(
        lambda: set(query(prometheus, 'up{job="opposable"} == 1')) and len(query(prometheus, "up == 1")) == len(names)
    )
    partner = Partner(system.endpoints())
    record = await partner.consent(consent("jeanne.mesure@courriel.example"))
    await partner.permissions("canalvert", record)
    wait_for(lambda: sum(query(prometheus, 'sum(opposable_receipts_total{status="accepted"})').values()) >= 1)
    wait_for(lambda: sum(query(prometheus, 'sum(opposable_log_entries_total{topic="consents"})').values()) >= 1)
    behind = wait_for(lambda: query(prometheus, "sum by (group) (opposable_lag_records)"))
    assert any("rights_handler.verdicts" in group for group in behind)
    wait_for(lambda: set(query(prometheus, "sum by (group) (opposable_lag_records)").values()) == {0.0})


def test_every_rule_loads_and_none_fires_on_a_sound_system(prometheus):
    groups = wait_for(lambda: prometheus.get("/api/v1/rules").json()["data"]["groups"])
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 10
    wait_for(
        lambda: all(
            rule["health"] == "ok"
            for g in prometheus.get("/api/v1/rules").json()["data"]["groups"]
            for rule in g["rules"]
        )
    )
    firing = [
        a["labels"]["alertname"]
        for a in prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
        if a["state"] == "firing"
    ]
    assert firing == []


@pytest.mark.parametrize("panel", [p for board in DASHBOARDS for p in board.panels], ids=lambda p: p.title)
def test_every_panel_is_answered(prometheus, panel):
    query(prometheus, panel.expr)
