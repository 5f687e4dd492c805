"""`opposable stop review`, `stop resolve`: what only an operator can decide about a stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, problems
from services.cli.target import AsJson, DataDir, print_json, resolve
from shared.errors import InputError


class Same(StrEnum):
    """Is it the same person at the same address?"""

    SAME = "same"
    OTHER = "other"


class How(StrEnum):
    """Why an escalated order needs no answer any more."""

    CONFIRMED_OTHERWISE = "confirmed_otherwise"
    NEVER_HELD = "never_held"
    PARTY_GONE = "party_gone"
    AUTHORITY_SEIZED = "authority_seized"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    stop = group(app, "stop", tr("Withdrawals, objections, STOP.", "Retraits, oppositions, STOP."))
    stop.command("review", epilog="Example: opposable stop review near/platform/ab…/acme/0190… same")(review)
    stop.command("resolve", epilog="Example: opposable stop resolve 3f2a… confirmed_otherwise")(resolve_order)


def review(
    question: Annotated[str, typer.Argument(help="The question, as `stop due --owner operator` shows it (near/…).")],
    answer: Annotated[Same, typer.Argument(help="The same person, or another.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Answer whether two postal addresses are the same person's: `same` applies the stop to the record.

    Exit codes: 0 done, 2 no such question or unusable.
    """
    _send(data_dir, "/v1/reviews", {"id": question, "answer": answer.value}, as_json=as_json)


def resolve_order(
    order: Annotated[str, typer.Argument(help="The order, as `stop status --json` shows it.")],
    how: Annotated[How, typer.Argument(help="Why it needs no answer any more; archived.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End the escalation of an order by other means than the party's answer.

    Exit codes: 0 done, 2 no such order, or it is not escalated, or unusable.
    """
    _send(data_dir, f"/v1/orders/{order}/resolve", {"how": how.value}, as_json=as_json)


def _send(data_dir: DataDir, path: str, body: dict[str, str], *, as_json: bool) -> None:
    answer = ask(resolve(data_dir), "POST", path, body)
    if answer.is_error:
        raise InputError(problems(answer))
    if as_json:
        print_json(answer.json())
    else:
        typer.echo(tr("Recorded.", "Enregistré."))
