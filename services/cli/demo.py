"""`opposable demo`: the main job, end to end, on this machine, and a count of everything at the end.

It starts its own engines and services in an empty directory, publishes the example's stream as partners would, plays the
parties, reads every topic from its beginning and says which promises were kept. Exit code 0 when all were, 1 when not.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from services.cli.demo_acts import Stage, perform
from services.cli.demo_mail import by_mail, mail_server
from services.cli.demo_outcome import as_json
from services.cli.demo_report import show
from services.cli.demo_stream import read_lines
from services.cli.demo_text import Words
from services.cli.language import choose, language
from services.cli.target import NEGATIVE, AsJson, print_json, run
from services.cli.up import console_sentences, example_registry, ignore_itself, stop_on_signals, system_plan
from shared.errors import ConfigurationError
from shared.local_engines.choose import Wishes
from shared.local_engines.supervisor import Supervisor

REMIND_AFTER_S = 5
"""A party that has not answered an order after that long is reminded. In production hours, by agreement."""
KEPT = ("proof", "logs", "policy")
"""What stays of a temporary directory after a demonstration that went well."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog="Example: opposable demo --keep")(demo)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="An empty directory. Default: a temporary one.")
    ] = None,
    consents: Annotated[
        Path | None, typer.Option("--consents", help="Another stream, with its withdrawals.jsonl beside it.")
    ] = None,
    lang: Annotated[Literal["fr", "en"] | None, typer.Option("--lang", help="Language of the summary.")] = None,
    as_json_: AsJson = False,
) -> None:
    """Play the main job end to end: 2 000 consents, 40 withdrawals, every promise counted."""
    if lang is not None:
        choose(lang)
    words = Words(language())
    registry = example_registry()
    if registry is None:
        raise ConfigurationError("the example (deploy/example) is not here: run the command in a copy of the project")
    stream = consents or registry.parent / "consents.jsonl"
    lines, withdrawals = read_lines(stream), read_lines(stream.with_name("withdrawals.jsonl"))
    directory = _directory(data_dir)
    mail = contextlib.ExitStack()
    mailbox = mail.enter_context(mail_server())
    # The engines are always its own: a stream of invented persons has no place on somebody's cluster.
    plan = system_plan(
        directory,
        registry=registry,
        wishes=Wishes(use_environment=False),
        environment={"OPPOSABLE_RIGHTS_REMIND_AFTER": str(REMIND_AFTER_S), **by_mail(mailbox)},
    )
    screen, started = Console(stderr=True), time.monotonic()
    (directory / "proof").mkdir()
    stop_on_signals()
    # The client retries by itself and says so each time; what it gives up on is raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    screen.print(f"[bold]{words('title')}[/]  [dim]{directory}[/]")
    system = Supervisor(plan)
    try:
        with screen.status(words("starting")):
            system.start()
            endpoints = system.wait_ready()
        for sentence in _engines(directory):
            screen.print(f"[dim]{sentence}[/]")
        stage = Stage(endpoints, directory, registry, screen, words, mailbox)
        outcome = run(perform(stage, lines, withdrawals))
        outcome.seconds = time.monotonic() - started
        if as_json_:
            print_json(as_json(outcome))
        else:
            show(Console(), outcome, words)
            typer.echo(words("files", path=str(outcome.proof)))
        if keep:
            for sentence in console_sentences(endpoints, directory):
                typer.echo(sentence)
            _invite(words, directory, {name: at.url for name, at in endpoints.services.items()}, endpoints.kafka)
    finally:
        screen.print(f"[dim]{words('stopping')}[/]")
        system.stop()
        mail.close()
    if outcome.kept and data_dir is None:
        _tidy(directory)
    if not outcome.kept:
        raise typer.Exit(NEGATIVE)


def _directory(wanted: Path | None) -> Path:
    """The directory to work in. Raises ConfigurationError when it holds another system: counting starts from nothing."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="opposable-demo-")).resolve()
    if wanted.is_dir() and any(path.name != ".gitignore" for path in wanted.iterdir()):
        raise ConfigurationError(f"{wanted} is not empty: a demonstration counts from nothing, give an empty directory")
    ignore_itself(wanted)
    return wanted.resolve()


def _engines(directory: Path) -> list[str]:
    """What the supervisor said of the engines it picked."""
    text = (directory / "logs" / "opposable.log").read_text("utf-8", "replace")
    return [line for line in text.splitlines() if line.startswith(("kafka:", "mongodb:"))]


def _invite(words: Words, directory: Path, urls: dict[str, str], kafka: str) -> None:
    """Say where everything is, and wait until Ctrl-C."""
    typer.echo(words("running"))
    for name, address in {"kafka": kafka, **urls}.items():
        typer.echo(f"  {name:<18} {address}")
    typer.echo(words("try"))
    for command in ("party list", "dead list", "topics plan"):
        typer.echo(f"  opposable {command} --data-dir {directory}")
    typer.echo(f"  opposable verify {directory}/proof/proof.zip --policy {directory}/policy")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo(words("stopping"), err=True)


def _tidy(directory: Path) -> None:
    """Leave the proof, the trust file and the logs of a temporary directory; the rest was only engines' files."""
    for path in directory.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
