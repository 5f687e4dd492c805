"""Which files go into a bundle, for whom: what the bundle's entries name, within a budget, and nothing about others.

A prospecteur receives page copies, notices, screenshots of the form and its own contract; never what a consent has attached,
which may show more of the person than its proof discloses to it (RGPD 5(1)(c)): that stays owed by the collector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.evidence import Evidence, evidence_of
from services.proof_archive.bundles.facts import Consent, Registered
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.evidence.files import Files, Name, Stored
from services.proof_archive.evidence.owed import Owed
from shared import canonical
from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Joined:
    """Files for a bundle: `files` by hash, and `held`: sizes of those that are kept but would make it too large."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)


def visible_to(audience: Audience, read: Sequence[ReadEntry]) -> list[Evidence]:
    """The files named by these entries that this audience may have."""
    named = evidence_of(read)
    if audience.scope != "prospector":
        return named
    common = set(_common(read))
    return [item for item in named if item.sha256 in common]


def choose(sizes: Mapping[str, int], budget: int) -> list[str]:
    """The files that fit, smallest first so that most do; by hash where sizes are equal."""
    chosen = []
    for sha256, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        if size > budget:
            break
        chosen.append(sha256)
        budget -= size
    return chosen


class Joining:
    """Takes files out of the store for bundles of at most `budget` bytes of them."""

    def __init__(self, files: Files, owed: Owed, vault: Vault, budget: int) -> None:
        self._files, self._owed, self._vault, self._budget = files, owed, vault, budget

    async def join(
        self,
        record: str,
        audience: Audience,
        read: Sequence[ReadEntry],
        *,
        erased: bool,
        for_claims: bool,
        files: bool = True,
    ) -> Joined:
        """The files of a record's bundle; what is about an erased or restricted person is left out, but `for_claims`.

        Without `files` nothing is read: what is kept is listed with its size.

        Raises IntegrityError where a stored file is not the one that its name says.
        """
        wanted = [item.sha256 for item in visible_to(audience, read)]
        settled = await self._owed.settled(wanted, record.partition("/")[0])
        names: list[Name] = [(sha256, None) for sha256 in sorted(settled)]
        if audience.scope != "prospector" and not erased:
            names += [(sha256, record) for sha256 in wanted]
        stored = await self._files.held(names)
        about = any(item.record for item in stored.values())
        keys = await self._vault.read([record], for_claims=for_claims) if about else {}
        by_hash: dict[str, Stored] = {}
        for name, item in stored.items():
            if item.record is None or item.record in keys:
                by_hash.setdefault(name[0], item)
        chosen = choose({sha256: item.size for sha256, item in by_hash.items()}, self._budget if files else -1)
        contents = {sha256: await self._whole(by_hash[sha256], keys) for sha256 in chosen}
        held = {sha256: item.size for sha256, item in by_hash.items() if sha256 not in contents}
        return Joined(contents, held)

    async def _whole(self, item: Stored, keys: Mapping[str, RecordKey]) -> bytes:
        key = keys[item.record] if item.record is not None else None
        data = b"".join([part async for part in self._files.stream(item, key)])
        if canonical.sha256_hex(data) != item.sha256:
            raise IntegrityError("a stored file is not the one that its name says")
        return data


def _common(read: Sequence[ReadEntry]) -> Iterable[str]:
    """The hashes that say nothing of one person: of the form, the notice, the contract."""
    for entry in read:
        if isinstance(entry.facts, Registered):
            yield from (item.sha256 for item in evidence_of([entry]))
        elif isinstance(entry.facts, Consent):
            yield from (item.sha256 for item in (entry.facts.form, entry.facts.notice) if item and item.sha256)
