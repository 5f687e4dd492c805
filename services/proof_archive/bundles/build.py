"""The bundle: one ZIP that proves one record to whoever holds the trust file, without us (writer).

Layout, in this order: `manifest.json` (see bundle_manifest), `manifest.note` (its signature), `LISEZMOI.txt`,
`disclosures.json`, `timeline.json`, `attestation.pdf` where there is one, then per entry `entries/NNN.bin` (the exact bytes), `entries/NNN.body` (facts too long
for the entry, if so), `entries/NNN.tlog-proof` (C2SP tlog-proof), then `evidence/<sha256>.bin`, then
`timestamps/<sha256>.consistency`, `.json`, `.tsr`. Entries stand by log then
index. Deterministic: the same input gives the same bytes. The reader is `verify.verify_bundle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.proof_archive.bundles.canonical_zip import MAX_BYTES, MAX_MEMBERS, write_zip
from services.proof_archive.bundles.disclosures import (
    Disclosure,
    open_verdicts,
    read_disclosures,
    write_disclosures,
)
from services.proof_archive.bundles.entries import ReadEntry, check_place, read_entry
from services.proof_archive.bundles.evidence import evidence_of, member_name
from services.proof_archive.bundles.links import check_links
from services.proof_archive.bundles.manifest import (
    ATTESTATION,
    DISCLOSURES,
    MANIFEST,
    NOTE,
    README,
    TIMELINE,
    Audience,
    CheckpointSize,
    Held,
    Manifest,
    Reference,
    member_of,
)
from services.proof_archive.bundles.readme import README_FR
from services.proof_archive.bundles.timeline import timeline_of
from services.proof_archive.timestamps.statement import FOLDER, SUFFIXES, write_growths
from services.proof_archive.verifying.codes import Refused
from services.proof_archive.verifying.timestamps import read_stamps
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import leaf_hash, verify_inclusion
from shared.crypto.note import Signer
from shared.crypto.policy import BUNDLE_SUFFIX
from shared.crypto.tlog_proof import TlogProof
from shared.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """An entry to include, exact bytes, with its inclusion proof at the size of its log's checkpoint.

    `proof`: 32-byte hashes from the leaf upwards; `body`: the facts that stand beside it where it holds only their hash.
    """

    origin: str
    index: int
    data: bytes
    proof: tuple[bytes, ...]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class BundleTimestamp:
    """A timestamp to join: the statement's bytes, the token over them, and per log of the bundle that has grown since its proof."""

    statement: bytes
    token: bytes
    growths: Mapping[str, Sequence[bytes]]

    def members(self) -> dict[str, bytes]:
        """Its members, in order."""
        stem = FOLDER + canonical.sha256_hex(self.statement)
        contents = (write_growths(self.growths), self.statement, self.token)
        return {stem + suffix: content for suffix, content in zip(SUFFIXES, contents, strict=True)}


@dataclass(frozen=True, slots=True)
class BundleInput:
    """All that a bundle is made of.

    `checkpoints`: the signed note of every log consulted, by origin (logs without an entry here too: they say up to where
    nothing more was known). `withheld`: entries known to concern the record that this audience does not receive.
    `evidence`: files by their SHA-256 (hex); only those that an entry names may be given. `held`: sizes of
    files that are kept but not joined. `attestation`: a PDF, kept as it is.
    """

    deployment: str
    record: str
    requested_for: Audience
    checkpoints: Mapping[str, bytes]
    entries: Sequence[BundleEntry]
    withheld: Sequence[Reference] = ()
    disclosures: Sequence[Disclosure] = ()
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    timestamps: Sequence[BundleTimestamp] = ()
    attestation: bytes | None = None


def stem(number: int) -> str:
    """Name of an entry's members, without their suffix."""
    return f"entries/{number:03d}"


def build_bundle(request: BundleInput, signer: Signer) -> bytes:
    """The bundle's bytes, its manifest signed by `<deployment>/bundle`.

    Raises IntegrityError rather than make what a verifier would refuse: an entry that is not included or not related, a
    value that is not the one committed to, a file that no entry names, a bundle that is too large.
    """
    if signer.name != request.deployment + BUNDLE_SUFFIX:
        raise IntegrityError("a bundle is signed by the deployment's bundle key")
    checkpoints = {origin: _checkpoint(origin, data) for origin, data in request.checkpoints.items()}
    ordered = sorted(request.entries, key=lambda entry: (entry.origin, entry.index))
    try:
        read = [read_entry(e.origin, e.index, e.data, e.body, stem(n)) for n, e in enumerate(ordered)]
        members = _members(request, ordered, read, checkpoints)
        manifest = _manifest(request, read, checkpoints, members)
    except Refused as error:
        raise IntegrityError(f"no bundle can be made: {error}") from error
    signed = note.sign(manifest.note_text(), [signer])
    bundle = write_zip([(MANIFEST, manifest.marshal()), (NOTE, signed), *members.items()])
    if len(bundle) > MAX_BYTES or len(members) + 2 > MAX_MEMBERS:
        raise IntegrityError("the bundle would be too large")
    return bundle


def _manifest(
    request: BundleInput,
    read: Sequence[ReadEntry],
    checkpoints: Mapping[str, Checkpoint],
    members: Mapping[str, bytes],
) -> Manifest:
    manifest = Manifest(
        deployment=request.deployment,
        record=request.record,
        requested_for=request.requested_for,
        erased=any(entry.is_erasure for entry in read),
        checkpoints=[CheckpointSize(origin=o, size=c.size) for o, c in sorted(checkpoints.items())],
        references=sorted(
            [*(entry.reference() for entry in read), *request.withheld], key=lambda item: (item.origin, item.index)
        ),
        held=[Held(sha256=sha256, bytes=size) for sha256, size in sorted(request.held.items())],
        members=[member_of(name, data) for name, data in members.items()],
    )
    return Manifest.parse(manifest.marshal())  # what no verifier would read is not signed


def _members(
    request: BundleInput,
    ordered: Sequence[BundleEntry],
    read: Sequence[ReadEntry],
    checkpoints: Mapping[str, Checkpoint],
) -> dict[str, bytes]:
    """Every member after the manifest and its note, checked as a verifier will."""
    stems = [stem(number) for number in range(len(ordered))]
    disclosures = write_disclosures(
        request.disclosures, {(e.origin, e.index): s for e, s in zip(read, stems, strict=True)}
    )
    read = open_verdicts(read, read_disclosures(disclosures, dict(zip(stems, read, strict=True))), stems)
    check_links(request.record, read, stems)
    members = {README: README_FR.encode(), DISCLOSURES: disclosures, TIMELINE: timeline_of(read)}
    if request.attestation is not None:
        members[ATTESTATION] = request.attestation
    for number, (name, entry) in enumerate(zip(stems, ordered, strict=True)):
        checkpoint = checkpoints.get(entry.origin)
        if checkpoint is None:
            raise IntegrityError("the checkpoint of an entry's log is missing")
        check_place(read[number], request.deployment, name)
        verify_inclusion(entry.index, checkpoint.size, leaf_hash(entry.data), entry.proof, checkpoint.root)
        members[f"{name}.bin"] = entry.data
        if entry.body is not None:
            members[f"{name}.body"] = entry.body
        members[f"{name}.tlog-proof"] = TlogProof(entry.index, entry.proof, request.checkpoints[entry.origin]).marshal()
    named = {evidence.sha256 for evidence in evidence_of(read)}
    for sha256, data in sorted(request.evidence.items()):
        if sha256 not in named or canonical.sha256_hex(data) != sha256:
            raise Refused("EVIDENCE-UNKNOWN", member_name(sha256))
        members[member_name(sha256)] = data
    if not named - request.evidence.keys() >= request.held.keys():
        raise Refused("EVIDENCE-UNKNOWN", MANIFEST)
    for stamp in sorted(request.timestamps, key=lambda item: canonical.sha256_hex(item.statement)):
        members |= stamp.members()
    proven = {entry.origin: checkpoints[entry.origin] for entry in ordered}
    read_stamps(request.deployment, members, proven, {})
    return members


def _checkpoint(origin: str, data: bytes) -> Checkpoint:
    text, _ = note.split(data)
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != origin:
        raise IntegrityError("a checkpoint is about another log")
    return checkpoint
