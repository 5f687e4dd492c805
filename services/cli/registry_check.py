"""`opposable registry check DIR`: examines registry files before they are published. No server, no network.

Exit codes: 0 no error (warnings may stand), 1 errors found, 2 nothing to examine is there.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, print_json
from services.consent_validator.rules.days import paris_day
from shared.errors import InputError
from shared.registry.check import Finding, check
from shared.registry.load import read_dir

Directory = Annotated[Path, typer.Argument(exists=True, help="YAML file, or directory of YAML files.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    registry = group(app, "registry", "Parties, agreements, lists, forms and notices.")
    registry.command("check", epilog="Example: opposable registry check deploy/example/registry")(check_files)


def check_files(directory: Directory, as_json: AsJson = False) -> None:
    """Check schema, SIREN keys, references, list hashes and signatures, versions written twice, agreement clauses."""
    documents, unreadable = read_dir(directory)
    if unreadable and not documents:
        raise InputError(unreadable)
    findings = [Finding("error", "", problem) for problem in unreadable] + check(
        documents, paris_day(datetime.now(UTC))
    )
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json({
            "documents": len(documents),
            "errors": errors,
            "findings": [{"severity": f.severity, "key": f.key, **f.problem.as_dict()} for f in findings],
        })  # fmt: skip
    else:
        for finding in findings:
            sign = "!" if finding.severity == "error" else "·"
            typer.echo(f"{sign} {finding.problem.pointer}: {finding.problem.message} [{finding.problem.code}]")
        _summary(Counter(document.key.partition(":")[0] for document in documents), errors, len(findings) - errors)
    if errors:
        raise typer.Exit(NEGATIVE)


def _summary(kinds: Counter[str], errors: int, warnings: int) -> None:
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    typer.echo(
        tr(
            f"{counted}: {errors} errors, {warnings} warnings",
            f"{counted} : {errors} erreurs, {warnings} avertissements",
        )
    )
