"""`opposable form inspect PAGE.html|URL`: measures a consent form in a real browser, writes the registry's document.

Exit codes: 0 measured, 1 measured and consents relying on the page would be invalid, 2 the page or the browser cannot be used.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, print_json
from services.form_inspector.address import Address, address_of
from services.form_inspector.browser import VARIABLE, chromium
from services.form_inspector.document import Identity
from services.form_inspector.inspection import Inspection, inspect, picture
from services.form_inspector.report import as_dict, save
from shared.contracts.types import PARTY_PATTERN
from shared.errors import InputError, Problem
from shared.forms.wording import normal
from shared.registry.load import load_dir
from shared.registry.models import parse
from shared.registry.shown import Notice, RecipientList

T = TypeVar("T")

PageArgument = Annotated[str, typer.Argument(metavar="PAGE", help="HTML file, or http(s) address.")]
FormId = Annotated[
    str | None, typer.Option("--id", help="Form id (default: from the file name, `<id>-v<version>.html`).")
]
FormVersion = Annotated[
    int | None, typer.Option("--version", min=1, help="Form version (default: from the file name, else 1).")
]
Collector = Annotated[str | None, typer.Option("--collector", help="Party that publishes the form.")]
ListFile = Annotated[
    Path | None, typer.Option("--list", exists=True, help="Recipient lists (registry YAML) to compare with.")
]
NoticeFile = Annotated[
    Path | None, typer.Option("--notice", exists=True, help="Notices (registry YAML) the page may link to.")
]
Answers = Annotated[
    list[str] | None, typer.Option("--answer", help="FIELD=VALUE for what the page does not show; repeatable.")
]
Hosts = Annotated[
    list[str] | None, typer.Option("--allow-host", help="Another host the page may load from; repeatable.")
]
Output = Annotated[Path, typer.Option("--output", help="Directory for the page, pictures, document and report.")]
BrowserPath = Annotated[
    Path | None, typer.Option("--browser", envvar=VARIABLE, help="Path of Chromium (default: the system's).")
]

_NAMED = re.compile(r"^(?P<id>[a-z0-9][a-z0-9._-]*?)-v(?P<version>[1-9][0-9]{0,8})$")


def register(app: typer.Typer) -> None:
    """Add the command."""
    forms = group(app, "form", "Consent forms, measured on the real page. Not legal advice.")
    forms.command(
        "inspect",
        epilog="Example: opposable form inspect jeu-rentree-v7.html --collector acme --list lists.yaml --output forms",
    )(inspect_form)


def inspect_form(
    page: PageArgument, *, form_id: FormId = None, form_version: FormVersion = None, collector: Collector = None,
    list_file: ListFile = None, notice_file: NoticeFile = None, answer: Answers = None, allow_host: Hosts = None,
    output: Output = Path(), browser: BrowserPath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Open the page, measure accepting and refusing, read boxes and information; write document, pictures and report."""
    address = address_of(page, frozenset(allow_host or ()))
    if collector is not None and not re.fullmatch(PARTY_PATTERN, collector):
        raise InputError([Problem("FIELD-FORMAT", "--collector", "a party id: small letters, digits, hyphens")])
    named = _NAMED.match(Path(address.shown).stem)
    identity = Identity(
        id=form_id or (named["id"] if named else _slug(Path(address.shown).stem)),
        version=form_version or (int(named["version"]) if named else 1),
        collector=collector,
        notices=_documents(notice_file, Notice),
    )
    answers = dict(_answer(text) for text in answer or ())
    found, paths = asyncio.run(_run(address, identity, _documents(list_file, RecipientList), answers, output, browser))
    if as_json:
        print_json({**as_dict(found), "files": {kind: str(path) for kind, path in paths.items()}})
    else:
        _show(found, paths)
    if found.faulty:
        raise typer.Exit(NEGATIVE)


async def _run(
    address: Address, identity: Identity, lists: list[RecipientList], answers: dict[str, str], output: Path, named: Path | None
) -> tuple[Inspection, dict[str, Path]]:  # fmt: skip
    async with chromium(named, hosts=address.hosts) as browser:
        found = await inspect(browser, address, identity, lists, answers)
        return found, save(found, await picture(browser, found), output)


def _show(found: Inspection, paths: dict[str, Path]) -> None:
    console = Console()
    score = "?" if found.balance is None else f"{'' if found.complete else '≥ '}{found.balance.score}"
    table = Table(
        title=f"{found.title} — {tr('balance', 'équilibre')} {score}/100",
        caption=tr("Not legal advice", "Ceci n'est pas un conseil juridique"),
    )
    for heading in (tr("Severity", "Gravité"), "Code", tr("Finding", "Constat")):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Code")
    severity = {"error": tr("error", "erreur"), "warning": tr("warning", "alerte"), "info": "info"}
    for finding in found.findings:
        table.add_row(severity[finding.severity], finding.code, finding.message)
    console.print(table)
    for question in found.questions:
        console.print(f"? {question.field}: {question.text}", markup=False)
    for path in paths.values():
        typer.echo(path)


def _answer(text: str) -> tuple[str, str]:
    field, sign, value = text.partition("=")
    if not sign or not field:
        raise InputError([Problem("ANSWER", "--answer", "an answer is FIELD=VALUE, for example targets_minors=false")])
    return field, value


def _documents(path: Path | None, kind: type[T]) -> list[T]:
    """The registry documents of one kind in a file or folder. Raises InputError where none is there."""
    entries: list[object] = [] if path is None else [parse(document.body) for document in load_dir(path)]
    found = [entry for entry in entries if isinstance(entry, kind)]
    if path is not None and not found:
        raise InputError([Problem("REGISTRY-EMPTY", str(path), f"no {kind.__name__} is in this file")])
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", normal(text)).strip("-._")[:60] or "form"
