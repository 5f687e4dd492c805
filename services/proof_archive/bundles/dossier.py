"""Everything the logs hold about one record, found by references (no step grows with the history).

First what names the record; then what those entries tie to it: stops, orders, requests, and the registry versions that
its latest verdict relied on. An entry is `covered` when the newest signed checkpoint of its log includes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.proof_archive.checkpoints.standing import Standing
from services.proof_archive.log.reader import Reader, SignedCheckpoint, StoredEntry
from shared import canonical
from shared.crypto.checkpoint import Origin
from shared.errors import InputError, Problem
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REGISTRY, REPORTS, REQUESTS, STOPS, VERDICTS
from shared.verdicts import Opened, relied_on

MOST = 4000
"""Most entries of one record that a proof holds (a bundle has at most 16 384 members, three an entry)."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry about the record, with its facts parsed for choosing; its bytes are what is proven."""

    origin: str
    topic: str
    log: int
    index: int
    offset: int
    data: bytes
    facts: dict[str, Any]
    covered: bool
    body: bytes | None = None
    opened: Opened | None = None
    """What a verdict commits to: its lines, and the registry versions it relied on."""

    @property
    def kind(self) -> str:
        """The kind that its facts state."""
        return str(self.facts.get("kind", ""))

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        """The lines of a verdict, all of them, of whichever version."""
        return self.opened.lines if self.opened is not None else self.facts.get("lines", [])

    @property
    def references(self) -> Sequence[Mapping[str, Any]]:
        """The registry versions that a verdict relied on, all of them."""
        return relied_on(self.facts, self.opened.lines if self.opened is not None else ())


@dataclass(frozen=True, slots=True)
class Dossier:
    """The entries of one record, by log then index, and the newest checkpoint of every log consulted, by origin."""

    record: str
    items: Sequence[Item] = ()
    checkpoints: Mapping[str, SignedCheckpoint] = field(default_factory=dict)

    def of(self, topic: str, kind: str) -> list[Item]:
        """The entries of one kind."""
        return [item for item in self.items if item.topic == topic and item.kind == kind]

    @property
    def consents(self) -> list[Item]:
        """The consent as recorded; more than once where a crash had it published again."""
        return self.of(CONSENTS.name, "consent.recorded")

    @property
    def verdicts(self) -> list[Item]:
        """Every verdict on it."""
        return self.of(VERDICTS.name, "consent.assessed")


def latest_verdict(verdicts: Iterable[Item]) -> Item | None:
    """The verdict that counts: the highest (rule-set sequence, registry offset, evaluated at)."""

    def rank(item: Item) -> tuple[int, int, str]:
        facts = item.facts
        return int(facts["ruleset_seq"]), int(facts["registry_offset"]), str(facts["evaluated_at"])

    return max(verdicts, key=rank, default=None)


class Search:
    """One search, on the logs and checkpoints as they were when it began."""

    def __init__(self, reader: Reader, logs: Mapping[int, Origin], latest: Mapping[int, SignedCheckpoint]) -> None:
        self._reader, self._logs, self._latest = reader, logs, latest

    @classmethod
    async def begin(cls, reader: Reader, deployment: str, standing: Standing | None = None) -> Search:
        """Look at which logs a deployment has and which checkpoint of each to stand on: the newest, unless told otherwise."""
        latest, heads = await asyncio.gather((standing or reader).latest(), reader.heads(deployment))
        logs = {head.log: Origin.parse(head.origin) for head in heads}
        return cls(reader, logs, latest)

    async def records_named(self, records: Iterable[str]) -> list[str]:
        """Which of these records have a consent in the logs."""
        items = await self._find({f"record:{record}" for record in records}, CONSENTS.name)
        return sorted({item.facts["record"] for item in items})

    async def referred(self, reference: str, *topics: str) -> list[Item]:
        """The entries of some topics that name something (`operation:op-…`)."""
        return await self._find({reference}, *topics)

    async def dossier(self, record: str) -> Dossier:
        """Everything about one record."""
        named = (
            CONSENTS.name, VERDICTS.name, STOPS.name, REQUESTS.name, REPORTS.name, DELIVERIES.name, ERASURES.name
        )  # fmt: skip
        direct = await self._find({f"record:{record}"}, *named)
        found = {(item.log, item.index): item for item in direct}
        for tied in await asyncio.gather(*self._tied(direct)):
            found |= {(item.log, item.index): item for item in tied}
        checkpoints = {str(self._logs[log]): point for log, point in self._latest.items() if log in self._logs}
        return Dossier(record, [found[place] for place in sorted(found)], checkpoints)

    def _tied(self, direct: Sequence[Item]) -> list[Any]:
        """The searches for what these entries tie to the record."""
        stops, orders, requests = (
            {value for item in direct if isinstance(value := item.facts.get(name), str)}
            for name in ("stop", "order", "request")
        )
        owners = {f"stop/{stop}" for stop in stops} | {f"request/{request}" for request in requests}
        verdict = latest_verdict(item for item in direct if item.kind == "consent.assessed" and item.covered)
        return [
            self._find({f"stop:{stop}" for stop in stops}, STOPS.name),
            self._find({f"order:{order}" for order in orders}, REPORTS.name, DELIVERIES.name),
            self._find({f"request:{request}" for request in requests}, REQUESTS.name),
            self._find({f"record:{owner}" for owner in owners}, ERASURES.name),
            self._registry(verdict.references if verdict else []),
        ]

    async def _registry(self, references: Sequence[Mapping[str, Any]]) -> list[Item]:
        wanted = {(reference["key"], reference["offset"]) for reference in references}
        items = await self._find({f"registry:{key}" for key, _ in wanted}, REGISTRY.name)
        offsets = {offset for _, offset in wanted}
        return [item for item in items if item.offset in offsets]  # other versions under the same key are not relied on

    async def _find(self, refs: set[str], *topics: str) -> list[Item]:
        logs = [number for number, origin in self._logs.items() if origin.topic in topics]
        if not refs or not logs:
            return []
        rows = await self._reader.by_refs(refs, logs, MOST + 1)
        if len(rows) > MOST:
            raise InputError(
                [Problem("TOO-LARGE", "", f"more than {MOST} entries concern this record: ask the operator")]
            )
        parsed = [(row, canonical.loads(row.data)) for row in rows]
        aside = [(row.log, row.index) for row, entry in parsed if entry["facts"].keys() == {"bytes", "sha256"}]
        bodies = await self._reader.bodies(aside) if aside else {}
        return [self._item(row, entry, bodies.get((row.log, row.index))) for row, entry in parsed]

    def _item(self, row: StoredEntry, entry: dict[str, Any], body: bytes | None) -> Item:
        origin, latest = self._logs[row.log], self._latest.get(row.log)
        facts = entry["facts"] if body is None else canonical.loads(body)
        covered = latest is not None and row.index < latest.size
        opened = None if row.aside is None else Opened.parse(bytes(row.aside))
        return Item(
            str(origin), origin.topic, row.log, row.index, entry["offset"], row.data, facts, covered, body, opened
        )  # fmt: skip
