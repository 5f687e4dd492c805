"""Alerts and dashboards: only metrics that exist, each alert tested and explained, files as the code makes them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from services.cli.monitoring import files
from shared.monitoring.alerts import ALERTS
from shared.monitoring.dashboards import DASHBOARDS, document
from shared.monitoring.metrics import catalogue

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\bopposable_[a-z_]+\b")
EXPRESSIONS = [alert.expr for alert in ALERTS] + [panel.expr for board in DASHBOARDS for panel in board.panels]


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_an_expression_names_only_metrics_of_the_list(expr):
    known = {series for metric in catalogue() for series in metric.series}
    assert set(NAME.findall(expr)) <= known


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_an_expression_groups_only_by_labels_that_its_metrics_have(expr):
    labels = {label for m in catalogue() if any(s in NAME.findall(expr) for s in m.series) for label in m.labels}
    for group in re.findall(r"(?:by|on) \(([a-z_, ]+)\)", expr):
        assert set(re.split(r", ?", group)) <= labels | {"le"}, group


def test_every_metric_is_shown_somewhere():
    shown = " ".join(EXPRESSIONS)
    assert [m.name for m in catalogue() if not any(series in shown for series in m.series)] == []


def test_the_files_are_what_the_code_makes():
    assert [path for path, text in files().items() if (ROOT / path).read_text() != text] == [], (
        "opposable monitoring write"
    )


def test_each_alert_is_explained_and_tested():
    headings = {
        line[3:].strip().lower()
        for line in (ROOT / "docs" / "runbook.md").read_text().splitlines()
        if line.startswith("## ")
    }
    tested = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts_test.yaml").read_text())["tests"]
    fired = {one["alertname"] for test in tested for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert {alert.name.lower() for alert in ALERTS} <= headings
    assert {alert.name for alert in ALERTS} == fired


def test_promtool_agrees():
    tool = shutil.which("promtool")
    if tool is None:
        if os.environ.get("OPPOSABLE_REQUIRE_PROMETHEUS"):
            pytest.fail("promtool is required and not installed")
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    folder = ROOT / "deploy" / "prometheus"
    for words in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run([tool, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_panels_stand_beside_each_other_and_never_on_each_other():
    for board in DASHBOARDS:
        places = [tuple(panel["gridPos"][key] for key in "xy") for panel in document(board)["panels"]]
        assert len(set(places)) == len(places)
        assert {x for x, _ in places} <= {0, 12}
