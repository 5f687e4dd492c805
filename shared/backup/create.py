"""Taking a copy while everything runs: offsets first, then the databases in their order, the vault last, then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared.backup import documents, positions
from shared.backup.manifest import DATABASES, NOTES, ORDER, VERSION, Kept, Manifest
from shared.clock import Clock
from shared.errors import ConfigurationError
from shared.instants import format_instant
from shared.mongo import Client
from shared.settings import Settings

Progress = Callable[[str, int], None]
"""Told of (database.collection, documents in it) after each."""
VALIDATION = ("validator", "validationLevel", "validationAction")


async def create(
    settings: Settings, client: Client, directory: Path, clock: Clock, *, databases: Sequence[str] = DATABASES,
    progress: Progress = lambda _name, _documents: None,
) -> Manifest:  # fmt: skip
    """Write a copy into a new or empty directory. Raises ConfigurationError where it is neither."""
    _make(directory)
    begun = format_instant(clock.now())
    async with positions.positions(settings) as kafka:
        groups = await kafka.groups()
        kept: dict[str, list[Kept]] = {}
        for database in [name for name in DATABASES if name in databases]:
            kept[database] = []
            for collection, options in await _collections(client, database):
                tally = await documents.save(client, directory, database, collection)
                indexes = await _indexes(client, database, collection)
                kept[database].append(Kept(collection, tally.documents, tally.size, tally.sha256, options, indexes))
                progress(f"{database}.{collection}", tally.documents)
        ends = await kafka.ends()
    notes = {name: NOTES[name] for name in kept}
    manifest = Manifest(VERSION, settings.deployment, begun, format_instant(clock.now()), kept, notes, groups, ends)
    manifest.write(directory)
    return manifest


def _make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(directory.iterdir()):
        raise ConfigurationError(f"{directory} is not empty: a copy is one whole directory")


async def _collections(client: Client, database: str) -> list[tuple[str, dict[str, Any]]]:
    """Names with the validators in force, those of ORDER first."""
    found: dict[str, dict[str, Any]] = {}
    async for one in await client.get_database(database).list_collections():
        if not one["name"].startswith("system."):
            found[one["name"]] = {name: one["options"][name] for name in VALIDATION if name in one.get("options", {})}
    first = ORDER.get(database, ())
    rank = {name: place for place, name in enumerate(first)}
    return sorted(found.items(), key=lambda item: (rank.get(item[0], len(first)), item[0]))


async def _indexes(client: Client, database: str, collection: str) -> list[dict[str, Any]]:
    """Every index but that of `_id`; keys as pairs, since their order counts."""
    found = []
    async for one in await client.get_database(database).get_collection(collection).list_indexes():
        if one["name"] != "_id_":
            plain = {name: value for name, value in one.items() if name not in ("v", "ns", "key")}
            found.append({**plain, "key": [[name, way] for name, way in one["key"].items()]})
    return found
