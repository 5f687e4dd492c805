"""`opposable evidence`: the files that consents, forms, notices and contracts name by hash: send them, fetch them, see who owes which."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.groups import group
from services.cli.language import tr
from services.cli.lines import Advance, bar
from services.cli.proof import api_key
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError, IntegrityError, Problem, Unavailable

TIMEOUT_S = 60.0
PART = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = group(
        app, "evidence", tr("Files that the logs name by hash.", "Pièces que les journaux citent par empreinte.")
    )
    commands.command("put", epilog="Example: opposable evidence put page.html capture.png contrat.pdf")(put)
    commands.command("get", epilog="Example: opposable evidence get 9f86d081…0f00a08 --output page.html")(get)
    commands.command("owed", epilog="Example: opposable evidence owed --json")(owed)


def put(
    files: Annotated[list[Path], typer.Argument(help="The files; each goes under the SHA-256 of its bytes.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send files: exit 0 if all are stored (or were), 1 if one is refused, 2 if one cannot be read or nothing answers.

    A file is taken only where a form, notice, contract or consent of the key's party cites it. The key is
    OPPOSABLE_API_KEY, else the operator's token.
    """
    hashes = {file: _hash(file) for file in files}
    answers: list[dict[str, Any]] = []
    with _client(data_dir) as client:
        for file, sha256 in hashes.items():
            size = file.stat().st_size
            with bar(size, file.name, quiet=as_json) as advance:
                answer = _ask(client, "PUT", sha256, content=_parts(file, advance), length=size)
            answers.append({"file": str(file), **_told(answer, sha256)})
    if as_json:
        print_json(answers)
    for line in () if as_json else answers:
        words = {"stored": tr("stored", "enregistrée"), "held": tr("already there", "déjà présente")}
        typer.echo(f"{line['file']} {line['sha256']}: {words.get(line['status'], '')}{line.get('title', '')}")
    if any(line["status"] == "refused" for line in answers):
        raise typer.Exit(NEGATIVE)


def get(
    sha256: Annotated[str, typer.Argument(help="The SHA-256 of the file, in hexadecimal.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    record: Annotated[
        str | None, typer.Option("--record", help="For a prospecteur: the consent whose proof carries the file.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a file and check its hash: exit 0 if it is written, 1 if there is none for you, 2 if nothing answers."""
    with _client(data_dir) as client:
        answer = _ask(client, "GET", sha256, params={"record": record} if record else {})
    line = _told(answer, sha256)
    if answer.status_code != httpx.codes.OK:
        print_json(line) if as_json else typer.echo(f"{sha256}: {line.get('title', '')}", err=True)
        raise typer.Exit(NEGATIVE)
    if hashlib.sha256(answer.content).hexdigest() != sha256:
        raise IntegrityError("what was received is not the file of this hash; nothing was written")
    try:
        output.write_bytes(answer.content)
    except OSError as error:
        raise InputError([Problem("FILE-UNWRITABLE", "", f"{output} cannot be written: {error.strerror}")]) from error
    if as_json:
        print_json({"sha256": sha256, "status": "written", "file": str(output), "bytes": len(answer.content)})
    else:
        typer.echo(tr(f"{output}: {len(answer.content)} bytes", f"{output} : {len(answer.content)} octets"))


def owed(
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this party owes.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the files that are cited and were not uploaded: exit 0 if none is overdue, 1 if one is."""
    rows = []
    with _client(data_dir) as client:
        after: str | None = ""
        while after is not None:
            params = {"after": after, "limit": "1000"} | ({"owner": owner} if owner else {})
            page = _ask(client, "GET", "owed", params=params)
            if page.status_code != httpx.codes.OK:
                raise InputError([Problem(str(page.json().get("code")), "", str(page.json().get("title")))])
            rows += page.json()["owed"]
            after = page.json()["after"]
    if as_json:
        print_json({"owed": rows})
    else:
        _show(rows)
    if any(row["overdue"] for row in rows):
        raise typer.Exit(NEGATIVE)


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo(tr("nothing is owed", "aucune pièce n’est due"))
        return
    table = Table(box=None, padding=(0, 2))
    for head in (
        tr("owner", "due par"),
        tr("what", "pièce"),
        "SHA-256",
        tr("due", "échéance"),
        tr("consent", "dossier"),
    ):
        table.add_column(head)
    late = tr("overdue", "en retard")
    for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])):
        due = row["due_at"][:10] + (f" ({late})" if row["overdue"] else "")
        cells = (row["owner"], row["what"], row["sha256"], due, row["record"] or "—")
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    Console(highlight=False).print(table)


def _client(data_dir: Path | None) -> httpx.Client:
    endpoints = resolve(data_dir)
    return httpx.Client(
        base_url=endpoints.url("proof_archive"),
        timeout=TIMEOUT_S,
        headers={"Authorization": f"Bearer {api_key(endpoints)}"},
        trust_env=False,
    )


def _ask(
    client: httpx.Client,
    method: str,
    name: str,
    *,
    content: Iterator[bytes] | None = None,
    length: int | None = None,
    params: dict[str, str] | None = None,
) -> httpx.Response:
    headers = {} if length is None else {"Content-Length": str(length)}
    try:
        answer = client.request(method, f"/v1/evidence/{name}", content=content, headers=headers, params=params)
    except httpx.HTTPError as error:
        raise Unavailable(f"the proof archive does not answer ({type(error).__name__})") from error
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Unavailable("the proof archive answers that an engine is away; try again")
    return answer


def _told(answer: httpx.Response, sha256: str) -> dict[str, Any]:
    if answer.status_code in (httpx.codes.OK, httpx.codes.CREATED):
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json else {"sha256": sha256, "status": "held"}
    problem = answer.json()
    return {"sha256": sha256, "status": "refused", "code": problem.get("code"), "title": problem.get("title")}


def _parts(file: Path, advance: Advance) -> Iterator[bytes]:
    with file.open("rb") as source:
        while part := source.read(PART):
            yield part
            advance(len(part))


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = tr(f"{file} cannot be read: {reason}", f"{file} ne peut pas être lu : {reason}")
        raise InputError([Problem("FILE-UNREADABLE", "", message)]) from error
