"""Proves each entry of a bundle in its log: readable proof, accepted checkpoint, inclusion, right log, listed reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.proof_archive.bundles.entries import ReadEntry, check_place, read_entry
from services.proof_archive.bundles.manifest import Manifest
from services.proof_archive.verifying.codes import Refused
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import leaf_hash, verify_inclusion
from shared.crypto.policy import Policy, Witnessed, open_checkpoint
from shared.crypto.tlog_proof import TlogProof
from shared.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Proven:
    """Entries by stem of their members, in order, and the one accepted checkpoint of each log that holds some."""

    entries: dict[str, ReadEntry] = field(default_factory=dict)
    checkpoints: dict[str, Witnessed] = field(default_factory=dict)

    def trees(self) -> dict[str, Checkpoint]:
        """The same checkpoints, without who has seen them."""
        return {origin: witnessed.checkpoint for origin, witnessed in self.checkpoints.items()}


def prove_entries(manifest: Manifest, members: Mapping[str, bytes], policy: Policy) -> Proven:
    """Read and prove every entry. Raises Refused naming the first that fails."""
    proven, sizes, opened = Proven(), manifest.sizes(), dict[bytes, Witnessed]()
    references = {(item.origin, item.index): item for item in manifest.references}
    stems = [name.removesuffix(".bin") for name in members if name.startswith("entries/") and name.endswith(".bin")]
    for name in stems:
        proof = _proof(members[f"{name}.tlog-proof"], name)
        if proof.checkpoint not in opened:
            opened[proof.checkpoint] = _checkpoint(proof.checkpoint, policy, name)
        witnessed = opened[proof.checkpoint]
        origin = witnessed.checkpoint.origin
        # One note a log: two that differ would let a log show two faces in one bundle.
        if (
            witnessed.checkpoint.size != sizes.get(origin)
            or proven.checkpoints.setdefault(origin, witnessed) is not witnessed
        ):
            raise Refused("CHECKPOINT-DIFFERS", name)
        entry = _included(proof, witnessed, members, name)
        check_place(entry, manifest.deployment, name)
        if references.get((origin, proof.index)) != entry.reference():
            raise Refused("REFERENCE-MISSING", name)
        proven.entries[name] = entry
    places = [(entry.origin, entry.index) for entry in proven.entries.values()]
    if places != sorted(set(places)):
        raise Refused("ENTRY-ORDER")
    return proven


def _included(proof: TlogProof, witnessed: Witnessed, members: Mapping[str, bytes], name: str) -> ReadEntry:
    data, checkpoint = members[f"{name}.bin"], witnessed.checkpoint
    try:
        verify_inclusion(proof.index, checkpoint.size, leaf_hash(data), proof.hashes, checkpoint.root)
    except IntegrityError as error:
        raise Refused("NOT-INCLUDED", name) from error
    return read_entry(checkpoint.origin, proof.index, data, members.get(f"{name}.body"), name)


def _proof(data: bytes, name: str) -> TlogProof:
    try:
        proof = TlogProof.parse(data)
    except IntegrityError as error:
        raise Refused("PROOF-MALFORMED", name) from error
    if proof.extra is not None:  # nothing authenticates it, and we never write it
        raise Refused("PROOF-MALFORMED", name)
    return proof


def _checkpoint(data: bytes, policy: Policy, name: str) -> Witnessed:
    try:
        return open_checkpoint(data, policy)
    except IntegrityError as error:
        raise Refused("CHECKPOINT-REFUSED", name) from error
