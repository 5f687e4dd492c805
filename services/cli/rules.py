"""`opposable rules list [--at DAY]` and `opposable rules explain CODE`: the law as the platform applies it, on a day.

Exit codes: 0 done, 1 no rule has this code, 2 the day cannot be read.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import language, tr
from services.cli.rules_words import CONFIDENCE, EFFECT
from services.cli.target import NEGATIVE, AsJson, print_json
from services.consent_validator.api import as_dict
from services.consent_validator.rules.book import STANDARD
from services.consent_validator.rules.days import paris_day
from services.consent_validator.rules.model import Rule
from services.rights_handler.sending import book as sending
from services.rights_handler.sending.model import SendingRule
from shared.errors import InputError, Problem

At = Annotated[str | None, typer.Option("--at", help="The law of this day in Paris (default: today).")]

AnyRule = Rule | SendingRule


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = group(app, "rules", "The rules, as the law of a day. Not legal advice.")
    rules.command("list", epilog="Example: opposable rules list --at 2026-08-10")(list_rules)
    rules.command("explain", epilog="Example: opposable rules explain LIST-NOT-NAMED")(explain)


def list_rules(at: At = None, as_json: AsJson = False) -> None:
    """List the rules in force on a day: those on collected evidence, then those on each send."""
    day = day_of(at)
    found: list[AnyRule] = [*STANDARD.on(day), *sending.on(day)]
    if as_json:
        print_json({"ruleset": STANDARD.version, "at": day.isoformat(), "rules": [_as_dict(rule) for rule in found]})
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
        table.add_row(rule.code, EFFECT[rule.effect][language()], _title(rule), rule.source)
    Console().print(table)


def explain(code: Annotated[str, typer.Argument(help="The code of a rule.")], as_json: AsJson = False) -> None:
    """Explain one rule: what fires it, since when, on what source, and what cures it."""
    rule: AnyRule | None = STANDARD.find(code.upper()) or sending.find(code.upper())
    if rule is None:
        typer.echo(tr("no rule has this code", "aucune règle n'a ce code"), err=True)
        raise typer.Exit(NEGATIVE)
    if as_json:
        typer.echo(json.dumps(_as_dict(rule), ensure_ascii=False, indent=1))
        return
    until = (
        "" if rule.applies_until is None else tr(f", until {rule.applies_until}", f", jusqu'au {rule.applies_until}")
    )
    for line in (
        f"{rule.code}: {_title(rule)}",
        tr("Effect: ", "Effet : ") + EFFECT[rule.effect][language()],
        tr("In force since ", "En vigueur depuis ") + str(rule.applies_from or tr("always", "toujours")) + until,
        f"Source{tr(':', ' :')} {rule.source} ({CONFIDENCE[rule.confidence][language()]})",
        tr("Cure: ", "Remède : ") + (rule.cure_fr if language() == "fr" else rule.cure_en),
    ):
        typer.echo(line)


def _as_dict(rule: AnyRule) -> dict[str, Any]:
    if isinstance(rule, Rule):
        return as_dict(rule)
    return {
        "code": rule.code,
        "phase": rule.phase,
        "effect": rule.effect,
        "applies_from": None if rule.applies_from is None else rule.applies_from.isoformat(),
        "applies_until": None if rule.applies_until is None else rule.applies_until.isoformat(),
        "source": rule.source,
        "confidence": rule.confidence,
        "title": {"fr": rule.title_fr, "en": rule.title_en},
        "cure": {"fr": rule.cure_fr, "en": rule.cure_en},
    }


def _title(rule: AnyRule) -> str:
    return rule.title_fr if language() == "fr" else rule.title_en


def day_of(text: str | None) -> date:
    """A day as written, or today in Paris. Raises InputError."""
    if text is None:
        return paris_day(datetime.now(UTC))
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = tr("a day is written 2026-08-10", "un jour s'écrit 2026-08-10")
        raise InputError([Problem("FIELD-FORMAT", "--at", message)]) from None
