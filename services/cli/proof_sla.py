"""`opposable proof sla`: how soon proofs were available and delivered, against what the agreements promise (`proof_sla`).

Exit codes: 0 every promise of the month was kept, 1 at least one was not, 2 the system cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.proof import api_key, fetch
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError, Problem

Month = Annotated[str | None, typer.Option("--month", help="A month in Paris, such as 2026-11 (default: this one).")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    proofs = group(app, "proof", tr("Proofs of consent.", "Preuves de consentement."))
    proofs.command("sla", epilog="Example: opposable proof sla --month 2026-11 --json")(sla)


def sla(month: Month = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Measured against promised, by collector and by who asks: exit 0 if every promise was kept, 1 if not."""
    endpoints = resolve(data_dir)
    query = f"?month={month}" if month else ""
    answer = fetch(f"{endpoints.url('proof_archive')}/v1/sla{query}", api_key(endpoints))
    if not answer.is_success:
        title = answer.json().get("title", f"HTTP {answer.status_code}")
        raise InputError([Problem("SLA", "/month", title)])
    report = answer.json()
    late = sum((pair[what] or {}).get("late", 0) for pair in report["pairs"] for what in ("available", "delivered"))
    if as_json:
        print_json({**report, "late": late})
    else:
        _print(report, late)
    if late:
        raise typer.Exit(NEGATIVE)


def _print(report: dict[str, Any], late: int) -> None:
    table = Table(title=tr(f"Proofs in {report['month']}", f"Preuves en {report['month']}"))
    headings = (
        tr("Collector", "Collecteur"), tr("Asked by", "Demandeur"), tr("Promised", "Promis"), tr("What", "Quoi"),
        tr("Count", "Nombre"), "p50 ≤", "p99 ≤", tr("Worst", "Pire"), tr("Late", "En retard"),
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, overflow="fold")
    words = {"available": tr("available", "disponible"), "delivered": tr("delivered", "remise")}
    for pair in report["pairs"]:
        for what, word in words.items():
            told = pair[what]
            if told:
                table.add_row(
                    pair["collector"], pair["asker"], _seconds(pair["promised_s"]), word, str(told["count"]),
                    _seconds(told["p50_s"]), _seconds(told["p99_s"]), _seconds(told["worst_s"]), str(told["late"]),
                )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(
        tr("Every promise was kept.", "Toutes les promesses ont été tenues.") if not late
        else tr(f"{late} late.", f"{late} en retard.")
    )  # fmt: skip


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    if value >= 3600:  # noqa: PLR2004 - an hour
        return f"{value / 3600:g} h"
    return f"{value:g} s"
