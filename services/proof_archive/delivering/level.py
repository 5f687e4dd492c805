"""The service level as reported: by collector and asker, measured against promised; and what of it waits for somebody.

Times in seconds; percentiles are upper bounds (the bucket they fall in). A breach stays an obligation to the end of the month
after its own: it is a fact that the parties settle between them, no run of ours can undo it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

from services.proof_archive.delivering.demands import Demands
from services.proof_archive.delivering.tallies import Tallies
from services.proof_archive.delivering.terms import PARIS, promised, quantile
from shared.clock import Clock
from shared.instants import format_instant
from shared.mongo import Document
from shared.registry.view import RegistryView

Available = Callable[[str], Awaitable[bool]]
"""Whether the proof of a record can be had now."""


class Level:
    """Reports of the service level."""

    def __init__(
        self, tallies: Tallies, demands: Demands, registry: Callable[[], RegistryView], clock: Clock, available: Available
    ) -> None:  # fmt: skip
        self._tallies, self._demands, self._registry = tallies, demands, registry
        self._clock, self._available = clock, available

    async def report(
        self, month: str | None, *, collector: str | None = None, party: str | None = None
    ) -> dict[str, Any]:
        """A month (`2026-11`, default: this one): of all, of a collector's askers, or of a prospecteur."""
        month = month or f"{self._clock.now().astimezone(PARIS):%Y-%m}"
        rows = await self._tallies.of_month(month, collector=collector, party=party)
        return {"month": month, "pairs": [self._pair(row) for row in rows]}

    async def obligations(self) -> list[dict[str, Any]]:
        """Demands later than promised that still wait, and the breaches of this month and the one before."""
        found = []
        for row in await self._demands.late():
            if await self._available(row["record"]):
                await self._demands.forget(row)
            else:
                found.append(self._waiting(row))
        now = self._clock.now().astimezone(PARIS)
        before = now.replace(day=1) - timedelta(days=1)
        for month in (f"{before:%Y-%m}", f"{now:%Y-%m}"):
            rows = await self._tallies.of_month(month)
            found += [self._breached(row, what) for row in rows for what in ("a", "d") if row.get(what, {}).get("late")]
        return found

    def _pair(self, row: Document) -> dict[str, Any]:
        key = row["_id"]
        within = promised(self._registry(), key["c"], key["p"], date.fromisoformat(f"{key['m']}-28"))
        return {
            "collector": key["c"], "asker": key["p"],
            "promised_s": within.total_seconds() if within is not None else None,
            "available": _told(row.get("a")), "delivered": _told(row.get("d")),
        }  # fmt: skip

    def _waiting(self, row: Document) -> dict[str, Any]:
        at: datetime = row["at"]
        return {
            "id": f"proof.late:{row['_id'].replace(' ', ':')}", "kind": "proof.late", "owner": "operator",
            "cause": "a proof was asked for and promised; no signed checkpoint covers its consent yet",
            "opened_at": format_instant(at), "due_at": format_instant(at + row["promised"]),
            "next_at": format_instant(self._clock.now()), "refs": {"record": row["record"], "party": row["party"]},
        }  # fmt: skip

    def _breached(self, row: Document, what: str) -> dict[str, Any]:
        key, told = row["_id"], row[what]
        first: datetime = told["first"]
        verb = "became available" if what == "a" else "were delivered"
        return {
            "id": f"proof.sla:{key['c']}:{key['p']}:{key['m']}:{what}", "kind": "proof.sla_breached", "owner": "operator",
            "cause": f"{told['late']} of {told['n']} proofs {verb} later than the agreement promises",
            "opened_at": format_instant(first), "due_at": format_instant(first), "next_at": None,
            "refs": {"collector": key["c"], "party": key["p"], "month": key["m"], "worst_s": told["worst"] / 1000},
        }  # fmt: skip


def _told(row: Document | None) -> dict[str, Any] | None:
    """One measure; None where nothing was measured."""
    if not row:
        return None
    buckets = {int(bucket): count for bucket, count in row["b"].items()}
    return {
        "count": row["n"], "mean_s": round(row["sum"] / row["n"] / 1000, 3), "p50_s": quantile(buckets, 0.5),
        "p99_s": quantile(buckets, 0.99), "worst_s": row["worst"] / 1000, "late": row["late"],
        "first_late_at": format_instant(row["first"]) if row.get("first") else None,
    }  # fmt: skip
