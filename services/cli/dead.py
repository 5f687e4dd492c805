"""`opposable dead list | show | replay | drop`: dead letters, until none waits (promise P1).

A letter holds what a sender wrote, in clear: these commands are the operator's, and only `show` prints a content.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from shared.errors import InputError, Problem
from shared.instants import format_instant, from_millis
from shared.kafka.letters import Letter, matching, pick, read_dead, replay_of, resolution_of
from shared.kafka.publisher import Publisher
from shared.settings import Settings

SHOWN_BYTES = 4_096
REPLAY_MOST = 100

Ids = Annotated[list[str] | None, typer.Argument(help="Letters by number, PARTITION/OFFSET as `dead list` shows them.")]
Code = Annotated[str | None, typer.Option("--code", help="Only those with this error code.")]
Topic = Annotated[str | None, typer.Option("--topic", help="Only those that came from this topic.")]
Everything = Annotated[bool, typer.Option("--all", help="Every unresolved letter.")]
Most = Annotated[int, typer.Option("--max", min=1, help="At most so many, oldest first.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    dead = group(app, "dead", "Records that could not be used, with their reasons.")
    dead.command("list", epilog="Example: opposable dead list --code SCHEMA --json")(list_)
    dead.command("show", epilog="Example: opposable dead show 0/41 --raw letter.bin")(show)
    dead.command("replay", epilog="Example: opposable dead replay --topic in.acme.consents --max 500")(replay)
    dead.command("drop", epilog='Example: opposable dead drop 0/41 --reason "test message, sender told"')(drop)


def list_(
    code: Code = None,
    topic: Topic = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="Also those replayed or dropped.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the letters that wait for a decision."""
    letters = matching(run(read_dead(settings_of(resolve(data_dir)))), code=code, topic=topic)
    shown = [letter for letter in letters if resolved or letter.resolution is None]
    if as_json:
        print_json([_summary(letter) for letter in shown])
        return
    for letter in shown:
        size = len(letter.value) if letter.value is not None else 0
        source = f"{letter.topic}/{letter.source_partition}/{letter.source_offset}"
        state = f" [{letter.resolution}]" if letter.resolution else ""
        typer.echo(f"{letter.id:>8}  {_age(letter):>6}  {letter.code:<22}  {source}  {size} B{state}  {letter.message}")
    typer.echo(tr(f"{len(shown)} letters", f"{len(shown)} messages"))


def show(
    letter: Annotated[str, typer.Argument(help="PARTITION/OFFSET, as `dead list` shows it.")],
    raw: Annotated[Path | None, typer.Option("--raw", help="Also write the exact bytes of the value there.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one letter: reason, headers and content. The content may be personal data."""
    letters = run(read_dead(settings_of(resolve(data_dir))))
    found = next((one for one in letters if one.id == letter), None)
    if found is None:
        raise InputError([Problem("DEAD-UNKNOWN", letter, "no letter has this number")])
    if raw is not None:
        raw.touch(mode=0o600)
        raw.write_bytes(found.value or b"")
    detail = _summary(found) | {
        "key": None if found.key is None else printable(found.key),
        "headers": [[name, None if value is None else printable(value)] for name, value in found.headers],
        "value": None if found.value is None else printable(found.value[:SHOWN_BYTES]),
        "truncated": found.value is not None and len(found.value) > SHOWN_BYTES,
    }
    if as_json:
        print_json(detail)
        return
    for name, value in detail.items():
        if name != "headers":
            typer.echo(f"{name:<12} {value}")
    for name, value in detail["headers"]:
        typer.echo(f"  {printable(name.encode())}: {value}")


def replay(
    ids: Ids = None, code: Code = None, topic: Topic = None, everything: Everything = False, most: Most = REPLAY_MOST,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the letter.")] = "replayed by the operator",
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Publish letters again where they came from, byte for byte; what still fails comes back as a new letter."""
    settings = settings_of(resolve(data_dir))
    chosen, left = run(_replay(settings, ids or [], code, topic, most, reason, everything=everything))
    _done("replayed", chosen, left, as_json=as_json)


async def _replay(
    settings: Settings, ids: list[str], code: str | None, topic: str | None, most: int, reason: str, *, everything: bool
) -> tuple[list[Letter], int]:
    named = pick(await read_dead(settings), ids, code=code, topic=topic, everything=everything)
    chosen = named[:most]
    outgoing = [replay_of(letter) for letter in chosen]
    publisher = Publisher(settings, "operator")
    await publisher.start()
    try:
        # In this order: interrupted between the two, letters are replayed twice, and duplicates have no effect.
        await publisher.send_all(outgoing)
        await publisher.send_all([resolution_of(letter, "replayed", reason) for letter in chosen])
    finally:
        await publisher.stop()
    return chosen, len(named) - len(chosen)


def drop(
    reason: Annotated[str, typer.Option("--reason", help="Why nobody needs it; kept with the letter.")],
    ids: Ids = None, code: Code = None, topic: Topic = None, everything: Everything = False, most: Most = REPLAY_MOST,
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Give letters up, saying why. Their bytes stay until the topic's seven days are over."""
    if not reason.strip():
        raise InputError([Problem("DEAD-REASON", "--reason", "say why these letters are given up")])
    settings = settings_of(resolve(data_dir))

    async def work() -> tuple[list[Letter], int]:
        named = pick(await read_dead(settings), ids or [], code=code, topic=topic, everything=everything)
        publisher = Publisher(settings, "operator")
        await publisher.start()
        try:
            await publisher.send_all([resolution_of(letter, "dropped", reason.strip()) for letter in named[:most]])
        finally:
            await publisher.stop()
        return named[:most], max(0, len(named) - most)

    chosen, left = run(work())
    _done("dropped", chosen, left, as_json=as_json)


def printable(data: bytes) -> str:
    """Text that cannot drive a terminal: control characters and bytes that are no UTF-8 are written as escapes. Pure."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _summary(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "code": letter.code,
        "message": letter.message,
        "topic": letter.topic,
        "partition": letter.source_partition,
        "offset": letter.source_offset,
        "attempts": letter.attempts,
        "at": format_instant(from_millis(letter.timestamp)),
        "bytes": len(letter.value) if letter.value is not None else None,
        "resolution": letter.resolution,
    }


def _age(letter: Letter) -> str:
    seconds = max(0, int(time.time() - letter.timestamp / 1000))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _done(how: str, chosen: list[Letter], left: int, *, as_json: bool) -> None:
    if as_json:
        print_json({how: [letter.id for letter in chosen], "left": left})
        return
    words = {"replayed": tr("replayed", "rejoués"), "dropped": tr("dropped", "abandonnés")}[how]
    typer.echo(
        f"{len(chosen)} {words}" + (tr(f", {left} more match", f", {left} autres correspondent") if left else "")
    )
