"""`opposable proof sla`: what it prints and how it exits."""

import json

from typer.testing import CliRunner

from services.cli import main, proof_sla


def test_the_command_prints_and_tells(monkeypatch):
    report = {"month": "2026-11", "pairs": [
        {"collector": "acme", "asker": "canalvert", "promised_s": 86400.0, "delivered": None,
         "available": {"count": 3, "mean_s": 1.0, "p50_s": 1.0, "p99_s": 2.0, "worst_s": 1.4, "late": 0, "first_late_at": None}},
    ]}  # fmt: skip

    class Answer:
        is_success, status_code = True, 200

        @staticmethod
        def json():
            return report

    class Endpoints:
        @staticmethod
        def url(name):
            return f"http://{name}"

    asked = []
    monkeypatch.setattr(proof_sla, "resolve", lambda _dir: Endpoints())
    monkeypatch.setattr(proof_sla, "api_key", lambda _endpoints: "key")
    monkeypatch.setattr(proof_sla, "fetch", lambda url, _key: asked.append(url) or Answer())
    run = CliRunner().invoke(main.build(["proof"]), ["proof", "sla", "--month", "2026-11", "--json"])
    assert (run.exit_code, json.loads(run.stdout)) == (0, {**report, "late": 0})
    assert asked == ["http://proof_archive/v1/sla?month=2026-11"]
    report["pairs"][0]["available"]["late"] = 2
    run = CliRunner().invoke(main.build(["proof"]), ["--lang", "fr", "proof", "sla"])
    assert run.exit_code == 1
    assert "2 en retard" in run.stdout
    assert "disponi" in run.stdout
