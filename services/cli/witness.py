"""`opposable witness`: run a witness of transparency logs, for a party or an auditor outside the operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import AsJson, print_json
from services.witness.key_file import write_key
from services.witness.serve import serve as run

if TYPE_CHECKING:
    from services.witness.ledger import Ledger

Key = Annotated[Path, typer.Option("--key", help="File of the witness's private key.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = group(app, "witness", tr("Witness the logs of others.", "Être témoin des journaux d'autrui."))
    commands.command(
        "keygen", epilog="Example: opposable witness keygen --name acme.example/witness --key witness.key"
    )(keygen)
    commands.command(
        "serve",
        epilog="Example: opposable witness serve --key witness.key --log 'opposable.local+…' "
        "--listen 0.0.0.0:8200 --state witness.db",
    )(serve)


def keygen(
    name: Annotated[str, typer.Option("--name", help="Name of the witness, such as acme.example/witness.")],
    key: Key,
    as_json: AsJson = False,
) -> None:
    """Make a key: exit 0 and the public key to put into trust files, 2 if a file stands there already."""
    vkey = write_key(key, name).verifier.vkey()
    if as_json:
        print_json({"vkey": vkey, "key": str(key)})
        return
    typer.echo(tr("line for the trust files of verifiers:", "ligne pour les fichiers de confiance des vérificateurs :"))
    typer.echo(f"witness {name} {vkey}")


def serve(
    key: Key,
    log: Annotated[list[str], typer.Option("--log", help="A log's public key (vkey), from its trust file. Repeat.")],
    state: Annotated[Path, typer.Option("--state", help="File of what was cosigned. Losing it ends the witness.")],
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT; port 0 picks a free one.")] = "127.0.0.1:8200",
    as_json: AsJson = False,
) -> None:
    """Cosign the checkpoints of logs that only grow, until Ctrl-C: POST /add-checkpoint (C2SP tlog-witness)."""

    def ready(url: str, vkey: str, ledger: Ledger) -> None:
        if as_json:
            print_json({"url": url, "vkey": vkey, "new_state": ledger.is_new})
            return
        typer.echo(tr(f"{vkey}\nlistening at {url}", f"{vkey}\nà l'écoute sur {url}"))
        if ledger.is_new:
            typer.echo(
                tr(
                    "the state file is new: if this key has cosigned before, stop now and make another key",
                    "le fichier d'état est nouveau : si cette clé a déjà signé, arrêtez et faites-en une autre",
                ),
                err=True,
            )

    run(key, log, listen, state, ready)
