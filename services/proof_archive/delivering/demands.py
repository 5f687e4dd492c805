"""From a demand that had to be answered by a promise (202) to the delivery of its proof.

sla_demands {_id: "<record> <scope> <party>", record, scope, party, at} — made at the first promise, removed at the delivery.
A crash between the removal and the count loses that one measure; none is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.delivering.tallies import Tallies
from services.proof_archive.delivering.terms import Pair, Tally, day_of, pair_of, promised
from shared.clock import Clock
from shared.metrics import Metrics
from shared.mongo import Client, Document, database
from shared.registry.view import RegistryView

OLDEST = 200
"""Open demands that one report looks at, oldest first."""
KEPT_S = 60 * 86_400
"""How long a demand that nobody came back for is kept."""


class Demands:
    """The demands that wait for their proof."""

    def __init__(
        self, client: Client, tallies: Tallies, registry: Callable[[], RegistryView], clock: Clock, metrics: Metrics
    ) -> None:
        self._rows, self._tallies = database(client, "archive").sla_demands, tallies
        self._registry, self._clock, self._metrics = registry, clock, metrics

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index("at", expireAfterSeconds=KEPT_S)

    async def promised(self, record: str, audience: Audience) -> None:
        """A promise was given; only the first of a demand counts."""
        scope, party = audience.scope, audience.party
        row = {"record": record, "scope": scope, "party": party, "at": self._clock.now()}
        await self._rows.update_one({"_id": _name(record, scope, party)}, {"$setOnInsert": row}, upsert=True)

    async def settle(self, rows: Sequence[Document]) -> None:
        """Count the demands that these deliveries (rows of the outbox) answer."""
        delivered: dict[str, datetime] = {}
        for row in rows:
            facts = row["facts"]
            delivered.setdefault(_name(facts["proof_of"], facts["scope"], facts["party"]), row["at"])
        found = await self._rows.find({"_id": {"$in": list(delivered)}}).to_list()
        answered = [row for row in found if row["at"] <= delivered[row["_id"]]]
        if not answered:
            return
        await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in answered]}})
        tallies: dict[Pair, Tally] = {}
        for row in answered:
            at = delivered[row["_id"]]
            ms = max(0, round((at - row["at"]).total_seconds() * 1000))
            collector = row["record"].partition("/")[0]
            asker = row["party"] if row["scope"] == "prospector" else row["scope"]
            tally = tallies.setdefault(pair_of(collector, asker, row["at"]), Tally())
            if tally.add(ms, promised(self._registry(), collector, asker, day_of(row["at"])), at):
                self._metrics.sla_breaches.labels("delivered").inc()
            self._metrics.proof_seconds.labels("delivered").observe(ms / 1000)
        await self._tallies.add("d", tallies)

    async def late(self) -> list[Document]:
        """The open demands older than their agreement promises, with `promised`; of the oldest `OLDEST`."""
        rows = await self._rows.find().sort("at", 1).limit(OLDEST).to_list()
        late = []
        for row in rows:
            collector = row["record"].partition("/")[0]
            within = promised(self._registry(), collector, row["party"] or "", day_of(row["at"]))
            if within is not None and self._clock.now() - row["at"] > within:
                late.append({**row, "promised": within})
        return late

    async def forget(self, row: Document) -> None:
        """The proof has become available and was never fetched: nothing is late any more."""
        await self._rows.delete_one({"_id": row["_id"], "at": row["at"]})


def _name(record: str, scope: str, party: str | None) -> str:
    return f"{record} {scope} {party or '-'}"
