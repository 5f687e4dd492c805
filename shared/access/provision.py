"""Brings a cluster's access entries, quotas and missing credentials to what the table of topics and the registry ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from shared.access.cluster import Quotas, access_admin, ours
from shared.access.plan import Entry, service_principal, services, wanted
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class AccessDifference:
    """Entries that are missing, and entries of ours that nothing asks for any more."""

    missing: frozenset[Entry]
    stray: frozenset[Entry]

    def __bool__(self) -> bool:
        return bool(self.missing or self.stray)


async def plan_access(settings: Settings, parties: Collection[str]) -> AccessDifference:
    """What differs. Raises NoAuthorizerError where the cluster lets anyone do anything."""
    async with access_admin(settings) as admin:
        return _difference(wanted(parties), await admin.entries(), parties)


async def apply_access(settings: Settings, parties: Collection[str], quotas: Quotas | None = None) -> AccessDifference:
    """Make it so: what is missing is added before anything stray is removed. Returns what differed."""
    async with access_admin(settings) as admin:
        difference = _difference(wanted(parties), await admin.entries(), parties)
        await admin.add(difference.missing)
        await admin.remove(difference.stray)
        await admin.quotas(parties, quotas or Quotas())
    return difference


async def give_credentials(settings: Settings, parties: Collection[str], password: Callable[[str], str]) -> list[str]:
    """Set the credentials of every service and of these parties; the principals."""
    principals = [*(service_principal(service) for service in services()), *sorted(parties)]
    async with access_admin(settings) as admin:
        await admin.credentials({principal: password(principal) for principal in principals})
    return principals


def _difference(asked: set[Entry], found: set[Entry], parties: Collection[str]) -> AccessDifference:
    return AccessDifference(frozenset(asked - found), frozenset(ours(found, parties) - asked))
