"""The verifier of bundles: pure, offline, and strict: a bundle is accepted whole or refused with the reason's name.

In order, each step trusting only the ones before: the ZIP is canonical; the manifest is signed by the bundle key of the
trust file; every member is the one it hashes; every entry is in its log under an accepted checkpoint; what is disclosed is
what the entries commit to; every entry is about the record; the timeline and the erasure say what the entries say (RFC 9162, C2SP tlog-proof, tlog-policy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.proof_archive.bundles.canonical_zip import read_zip
from services.proof_archive.bundles.disclosures import open_verdicts, personal, read_disclosures
from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.evidence import evidence_of, member_name
from services.proof_archive.bundles.links import check_links
from services.proof_archive.bundles.manifest import (
    ATTESTATION,
    DISCLOSURES,
    FIXED,
    MANIFEST,
    NOTE,
    README,
    TIMELINE,
    Manifest,
)
from services.proof_archive.bundles.readme import KNOWN
from services.proof_archive.bundles.state import state_of
from services.proof_archive.bundles.timeline import timeline_of
from services.proof_archive.timestamps import statement as stamps
from services.proof_archive.verifying.codes import Refused
from services.proof_archive.verifying.entries import prove_entries
from services.proof_archive.verifying.result import (
    INCLUDED,
    INCLUDED_ERASED,
    Contents,
    Disclosed,
    EvidenceFile,
    KnownLog,
    Timestamp,
    Verification,
    VerifiedEntry,
    Witnessing,
)
from services.proof_archive.verifying.timestamps import Stamp, earliest, read_stamps
from shared import canonical
from shared.crypto import note
from shared.crypto.policy import Policy, Witnessed, open_manifest, parse_policy
from shared.errors import IntegrityError


def verify_bundle(data: bytes, policy_text: str) -> Verification:
    """Verify a bundle under a trust file. Raises IntegrityError only when the trust file itself cannot be used."""
    policy = parse_policy(policy_text)
    try:
        return Verification(contents=_contents(data, policy))
    except Refused as refused:
        return Verification(problems=(refused.problem(),))


def _contents(data: bytes, policy: Policy) -> Contents:
    members = read_zip(data)
    manifest = _signed_manifest(members, policy)
    _check_members(manifest, members)
    proven = prove_entries(manifest, members, policy)
    disclosures = read_disclosures(members[DISCLOSURES], proven.entries)
    entries = open_verdicts(list(proven.entries.values()), disclosures, list(proven.entries))
    check_links(manifest.record, entries, list(proven.entries))
    if canonical.sha256_hex(members[README]) not in KNOWN:
        raise Refused("README-UNKNOWN", README)
    disclosures = personal(entries, disclosures)
    erased = any(entry.is_erasure for entry in entries)
    if manifest.erased != erased or (erased and disclosures):
        raise Refused("ERASURE-DIFFERS", MANIFEST)
    if members[TIMELINE] != timeline_of(entries):
        raise Refused("TIMELINE-DIFFERS", TIMELINE)
    stamped = read_stamps(manifest.deployment, members, proven.trees(), policy.authorities)
    verified = tuple(_verified(name, entry, stamped, erased=erased) for name, entry in proven.entries.items())
    stems = {(entry.origin, entry.index): name for name, entry in proven.entries.items()}
    witnesses = [len(witnessed.witnesses) for witnessed in proven.checkpoints.values()]
    return Contents(
        deployment=manifest.deployment,
        record=manifest.record,
        requested_for=manifest.requested_for.scope,
        party=manifest.requested_for.party,
        entries=verified,
        withheld=tuple((r.origin, r.index, r.kind) for r in manifest.references if (r.origin, r.index) not in stems),
        logs=tuple(_known(origin, size, proven.checkpoints) for origin, size in manifest.sizes().items()),
        witnessed=Witnessing(min(witnesses, default=0), len(policy.witnesses)),
        timestamps=tuple(_told(stamp, entries) for stamp in stamped),
        independent=policy.independent or all(entry.timestamped for entry in verified),
        erased=erased,
        disclosed=tuple(Disclosed(stems[d.origin, d.index], d.pointer, d.value) for d in disclosures),
        evidence=_evidence(manifest, entries, members),
        attested=ATTESTATION in members,
        state=state_of(entries),
        timeline=tuple(canonical.loads(members[TIMELINE])),
    )


def _signed_manifest(members: Mapping[str, bytes], policy: Policy) -> Manifest:
    if list(members)[:2] != [MANIFEST, NOTE]:
        raise Refused("MANIFEST-MISSING")
    manifest = Manifest.parse(members[MANIFEST])
    try:
        text = open_manifest(members[NOTE], manifest.deployment, policy)
        _, signatures = note.split(members[NOTE])
    except IntegrityError as error:
        raise Refused("MANIFEST-NOT-SIGNED", NOTE) from error
    # One signature and nothing else: the note is the only member that no hash covers.
    if text != manifest.note_text() or len(signatures) != 1:
        raise Refused("MANIFEST-NOT-SIGNED", NOTE)
    return manifest


def _check_members(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    """The members are those of the manifest, and the manifest lists what a bundle holds, in its order."""
    names = [member.name for member in manifest.members]
    if names != list(members)[2:] or names != _expected(set(names)):
        raise Refused("MEMBERS-DIFFER")
    for member in manifest.members:
        data = members[member.name]
        if len(data) != member.bytes or canonical.sha256_hex(data) != member.sha256:
            raise Refused("MEMBER-ALTERED", member.name)


def _expected(names: set[str]) -> list[str]:
    """The order in which the writer would put these names; a different list when one cannot be there."""
    expected, number = [*FIXED, *({ATTESTATION} & names)], 0
    while f"entries/{number:03d}.bin" in names:
        stem = f"entries/{number:03d}"
        body = [f"{stem}.body"] if f"{stem}.body" in names else []
        expected += [f"{stem}.bin", *body, f"{stem}.tlog-proof"]
        number += 1
    expected += sorted(name for name in names if name.startswith("evidence/"))
    stems = sorted({name.partition(".")[0] for name in names if name.startswith(stamps.FOLDER)})
    return expected + [stem + suffix for stem in stems for suffix in stamps.SUFFIXES]


def _verified(name: str, entry: ReadEntry, stamped: list[Stamp], *, erased: bool) -> VerifiedEntry:
    status = INCLUDED_ERASED if erased and entry.facts.commitments else INCLUDED
    at = earliest(stamped, entry.origin, entry.index)
    return VerifiedEntry(name, entry.origin, entry.index, entry.topic, entry.kind, entry.at, status, at)


def _told(stamp: Stamp, entries: Sequence[ReadEntry]) -> Timestamp:
    judged, count = stamp.judged, sum(stamp.covers(entry.origin, entry.index) for entry in entries)
    reason = None if judged.reason is None else judged.reason.value
    return Timestamp(stamp.sha256, judged.at is not None, judged.authority, judged.at, reason, count)


def _known(origin: str, size: int, checkpoints: Mapping[str, Witnessed]) -> KnownLog:
    witnessed = checkpoints.get(origin)
    return KnownLog(origin, size, witnessed is not None, witnessed.witnesses if witnessed else ())


def _evidence(
    manifest: Manifest, entries: Sequence[ReadEntry], members: Mapping[str, bytes]
) -> tuple[EvidenceFile, ...]:
    """Files named by the entries: joined, held or owed. Raises Refused on one that no entry names."""
    named = evidence_of(entries)
    joined = {name for name in members if name.startswith("evidence/")}
    for name in sorted(joined - {member_name(item.sha256) for item in named}):
        raise Refused("EVIDENCE-UNKNOWN", name)
    for item in named:
        name = member_name(item.sha256)
        if name in joined and canonical.sha256_hex(members[name]) != item.sha256:
            raise Refused("EVIDENCE-UNKNOWN", name)
    held = {item.sha256: item.bytes for item in manifest.held}
    if not held.keys() <= {item.sha256 for item in named if member_name(item.sha256) not in joined}:
        raise Refused("EVIDENCE-UNKNOWN", MANIFEST)
    return tuple(
        EvidenceFile(i.sha256, i.what, i.owed_by, member_name(i.sha256) in joined, held.get(i.sha256)) for i in named
    )
