"""`opposable monitoring write | check`: Prometheus rules, Grafana dashboards and the list of metrics, made from the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml

from services.cli.generated import differing, write_files
from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE
from shared.monitoring.alerts import ALERTS, rules
from shared.monitoring.dashboards import DASHBOARDS, document
from shared.monitoring.metrics import catalogue

Root = Annotated[Path, typer.Option("--root", help="Folder of the project.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    monitoring = group(app, "monitoring", "Prometheus rules, Grafana dashboards and the list of metrics.")
    monitoring.command("write", epilog="Example: opposable monitoring write")(write)
    monitoring.command("check", epilog="Example: opposable monitoring check")(check)


def files() -> dict[str, str]:
    """The text of every file, by its path in the project."""
    found = {"deploy/prometheus/alerts.yaml": yaml.safe_dump(rules(), sort_keys=False, allow_unicode=True, width=160)}
    for dashboard in DASHBOARDS:
        text = json.dumps(document(dashboard), indent=1, ensure_ascii=False) + "\n"
        found[f"deploy/grafana/dashboards/{dashboard.uid}.json"] = text
    return found | {"docs/metrics.md": _page()}


def write(root: Root = Path()) -> None:
    """Write them all."""
    made = files()
    write_files(root, made)
    typer.echo(tr(f"{len(made)} files", f"{len(made)} fichiers"))


def check(root: Root = Path()) -> None:
    """Say which files are not what the code makes. Exit code 1 where one is."""
    found = differing(root, files())
    for path in found:
        typer.echo(path)
    if found:
        raise typer.Exit(NEGATIVE)


def _page() -> str:
    lines = [
        "# Metrics",
        "",
        "The closed list, scraped at `/metrics` of every service (no key needed; keep it inside your network). No label is anything of a",
        "person. Written by `opposable monitoring write`, as are `deploy/prometheus/alerts.yaml` and `deploy/grafana/dashboards`.",
        "",
        "| Metric | Kind | Labels | Meaning |",
        "|---|---|---|---|",
        *(f"| `{m.series[0] if m.kind != 'histogram' else m.name}` | {m.kind} | {', '.join(m.labels)} | {m.meaning} |" for m in catalogue()),
        "",
        "## Alerts",
        "",
        "| Alert | Promise | Severity | After | When |",
        "|---|---|---|---|---|",
        *(f"| {a.name} | {a.promise} | {a.severity} | {a.lasting} | `{a.expr.replace('|', chr(92) + '|')}` |" for a in ALERTS),
        "",
        "What each means and what to do: [runbook](runbook.md).",
        "",
    ]  # fmt: skip
    return "\n".join(lines)
