"""`opposable topics plan | apply`: the one topic table against the cluster (shared/topics.py, shared/provisioning.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from services.cli.topics_access import access_differences, set_access, words
from services.cli.topics_found import Found, cluster_topics
from services.cli.up import INTERNAL_PARTITIONS, PARTY_PARTITIONS
from shared.access.cluster import Quotas
from shared.access.provision import AccessDifference
from shared.provisioning import partitions_of, provision, wanted_topics
from shared.registry.load import load_dir
from shared.registry.publish import stored_bodies
from shared.settings import Settings
from shared.topics import REGISTRY, Scope, TopicRow, party_of
from shared.topics import settings_of as topic_settings

Kind = Literal["missing", "setting", "partitions", "stray", "access-missing", "access-stray"]

Registry = Annotated[
    Path | None, typer.Option("--registry", help="Also the topics of the parties in these YAML files.")
]
Internal = Annotated[int, typer.Option("--partitions", min=1, help="Of each internal topic (12 in production).")]
PerParty = Annotated[int, typer.Option("--party-partitions", min=1, help="Of each party topic (3 in production).")]
Replication = Annotated[int, typer.Option("--replication", min=1, help="Copies of each partition (3 in production).")]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `apply` makes the missing and the settings right; the others need a decision."""

    topic: str
    kind: Kind
    what: str
    wanted: str
    found: str


def differences(wanted: Sequence[tuple[str, TopicRow, int]], found: Mapping[str, Found]) -> list[Difference]:
    """Table (name, row, partitions) against cluster, sorted by topic. Pure."""
    result = []
    for name, row, partitions in wanted:
        if name not in found:
            result.append(Difference(name, "missing", "topic", f"{partitions} partitions", "-"))
            continue
        actual = found[name]
        if actual.partitions != partitions:
            result.append(Difference(name, "partitions", "partitions", str(partitions), str(actual.partitions)))
        result += [
            Difference(name, "setting", key, value, actual.settings.get(key, "-"))
            for key, value in topic_settings(row).items()
            if actual.settings.get(key) != value
        ]
    known = {name for name, _, _ in wanted}
    result += [
        Difference(name, "stray", "topic", "-", f"{actual.partitions} partitions")
        for name, actual in found.items()
        if name not in known and not name.startswith("__")
    ]
    return sorted(result, key=lambda one: (one.topic, one.kind, one.what))


async def _wanted(
    settings: Settings, found: Mapping[str, Found], registry: Path | None, internal: int, per_party: int
) -> list[tuple[str, TopicRow, int]]:
    keys = list(await stored_bodies(settings)) if REGISTRY.name in found else []
    keys += [document.key for document in load_dir(registry)] if registry is not None else []
    parties = {key.partition(":")[2] for key in keys if key.startswith("party:")}
    return [(name, row, partitions_of(name, row, internal, per_party)) for name, row in wanted_topics(parties)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = group(app, "topics", "The topics of the platform and of each party, from one table.")
    topics.command("plan", epilog="Example: opposable topics plan --data-dir .opposable --json")(plan)
    topics.command(
        "apply", epilog="Example: opposable topics apply --partitions 12 --party-partitions 3 --replication 3"
    )(apply)


def plan(
    data_dir: DataDir = None,
    registry: Registry = None,
    partitions: Internal = INTERNAL_PARTITIONS,
    party_partitions: PerParty = PARTY_PARTITIONS,
    as_json: AsJson = False,
) -> None:
    """Show what differs between the table and the cluster. Exit code 1 where something does."""
    settings = settings_of(resolve(data_dir))

    async def work() -> list[Difference]:
        found = await cluster_topics(settings)
        wanted = await _wanted(settings, found, registry, partitions, party_partitions)
        parties = sorted({party_of(name) for name, row, _ in wanted if row.scope is not Scope.PLATFORM})
        return differences(wanted, found) + _of_access(await access_differences(settings, parties))

    result = run(work())
    if as_json:
        print_json([asdict(one) for one in result])
    elif result:
        _table(result)
    else:
        typer.echo(tr("the cluster is as the table says", "le cluster est conforme à la table"))
    if any(one.kind != "stray" for one in result):
        raise typer.Exit(NEGATIVE)


def _of_access(found: AccessDifference | None) -> list[Difference]:
    """Access entries as differences; none where the cluster has no access lists."""
    if found is None:
        return []
    missing = [
        Difference(entry.name, "access-missing", words(entry), "allowed", "-") for entry in sorted(found.missing)
    ]
    return missing + [
        Difference(entry.name, "access-stray", words(entry), "-", "allowed") for entry in sorted(found.stray)
    ]


def apply(
    data_dir: DataDir = None,
    registry: Registry = None,
    partitions: Internal = INTERNAL_PARTITIONS,
    party_partitions: PerParty = PARTY_PARTITIONS,
    replication: Replication = 1,
    produce: Annotated[
        int, typer.Option("--produce-bytes", min=1024, help="Bytes a second each party may write.")
    ] = Quotas().written,
    consume: Annotated[
        int, typer.Option("--consume-bytes", min=1024, help="Bytes a second each party may read.")
    ] = Quotas().read,
    as_json: AsJson = False,
) -> None:
    """Create the missing topics and set the others right. Partition counts are never changed: keys would move.

    With --registry the registry's documents are published too, since a party's topics exist for a registered party. Where Kafka has
    an authorizer, access lists and quotas are made right as well: what is missing is added, what nothing asks for is removed.
    """
    settings = settings_of(resolve(data_dir))
    documents = [(document.key, document.body) for document in load_dir(registry)] if registry is not None else []
    report = run(
        provision(
            settings, registry_documents=documents, internal_partitions=partitions,
            party_partitions=party_partitions, replication=replication,
        )
    )  # fmt: skip
    access = run(set_access(settings, Quotas(produce, consume)))
    if as_json:
        changed = None if access is None else {"added": len(access.missing), "removed": len(access.stray)}
        print_json({"created": sorted(report.created), "existing": sorted(report.existing), "access": changed})
        return
    for name in sorted(report.created):
        typer.echo(f"+ {name}")
    typer.echo(tr(f"{len(report.created)} created, {len(report.existing)} already there",
                  f"{len(report.created)} créés, {len(report.existing)} déjà là"))  # fmt: skip
    if access is None:
        typer.echo(
            tr(
                "no access lists: this Kafka has no authorizer",
                "aucune liste d’accès : ce Kafka n’a pas d’autorisateur",
            )
        )
        return
    typer.echo(tr(f"access: {len(access.missing)} entries added, {len(access.stray)} removed",
                  f"accès : {len(access.missing)} droits ajoutés, {len(access.stray)} retirés"))  # fmt: skip


def _table(result: Sequence[Difference]) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import, needed here alone
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    heads = tr("topic|difference|what|table|cluster", "topic|écart|objet|table|cluster").split("|")
    for head in heads:
        table.add_column(head)
    for one in result:
        row: list[Any] = [one.topic, one.kind, one.what, one.wanted, one.found]
        table.add_row(*row)
    Console(soft_wrap=True).print(table)
