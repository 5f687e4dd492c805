"""Where `rules replay` finds evidence and the registry it cites: a file of evidence, or the archive of a running system.

The archive keeps facts, so no personal data is read and no key is needed; what was erased is still judged. Both sources are
read as a stream, in constant memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from pymongo.errors import PyMongoError

from services.consent_validator.dry_run import facts_of_line
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import Head, entries_between
from services.proof_archive.reassessing.store import Reassessments
from shared import canonical
from shared.errors import InputError, Unavailable
from shared.instants import from_millis
from shared.intake.consents import KIND
from shared.mongo import Client, connect, database
from shared.registry.load import load_dir, view_of
from shared.registry.models import key_of
from shared.registry.view import RegistryView
from shared.settings import Settings
from shared.topics import CONSENTS, REGISTRY

BATCH = 1000


def facts_of_file(lines: BinaryIO, registry: RegistryView) -> Iterator[tuple[dict[str, Any] | None, int]]:
    """Facts of each line of evidence (None: refused at intake, nothing was ever sendable), and the bytes it took."""
    for line in lines:
        if not line.strip():
            continue
        try:
            yield facts_of_line(orjson.loads(line), registry), len(line)
        except (orjson.JSONDecodeError, InputError):
            yield None, len(line)


def registry_of(directory: Path) -> RegistryView:
    """The registry of YAML files."""
    return view_of(load_dir(directory))


class Archived:
    """The archive of a running system: its registry as archived, and the facts of every consent."""

    def __init__(self, settings: Settings) -> None:
        self._client: Client = connect(settings, "replay")
        self._deployment = settings.deployment
        self._reader = Reader(self._client)
        self._db = database(self._client, "archive")

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def registry(self) -> RegistryView:
        """The registry with each version's archived time. What no log shows (keys of parties) is not in it."""
        view = RegistryView()
        async for facts, entry in self._facts(REGISTRY.name):
            try:
                view.apply(key_of(facts), facts, offset=entry["offset"], archived_at=from_millis(entry["ts"]))
            except ValueError:
                continue  # archived as it came: readers ignore what is no registry document
        return view

    async def size(self) -> int:
        """How many entries the logs of consents hold."""
        return sum(head.size for head in await self._heads(CONSENTS.name))

    async def consents(self) -> AsyncIterator[dict[str, Any] | None]:
        """Facts of each consent, None for other entries, so that a reader can count them against `size`."""
        async for facts, _ in self._facts(CONSENTS.name):
            yield facts if facts.get("kind") == KIND else None

    async def sealed(self, records: Sequence[str]) -> dict[str, bytes]:
        """The sealed part of these records, where it was not erased."""
        rows = self._db.sealed.find({"_id": {"$in": list(records)}}, {"blob": 1})
        return {row["_id"]: bytes(row["blob"]) async for row in rows}

    async def decisions(self, records: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """What persons decided about lines in review of these records."""
        return await Reassessments(self._client).decisions(records)

    async def _heads(self, topic: str) -> list[Head]:
        try:
            heads = await self._reader.heads(self._deployment)
        except PyMongoError as error:
            raise Unavailable(f"MongoDB does not answer ({type(error).__name__}); is the system running?") from None
        return [head for head in heads if head.origin.startswith(f"{self._deployment}/{topic}/")]

    async def _facts(self, topic: str) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
        for head in await self._heads(topic):
            query = {"_id": entries_between(head.log, 0, head.size)}
            found = self._db.entries.find(query, {"bytes": 1}).sort("_id").batch_size(BATCH)
            async for row in found:
                entry = canonical.loads(bytes(row["bytes"]))
                facts = entry["facts"]
                if set(facts) == {"bytes", "sha256"}:  # too long for the log: the body stands beside
                    body = await self._db.bodies.find_one({"_id": row["_id"]})
                    facts = canonical.loads(bytes(body["bytes"])) if body is not None else {}
                yield facts, entry
