"""`opposable register export | mention`: the register of processing (RGPD 30) and a form's mention (RGPD 13), from the registry.

Both read registry files, need no server, and write French: they are for data protection officers.
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.groups import group
from services.cli.target import print_json
from shared.errors import ConfigurationError
from shared.kit.mention import mention as mention_of
from shared.kit.register import COLUMNS, Activity, of_operator
from shared.kit.register import register as activities_of
from shared.registry.load import load_dir, view_of
from shared.registry.shown import RecipientList
from shared.registry.view import RegistryView

Directory = Annotated[Path, typer.Option("--registry", exists=True, help="Registry YAML: a file or a directory.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    kit = group(app, "register", "The register of processing (RGPD 30) and the mention of a form (RGPD 13).")
    kit.command("export", epilog="Example: opposable register export --registry deploy/example/registry --party acme")(
        export
    )
    kit.command(
        "mention", epilog="Example: opposable register mention jeu-rentree 7 --registry … --list acme-partners:12"
    )(mention)


def export(
    registry: Directory,
    party: Annotated[
        str | None, typer.Option("--party", help="Whose register; default: the platform operator's.")
    ] = None,
    operator: Annotated[
        str, typer.Option("--operator", help="Name of the operator, for its own register.")
    ] = "[à compléter]",
    contact: Annotated[str, typer.Option("--contact", help="Its data protection officer.")] = "[à compléter]",
    form: Annotated[
        Literal["csv", "json", "markdown"], typer.Option("--format", help="How it is written.")
    ] = "markdown",
    output: Annotated[Path | None, typer.Option("--output", help="File. Default: standard output.")] = None,
) -> None:
    """Write the register of one party, or of the operator (30(2)). What the registry does not know is marked [à compléter]."""
    view = view_of(load_dir(registry))
    if party is None:
        found = of_operator(view, operator, contact)
    else:
        known = view.party(party)
        if known is None:
            raise ConfigurationError(f"no party {party!r} in {registry}")
        found = activities_of(view, known)
    if form == "json":
        if output is None:
            print_json([asdict(one) for one in found])
            return
        raise ConfigurationError("--format json goes to standard output")
    text = _csv(found) if form == "csv" else _markdown(found, party or operator)
    _write(output, text)


def mention(
    form: Annotated[str, typer.Argument(help="Id of the form.")],
    version: Annotated[int, typer.Argument(help="Its version.")],
    registry: Directory,
    list_: Annotated[
        str | None,
        typer.Option("--list", help="ID:VERSION of the list shown. Default: the collector shares with nobody."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="File. Default: standard output.")] = None,
) -> None:
    """Write the mention of a form with its named list. A list of categories is refused: it names nobody."""
    view = view_of(load_dir(registry))
    found = view.form(form, version)
    if found is None:
        raise ConfigurationError(f"no form {form} version {version} in {registry}")
    owner = view.party(found.collector)
    if owner is None:
        raise ConfigurationError(f"the form's collector {found.collector!r} is not in {registry}")
    try:
        _write(output, mention_of(owner, found, _list(view, list_)))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _list(view: RegistryView, named: str | None) -> RecipientList | None:
    if named is None:
        return None
    name, _, version = named.rpartition(":")
    if not name or not version.isdigit():
        raise ConfigurationError("--list is ID:VERSION, as acme-partners:12")
    found = view.list_(name, int(version))
    if found is None:
        raise ConfigurationError(f"no list {name} version {version}")
    return found


def _csv(found: list[Activity]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for one in found:
        writer.writerow({name: _safe(value) for name, value in asdict(one).items()})
    return "\ufeff" + text.getvalue()  # the mark that makes spreadsheets read UTF-8


def _safe(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in "=+-@\t\r" else value


def _markdown(found: list[Activity], whose: str) -> str:
    parts = [f"# Registre des activités de traitement : {whose}\n"]
    for number, one in enumerate(found, 1):
        rows = [
            f"| {name.replace('_', ' ')} | {value.replace('|', chr(92) + '|')} |"
            for name, value in asdict(one).items()
            if name != "activite"
        ]
        parts.append(f"## {number}. {one.activite}\n\n| Rubrique | Contenu |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _write(output: Path | None, text: str) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from None
