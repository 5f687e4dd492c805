"""`opposable request new | list | show | answer | refuse | extend | identity | lift`: rights of persons, within the law's delays.

What each right does and when: docs/rights.md. Exit codes: 0 done (for `show`: answered and applied by everyone), 1 it is still
open or unknown, 2 the input, its state or the system does not allow it.
"""

from __future__ import annotations

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
from shared.errors import InputError
from shared.local_engines.endpoints import Endpoints

"""How long `show` waits for a request that was accepted a moment ago."""


class Asked(StrEnum):
    """The rights."""

    ACCESS = "access"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    DISPUTE = "dispute"


Name = Annotated[str, typer.Argument(help="<source>/<request id>, as `request new` printed it.")]
Note = Annotated[str | None, typer.Option("--note", help="Your own words to the person, added to the letter.")]
To = Annotated[str | None, typer.Option("--to", help="Where to write, e.g. email:jeanne@exemple.example.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    request = group(app, "request", tr("Requests of persons (RGPD 15 to 20).", "Demandes de personnes (RGPD 15 à 20)."))
    request.command("new", epilog="Example: opposable request new access --contact email:jeanne@exemple.example")(new)
    request.command("list", epilog="Example: opposable request list --json")(list_)
    request.command("show", epilog="Example: opposable request show acme/r-42")(show)
    request.command("answer", epilog="Example: opposable request answer acme/r-42 --outcome upheld")(answer)
    request.command("refuse", epilog="Example: opposable request refuse acme/r-42 --reason excessive")(refuse)
    request.command("extend", epilog="Example: opposable request extend acme/r-42 --reason complex")(extend)
    request.command("identity", epilog="Example: opposable request identity acme/r-42 --given")(identity)
    request.command("lift", epilog="Example: opposable request lift acme/r-42")(lift)


def new(
    right: Annotated[Asked, typer.Argument(help="Which right; `dispute` is « Je n'ai jamais consenti ».")],
    *,
    contact: Annotated[list[str] | None, typer.Option("--contact", help="type:value, e.g. phone:+33199001234.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="A consent: <collector>/<consent id>.")] = None,
    subject_ref: Annotated[str | None, typer.Option("--subject-ref", help="The collector's reference.")] = None,
    collector: Annotated[str | None, typer.Option("--collector", help="Whose reference it is.")] = None,
    details: Annotated[str | None, typer.Option("--details", help="What the person wrote.")] = None,
    verified: Annotated[
        str | None, typer.Option("--verified", help="How the identity was checked; without: it was not.")
    ] = None,
    received: Annotated[str | None, typer.Option("--received", help="When the person asked; default now.")] = None,
    request_id: Annotated[str | None, typer.Option("--id", help="Your own id: sent twice, it is one request.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Enter a person's request; suspensions act at once, an erasure with a checked identity too."""
    body = {
        "right": right.value, "contacts": [contact_of(text) for text in contact or ()], "record": record,
        "subject_ref": subject_ref, "collector": collector, "details": details, "received_at": received,
        "request_id": request_id, "identity": {"verified": verified is not None, "method": verified},
    }  # fmt: skip
    given = {name: value for name, value in body.items() if value not in (None, [])}
    answered = ask(resolve(data_dir), "POST", "/v1/requests", given)
    if answered.status_code != httpx.codes.ACCEPTED:
        raise InputError(problems(answered))
    print_json(answered.json()) if as_json else typer.echo(answered.json()["request"])


def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show the requests that wait for something, the first due first."""
    answered = ask(resolve(data_dir), "GET", f"/v1/requests?all={str(every).lower()}")
    if answered.status_code != httpx.codes.OK:
        raise InputError(problems(answered))
    found = answered.json()["requests"]
    if as_json:
        print_json(found)
        return
    table = Table(box=None)
    widest = max((len(one["request"]) for one in found), default=0)
    table.add_column(tr("request", "demande"), no_wrap=True, min_width=widest)  # it is copied from here
    for title in (tr("right", "droit"), tr("state", "état"), tr("due", "échéance"), tr("cause", "cause")):
        table.add_column(title)
    for one in found:
        colour = "red" if one["overdue"] else "yellow"
        state = f"[{colour}]{one['state']}[/]" if one["owner"] else f"[green]{one['state']}[/]"
        table.add_row(one["request"], one["right"], state, minute(one["due_at"]), one["cause"] or "—")
    Console().print(table if found else tr("No request waits.", "Aucune demande n'attend."))


def show(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a request: who answers, who was told, who has applied it, what was sent to the person and when."""
    view = _view(resolve(data_dir), name)
    _print(view, as_json=as_json)
    if view["state"] != "closed":
        raise typer.Exit(NEGATIVE)


def answer(
    name: Name,
    *,
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="Of a dispute: upheld (no proof holds) or withdrawn.")
    ] = None,
    note: Note = None,
    to: To = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Do what was asked and answer the person: documents, orders to every recipient, erasure."""
    _decide(resolve(data_dir), name, "answer", {"outcome": outcome, "note": note, "to": to}, as_json=as_json)


def refuse(
    name: Name,
    *,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="unfounded, excessive, identity, legal-claims, legal-obligation, proven, others."
        ),
    ],
    note: Note = None,
    to: To = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Refuse with reasons; the letter names the CNIL and the court."""
    _decide(resolve(data_dir), name, "refuse", {"reason": reason, "note": note, "to": to}, as_json=as_json)


def extend(
    name: Name,
    *,
    reason: Annotated[str, typer.Option("--reason", help="complex, many.")],
    note: Note = None,
    to: To = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take two more months, told to the person within the first."""
    _decide(resolve(data_dir), name, "extend", {"reason": reason, "note": note, "to": to}, as_json=as_json)


def identity(
    name: Name,
    *,
    given: Annotated[bool, typer.Option("--given", help="The person showed who it is; without: ask for it.")] = False,
    note: Note = None,
    to: To = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask who it is, on reasonable doubt only (the delay stands still), or note that it was shown."""
    act = "identity" if given else "ask-identity"
    _decide(resolve(data_dir), name, act, {"note": note, "to": to}, as_json=as_json)


def lift(name: Name, note: Note = None, to: To = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a restriction: the person is told first, then whoever had a permission."""
    _decide(resolve(data_dir), name, "lift", {"note": note, "to": to}, as_json=as_json)


def _decide(endpoints: Endpoints, name: str, act: str, words: dict[str, str | None], *, as_json: bool) -> None:
    body: dict[str, Any] = {key: value for key, value in words.items() if value is not None}
    if "to" in body:
        body["to"] = contact_of(str(body["to"]))
    _view(endpoints, name)  # it may have been entered a moment ago
    answered = ask(endpoints, "POST", f"/v1/requests/{name}/{act}", body)
    if answered.status_code != httpx.codes.OK:
        raise InputError(problems(answered))
    _print(answered.json(), as_json=as_json)


def _view(endpoints: Endpoints, name: str) -> dict[str, Any]:
    return view_of(
        endpoints, f"/v1/requests/{name}", tr(f"{name}: no such request", f"{name} : aucune demande de ce nom")
    )


def _print(view: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    console = Console()
    due = tr(f"due {minute(view['due_at'])}", f"réponse due le {minute(view['due_at'])}")
    console.print(f"{view['request']} · {view['right']} · {view['state']} · {due}")
    for letter in view.get("letters", ()):
        sent = tr("sent", "envoyée") if letter["sent"] else tr("being sent", "en cours d'envoi")
        console.print(f"  {minute(letter['at'])} {letter['template']} · {sent}")
    if view["branches"]:
        table = Table(
            tr("party", "partie"), tr("record", "consentement"), tr("state", "état"), tr("due", "échéance"), box=None
        )
        for branch in view["branches"]:
            colour = "green" if branch["state"] == "closed" else "yellow"
            state = " · ".join(word for word in (branch["state"], branch["status"]) if word)
            table.add_row(branch["party"], branch["record"], f"[{colour}]{state}[/]", minute(branch["ack_due_at"]))
        console.print(table)
