"""`opposable party list | simulate`: who is registered, and a prospecteur played on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.party_simulator import Behaviour, Counts, SimulatedParty
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from shared.provisioning import require_topics
from shared.registry.publish import stored_bodies
from shared.topics import REGISTRY

TERMINAL_S, PLAIN_S = 0.5, 5.0
"""Seconds between two lines: on a terminal, where the line is written over, and elsewhere."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    party = group(app, "party", "Parties: collectors and prospecteurs.")
    party.command("list", epilog="Example: opposable party list --json")(list_)
    party.command("simulate", epilog="Example: opposable party simulate canalvert --ack-delay 2")(simulate)


def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the registered parties."""
    settings = settings_of(resolve(data_dir))

    async def work() -> dict[str, dict[str, Any]]:
        await require_topics(settings, [REGISTRY.name])
        return await stored_bodies(settings)

    bodies = run(work())
    parties = [body for key, body in sorted(bodies.items()) if key.startswith("party:")]
    if as_json:
        fields = ("id", "legal_name", "roles", "status", "country")
        print_json([{name: party.get(name) for name in fields} for party in parties])
        return
    for party in parties:
        roles = ", ".join(party.get("roles", ()))
        typer.echo(f"{party['id']:<20} {party.get('status', 'active'):<10} {roles:<26} {party.get('legal_name', '')}")


def simulate(
    party: Annotated[str, typer.Argument(help="Id of a registered party.")],
    ack_delay: Annotated[float, typer.Option("--ack-delay", min=0, help="Seconds before it answers an order.")] = 0.0,
    status: Annotated[
        Literal["applied", "unknown_person", "refused"], typer.Option("--status", help="What it answers.")
    ] = "applied",
    silent: Annotated[bool, typer.Option("--silent", help="Never answers: watch it be reminded.")] = False,
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Play a party: fold its permissions and stops, acknowledge the orders, show what it may do now."""
    one = SimulatedParty(settings_of(resolve(data_dir)), party, Behaviour(ack_delay, status, silent))
    try:
        run(_play(one, seconds, as_json=as_json))
    except KeyboardInterrupt:
        typer.echo("", err=True)


async def _play(one: SimulatedParty, seconds: float | None, *, as_json: bool) -> None:
    work = asyncio.create_task(one.run())
    over_written = sys.stdout.isatty() and not as_json
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while not work.done() and (end is None or time.monotonic() < end):
            period = TERMINAL_S if over_written else PLAIN_S
            await asyncio.wait({work}, timeout=period if end is None else max(0.0, min(period, end - time.monotonic())))
            line = _line(one.party, one.counts(), as_json=as_json)
            typer.echo(f"\r\x1b[2K{line}" if over_written else line, nl=not over_written)
        if work.done():
            await work
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _line(party: str, counts: Counts, *, as_json: bool) -> str:
    known: dict[str, Any] = asdict(counts)
    if as_json:
        return json.dumps({"party": party, **known})
    return tr(
        "{party}: {allowed} usable of {granted} granted, {refused} refused · {orders} stop orders, {reminders} reminders, "
        "{acknowledged} answered, {waiting} to answer",
        "{party} : {allowed} utilisables sur {granted} accordées, {refused} refusées · {orders} ordres de retrait, "
        "{reminders} relances, {acknowledged} acquittés, {waiting} à acquitter",
    ).format(party=party, **known)
