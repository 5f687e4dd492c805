"""`opposable contracts write | check | diff`: the published contracts (JSON Schemas, AsyncAPI 3, OpenAPI), made from the code.

Exit codes: 0 written, or nothing differs · 1 something differs, or breaks · 2 unusable input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from services.cli.generated import differing, write_files
from services.cli.groups import group
from services.cli.language import tr
from services.cli.partner_vectors import FILE as VECTORS
from services.cli.partner_vectors import vectors
from services.cli.target import NEGATIVE, AsJson, print_json
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.compatibility import Direction, breaking
from shared.contracts.published import asyncapi, schemas
from shared.errors import ConfigurationError

SCHEMAS, ASYNCAPI, OPENAPI = "schemas", "asyncapi.yaml", "openapi"
Folder = Annotated[Path, typer.Option("--output", help="Folder of the published contracts.")]
DEFAULT = Path("docs") / "contracts"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    contracts = group(app, "contracts", "The published contracts: JSON Schemas, AsyncAPI, OpenAPI, vectors.")
    contracts.command("write", epilog="Example: opposable contracts write --output docs/contracts")(write)
    contracts.command("check", epilog="Example: opposable contracts check")(check)
    contracts.command("diff", epilog="Example: opposable contracts diff released/schemas docs/contracts/schemas")(diff)


def files() -> dict[str, str]:
    """The text of every published file, by its path in the folder."""
    from services.cli.contracts_http import openapi  # noqa: PLC0415 - imports every service

    found = {f"{SCHEMAS}/{name}.json": _json(schema) for name, schema in schemas().items()}
    found[VECTORS] = vectors()
    found[ASYNCAPI] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=140)
    return found | {f"{OPENAPI}/{service}.json": _json(document) for service, document in openapi().items()}


def write(output: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Write them all; a file that nothing makes any more is removed."""
    wanted = files()
    for path in _present(output) - wanted.keys():
        (output / path).unlink()
    write_files(output, wanted)
    if as_json:
        print_json(sorted(wanted))
    else:
        typer.echo(tr(f"{len(wanted)} files in {output}", f"{len(wanted)} fichiers dans {output}"))


def check(output: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Say which published files are not what the code makes."""
    found = differing(output, files(), _present(output))
    if as_json:
        print_json(found)
    for path in [] if as_json else found:
        typer.echo(path)
    if found:
        typer.echo(tr("run `opposable contracts write`", "lancer `opposable contracts write`"), err=True)
        raise typer.Exit(NEGATIVE)


def diff(
    old: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Schemas that parties rely on.")],
    new: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Schemas to publish.")],
    as_json: AsJson = False,
) -> None:
    """Say what breaks between two folders of schemas: within a version only an optional field may be added."""
    sent = {event.name: event.is_sent_by_party for event in CATALOGUE}
    found: dict[str, list[str]] = {}
    for path in sorted(old.glob("*.json")):
        if not (new / path.name).exists():
            found[path.stem] = ["the type is gone"]
            continue
        direction: Direction = "sent" if sent.get(path.stem, True) else "received"
        broken = breaking(_read(path), _read(new / path.name), direction)
        if broken:
            found[path.stem] = broken
    if as_json:
        print_json(found)
    for name, sentences in {} if as_json else found.items():
        typer.echo(name)
        typer.echo("\n".join(f"  {sentence}" for sentence in sentences))
    if found:
        raise typer.Exit(NEGATIVE)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _present(folder: Path) -> set[str]:
    made = [
        *folder.glob(f"{SCHEMAS}/*.json"),
        *folder.glob(f"{OPENAPI}/*.json"),
        *folder.glob(ASYNCAPI),
        *folder.glob(VECTORS),
    ]
    return {str(path.relative_to(folder)) for path in made}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigurationError(f"{path} is not a JSON Schema") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} is not a JSON Schema")
    return value
