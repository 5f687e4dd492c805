"""Makes the proof of one record at the newest checkpoints: its entries, their inclusion, what its audience may read.

Inclusion proofs of all entries come from one query on tiles; personal values from the vault's keys. A key that is missing
without a tombstone is an alarm, never taken for an erasure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.proof_archive.bundles.build import BundleEntry, BundleInput, BundleTimestamp, build_bundle
from services.proof_archive.bundles.disclosures import Disclosure, disclose
from services.proof_archive.bundles.dossier import Dossier, Item, Search
from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.evidence import evidence_of
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.bundles.timeline import timeline_of
from services.proof_archive.checkpoints.standing import Standing
from services.proof_archive.choosing import choose
from services.proof_archive.domain import owner_of
from services.proof_archive.entitlement import disclosable
from services.proof_archive.evidence.joined import Joined, Joining, visible_to
from services.proof_archive.log.reader import Reader
from services.proof_archive.timestamps.kept import Stamps
from shared import canonical
from shared.crypto.encoding import b64
from shared.crypto.merkle import inclusion_nodes, inclusion_proof
from shared.crypto.note import Signer
from shared.crypto.sealing import unseal
from shared.errors import IntegrityError
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof ready to be written: what a bundle is made of, and its entries as read, in the same order."""

    bundle: BundleInput
    read: Sequence[ReadEntry]
    items: Sequence[Item]
    pending: Sequence[Item]
    """Entries that are archived but not under a signed checkpoint yet."""

    def as_json(self) -> dict[str, Any]:
        """The same content as the bundle, for programs; not signed as a whole, each entry is proven by itself."""
        request = self.bundle
        proofs = {(entry.origin, entry.index): entry for entry in request.entries}
        return {
            "v": 1,
            "deployment": request.deployment,
            "record": request.record,
            "requested_for": request.requested_for.model_dump(),
            "erased": any(entry.is_erasure for entry in self.read),
            "checkpoints": {origin: note.decode() for origin, note in sorted(request.checkpoints.items())},
            "entries": [
                {
                    "origin": entry.origin, "index": entry.index, "topic": entry.topic, "kind": entry.kind,
                    "at": entry.at, "facts": item.facts, "entry": b64(item.data),
                    "body": b64(item.body) if item.body is not None else None,
                    "proof": [b64(node) for node in proofs[entry.origin, entry.index].proof],
                }
                for entry, item in zip(self.read, self.items, strict=True)
            ],
            "withheld": [reference.model_dump() for reference in request.withheld],
            "pending": [{"origin": i.origin, "index": i.index, "kind": i.kind} for i in self.pending],
            "disclosures": [
                {"origin": d.origin, "index": d.index, "pointer": d.pointer, "salt": b64(d.salt), "value": d.value}
                for d in request.disclosures
            ],
            "evidence": [
                {
                    "sha256": item.sha256, "what": item.what, "owed_by": item.owed_by,
                    "kept": item.sha256 in request.evidence or item.sha256 in request.held,
                }
                for item in evidence_of(self.read)
            ],
            "timestamps": [
                {
                    "statement": b64(stamp.statement), "token": b64(stamp.token),
                    "growths": {log: [b64(node) for node in proof] for log, proof in sorted(stamp.growths.items())},
                }
                for stamp in request.timestamps
            ],
            "timeline": canonical.loads(timeline_of(self.read)),
        }  # fmt: skip


class Proofs:
    """The proofs of one deployment."""

    def __init__(
        self,
        reader: Reader,
        vault: Vault,
        *,
        deployment: str,
        signer: Signer,
        standing: Standing | None = None,
        joining: Joining | None = None,
        stamps: Stamps | None = None,
    ) -> None:
        self._stamps = stamps
        self._joining = joining
        self._reader, self._vault, self._standing = reader, vault, standing
        self._deployment, self._signer = deployment, signer

    async def search(self) -> Search:
        """A search on the logs as they are now."""
        return await Search.begin(self._reader, self._deployment, self._standing)

    async def is_admitted(self, record: str) -> bool:
        """Whether the collector has admitted a record that the logs do not show yet."""
        return record in await self._vault.known([record])

    async def obligations(self) -> list[dict[str, Any]]:
        """What waits for the operator."""
        logs = f"{self._deployment}/"
        return [
            {
                "id": row["_id"], "kind": "log.halted", "owner": row["owner"], "cause": row["cause"],
                "opened_at": row["since"], "due_at": row["since"], "next_at": None,
                "refs": {name: row[name] for name in ("origin", "first", "last") if name in row},
            }
            for row in await self._reader.obligations() if str(row.get("origin", "")).startswith(logs)
        ]  # fmt: skip

    async def prove(
        self, dossier: Dossier, audience: Audience, *, for_claims: bool = False, files: bool = True
    ) -> Proof:
        """The proof of a record for one audience. Raises IntegrityError when the store contradicts itself.

        Without `files` the evidence is listed, not read, and no timestamp is joined.
        What is restricted to legal claims is disclosed `for_claims` only: whoever asks so has archived the reason before.
        """
        covered = [item for item in dossier.items if item.covered]
        chosen, read, withheld, lines = choose(dossier.record, covered, audience)
        erased = any(entry.is_erasure for entry in read)
        open_ = [] if erased else chosen
        entries, joined, disclosures, timestamps = await asyncio.gather(
            self._entries(dossier, chosen),
            self._join(dossier.record, audience, read, erased=erased, for_claims=for_claims, files=files),
            self._disclosures(open_, audience, dossier.verdicts, for_claims=for_claims),
            self._timestamps(dossier, chosen if files else []),
        )
        request = BundleInput(
            deployment=self._deployment,
            record=dossier.record,
            requested_for=audience,
            checkpoints={origin: point.note for origin, point in dossier.checkpoints.items()},
            entries=entries,
            withheld=withheld,
            disclosures=[*disclosures, *lines],
            evidence=joined.files,
            held=joined.held,
            timestamps=timestamps,
        )
        return Proof(request, read, chosen, [item for item in dossier.items if not item.covered])

    def carried(self, dossier: Dossier, audience: Audience) -> set[str]:
        """The files that the proof of a record names, of those that this audience may have."""
        covered = [item for item in dossier.items if item.covered]
        return {item.sha256 for item in visible_to(audience, choose(dossier.record, covered, audience)[1])}

    async def _timestamps(self, dossier: Dossier, items: Sequence[Item]) -> Sequence[BundleTimestamp]:
        if self._stamps is None or not items:
            return ()
        first = min((item for item in items if item.kind == "consent.recorded"), key=lambda item: item.index)
        points = {item.origin: dossier.checkpoints[item.origin] for item in items}
        return await self._stamps.of((first.log, first.index), points)

    async def _join(
        self, record: str, audience: Audience, read: Sequence[ReadEntry], *, erased: bool, for_claims: bool, files: bool
    ) -> Joined:
        if self._joining is None:
            return Joined()
        return await self._joining.join(record, audience, read, erased=erased, for_claims=for_claims, files=files)

    def zip(self, proof: Proof) -> bytes:
        """The signed bundle."""
        return build_bundle(proof.bundle, self._signer)

    async def _entries(self, dossier: Dossier, items: Sequence[Item]) -> list[BundleEntry]:
        sizes = {item.log: dossier.checkpoints[item.origin].size for item in items}
        wanted = {
            log: (size, [n for i in items if i.log == log for n in inclusion_nodes(i.index, size)])
            for log, size in sizes.items()
        }
        nodes = await self._reader.nodes(wanted)

        def path(item: Item) -> tuple[bytes, ...]:
            known = nodes[item.log]
            return tuple(inclusion_proof(item.index, sizes[item.log], lambda level, index: known[level, index]))

        return [BundleEntry(item.origin, item.index, item.data, path(item), item.body) for item in items]

    async def _disclosures(
        self, items: Sequence[Item], audience: Audience, verdicts: Sequence[Item], *, for_claims: bool
    ) -> list[Disclosure]:
        owners = {(i.log, i.index): owner for i in items if (owner := _sealed_under(i))}
        if not owners:
            return []
        if not for_claims:
            closed = await self._reader.restricted(owners.values())
            owners = {place: owner for place, owner in owners.items() if owner not in closed}
        sealed, keys = await asyncio.gather(
            self._reader.sealed(owners.values()), self._vault.read(owners.values(), for_claims=for_claims)
        )
        missing = set(owners.values()) - keys.keys()
        if missing and missing - await self._reader.erased(missing) - await self._reader.restricted(missing):
            raise IntegrityError("a record key is missing though nothing says that the record was erased")
        found: list[Disclosure] = []
        for item in items:
            owner = owners.get((item.log, item.index))
            if owner is None or owner not in keys or owner not in sealed:
                continue
            kind, blob = sealed[owner]
            document = unseal(keys[owner], kind, owner, blob)
            pointers = disclosable(audience, item, document, verdicts)
            found += disclose(item.origin, item.index, keys[owner], document, pointers)
        return found


def _sealed_under(item: Item) -> str | None:
    """The vault's name of the key of an entry that has commitments."""
    return owner_of(item.topic, item.facts) if item.facts.get("commitments") else None
