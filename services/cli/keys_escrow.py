"""`opposable keys escrow | restore`: copies of every secret for their keeper, and drills of their loss (docs/keys.md).

Nothing here ever shows a secret. Exit codes: 0 done, 1 a drill fails, 2 the input cannot be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.keys import HELP
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.clock import SystemClock
from shared.errors import ConfigurationError, InputError, IntegrityError, Problem
from shared.instants import format_instant
from shared.keyring.escrow import Key, Lock, Passphrase, PrivateKey, PublicKey, Secret
from shared.keyring.inventory import escrow, opened, restore, secrets_of

PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File whose first line is the passphrase (16 characters or more)."),
]
FROM = typer.Option("--from", help="Directory of escrow files.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = group(app, "keys", HELP)
    keys.command(
        "escrow", epilog="Example: opposable keys escrow --output escrow-2026-11 --public-key keeper.pem"
    )(escrow_)  # fmt: skip
    keys.command(
        "restore", epilog="Example (a drill that writes nothing): opposable keys restore --from escrow-2026-11 "
        "--private-key keeper.key --check"
    )(restore_)  # fmt: skip


def escrow_(
    output: Annotated[Path, typer.Option("--output", help="A new directory for the escrow files.")],
    public_key: Annotated[
        Path | None,
        typer.Option("--public-key", help="PEM public key of the keeper: X25519, or RSA of 3072 bits or more."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write every secret, in each of its versions, into an encrypted file with a check value."""
    keeper: Lock
    if (public_key is None) == (passphrase_file is None):
        raise InputError(
            [Problem("KEYS-KEEPER", "--public-key", "give --public-key or --passphrase-file, one of the two")]
        )
    keeper = PublicKey(_bytes(public_key)) if public_key is not None else Passphrase(_line(passphrase_file))
    secrets = escrow(resolve(data_dir).secrets_dir, output, keeper, format_instant(SystemClock().now()))
    _tell(secrets, tr("in escrow", "sous séquestre"), as_json=as_json)


def restore_(
    source: Annotated[Path, FROM],
    output: Annotated[
        Path | None, typer.Option("--output", help="Secrets directory to fill; by default the running system's.")
    ] = None,
    private_key: Annotated[Path | None, typer.Option("--private-key", help="PEM private key of the keeper.")] = None,
    key_password_file: Annotated[
        Path | None, typer.Option("--key-password-file", help="File with the password of the private key itself.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    check: Annotated[
        bool, typer.Option("--check", help="Drill: open everything, compare with what is in use, write nothing.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Open escrow files and write the secrets that are missing; never over another one. Exit 1 where a drill fails."""
    key: Key
    if (private_key is None) == (passphrase_file is None):
        raise InputError(
            [Problem("KEYS-OPENER", "--private-key", "give --private-key or --passphrase-file, one of the two")]
        )
    if private_key is not None:
        password = None if key_password_file is None else _line(key_password_file).encode()
        key = PrivateKey(_bytes(private_key), password)
    else:
        key = Passphrase(_line(passphrase_file))
    try:
        secrets = opened(source, key)
    except IntegrityError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(NEGATIVE) from None
    directory = output or resolve(data_dir).secrets_dir
    if not check:
        outcome = restore(secrets, directory)
        _tell(secrets, tr("restored or already there", "restaurés ou déjà là"), as_json=as_json, outcome=outcome)
        return
    wrong = _differences(secrets, directory)
    _tell(
        secrets, tr("open and are the ones in use", "s’ouvrent et sont ceux en service"), as_json=as_json, wrong=wrong
    )
    if wrong:
        raise typer.Exit(NEGATIVE)


def _differences(secrets: list[Secret], directory: Path) -> list[str]:
    """Secrets in use that this escrow would not bring back."""
    kept = {(secret.name, secret.version): secret.check for secret in secrets}
    return [
        f"{secret.name} {secret.version}: "
        + ("not in this escrow" if (secret.name, secret.version) not in kept else "another one in this escrow")
        for secret in secrets_of(directory)
        if kept.get((secret.name, secret.version)) != secret.check
    ]


def _tell(
    secrets: list[Secret],
    done: str,
    *,
    as_json: bool,
    outcome: dict[str, str] | None = None,
    wrong: list[str] | None = None,
) -> None:
    if as_json:
        listed = [{"name": s.name, "version": s.version, "check": s.check} for s in secrets]
        print_json({"secrets": listed, "files": outcome or {}, "wrong": wrong or []})
        return
    for secret in secrets:
        typer.echo(f"{secret.name:<16} {secret.version:>3}  {secret.check}")
    for sentence in wrong or ():
        typer.echo(sentence, err=True)
    if not wrong:
        typer.echo(tr(f"{len(secrets)} secrets: {done}", f"{len(secrets)} secrets : {done}"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror})") from None


def _line(path: Path | None) -> str:
    try:
        lines = _bytes(path or Path()).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text") from None
    return lines[0] if lines else ""
