"""`opposable registry diff | apply DIR`: what the YAML files would change in the registry, and publishing it.

Versions are immutable: a document whose version is published with another body is refused, with the fields that differ,
and nothing at all is published then (shared/registry/publish.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.reassess import ask
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from services.cli.topics import Internal, PerParty, Replication
from services.cli.up import INTERNAL_PARTITIONS, PARTY_PARTITIONS
from shared.errors import InputError, Problem
from shared.provisioning import provision, topics_missing
from shared.registry.check import check
from shared.registry.load import Document, load_dir
from shared.registry.publish import PublishReport, stored_bodies
from shared.registry.publish import plan as plan_of
from shared.settings import Settings
from shared.topics import REGISTRY

Directory = Annotated[Path, typer.Argument(exists=True, help="YAML file, or directory of YAML files.")]


BLOCKING = frozenset({
    "REGISTRY-SIREN", "REGISTRY-REFERENCE", "REGISTRY-ROLE", "REGISTRY-RESERVED", "REGISTRY-DATES", "REGISTRY-TWICE",
})  # fmt: skip
"""Errors of `registry check` that refuse a document."""


def changed_fields(before: Any, after: Any, pointer: str = "") -> list[str]:
    """JSON pointers of what differs between two bodies, in order. Pure."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            found
            for key in sorted({*before, *after})
            for found in (
                changed_fields(before[key], after[key], f"{pointer}/{key}")
                if key in before and key in after
                else [f"{pointer}/{key}"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [found for number, (a, b) in pairs for found in changed_fields(a, b, f"{pointer}/{number}")]
    return [] if before == after else [pointer or "/"]


async def compare(settings: Settings, documents: Sequence[Document]) -> tuple[PublishReport, dict[str, list[str]]]:
    """What publishing would do, and the changed fields of each object that exists already with another body.

    Raises InputError with why, where a document that would be published cannot stand in the registry as it would be then.
    """
    stored = {} if await topics_missing(settings, [REGISTRY.name]) else await stored_bodies(settings)
    report = plan_of(stored, [(document.key, document.body) for document in documents])
    problems = unfit(stored, documents, report.published)
    if problems:
        raise InputError(problems)
    fields = {
        document.key: changed_fields(stored[document.key], document.body)
        for document in documents
        if document.key in stored
    }
    return report, {key: changed for key, changed in fields.items() if changed}


def unfit(stored: dict[str, dict[str, Any]], documents: Sequence[Document], published: Sequence[str]) -> list[Problem]:
    """Why documents to be published cannot stand beside those that are stored. Pure.

    A list's wrong hash or signature is no reason: it is *assessed*, so that the fault has a name in each verdict.
    """
    ours = {document.key for document in documents}
    others = [Document(key, body) for key, body in stored.items() if key not in ours]
    return [
        finding.problem
        for finding in check([*others, *documents])
        if finding.severity == "error" and finding.key in published and finding.problem.code in BLOCKING
    ]


def standing_changed(fields: dict[str, list[str]]) -> frozenset[str]:
    """Parties that are being suspended or reinstated: what was said of their consents must be said anew. Pure."""
    watched = {"/status", "/suspended_from"}
    return frozenset(
        key.partition(":")[2] for key, changed in fields.items() if key.startswith("party:") and watched & set(changed)
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    registry = group(app, "registry", "Parties, agreements, lists, forms and notices.")
    registry.command("diff", epilog="Example: opposable registry diff deploy/example/registry --json")(diff)
    registry.command("apply", epilog="Example: opposable registry apply deploy/example/registry")(apply)


def diff(directory: Directory, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what `apply` would publish, and refuse. Exit code 1 where a document would be refused."""
    documents = load_dir(directory)
    settings = settings_of(resolve(data_dir))
    report, fields = run(compare(settings, documents))
    _show(report, fields, as_json=as_json, done=False)
    if report.refused:
        raise typer.Exit(NEGATIVE)


def apply(
    directory: Directory,
    data_dir: DataDir = None,
    partitions: Internal = INTERNAL_PARTITIONS,
    party_partitions: PerParty = PARTY_PARTITIONS,
    replication: Replication = 1,
    as_json: AsJson = False,
) -> None:
    """Publish what changed, and make the topics of new parties. Refuses a changed body under a published version."""
    documents = load_dir(directory)
    settings = settings_of(resolve(data_dir))

    async def work() -> tuple[PublishReport, dict[str, list[str]], int]:
        report, fields = await compare(settings, documents)
        if report.refused:
            return report, fields, 0
        done = await provision(
            settings,
            registry_documents=[(document.key, document.body) for document in documents],
            internal_partitions=partitions,
            party_partitions=party_partitions,
            replication=replication,
        )
        turned = standing_changed(fields)
        return done.registry, fields, await ask(settings, turned) if turned else 0

    report, fields, again = run(work())
    _show(report, fields, as_json=as_json, done=True)
    if again and not as_json:
        typer.echo(
            tr(f"{again} consents of parties suspended or reinstated are assessed again",
               f"{again} consentements de parties suspendues ou rétablies sont évalués de nouveau")
        )  # fmt: skip
    if report.refused:
        raise typer.Exit(NEGATIVE)


def _show(report: PublishReport, fields: dict[str, list[str]], *, as_json: bool, done: bool) -> None:
    if as_json:
        print_json({
            "published" if done and not report.refused else "would_publish": report.published,
            "unchanged": report.unchanged,
            "refused": [{"key": key, "changed": fields.get(key, [])} for key in report.refused],
        })  # fmt: skip
        return
    for key in report.published:
        typer.echo(
            f"{'~' if key in fields else '+'} {key}" + (f"  ({', '.join(fields[key])})" if key in fields else "")
        )
    for key in report.refused:
        typer.echo(f"! {key}  ({', '.join(fields.get(key, []))})")
    if report.refused:
        typer.echo(
            tr("nothing is published: a version published once never changes; give the documents marked ! a new version",
               "rien n'est publié : une version publiée ne change plus ; donnez une nouvelle version aux documents marqués !"),
            err=True,
        )  # fmt: skip
        return
    count, same = len(report.published), len(report.unchanged)
    if done:
        typer.echo(tr(f"{count} published, {same} unchanged", f"{count} publiés, {same} inchangés"))
    else:
        typer.echo(tr(f"{count} to publish, {same} unchanged", f"{count} à publier, {same} inchangés"))
