"""`opposable verify`: checks a bundle offline against a trust file. No server, no network, no clock.

Exit codes: 0 the bundle holds, 1 it is refused (the reason has a stable code), 2 a file cannot be read or the trust file
cannot be used. Format: services/proof_archive/bundles/build.py; what is checked, in order: services/proof_archive/verifying/verify.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli.language import tr
from services.cli.verify_report import report
from services.proof_archive.bundles.canonical_zip import MAX_BYTES
from services.proof_archive.verifying.verify import verify_bundle
from shared.errors import InputError, IntegrityError, Problem

REFUSED = 1
MAX_POLICY = 1 << 20
"""Bytes of the longest trust file read."""


def register(app: typer.Typer) -> None:
    """Add `verify` to the command line."""
    app.command(name="verify")(verify)


def verify(
    bundle: Annotated[Path, typer.Argument(help="The proof bundle (.zip).")],
    policy: Annotated[Path, typer.Option("--policy", help="The trust file, received by another way than the bundle.")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Verify a proof bundle offline: exit 0 if it holds, 1 if it is refused, 2 if an input cannot be used."""
    data, trust = _read(bundle, MAX_BYTES), _read(policy, MAX_POLICY)
    try:
        verification = verify_bundle(data, trust.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            [Problem("POLICY", "", tr("the trust file is not UTF-8", "le fichier de confiance n'est pas en UTF-8"))]
        ) from error
    except IntegrityError as error:
        raise InputError([Problem("POLICY", "", str(error))]) from error
    if as_json:
        typer.echo(json.dumps(verification.as_dict(), ensure_ascii=False))
    else:
        report(Console(highlight=False), verification)
    if not verification.valid:
        raise typer.Exit(REFUSED)


def _read(path: Path, most: int) -> bytes:
    """The file's bytes, up to one more than `most` (so that what is too long is seen to be)."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = tr(f"{path} cannot be read: {reason}", f"{path} ne peut pas être lu : {reason}")
        raise InputError([Problem("FILE-UNREADABLE", "", message)]) from error
