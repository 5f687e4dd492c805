"""`opposable party simulate`: a collector or a prospecteur played on this machine, by Kafka, webhook or feed.

It may be honest, slow, dead, lying or flapping, so that one sees what the platform makes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.party_collector import SimulatedCollector
from services.cli.party_feed import FeedParty
from services.cli.party_simulator import Behaviour, SimulatedParty
from services.cli.party_system import Manner, PartySystem
from services.cli.party_webhook import SLOW_S, Endpoint, make_app, serving
from services.cli.rights_client import KEY_VARIABLE
from services.cli.target import AsJson, DataDir, resolve, run, settings_of
from services.webhook_relay.keys import PartySecrets
from shared.errors import ConfigurationError
from shared.local_engines.endpoints import Endpoints

TERMINAL_S, PLAIN_S = 0.5, 5.0
"""Seconds between two lines: on a terminal, where the line is written over, and elsewhere."""
Counts = dict[str, Any]


class Transport(StrEnum):
    """How it speaks with the platform."""

    KAFKA = "kafka"
    WEBHOOK = "webhook"
    FEED = "feed"


def register(app: typer.Typer) -> None:
    """Add the command."""
    party = group(app, "party", "Parties: collectors and prospecteurs.")
    party.command(
        "simulate",
        epilog="Examples: opposable party simulate canalvert --manner slow · "
        "opposable party simulate hibou --transport webhook --port 9443 · "
        "opposable party simulate acme --role collector --events deploy/example/consents.jsonl",
    )(simulate)


def simulate(
    party: Annotated[str, typer.Argument(help="Id of a registered party.")],
    *,
    transport: Annotated[Transport, typer.Option("--transport", help="How it is told and answers.")] = Transport.KAFKA,
    role: Annotated[
        Literal["crm", "collector"], typer.Option("--role", help="crm: is told; collector: sends events too.")
    ] = "crm",
    manner: Annotated[Manner, typer.Option("--manner", help="How it behaves.")] = Manner.HONEST,
    ack_delay: Annotated[
        float | None, typer.Option("--ack-delay", min=0, help="Seconds before it answers an order.")
    ] = None,
    status: Annotated[
        Literal["applied", "unknown_person", "refused"], typer.Option("--status", help="What it answers (Kafka).")
    ] = "applied",
    silent: Annotated[
        bool, typer.Option("--silent", help="Never answers: watch it be reminded (Kafka, feed).")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, help="Of its endpoint (webhook); 0 = a free one.")] = 0,
    events: Annotated[
        Path | None, typer.Option("--events", help="A stream file, as the example's; its own lines, once.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Events a second (collector).")] = 20.0,
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Play a party: fold its permissions and stops, acknowledge the orders, show what it may do now.

    By webhook it takes the party's secrets from the secrets directory; by feed its key from OPPOSABLE_API_KEY.
    """
    endpoints = resolve(data_dir)
    delay = ack_delay if ack_delay is not None else (SLOW_S if manner is Manner.SLOW else 0.0)
    if transport is Transport.KAFKA:
        one = SimulatedParty(settings_of(endpoints), party, Behaviour(delay, status, silent, manner))
        works: list[Callable[[], Awaitable[None]]] = [one.run]
        counts: Callable[[], Counts] = lambda: _of_kafka(one)  # noqa: E731 - one of three
    elif transport is Transport.FEED:
        works, counts = _by_feed(endpoints, party, manner, delay, silent=silent)
    else:
        works, counts = _by_webhook(endpoints, party, manner, delay, port)
    sending: SimulatedCollector | None = None
    if role == "collector":
        sending = SimulatedCollector(settings_of(endpoints), party, events, rate)
        works.append(sending.run)
    try:
        run(
            _play(
                party, works, lambda: counts() | ({} if sending is None else sending.counts()), seconds, as_json=as_json
            )
        )
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _of_kafka(one: SimulatedParty) -> Counts:
    known = one.counts()
    return {name: getattr(known, name) for name in known.__slots__}


def _of_system(system: PartySystem) -> Counts:
    now = datetime.now(UTC)
    fold = system.fold
    return {
        "granted": fold.granted(now), "refused": fold.refused, "allowed": fold.allowed(now), "orders": fold.orders,
        "reminders": system.reminders,
    }  # fmt: skip


def _by_feed(
    endpoints: Endpoints, party: str, manner: Manner, delay: float, *, silent: bool
) -> tuple[list[Callable[[], Awaitable[None]]], Callable[[], Counts]]:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise ConfigurationError(f"set {KEY_VARIABLE} to the key of {party}")
    if manner is Manner.FLAPPING:
        raise ConfigurationError("a party that reads its feed comes and goes as it likes: flapping means nothing here")
    system = PartySystem(lying=manner is Manner.LYING)
    one = FeedParty(endpoints.url("collector"), key.strip(), party, system, delay_s=delay, answers=not silent)
    work = _nothing if manner is Manner.DEAD else one.run
    return [work], lambda: _of_system(system) | {
        "acknowledged": one.acknowledged, "waiting": 0, "unreadable": one.unreadable
    }  # fmt: skip


def _by_webhook(
    endpoints: Endpoints, party: str, manner: Manner, delay: float, port: int
) -> tuple[list[Callable[[], Awaitable[None]]], Callable[[], Counts]]:
    secrets = PartySecrets(endpoints.secrets_dir).of(party)
    if not secrets:
        raise ConfigurationError(f"no secret is kept for {party}: `opposable webhook secret {party}`")
    endpoint = Endpoint(PartySystem(lying=manner is Manner.LYING), secrets, manner, slow_s=delay)

    async def work() -> None:
        if manner is Manner.DEAD:
            await _nothing()
        try:
            async with serving(make_app(endpoint), port=port) as url:
                typer.echo(tr(f"endpoint: {url}/hook", f"point d’accès : {url}/hook"), err=True)
                await asyncio.Event().wait()
        except OSError as error:
            raise ConfigurationError(f"port {port} cannot be used: {error.strerror}") from None

    return [work], lambda: _of_system(endpoint.system) | {
        "acknowledged": endpoint.system.fold.orders, "waiting": 0, "unreadable": endpoint.unreadable,
        "bad_signatures": endpoint.refused,
    }  # fmt: skip


async def _nothing() -> None:
    await asyncio.Event().wait()


async def _play(
    party: str,
    works: list[Callable[[], Awaitable[None]]],
    counts: Callable[[], Counts],
    seconds: float | None,
    *,
    as_json: bool,
) -> None:
    tasks = [asyncio.ensure_future(work()) for work in works]
    over_written = sys.stdout.isatty() and not as_json
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while end is None or time.monotonic() < end:
            period = TERMINAL_S if over_written else PLAIN_S
            await asyncio.wait(tasks, timeout=period if end is None else max(0.0, min(period, end - time.monotonic())))
            line = _line(party, counts(), as_json=as_json)
            typer.echo(f"\r\x1b[2K{line}" if over_written else line, nl=not over_written)
            for task in tasks:
                if task.done():
                    task.result()
            if all(task.done() for task in tasks):
                break
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _line(party: str, known: Counts, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"party": party, **known})
    line = tr(
        "{party}: {allowed} usable of {granted} granted, {refused} refused · {orders} stop orders, {reminders} reminders, "
        "{acknowledged} answered, {waiting} to answer",
        "{party} : {allowed} utilisables sur {granted} accordées, {refused} refusées · {orders} ordres de retrait, "
        "{reminders} relances, {acknowledged} acquittés, {waiting} à acquitter",
    ).format(party=party, **known)
    if "sent" in known:
        line += tr(" · {sent} sent, receipts: {receipts}", " · {sent} envoyés, reçus : {receipts}").format(**known)
    return line
