"""Bundles that a dishonest platform could make: whatever bytes, all hashes, proofs and signatures redone over them.

The writer refuses to make these; the logs here are signed by the real test keys, so that only what is said is wrong.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bundle_world import BUNDLE, DEPLOYMENT, LOG, RECORD, WITNESSES, World
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.proof_archive.bundles.build import stem
from services.proof_archive.bundles.canonical_zip import write_zip
from services.proof_archive.bundles.disclosures import open_verdicts, read_disclosures
from services.proof_archive.bundles.entries import read_entry
from services.proof_archive.bundles.readme import README_FR
from services.proof_archive.bundles.timeline import timeline_of
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import CompactRange, inclusion_proof, leaf_hash
from shared.crypto.note import RawSignature, Signer
from shared.crypto.tlog_proof import TlogProof

Members = dict[str, bytes]
AT = 1_789_374_700


def sign_bytes(signer: Signer, text: bytes) -> RawSignature:
    """A signature over any bytes, whether or not a note may hold them."""
    value = Ed25519PrivateKey.from_private_bytes(signer.seed).sign(text)
    return RawSignature(signer.name, signer.verifier.key_id, value)


def signed_text(text: str, witnesses: int = 2, signer: Signer = LOG) -> bytes:
    """A note of any text, by the log and by witnesses."""
    lines = [sign_bytes(signer, text.encode()), *(w.cosign(text, AT) for w in WITNESSES[:witnesses])]
    return (text + "\n" + "".join(line.line() for line in lines)).encode()


def resigned(members: Mapping[str, bytes], manifest: Mapping[str, Any]) -> bytes:
    """The bundle of these members, its manifest listing and hashing them, signed by the bundle key."""
    rest = {name: data for name, data in members.items() if name not in {"manifest.json", "manifest.note"}}
    listed = [{"name": name, "sha256": canonical.sha256_hex(data), "bytes": len(data)} for name, data in rest.items()]
    data = canonical.dumps({**manifest, "members": listed})
    return write_zip([("manifest.json", data), ("manifest.note", manifest_note(manifest, data)), *rest.items()])


def manifest_note(manifest: Mapping[str, Any], data: bytes, signer: Signer = BUNDLE) -> bytes:
    """The note over a manifest's bytes."""
    record = str(manifest.get("record", RECORD))
    return note.sign(f"opposable-bundle\n{clean(record)}\n{canonical.sha256_hex(data)}\n", [signer])


def clean(text: str) -> str:
    """What a note may hold of it."""
    return "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff")


@dataclass
class Forged:
    """A bundle to be: bytes of the entries of each log, which of them go in, and what is said beside."""

    logs: dict[str, list[bytes]]
    bodies: dict[tuple[str, int], bytes]
    mine: Sequence[tuple[str, int]]
    disclosures: bytes = b"[]"
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    checkpoint_text: Mapping[str, str] = field(default_factory=dict)
    """What the checkpoint of a topic's log says instead."""

    @classmethod
    def of(cls, world: World, disclosures: bytes = b"[]") -> "Forged":
        logs = {topic: [entry.data for entry in entries] for topic, entries in world.logs.items()}
        bodies = {(topic, n): e.body for topic, entries in world.logs.items() for n, e in enumerate(entries) if e.body}
        return cls(logs, bodies, list(world.mine), disclosures)

    def bundle(self) -> bytes:
        """Everything consistent with itself, whatever the entries say."""
        members: Members = {
            "LISEZMOI.txt": README_FR.encode(),
            "disclosures.json": self.disclosures,
            "timeline.json": b"",
        }
        references, read, stems = [], [], []
        notes = {topic: self._note(topic) for topic in self.logs}
        checkpoints = [{"origin": origin_of(topic), "size": len(self.logs[topic])} for topic in sorted(self.logs)]
        for number, (topic, index) in enumerate(sorted(set(self.mine))):
            name, data, body = stem(number), self.logs[topic][index], self.bodies.get((topic, index))
            members[f"{name}.bin"] = data
            if body is not None:
                members[f"{name}.body"] = body
            members[f"{name}.tlog-proof"] = TlogProof(index, self._proof(topic, index), notes[topic]).marshal()
            try:
                read.append(read_entry(origin_of(topic), index, data, body, name))
                stems.append(name)
                references.append(read[-1].reference().model_dump())
            except Refused:
                references.append({"origin": origin_of(topic), "index": index, **said_by(data, topic)})
        with contextlib.suppress(Refused, TypeError):
            read = open_verdicts(read, read_disclosures(self.disclosures, dict(zip(stems, read, strict=True))), stems)
        members["timeline.json"] = timeline_of(read)
        members.update({f"evidence/{name}.bin": data for name, data in sorted(self.evidence.items())})
        manifest = {
            "v": 1, "deployment": DEPLOYMENT, "record": RECORD, "references": references, "checkpoints": checkpoints, "held": [],
            "requested_for": {"scope": "auditor", "party": None}, "erased": any(entry.is_erasure for entry in read),
        }  # fmt: skip
        return resigned(members, manifest)

    def _note(self, topic: str) -> bytes:
        leaves = [leaf_hash(data) for data in self.logs[topic]]
        text = Checkpoint(origin_of(topic), len(leaves), CompactRange().extend(leaves).root()).marshal()
        return signed_text(self.checkpoint_text.get(topic, text))

    def _proof(self, topic: str, index: int) -> tuple[bytes, ...]:
        nodes: dict[tuple[int, int], bytes] = {}
        leaves = [leaf_hash(data) for data in self.logs[topic]]
        CompactRange().extend(leaves, lambda level, at, node: nodes.__setitem__((level, at), node))
        return tuple(inclusion_proof(index, len(leaves), lambda level, at: nodes[level, at]))


def origin_of(topic: str) -> str:
    """The log of a topic."""
    return f"{DEPLOYMENT}/{topic}/00112233445566ff/p00"


def said_by(data: bytes, topic: str) -> dict[str, str]:
    """Topic and kind that an entry seems to state."""
    try:
        entry = json.loads(data)
        return {"topic": str(entry["topic"]), "kind": str(entry["facts"]["kind"])}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {"topic": topic, "kind": "unreadable"}
