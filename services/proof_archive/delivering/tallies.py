"""Measured service levels, kept by collector, asker and month (collection `sla`): counters, so that no report reads history.

sla {_id: {c, p, m}, a: {n, sum, worst, late, first, b: {bucket: n}}, d: {…}, seen: {log: index}} — `a`: until a proof is
available, `d`: from a demand to its delivery. `seen` says up to which entry of a log a row has counted: a window counted
twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.proof_archive.delivering.terms import Pair, Tally
from shared.mongo import Client, Document, database, duplicates

What = Literal["a", "d"]


class Tallies:
    """The counters of one deployment."""

    def __init__(self, client: Client) -> None:
        self._rows = database(client, "archive").sla

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("_id.m", 1), ("_id.c", 1)])

    async def add(self, what: What, tallies: Mapping[Pair, Tally], window: tuple[int, int] | None = None) -> None:
        """Add tallies. `window`: (log, index after the last entry counted), which makes a second time count for nothing."""
        operations = [_operation(what, pair, tally, window) for pair, tally in tallies.items()]
        if not operations:
            return
        try:
            await self._rows.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            duplicates(error)  # rows that have counted this window before

    async def of_month(self, month: str, *, collector: str | None = None, party: str | None = None) -> list[Document]:
        """The rows of a month: of all, of one collector, or of one prospecteur."""
        query: dict[str, Any] = {"_id.m": month}
        if collector is not None or party is not None:
            query["$or"] = [{f"_id.{k}": v} for k, v in (("c", collector), ("p", party)) if v is not None]
        return await self._rows.find(query).sort("_id", 1).to_list()


def _operation(what: What, pair: Pair, tally: Tally, window: tuple[int, int] | None) -> UpdateOne:
    key = {"c": pair.collector, "p": pair.party, "m": pair.month}
    update: dict[str, Any] = {
        "$inc": {
            f"{what}.n": tally.count, f"{what}.sum": tally.total, f"{what}.late": tally.late,
            **{f"{what}.b.{bucket}": count for bucket, count in tally.buckets.items()},
        },
        "$max": {f"{what}.worst": tally.worst},
    }  # fmt: skip
    if tally.first_late is not None:
        update["$min"] = {f"{what}.first": tally.first_late}
    query: dict[str, Any] = {"_id": key}
    if window is not None:
        log, end = window
        query[f"seen.{log}"] = {"$not": {"$gte": end}}
        update["$set"] = {f"seen.{log}": end}
    return UpdateOne(query, update, upsert=True)
