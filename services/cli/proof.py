"""`opposable proof get`: fetches the proof of one record from the running archive, as a bundle, an attestation or JSON.

A record that was just accepted is promised first; the command waits for its proof. Checking it is `opposable verify`,
which needs no server.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.auth import OPERATOR_TOKEN_FILE
from shared.errors import ConfigurationError, InputError, Problem, Unavailable
from shared.local_engines.endpoints import Endpoints

KEY_VARIABLE = "OPPOSABLE_API_KEY"
"""A party's or auditor's key; without it the operator's token of the system is used."""
TIMEOUT_S = 30.0
AGAIN_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    proofs = group(app, "proof", tr("Proofs of consent.", "Preuves de consentement."))
    proofs.command("get", epilog="Example: opposable proof get acme/0190f6c2-… --output proof.zip (or proof.pdf)")(get)


def get(
    record: Annotated[str, typer.Argument(help="<collector>/<consent id>, or a consent id only one collector used.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write: .zip (bundle), .pdf (attestation) or .json.")
    ],
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a proof that is promised.")] = 15.0,
    claim: Annotated[
        str | None,
        typer.Option("--claim", help="Open what is kept for legal claims: why (archived; names a file, no one)."),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a proof: exit 0 if it is written, 1 if there is none for you, 2 if the system cannot be reached."""
    endpoints = resolve(data_dir)
    suffix = output.suffix if output.suffix in {".json", ".pdf"} else ".zip"
    url = f"{endpoints.url('proof_archive')}/v1/proofs/{record}{suffix}"
    answer = fetch(url, api_key(endpoints), wait, claim)
    if answer.status_code != httpx.codes.OK:
        document = answer.json()
        sentence = document.get("title") or tr(
            f"not under a signed checkpoint yet; due {document.get('due')}",
            f"pas encore sous un point de contrôle signé ; attendue le {document.get('due')}",
        )
        if as_json:
            print_json({"record": record, "status": answer.status_code, "answer": document})
        else:
            typer.echo(f"{record}: {sentence}", err=True)
        raise typer.Exit(NEGATIVE)
    try:
        output.write_bytes(answer.content)
    except OSError as error:
        raise InputError([Problem("FILE-UNWRITABLE", "", f"{output} cannot be written: {error.strerror}")]) from error
    if as_json:
        print_json({"record": record, "status": 200, "file": str(output), "bytes": len(answer.content)})
    else:
        typer.echo(tr(f"{output}: {len(answer.content)} bytes", f"{output} : {len(answer.content)} octets"))
        if suffix == ".zip":
            typer.echo(tr(
                f"verify it offline: opposable verify {output} --policy <trust file>",
                f"à vérifier hors ligne : opposable verify {output} --policy <fichier de confiance>",
            ))  # fmt: skip


def fetch(url: str, key: str, wait: float = 0.0, claim: str | None = None) -> httpx.Response:
    """The answer, asked again while it is a promise. With a claim each try that is answered is archived."""
    until = time.monotonic() + wait
    with httpx.Client(timeout=TIMEOUT_S, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        while True:
            try:
                answer = client.get(url) if claim is None else client.post(url, json={"claim": claim})
            except httpx.HTTPError as error:
                raise Unavailable(f"the proof archive does not answer ({type(error).__name__})") from error
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                raise Unavailable("the proof archive answers that an engine is away; try again")
            if answer.status_code != httpx.codes.ACCEPTED or time.monotonic() >= until:
                return answer
            time.sleep(AGAIN_S)


def api_key(endpoints: Endpoints) -> str:
    """The caller's key: OPPOSABLE_API_KEY, else the operator's token. Raises ConfigurationError where there is none."""
    key = os.environ.get(KEY_VARIABLE)
    if key:
        return key
    try:
        return (endpoints.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"set {KEY_VARIABLE} to your key (the operator's token cannot be read: {error.strerror})"
        ) from error
