"""Putting a copy back beside the Kafka that outlived the databases.

1. The copy is whole, its databases are empty, the services are stopped, Kafka holds what came after; else nothing is done.
2. Documents, indexes, validators; each collection is read back and compared with the manifest.
3. Consumer groups go back to where they were before the copy: what was done since is done again, each effect once.
4. Keys that were destroyed or restricted since the copy are destroyed or restricted again, now: nothing erased opens meanwhile.
5. The rights handler is told how far stops and erasures must be read again before it answers anybody.
6. What cannot be opened any more is named: records whose key was made after the copy of the vault, and stops whose text was shredded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.backup import documents
from shared.backup.check import check_files, gaps
from shared.backup.manifest import GROUPS, Kept, Manifest, read_manifest
from shared.backup.positions import Positions, positions, service_of
from shared.clock import Clock
from shared.errors import ConfigurationError, IntegrityError
from shared.instants import format_instant
from shared.keyring.ring import Fixed
from shared.mongo import Client, database
from shared.settings import Settings
from shared.topics import CONSENTS, ERASURES, REQUESTS, STOPS
from shared.vault import Gone, Vault

RESTORES = "restores"
"""Collection of `rights`: what must be read again before anybody is answered."""
GATE = ("rights_handler.stops", "rights_handler.erasures")
OWNERS = {
    CONSENTS.name: ("consent.recorded", "record"), STOPS.name: ("stop.recorded", "stop"), REQUESTS.name: ("request.received", "request"),
}  # fmt: skip
"""By topic: the kind whose personal data is kept, and the fact that names its key."""
DESTROYING, RESTRICTING, DESTROYED = ("record.erased", "owner.shredded"), "record.restricted", "key.destroyed"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    documents: int
    groups: tuple[str, ...]
    erased_again: int
    restricted_again: int
    lost: tuple[str, ...]
    """Owners of sealed data whose key is not in the vault and was not destroyed by order."""
    shredded: tuple[str, ...]
    """Stops after the copy whose text is gone: they are archived, but block nobody any more."""


async def restore(
    settings: Settings, client: Client, directory: Path, clock: Clock, *, databases: Sequence[str] | None = None
) -> Restored:
    """See the module. Raises ConfigurationError or IntegrityError before anything is changed where it cannot be done."""
    manifest = read_manifest(directory)
    chosen = tuple(name for name in manifest.databases if databases is None or name in databases)
    async with positions(settings) as kafka:
        now = await kafka.groups()
        groups = {group for group in {*now, *manifest.groups} if service_of(group) in _services(chosen)}
        await _refuse_unless_possible(
            client, directory, manifest, kafka, chosen, {g: now[g] for g in groups & now.keys()}
        )
        for name in chosen:
            for kept in manifest.databases[name]:
                await _collection(client, directory, name, kept)
        for group in sorted(groups):
            offsets = {**dict.fromkeys(now.get(group, {}), 0), **manifest.groups.get(group, {})}
            if offsets:
                await kafka.put_back(group, offsets)
        ends = await kafka.ends()
        vault = Vault(client, Fixed({}))
        erased, restricted = await _erase_again(kafka, vault, ends, format_instant(clock.now()))
        if "rights" in chosen:
            await _close(client, ends, format_instant(clock.now()))
        lost, shredded = await _unopenable(kafka, vault, manifest, ends)
    return Restored(
        sum(kept.documents for name in chosen for kept in manifest.databases[name]), tuple(sorted(groups)), erased, restricted,
        lost, shredded,
    )  # fmt: skip


def _services(chosen: Sequence[str]) -> set[str]:
    return {service for name in chosen for service in GROUPS[name]}


async def _refuse_unless_possible(
    client: Client,
    directory: Path,
    manifest: Manifest,
    kafka: Positions,
    chosen: Sequence[str],
    groups: Mapping[str, Mapping[str, int]],
) -> None:
    if wrong := check_files(directory, manifest):
        raise IntegrityError(f"the copy is not whole: {'; '.join(wrong)}")
    full = [
        f"{name}.{kept.name}" for name in chosen for kept in manifest.databases[name]
        if await client.get_database(name).get_collection(kept.name).find_one({}, {"_id": 1}) is not None
    ]  # fmt: skip
    if full:
        raise ConfigurationError(f"a copy is put into empty databases, and these hold something: {', '.join(full)}")
    if busy := await kafka.busy(groups):
        raise ConfigurationError(f"stop the services first: {', '.join(busy)} have members")
    if missing := gaps(manifest, await kafka.begins(), chosen):
        words = [f"{gap.partition} from {gap.first} to {gap.last}, for {gap.group}" for gap in missing]
        raise IntegrityError(f"Kafka no longer holds what came after the copy: {'; '.join(words)}")


async def _collection(client: Client, directory: Path, name: str, kept: Kept) -> None:
    await documents.load(client, directory, name, kept.name)
    db = client.get_database(name)
    if kept.documents == 0 and kept.name not in await db.list_collection_names():
        await db.create_collection(kept.name)
    if kept.options:
        await db.command("collMod", kept.name, **kept.options)
    for index in kept.indexes:
        spec = {**index, "key": dict(index["key"])}
        await db.command("createIndexes", kept.name, indexes=[spec])
    tally = documents.Tally()
    async for raw in documents.stored(client, name, kept.name):
        tally.add(raw)
    if (tally.documents, tally.sha256) != (kept.documents, kept.sha256):
        raise IntegrityError(f"{name}.{kept.name} holds {tally.documents} documents that are not those of the copy")


async def _erase_again(kafka: Positions, vault: Vault, ends: Mapping[str, int], at: str) -> tuple[int, int]:
    """Read `erasures` from its first record: twice is once."""
    orders: dict[str, set[str]] = {}
    closed: dict[str, tuple[list[str], str | None]] = {}
    done: set[str] = set()
    async for record in kafka.records({}, _of_topics(ends, (ERASURES.name,))):
        facts = json.loads(record.value)["facts"]
        names = [facts["record"], *facts.get("also", ())] if "record" in facts else []
        if facts["kind"] in DESTROYING:
            orders.setdefault(facts["record"], set()).update(names)
        elif facts["kind"] == RESTRICTING:
            closed[facts["record"]] = (names, facts.get("until"))
        elif facts["kind"] == DESTROYED:
            done.add(facts["record"])
    count = await vault.erase({owner for record in done for owner in orders.get(record, ())}, at)
    for owners, until in closed.values():
        await vault.restrict(owners, until)
    return count, len(closed)


async def _close(client: Client, ends: Mapping[str, int], at: str) -> None:
    """Nobody is answered before stops and erasures were read again to where they end now."""
    until = _of_topics(ends, (STOPS.name, ERASURES.name))
    row = {"at": at, "until": [[name, end] for name, end in until.items() if end], "read_at": None}
    await database(client, "rights")[RESTORES].replace_one({"_id": "newest"}, row, upsert=True)


async def _unopenable(
    kafka: Positions, vault: Vault, manifest: Manifest, ends: Mapping[str, int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Owners of sealed data that came after the copy, without a key: lost, or destroyed by order."""
    begins = _first_offsets(manifest)
    owners: set[str] = set()
    async for record in kafka.records(begins, _of_topics(ends, tuple(OWNERS))):
        owners |= _owner(record)
    known = await vault.known(owners)
    gone = await vault.gone(owners)
    shredded = sorted(o for o in owners if o.startswith("stop/") and gone.get(o) is Gone.ERASED)
    return tuple(sorted(owners - known)), tuple(shredded)


def _owner(record: Any) -> set[str]:
    """The name of the key of a record's sealed data; none where nothing is sealed, or a refused conflict is."""
    value, (kind, name) = json.loads(record.value), OWNERS[record.topic]
    facts = value["facts"]
    if not value.get("sealed") or facts["kind"] != kind:
        return set()
    return {facts[name] if name == "record" else f"{name}/{facts[name]}"}


def _first_offsets(manifest: Manifest) -> dict[str, int]:
    """The lowest offset that any group had committed of each partition when the copy began."""
    found: dict[str, int] = {}
    for offsets in manifest.groups.values():
        for name, offset in offsets.items():
            found[name] = min(offset, found.get(name, offset))
    return found


def _of_topics(offsets: Mapping[str, int], topics: Sequence[str]) -> dict[str, int]:
    return {name: offset for name, offset in offsets.items() if name.rpartition("/")[0] in topics}
