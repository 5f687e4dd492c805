"""Under which pepper persons are named in the index, now and while it is rotated (docs/keys.md).

Peppers are chained: the name under the next is the HMAC of the name under the one before, so that a row is lifted without its
contacts, and the stops of erased persons survive. A rotation from 1 to 2 widens, then narrows:

- *widening* (lookup 1, newest 2): everything is looked up under 1, which every row bears; what is written bears 1 and 2; rows
  are lifted behind. The database refuses a row without 2, so that once every row bears 2, every row will.
- *narrowing* (lookup 2): everything is looked up under 2; names under 1 are taken away.

**No lookup misses.** It reads the rows first, only then the state (`confirm`): if names under 1 were looked up and the state
still says 1, no name under 1 had been taken away when the rows were read; if it says 2, the batch is done again. A name under 2
is only ever looked up after the state said 2, when every row bore it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from services.rights_handler.domain import Grant
from shared.crypto.keys import contact_key, lift_contact_key, name_parts, subject_key
from shared.errors import IntegrityError, Unavailable
from shared.keyring.ring import Fixed, Versions
from shared.mongo import Client, Document, database

STATE = "pepper"
MATCH = "match"
WATCH_S = 1.0
FIELDS = ("cks", "sref", "nks", "keys", "contact_keys", "subject_key")
"""Fields of rows that hold names; `aks` too, which stand in the order of `cks`."""
SINGLE = ("sref", "subject_key")
"""Of these, those that hold one name (a list of one a version, while there are several)."""


class Naming:
    """The versions in use, and names under them."""

    def __init__(self, peppers: bytes | Versions, client: Client | None = None, name: str = "rights") -> None:
        self._peppers: Versions = Fixed({1: peppers}) if isinstance(peppers, bytes) else peppers
        self._states = None if client is None else database(client, name)["naming"]
        self._matching = None if client is None else database(client, name)["matching"]
        self.lookup, self.newest = 1, 1
        self._match_seq = 0
        self._match: dict[str, tuple[int, ...]] = {}

    @property
    def first(self) -> bytes:
        """The first pepper, which every chain starts from."""
        return self._peppers.get(1)

    def match_versions(self, party: str) -> tuple[int, ...]:
        """The versions of a party's match key in use, oldest first: several while it is rotated (`match_versions`)."""
        return self._match.get(party, (1,))

    def contact(self, kind: str, value: str) -> str:
        """The name of a contact."""
        return self._lifted(contact_key(1, self.first, kind, value), self.lookup)

    def subject(self, collector: str, subject_ref: str) -> str:
        """The name of a collector's own reference."""
        return self._lifted(subject_key(self.first, collector, subject_ref), self.lookup)

    def current(self, names: Iterable[str]) -> list[str]:
        """Names under what is looked up now; older ones are lifted, anything that is no name stays."""
        return [self._lifted(name, self.lookup) if version_of(name) else name for name in names]

    def out(self, row: Document) -> Document:
        """A row as it is written: it bears every version in use."""
        return row if self.newest == 1 else {**row, **self.borne(row, range(self.lookup, self.newest + 1))}

    def back(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row as it is read: with one version of its names, the one looked up (or, where that is gone, the next)."""
        borne: Sequence[int] = row.get("pvs", (1,))
        if len(borne) == 1:
            return row
        version = min((v for v in borne if v >= self.lookup), default=max(borne))
        kept: Document = {field: _of(row[field], version) for field in (*FIELDS, "aks") if field in row}
        kept.update({field: next(iter(kept[field]), None) for field in SINGLE if field in kept})
        return {**row, **kept}

    def borne(self, row: Mapping[str, Any], versions: Sequence[int]) -> Document:
        """The fields of a row that hold names, under these versions, lifted from what it bears."""
        values: Document = {}
        for field in FIELDS:
            if field in row:
                values[field] = self._under(_listed(row[field]), versions)
        if row.get("aks"):
            values["aks"] = [alias for version in versions for alias in self._aliases(row, version)]
        if len(versions) == 1:
            values.update({field: values[field][0] for field in SINGLE if values.get(field)})
        return {**values, "pvs": list(versions)}

    async def load(self) -> None:
        """Take over the state. Raises Unavailable where a pepper that it needs is not here."""
        if self._states is None or self._matching is None:
            return
        states = {row["_id"]: row async for row in self._states.find({"_id": {"$in": [STATE, MATCH]}})}
        state = states.get(STATE)
        if state is not None:
            for version in range(1, state["newest"] + 1):
                self._peppers.get(version)
            self.lookup, self.newest = state["lookup"], state["newest"]
        seq = states.get(MATCH, {}).get("seq", 0)
        if seq != self._match_seq:
            rows = self._matching.find({}, {"versions": 1})
            self._match = {row["_id"]: tuple(row["versions"]) async for row in rows}
            self._match_seq = seq

    async def confirm(self, names: Collection[str]) -> None:
        """After a lookup of these names: raise Unavailable where rows may no longer have borne them. The batch is redone."""
        if self._states is None or not names:
            return
        await self.load()
        if any(0 < version_of(name) < self.lookup for name in names):
            raise Unavailable("the pepper is being rotated: this is looked up again under the next one")

    async def confirm_aliases(self, grants: Sequence[Grant]) -> None:
        """After these were written: raise Unavailable where a party's match key has a version that they have no alias of."""
        if self._states is None or not any(grant.aliases for grant in grants):
            return
        await self.load()
        for grant in grants:
            parties = {line.recipient for line in grant.lines if line.verdict == "valid" and line.recipient is not None}
            each = sum(len(self.match_versions(party)) for party in parties)
            if len(grant.aliases) < each * len(grant.contact_keys):
                raise Unavailable("the match key of a party is being rotated: this is done again with both versions")

    async def watch(self) -> None:
        """Follow the state, so that what is written is seldom refused."""
        while True:
            await self.load()
            await asyncio.sleep(WATCH_S)

    def _under(self, names: Sequence[str], versions: Sequence[int]) -> list[str]:
        others = [name for name in names if not version_of(name)]
        lifted = [
            sorted({self._lifted(n, v) for n in names if 0 < version_of(n) <= v}) for v in versions
        ]  # fmt: skip
        return [*others, *(name for group in lifted for name in group)]

    def _aliases(self, row: Mapping[str, Any], version: int) -> list[str]:
        """Aliases stand contact by contact, in the order of the contacts' names, which lifting changes."""
        base = max((v for v in map(version_of, row["aks"]) if v <= version), default=0)
        aliases, contacts = _of(row["aks"], base), sorted(_of(row["cks"], base))
        each = len(aliases) // len(contacts) if contacts else 0
        blocks = sorted(
            (self._lifted(contact, version), aliases[place * each : (place + 1) * each])
            for place, contact in enumerate(contacts)
        )
        return [self._lifted(alias, version) for _, block in blocks for alias in block]

    def _lifted(self, name: str, version: int) -> str:
        for step in range(version_of(name) + 1, version + 1):
            name = lift_contact_key(name, step, self._peppers.get(step))
        return name


def version_of(name: str) -> int:
    """The version of the pepper that a name is under; 0 for what is no name (a record)."""
    try:
        return name_parts(name)[1]
    except IntegrityError:
        return 0


def _of(names: str | Sequence[str], version: int) -> list[str]:
    return [name for name in _listed(names) if version_of(name) in (0, version)]


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
