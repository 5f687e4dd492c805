"""`opposable stop new`: what an operator or an SMS gateway takes down for a person: a call, a letter, a STOP by SMS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import httpx
import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, contact_of, problems
from services.cli.stop import Kind, among, show
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.contracts.types import CHANNELS, PURPOSES
from shared.errors import InputError, Problem

EXAMPLES = (
    "Examples: opposable stop new --via oral --contact phone:+33199001234 --operator-reference appel-2026-118 · "
    "opposable stop new --via letter --contact-file address.txt --operator-reference RAR-1A123 · "
    "opposable stop new --via sms --contact phone:+33699001234 --recipient canalvert"
)


class Via(StrEnum):
    """How the person said so."""

    ORAL = "oral"
    LETTER = "letter"
    SMS = "sms"


KIND_OF = {Via.ORAL: Kind.OBJECTION, Via.LETTER: Kind.OBJECTION, Via.SMS: Kind.STOP_REPLY}
"""What it is unless said otherwise."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    stop = group(app, "stop", tr("Withdrawals, objections, STOP.", "Retraits, oppositions, STOP."))
    stop.command("new", epilog=EXAMPLES)(new)


def new(
    *,
    via: Annotated[Via, typer.Option("--via", help="How the person said so.")],
    contact: Annotated[list[str] | None, typer.Option("--contact", help="type:value, e.g. phone:+33199001234.")] = None,
    contact_file: Annotated[
        typer.FileText | None,
        typer.Option("--contact-file", help="A postal address, one line each, in a file; - reads standard input."),
    ] = None,
    record: Annotated[str | None, typer.Option("--record", help="A consent: <collector>/<consent id>.")] = None,
    subject_ref: Annotated[str | None, typer.Option("--subject-ref", help="The collector's own reference.")] = None,
    collector: Annotated[str | None, typer.Option("--collector", help="Whose reference that is.")] = None,
    operator_reference: Annotated[
        str | None,
        typer.Option("--operator-reference", help="Where you keep it: number of the call or letter. Sealed."),
    ] = None,
    recipient: Annotated[list[str] | None, typer.Option("--recipient", help="Only these parties; default all.")] = None,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="Only these channels; default all.")] = None,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", help="Only these purposes; default all.")] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Default: objection; stop_reply by SMS.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="When the person said so (RFC 3339); default: now.")] = None,
    stop_id: Annotated[str | None, typer.Option("--id", help="Your own id: sent twice, it is one stop.")] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="The person wants its data erased too: a request is entered.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Then show whom it reached.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take down a stop for a person. No identity is asked of whoever objects; a missing scope means everyone.

    Exit codes: 0 stored (with --follow: and answered by all), 1 still open, 2 refused or unusable.
    """
    if via in (Via.ORAL, Via.LETTER) and not operator_reference:
        message = tr(
            "say where the call or letter is kept: it is the proof of the objection",
            "indiquez où l'appel ou la lettre est conservé : c'est la preuve de l'opposition",
        )
        raise InputError([Problem("REFERENCE-MISSING", "--operator-reference", message)])
    contacts = [contact_of(text) for text in contact or ()]
    if contact_file is not None:
        contacts.append({"type": "post", "value": contact_file.read().strip()})
    body: dict[str, Any] = {
        "contacts": contacts,
        "record": record,
        "subject_ref": subject_ref,
        "collector": collector,
        "operator_reference": operator_reference,
        "recipients": recipient or "all",
        "channels": among(CHANNELS, channel, "--channel") or "all",
        "purposes": among(PURPOSES, purpose, "--purpose") or "all",
        "kind": (kind or KIND_OF[via]).value,
        "via": via.value,
        "at": at,
        "stop_id": stop_id,
        "erase": erase or None,
    }
    endpoints = resolve(data_dir)
    answer = ask(endpoints, "POST", "/v1/stops", {k: v for k, v in body.items() if v is not None})
    if answer.status_code != httpx.codes.ACCEPTED:
        raise InputError(problems(answer))
    named = str(answer.json()["stop"])
    if not follow:
        print_json(answer.json()) if as_json else typer.echo(named)
    elif show(endpoints, named, as_json=as_json) == "open":
        raise typer.Exit(NEGATIVE)
