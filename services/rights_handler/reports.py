"""Reports in MongoDB (database `rights`): `notices`, `disclosures`, `attempts`; read for many persons in three queries.

Attempts are read for the last `ATTEMPTS_KEPT` before a check only: the count of calls looks thirty days back, and a contact
older than a month adds nothing to an information that is late by then anyway (RGPD 14(3)). So what is read per person does
not grow with history.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING

from services.rights_handler.domain import Instant
from services.rights_handler.index import NOT_ROTATED, insert_new
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.naming import Naming
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from shared.instants import format_instant, parse_instant
from shared.mongo import Client, Document, database

ATTEMPTS_KEPT = timedelta(days=33)
"""Thirty calendar days or one month, whichever is longer, on any clock."""


class MongoReports:
    """`ports.Reports` on MongoDB."""

    def __init__(self, client: Client, name: str = "rights", naming: Naming | None = None) -> None:
        rights = database(client, name)
        self._naming = naming or Naming(NOT_ROTATED)
        self._notices, self._disclosures, self._attempts = rights["notices"], rights["disclosures"], rights["attempts"]
        self._owed = MongoNotices(client, name)

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._notices.create_index([("record", ASCENDING)])
        await self._disclosures.create_index([("record", ASCENDING)])
        await self._attempts.create_index([("keys", ASCENDING), ("at", ASCENDING)])

    async def put_reports(self, reports: Mapping[str, Notice | Disclosure | Attempt]) -> None:
        """Insert those that are new, one call per kind present; what is said of RGPD 14 is owed no more (one call)."""
        rows: tuple[list[Document], list[Document], list[Document]] = ([], [], [])
        for key, report in reports.items():
            place = 0 if isinstance(report, Notice) else 1 if isinstance(report, Disclosure) else 2
            row = {"_id": key, **report_row(report)}
            rows[place].append(self._naming.out(row) if "keys" in row else row)
        for collection, documents in zip((self._notices, self._disclosures, self._attempts), rows, strict=True):
            await insert_new(collection, documents)
        await self._owed.given([report for report in reports.values() if isinstance(report, Notice)])

    async def reported(
        self,
        records: Collection[str],
        contact_keys: Collection[str],
        sources: Collection[str],
        first: Instant,
        last: Instant,
    ) -> Reported:
        """Three queries; none where nobody is named. The stops, read after them, confirm the names (`Naming.confirm`)."""
        if not records and not contact_keys:
            return Reported()
        of_records: Document = {"record": {"$in": sorted(records)}}
        attempts: Document = {
            "keys": {"$in": sorted({*records, *contact_keys})}, "source": {"$in": sorted(sources)},
            "at": {"$gte": earliest(first), "$lte": last},
        }  # fmt: skip
        return Reported(
            [notice_of(row) async for row in self._notices.find(of_records)] if records else [],
            [disclosure_of(row) async for row in self._disclosures.find(of_records)] if records else [],
            [attempt_of(self._naming.back(row)) async for row in self._attempts.find(attempts)],
        )


def earliest(first: Instant) -> Instant:
    """The first instant from which attempts matter to a check."""
    try:
        return format_instant(parse_instant(first) - ATTEMPTS_KEPT)
    except OverflowError:
        return first


def report_row(report: Notice | Disclosure | Attempt) -> Document:
    """The row of a report, without its id."""
    if isinstance(report, Notice):
        return {"record": report.record, "source": report.source, "at": report.at}
    if isinstance(report, Disclosure):
        return {"record": report.record, "source": report.source, "to": report.to, "at": report.at}
    return {
        "keys": sorted(report.keys), "source": report.source, "channel": report.channel, "at": report.at,
        "record": report.record, "outcome": report.outcome,
    }  # fmt: skip


def notice_of(row: Mapping[str, Any]) -> Notice:
    """The notice of a row."""
    return Notice(row["record"], row["source"], row["at"])


def disclosure_of(row: Mapping[str, Any]) -> Disclosure:
    """The disclosure of a row."""
    return Disclosure(row["record"], row["source"], row["to"], row["at"])


def attempt_of(row: Mapping[str, Any]) -> Attempt:
    """The attempt of a row."""
    keys: Sequence[str] = row["keys"]
    return Attempt(
        row["source"], row["channel"], row["at"], row["record"], frozenset(k for k in keys if k != row["record"]),
        row["outcome"],
    )  # fmt: skip
