"""`opposable stop send | status | due`: enter a withdrawal, follow it to everyone concerned, see who is late.

`send` writes by HTTP like any other edge; what a stop covers and whom it reaches is the rights handler's to say. Exit
codes: 0 done (for `status`: every branch is closed, or it concerns nobody yet), 1 it is still open or unknown, 2 unusable.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, contact_of, minute, problems, view_of
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.contracts.types import CHANNELS, PURPOSES
from shared.errors import InputError, Problem
from shared.local_engines.endpoints import Endpoints


class Kind(StrEnum):
    """What the person did."""

    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    STOP_REPLY = "stop_reply"
    CALL_REFUSAL = "call_refusal"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    stop = group(app, "stop", tr("Withdrawals, objections, STOP.", "Retraits, oppositions, STOP."))
    stop.command("send", epilog="Example: opposable stop send --contact email:jeanne@exemple.example --follow")(send)
    stop.command("status", epilog="Example: opposable stop status acme/stop-42")(status)
    stop.command("due", epilog="Example: opposable stop due --json")(due)


def send(
    *,
    contact: Annotated[list[str] | None, typer.Option("--contact", help="type:value, e.g. phone:+33199001234.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="A consent: <collector>/<consent id>.")] = None,
    recipient: Annotated[list[str] | None, typer.Option("--recipient", help="Only these parties; default all.")] = None,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="Only these channels; default all.")] = None,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", help="Only these purposes; default all.")] = None,
    kind: Annotated[Kind, typer.Option("--kind", help="What the person did.")] = Kind.WITHDRAWAL,
    stop_id: Annotated[str | None, typer.Option("--id", help="Your own id: sent twice, it is one stop.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Then show whom it reached.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Enter a stop: it acts at once, for every party that may hold the data and the collector."""
    body: dict[str, Any] = {
        "contacts": [contact_of(text) for text in contact or ()],
        "record": record,
        "recipients": recipient or "all",
        "channels": among(CHANNELS, channel, "--channel") or "all",
        "purposes": among(PURPOSES, purpose, "--purpose") or "all",
        "kind": kind.value,
        "stop_id": stop_id,
    }
    endpoints = resolve(data_dir)
    answer = ask(endpoints, "POST", "/v1/stops", {k: v for k, v in body.items() if v is not None})
    if answer.status_code != httpx.codes.ACCEPTED:
        raise InputError(problems(answer))
    named = str(answer.json()["stop"])
    if follow:
        show(endpoints, named, as_json=as_json)
    elif as_json:
        print_json(answer.json())
    else:
        typer.echo(named)


def status(
    stop: Annotated[str, typer.Argument(help="<source>/<stop id>, as `stop send` printed it.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show every branch of a stop: who was told, who answered, whose turn it is."""
    if show(resolve(data_dir), stop, as_json=as_json) == "open":
        raise typer.Exit(NEGATIVE)


def due(
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this party (or `operator`) owes.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show everything that waits for someone, the first due first."""
    path = "/v1/obligations" if owner is None else f"/v1/obligations?owner={owner}"
    answer = ask(resolve(data_dir), "GET", path)
    if answer.status_code != httpx.codes.OK:
        raise InputError(problems(answer))
    found = answer.json()["obligations"]
    if as_json:
        print_json(found)
        return
    table = Table(tr("owner", "à qui"), tr("what", "quoi"), tr("cause", "cause"), tr("due", "échéance"), box=None)
    for one in found:
        table.add_row(one["owner"], f"{one['kind']} {one['refs'].get('stop', '')}", one["cause"], minute(one["due_at"]))
    Console().print(table if found else tr("Nothing waits.", "Rien n'est en attente."))


def show(endpoints: Endpoints, stop: str, *, as_json: bool) -> str:
    """Print every branch of a stop, waiting a little for one that was accepted a moment ago; returns its state."""
    view = view_of(endpoints, f"/v1/stops/{stop}", tr(f"{stop}: no such stop", f"{stop} : aucun retrait de ce nom"))
    if as_json:
        print_json(view)
    else:
        Console().print(f"{view['stop']} · {view['kind']} · {view['at']}", *_tables(view), _sentence(view), sep="\n")
    return str(view["state"])


def _tables(view: dict[str, Any]) -> list[Table]:
    """One table a record: a person's stop may concern several."""
    tables: dict[str, Table] = {}
    colours = {"closed": "green", "open": "yellow"}
    for branch in view["branches"]:
        if branch["record"] not in tables:
            tables[branch["record"]] = Table(
                tr("party", "partie"), tr("state", "état"), tr("whose turn", "à qui"), tr("due", "échéance"),
                tr("next attempt", "prochain essai"), title=branch["record"], title_justify="left", box=None,
            )  # fmt: skip
        colour = colours.get(branch["state"], "red")
        words = [branch["state"], branch["status"], f"{branch['reminders']}×" if branch["reminders"] else None]
        tables[branch["record"]].add_row(
            branch["party"], f"[{colour}]{' · '.join(word for word in words if word)}[/]", branch["owner"] or "—",
            minute(branch["ack_due_at"]), minute(branch["next_at"]),
        )  # fmt: skip
    return list(tables.values())


def _sentence(view: dict[str, Any]) -> str:
    count = len(view["branches"])
    left = sum(branch["state"] != "closed" for branch in view["branches"])
    if view["state"] == "recorded":
        return tr("Recorded; it concerns nobody known yet.", "Enregistré ; il ne concerne encore personne de connu.")
    if view["state"] == "closed":
        return tr(f"Closed: all {count} orders are answered.", f"Clos : les {count} ordres sont acquittés.")
    return tr(
        f"Open: {left} of {count} have still to apply it.", f"Ouvert : {left} sur {count} doivent encore l'appliquer."
    )


def among(known: Sequence[str], words: list[str] | None, option: str) -> list[str] | None:
    """The words, all known. The platform reads an unknown one as the widest scope; a typing mistake here is better told."""
    if set(words or ()) - set(known):
        raise InputError([Problem("VALUE-UNKNOWN", option, f"one of: {', '.join(known)}")])
    return words
