"""`opposable keys rotate kek | pepper`: each resumable, each loses nothing when it is killed.

What each does, and what to do before and after: docs/keys.md. Exit codes: 0 done, 1 refused as things stand, 2 the input or
the system cannot be used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.groups import group
from services.cli.keys import HELP
from services.cli.language import tr
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from services.rights_handler.renaming import PepperRotation
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.keyring.kek import KekRotation
from shared.mongo import Client, connect
from shared.settings import Settings

ROTATE_HELP = "Put a secret's next version into use, while everything runs."
T = TypeVar("T")
Tick = Callable[[int, int], None]
Batch = Annotated[int, typer.Option("--batch", min=1, max=10_000, help="Rows of one write.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = group(app, "keys", HELP)
    rotate = group(keys, "rotate", ROTATE_HELP)
    rotate.command("kek", epilog="Example: opposable keys rotate kek --data-dir .opposable")(kek)
    rotate.command("pepper", epilog="Example: opposable keys rotate pepper --data-dir .opposable")(pepper)


def kek(
    batch: Batch = 1000,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Leave the old file in place (its keeper destroys it himself).")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Wrap every record key again under a new KEK, prove that none needs the old one, and destroy it.

    No restart: services read both versions, and use the new file as soon as it is there. Where they run on several machines,
    bring the new file (`kek.<n>`) to all of them when it appears; until then they wait, and lose nothing.
    """
    settings = settings_of(resolve(data_dir))
    with bar(tr("record keys", "clés d’enregistrement"), quiet=as_json) as tick:
        done = run(on_mongodb(settings, lambda client: KekRotation(
            client, settings.secrets_dir, SystemClock(), batch=batch
        ).run(tick, destroy=not keep_old)))  # fmt: skip
    if as_json:
        print_json({
            "old": done.old, "new": done.new, "check": done.check, "rewrapped": done.rewrapped, "record_keys": done.rows,
            "needing_old": done.needed, "destroyed": done.destroyed,
        })  # fmt: skip
        return
    typer.echo(tr(
        f"{done.rows} record keys are under KEK {done.new} (check value {done.check}); {done.needed} need an older one",
        f"{done.rows} clés d’enregistrement sont sous la KEK {done.new} (valeur de contrôle {done.check}) ; "
        f"{done.needed} dépendent d’une plus ancienne",
    ))  # fmt: skip
    if done.destroyed:
        typer.echo(tr(
            "the old file is destroyed here: destroy its copies on other machines and in escrow, then run "
            "`opposable keys escrow`",
            "l’ancien fichier est détruit ici : détruisez ses copies sur les autres machines et sous séquestre, puis lancez "
            "`opposable keys escrow`",
        ))  # fmt: skip


def pepper(batch: Batch = 1000, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Name every person of the index under the next pepper, stops of erased persons too, without missing a lookup.

    No restart, and no pepper is destroyed: names are chained, so each needs those before it. On several machines, bring the
    new file (`pepper.<n>`) to every rights_handler when it appears; until then they wait, and lose nothing.
    """
    settings = settings_of(resolve(data_dir))
    with bar(tr("rows", "lignes"), quiet=as_json) as tick:
        done = run(on_mongodb(settings, lambda client: PepperRotation(
            client, settings.secrets_dir, SystemClock(), batch=batch
        ).run(tick)))  # fmt: skip
    if as_json:
        print_json({
            "old": done.old, "new": done.new, "check": done.check, "lifted": done.lifted, "narrowed": done.narrowed,
            "left": done.left,
        })  # fmt: skip
        return
    typer.echo(tr(
        f"persons are named under pepper {done.new} (check value {done.check}); {done.left} rows bear an older name. Keep every "
        "pepper, and run `opposable keys escrow`",
        f"les personnes sont désignées sous le poivre {done.new} (valeur de contrôle {done.check}) ; {done.left} ligne porte un "
        "nom plus ancien. Gardez tous les poivres, et lancez `opposable keys escrow`",
    ))  # fmt: skip


async def on_mongodb(settings: Settings, work: Callable[[Client], Awaitable[T]]) -> T:
    """Do something with a client of the system's database. Raises Unavailable where it is away: give the command again."""
    client = connect(settings, "keys")
    try:
        return await work(client)
    except PyMongoError as error:
        raise Unavailable(
            f"MongoDB is away ({type(error).__name__}); nothing is lost: give the command again to go on"
        ) from error
    finally:
        await client.close()


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Tick]:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task(what, total=None)

        def tick(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield tick
