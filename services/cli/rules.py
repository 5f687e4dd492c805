"""`opposable rules list [--at DAY]` and `opposable rules explain CODE`: the law as the platform applies it, on a day.

Exit codes: 0 done, 1 no rule has this code, 2 the day cannot be read.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import language, tr
from services.cli.target import NEGATIVE, AsJson, print_json
from services.consent_validator.api import as_dict
from services.consent_validator.rules.book import STANDARD
from services.consent_validator.rules.days import paris_day
from services.consent_validator.rules.model import Rule
from shared.errors import InputError, Problem

At = Annotated[str | None, typer.Option("--at", help="The law of this day in Paris (default: today).")]

CONFIDENCE = {
    "primary": ("primary text read", "texte primaire lu"),
    "reported": ("reported by a secondary source", "rapporté par une source secondaire"),
    "unconfirmed": ("not confirmed", "non confirmé"),
}
EFFECT = {"invalid": ("invalid", "invalide"), "review": ("to review", "à revoir")}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = group(app, "rules", "The rules of the collection phase, as the law of a day. Not legal advice.")
    rules.command("list", epilog="Example: opposable rules list --at 2026-08-10")(list_rules)
    rules.command("explain", epilog="Example: opposable rules explain LIST-NOT-NAMED")(explain)


def list_rules(at: At = None, as_json: AsJson = False) -> None:
    """List the rules in force on a day."""
    day = _day(at)
    found = STANDARD.on(day)
    if as_json:
        print_json({"ruleset": STANDARD.version, "at": day.isoformat(), "rules": [as_dict(rule) for rule in found]})
        return
    table = Table(
        title=tr(
            f"Rules in force on {day}, rule set {STANDARD.version}",
            f"Règles en vigueur le {day}, jeu {STANDARD.version}",
        ),
        caption=tr("Not legal advice", "Ceci n'est pas un conseil juridique"),
    )
    for heading in (tr("Code", "Code"), tr("Effect", "Effet"), tr("Fires when", "Se déclenche quand"), "Source"):
        table.add_column(heading, no_wrap=heading == "Code", overflow="fold")
    for rule in found:
        table.add_row(rule.code, tr(*EFFECT[rule.effect]), _title(rule), rule.source)
    Console().print(table)


def explain(code: Annotated[str, typer.Argument(help="The code of a rule.")], as_json: AsJson = False) -> None:
    """Explain one rule: what fires it, since when, on what source, and what cures it."""
    rule = STANDARD.find(code.upper())
    if rule is None:
        typer.echo(tr("no rule has this code", "aucune règle n'a ce code"), err=True)
        raise typer.Exit(NEGATIVE)
    if as_json:
        typer.echo(json.dumps(as_dict(rule), ensure_ascii=False, indent=1))
        return
    until = (
        "" if rule.applies_until is None else tr(f", until {rule.applies_until}", f", jusqu'au {rule.applies_until}")
    )
    for line in (
        f"{rule.code}: {_title(rule)}",
        tr("Effect: ", "Effet : ") + tr(*EFFECT[rule.effect]),
        tr(f"In force since {rule.applies_from}", f"En vigueur depuis le {rule.applies_from}") + until,
        f"Source{tr(':', ' :')} {rule.source} ({tr(*CONFIDENCE[rule.confidence])})",
        tr("Cure: ", "Remède : ") + (rule.cure_fr if language() == "fr" else rule.cure_en),
    ):
        typer.echo(line)


def _title(rule: Rule) -> str:
    return rule.title_fr if language() == "fr" else rule.title_en


def _day(text: str | None) -> date:
    if text is None:
        return paris_day(datetime.now(UTC))
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = tr("a day is written 2026-08-10", "un jour s'écrit 2026-08-10")
        raise InputError([Problem("FIELD-FORMAT", "--at", message)]) from None
