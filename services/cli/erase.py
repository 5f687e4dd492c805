"""`opposable erase`: shows what would be erased or restricted until when, asks, then erases, object first (RGPD 17).

Exit codes: 0 done (every record is erased, or restricted where the law says keep), 1 nobody of that name is known or the work is
not finished in time (it goes on by itself), 2 unusable.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.cli.language import language, tr
from services.cli.rights_client import ask, problems
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError, Problem
from shared.local_engines.endpoints import Endpoints

AGAIN_S = 0.3
FINISHED = frozenset({"restricted", "done"})


class Reason(StrEnum):
    """The ground of RGPD 17(1)."""

    PERSON_REQUEST = "person_request"
    WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    NOT_NEEDED = "not_needed"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase", epilog="Example: opposable erase --contact email:jeanne@exemple.example --dry-run")(erase)


def erase(
    *,
    record: Annotated[list[str] | None, typer.Option("--record", help="A consent: <collector>/<consent id>.")] = None,
    contact: Annotated[str | None, typer.Option("--contact", help="A person: type:value.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="A person: <collector>/<its reference>.")] = None,
    reason: Annotated[Reason, typer.Option("--reason", help="Why: a ground of RGPD 17(1).")] = Reason.PERSON_REQUEST,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the end of it.")] = 60.0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Erase records or a person: stop everyone first, then destroy what may be destroyed."""
    body = {**_whom(record, contact, subject), "reason": reason.value}
    endpoints = resolve(data_dir)
    plan = _ask(endpoints, {**body, "dry_run": True})
    if not plan["erasures"]:
        typer.echo(tr("nobody of that name is known", "personne de ce nom n’est connu"), err=True)
        raise typer.Exit(NEGATIVE)
    if not as_json:
        _show(plan["erasures"])
    if dry_run:
        if as_json:
            print_json(plan)
        return
    if not yes:
        _confirm(as_json=as_json)
    names = [one["record"] for one in plan["erasures"]]
    begun = _ask(endpoints, {"records": names, "reason": reason.value})
    states = _follow(endpoints, names, wait)
    if as_json:
        print_json({**begun, "states": states})
    else:
        typer.echo("\n".join(f"{name}: {_state(state)}" for name, state in states.items()))
    if not set(states.values()) <= FINISHED:
        raise typer.Exit(NEGATIVE)


def _confirm(*, as_json: bool) -> None:
    if as_json:
        raise InputError([Problem("CONFIRM", "--yes", "with --json nothing can be asked: give --yes or --dry-run")])
    typer.confirm(tr("Erase? This cannot be undone.", "Effacer ? C’est irréversible."), abort=True, err=True)


def _whom(record: list[str] | None, contact: str | None, subject: str | None) -> dict[str, Any]:
    given = [name for name, value in (("--record", record), ("--contact", contact), ("--subject", subject)) if value]
    if len(given) != 1:
        raise InputError([Problem("ERASE-WHOM", "", "give --record, --contact or --subject, one of the three")])
    if record:
        return {"records": record}
    if contact:
        kind, colon, value = contact.partition(":")
        if not colon or not value:
            raise InputError([Problem("CONTACT", "--contact", "write a contact as type:value")])
        return {"contact": {"type": kind.strip(), "value": value.strip()}}
    collector, slash, ref = (subject or "").partition("/")
    if not slash or not ref:
        raise InputError([Problem("SUBJECT", "--subject", "write a person as <collector>/<its reference>")])
    return {"subject": {"collector": collector, "ref": ref}}


def _ask(endpoints: Endpoints, body: dict[str, Any]) -> dict[str, Any]:
    answer = ask(endpoints, "POST", "/v1/erasures", body)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED):
        raise InputError(problems(answer))
    document: dict[str, Any] = answer.json()
    return document


def _follow(endpoints: Endpoints, names: Sequence[str], wait: float) -> dict[str, str]:
    """The state of each record once it is finished, or when the time is over."""
    states = dict.fromkeys(names, "objecting")
    until = time.monotonic() + wait
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(tr("erasing", "effacement"), total=len(names))
        while True:
            for name in names:
                if states[name] not in FINISHED:
                    answer = ask(endpoints, "GET", f"/v1/erasures/{quote(name)}")
                    states[name] = answer.json()["state"] if answer.status_code == httpx.codes.OK else states[name]
            done = sum(state in FINISHED for state in states.values())
            progress.update(task, completed=done)
            if done == len(names) or time.monotonic() >= until:
                return states
            time.sleep(AGAIN_S)


def _show(erasures: Sequence[dict[str, Any]]) -> None:
    table = Table(
        tr("record", "consentement"), tr("what", "sort"), tr("until", "jusqu’au"), tr("because", "motif"), box=None
    )
    for one in erasures:
        kept = one["outcome"] == "restrict"
        what = tr("restricted to claims", "limité aux droits en justice") if kept else tr("erased", "effacé")
        if one["state"] in ("erased", "done"):
            what = tr("already erased", "déjà effacé")
        table.add_row(one["record"], what, _day(one["until"], kept=kept), ", ".join(one["because"]) or "—")
    console = Console()
    console.print(table)
    for one in erasures:
        if one["ends"]:
            console.print(f"\n[bold]{one['record']}[/] · {tr('what ends when', 'ce qui prend fin, et quand')}")
            for end in one["ends"][language()]:
                console.print(f"  • {end['what']} — {_when(end['until'])} : {end['why']}", highlight=False)


def _when(until: str | None) -> str:
    words = {
        "now": tr("at once", "immédiatement"),
        "for_ever": tr("kept", "conservé"),
        None: tr("no date", "sans date"),
    }
    return words.get(until) or _day(until, kept=True)


def _day(until: str | None, *, kept: bool) -> str:
    if not kept:
        return "—"
    return tr("release of the hold", "levée du gel") if until is None else until[:10]


def _state(state: str) -> str:
    words = {
        "restricted": tr("restricted to legal claims", "limité à la défense de droits en justice"),
        "done": tr("erased, key destroyed", "effacé, clé détruite"),
    }
    return words.get(state, tr(f"under way ({state})", f"en cours ({state})"))
