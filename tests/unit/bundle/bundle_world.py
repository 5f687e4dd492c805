"""An in-memory platform: logs of entries made as the archive makes them, signed checkpoints, and the bundle of a record."""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from services.proof_archive.bundles.build import BundleEntry, BundleInput, build_bundle
from services.proof_archive.bundles.disclosures import Disclosure, disclose, disclose_lines
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.domain import entry_of
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.merkle import CompactRange, inclusion_proof, leaf_hash
from shared.crypto.note import Signer
from shared.crypto.sealing import RecordKey, commitments, seal
from shared.instants import format_instant, from_millis
from shared.kafka.record import StoredRecord
from shared.verdicts import Opened, event_of, pointer_of

DEPLOYMENT = "opposable.test"
LOG = Signer(DEPLOYMENT, b"l" * 32)
BUNDLE = Signer(f"{DEPLOYMENT}/bundle", b"b" * 32)
WITNESSES = [Cosigner(f"w{n}.example", bytes([n]) * 32) for n in (1, 2, 3)]
LOGS = f"log {LOG.verifier.vkey()}\nlog {BUNDLE.verifier.vkey()}\n"
POLICY = LOGS + "quorum none\n"
WITNESSED_POLICY = (
    LOGS
    + "".join(f"witness w{n} {w.verifier.vkey()}\n" for n, w in enumerate(WITNESSES, start=1))
    + "group g 2 w1 w2 w3\nquorum g\n"
)

RECORD = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
OTHER = "acme/0190f6c2-0000-7cc3-9a55-2f4e0f5b8a11"
KEY = RecordKey(bytes(range(32)))
START = 1_789_374_667_000  # 2026-09-14T08:31:07Z
SEALED = {
    "contacts": [{"type": "email", "value": "jeanne.martin@exemple.fr"}, {"type": "phone", "value": "+33612345678"}],
    "subject_ref": "lead-88231",
}
POINTERS = ["/contacts/0/value", "/contacts/1/value", "/subject_ref"]
PAGE = b"<html>jeu de la rentree</html>"
PAGE_SHA256 = hashlib.sha256(PAGE).hexdigest()
CONTRACT_SHA256 = hashlib.sha256(b"contract").hexdigest()
STOP, ORDER, REQUEST = "canalvert/s1", "o" * 40, "canalvert/r1"

Place = tuple[str, int]


@dataclass
class World:
    """Logs by topic; `at` moves one second per record."""

    at: int = START
    logs: dict[str, list[Any]] = field(default_factory=dict)
    mine: list[Place] = field(default_factory=list)
    whole: dict[int, Opened] = field(default_factory=dict)

    def publish(self, topic: str, value: dict[str, Any], *, key: bytes = b"k", mine: bool = True) -> tuple[int, str]:
        """Archive one record; returns its offset and its archived time."""
        log = self.logs.setdefault(topic, [])
        record = StoredRecord(topic, 0, len(log), self.at, key, canonical.dumps(value))
        log.append(entry_of(record))
        if mine:
            self.mine.append((topic, record.offset))
        self.at += 1000
        return record.offset, format_instant(from_millis(record.timestamp))

    def verdict(self, references: list[dict[str, Any]], **options: Any) -> tuple[int, str]:
        """A verdict that commits to each of its lines apart. References to an agreement are those of its own lines."""
        changes = {name: options.pop(name) for name in list(options) if name != "mine"}
        facts = verdict_facts([one for one in references if not one["key"].startswith("agreement:")], **changes)
        own = {
            one["key"].split(":")[1].partition("-")[2]: one for one in references if one["key"].startswith("agreement:")
        }
        lines = [
            {"references": [own[line["recipient"]]], **line} if line.get("recipient") in own else line
            for line in facts.pop("lines")
        ]
        opened = Opened(bytes([7]) * 32, lines)
        at = self.publish("verdicts", event_of(facts, opened), **options)
        self.whole[at[0]] = opened
        return at

    def facts(self, topic: str, facts: dict[str, Any], **options: Any) -> tuple[int, str]:
        return self.publish(topic, {"facts": {"v": 1, **facts}}, **options)

    def origin(self, topic: str) -> str:
        return f"{DEPLOYMENT}/{topic}/00112233445566ff/p00"

    def checkpoint(self, topic: str, size: int | None = None, witnesses: list[Cosigner] | None = None) -> bytes:
        leaves = [leaf_hash(entry.data) for entry in self.logs[topic]][:size]
        text = Checkpoint(self.origin(topic), len(leaves), CompactRange().extend(leaves).root()).marshal()
        chosen = WITNESSES[:2] if witnesses is None else witnesses
        return note.join(text, [LOG.sign(text), *(w.cosign(text, self.at // 1000) for w in chosen)])

    def entry(self, topic: str, index: int, size: int | None = None) -> BundleEntry:
        log = self.logs[topic][:size]
        nodes: dict[tuple[int, int], bytes] = {}
        CompactRange().extend((leaf_hash(e.data) for e in log), lambda level, at, h: nodes.__setitem__((level, at), h))
        proof = inclusion_proof(index, len(log), lambda level, at: nodes[level, at])
        return BundleEntry(self.origin(topic), index, log[index].data, tuple(proof), log[index].body)

    def request(self, **changes: Any) -> BundleInput:
        request = BundleInput(
            deployment=DEPLOYMENT,
            record=RECORD,
            requested_for=Audience(scope="prospector", party="canalvert"),
            checkpoints={self.origin(topic): self.checkpoint(topic) for topic in self.logs},
            entries=[self.entry(*place) for place in self.mine],
        )
        return replace(request, **changes)

    def bundle(self, **changes: Any) -> bytes:
        return build_bundle(self.request(**changes), BUNDLE)

    def lines(self, *pointers: str) -> list[Disclosure]:
        """Disclosures of these lines of every verdict of the record; of all, where none is named."""
        mine = [(index, self.whole[index]) for topic, index in self.mine if topic == "verdicts" and index in self.whole]
        return [
            one
            for index, opened in mine
            for one in disclose_lines(
                self.origin("verdicts"), index, opened, pointers or [pointer_of(n) for n in range(len(opened.lines))]
            )
        ]

    def disclosures(self, *pointers: str) -> list[Disclosure]:
        return disclose(self.origin("consents"), consent_index(self), KEY, SEALED, pointers or POINTERS)


def consent_index(world: World) -> int:
    return next(index for topic, index in world.mine if topic == "consents")


def consent_facts(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "consent.recorded", "record": RECORD, "collector": "acme", "consent_id": RECORD.split("/")[1],
        "collected_at": "2026-09-14T08:31:06.120Z", "received_at": "2026-09-14T08:31:07.000Z", "medium": "web",
        "form": {"id": "jeu-rentree", "version": 7, "sha256": PAGE_SHA256}, "notice": None, "recipient_list": None,
        "attachments": [{"kind": "screenshot", "sha256": "a" * 64, "bytes": 48211}],
        "commitments": commitments(KEY, SEALED, POINTERS), **changes,
    }  # fmt: skip


def line(recipient: str, channel: str, verdict: str = "valid") -> dict[str, Any]:
    return {
        "recipient": recipient, "channel": channel, "purpose": "prospecting", "sector": "general", "object": None,
        "value": "granted", "verdict": verdict, "basis": "consent", "valid_from": None, "valid_until": "2027-09-13",
        "reasons": [] if verdict == "valid" else ["LIST-NOT-NAMED"],
    }  # fmt: skip


def verdict_facts(references: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "kind": "consent.assessed", "record": RECORD, "collector": "acme", "ruleset": "2026-11-24.1", "ruleset_seq": 1,
        "registry_offset": 9, "evaluated_at": "2026-09-14T08:31:07.000Z", "references": references,
        "lines": [line("canalvert", "email"), line("canalvert", "sms", "invalid")], **changes,
    }  # fmt: skip


def plain_world(*, version: int = 1, **verdict: Any) -> World:
    """A consent, assessed: three logs, with neighbours that are other people's. `version`: of the verdict's facts."""
    world = World()
    world.publish("registry", {"kind": "party", "id": "noise"}, mine=False)
    form = {"kind": "form", "id": "jeu-rentree", "version": 7, "collector": "acme", "html_sha256": PAGE_SHA256}
    form_at = world.publish("registry", form)
    agreement = {"kind": "agreement", "id": "acme-canalvert", "version": 3, "document_sha256": CONTRACT_SHA256}
    agreement_at = world.publish("registry", agreement)
    references = [
        {"key": "form:jeu-rentree:7", "offset": form_at[0], "archived_at": form_at[1]},
        {"key": "agreement:acme-canalvert:3", "offset": agreement_at[0], "archived_at": agreement_at[1]},
    ]
    world.facts("consents", consent_facts(record=OTHER), mine=False)
    sealed = base64.b64encode(seal(KEY, "consent.recorded", RECORD, SEALED)).decode()
    world.publish("consents", {"facts": {"v": 1, **consent_facts()}, "sealed": sealed})
    if version == 1:
        world.facts("verdicts", verdict_facts(references, **verdict))
    else:
        world.verdict(references, **verdict)
    world.facts("verdicts", verdict_facts([], record=OTHER), mine=False)
    return world


OTHERS = [
    ("canalvert", "email", "valid"),
    ("voltis", "email", "valid"),
    ("canalvert", "sms", "invalid"),
    ("nordia", "call", "review"),
]
"""Lines of a verdict on several prospecteurs: `/lines/0` and `/lines/2` are canalvert's."""
OWN = ("/lines/0", "/lines/2")
"""What canalvert is shown of it."""


def shared_world() -> World:
    """A consent that names three prospecteurs, assessed in one verdict that commits to each line apart."""
    return plain_world(version=2, lines=[line(*one) for one in OTHERS])


def stopped_world(**plain: Any) -> World:
    """The same, then a stop by e-mail that names no record, its order, the answer, and other traces."""
    world = plain_world(**plain)
    stop = {
        "kind": "stop.recorded", "stop": STOP, "stop_id": "s1", "source": "canalvert", "stop_kind": "withdrawal",
        "at": "2026-10-02T17:05:00.000Z", "received_at": "2026-10-02T17:05:01.000Z", "via": "portal", "record": None,
        "recipients": "all", "channels": ["email"], "purposes": "all", "contact_types": ["email"], "commitments": {},
    }  # fmt: skip
    world.facts("stops", stop)
    order = {"order": ORDER, "stop": STOP, "party": "canalvert", "record": RECORD, "at": "2026-10-02T17:05:00.000Z"}
    due = {"ack_due_at": "2026-10-03T17:05:01.000Z", "channels": ["email"], "purposes": "all", "recipients": "all"}
    world.facts("deliveries", {"kind": "delivery.ordered", **order, **due, "reminder": 0})
    world.facts(
        "deliveries", {"kind": "delivery.ordered", **order, **due, "record": OTHER, "order": "p" * 40}, mine=False
    )
    world.facts("deliveries", {"kind": "delivery.reminded", **order, **due, "reminder": 1})
    world.facts("deliveries", {"kind": "delivery.escalated", **order})
    world.facts("deliveries", {"kind": "delivery.acknowledged", **order, "status": "applied", "closed": True})
    report = {"source": "canalvert", "event_id": "e", "received_at": "2026-10-02T18:00:00.000Z"}
    world.facts("reports", {
        "kind": "order.acknowledged", **report, "order": ORDER, "status": "applied", "applied_at": "2026-10-02T17:30:00.000Z",
    })  # fmt: skip
    world.facts("reports", {"kind": "notice.given", **report, "record": RECORD, "at": "2026-09-20T00:00:00.000Z"})
    transfer = {"to": "sub", "at": "2026-09-20T00:00:00.000Z", "fields": ["email"]}
    world.facts("reports", {"kind": "data.transferred", **report, "record": RECORD, **transfer})
    attempt = {"channel": "email", "at": "2026-09-21T00:00:00.000Z", "outcome": "delivered"}
    world.facts("reports", {"kind": "contact.attempted", **report, "record": RECORD, **attempt})
    world.facts("requests", {"kind": "request.received", "request": REQUEST, "source": "canalvert", "right": "access",
                             "record": RECORD, "received_at": "2026-10-02T18:00:00.000Z", "commitments": {}})  # fmt: skip
    world.facts("consents", {"kind": "consent.conflict", "record": RECORD, "collector": "acme", "event_id": "again"})
    return world


def erased_world(**plain: Any) -> World:
    world = stopped_world(**plain)
    world.facts("erasures", {"kind": "record.erased", "record": RECORD, "at": "2026-10-04T00:00:00.000Z"})
    return world


def manifest_of(members: dict[str, bytes]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(members["manifest.json"])
    return manifest
