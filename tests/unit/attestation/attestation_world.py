"""Cases for attestations: the bundle world with all that a page must tell, in every variant."""

import hashlib
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime

from services.proof_archive.attestation.case import Case
from services.proof_archive.attestation.independence import independence_of
from services.proof_archive.bundles.manifest import Audience
from shared.crypto.policy import parse_policy
from tests.unit.bundle import bundle_world as base

AT = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HOSTILE = '#panic("x") $a$ *b* _c_ `d` \\e @f <g> // /* #read("/etc/passwd") ] } "quote" = h'
LONG_NAME = (
    "Compagnie Européenne de Télécommunications, d’Énergie et de Services aux Particuliers et aux Professionnels SAS"
)


def png(width=900, height=1200):
    """A screenshot: lines of a form, in grey."""
    rows = []
    for y in range(height):
        dark = y % 120 < 8 or (200 < y < 260)
        pixel = b"\x33\x44\x66" if dark else b"\xf4\xf5\xf8"
        rows.append(b"\0" + pixel * width)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")  # fmt: skip


PICTURE = png()
PICTURE_SHA256 = hashlib.sha256(PICTURE).hexdigest()
CANALVERT = {"party": "canalvert", "legal_name": "Canal Vert SA", "siren": "999000029", "channels": ["email", "sms", "call"], "purposes": ["prospecting"]}  # fmt: skip
HIBOU = {"party": "hibou", "legal_name": "Assurances du Hibou SA", "siren": "999000227", "channels": ["email"], "purposes": ["prospecting"]}  # fmt: skip


def line(recipient="canalvert", channel="email", verdict="valid", value="granted", reasons=("LIST-NOT-NAMED",)):
    made = base.line(recipient, channel, verdict)
    return {**made, "value": value, "reasons": [] if verdict == "valid" else list(reasons)}


def world(lines=None, entries=(CANALVERT, HIBOU), screenshot=PICTURE_SHA256, verdict=True, **consent):
    """A consent with its form, notice, list and agreement, assessed."""
    w = base.World()
    documents = {
        "form:jeu-rentree:7": {
            "kind": "form", "id": "jeu-rentree", "version": 7, "collector": "acme", "html_sha256": base.PAGE_SHA256,
            "screenshot_sha256": screenshot, "medium": "web",
            "boxes": [{"id": "b-courriel", "channels": ["email"], "purposes": ["prospecting"], "default": "off"},
                      {"id": "b-sms", "channels": ["sms"], "purposes": ["prospecting"], "default": "off"},
                      {"id": "b-appel", "channels": ["call"], "purposes": ["prospecting"], "default": "off"}],
        },
        "notice:mentions:2026-08": {"kind": "notice", "id": "mentions", "version": "2026-08", "sha256": "5" * 64},
        "list:acme-partners:12": {"kind": "list", "id": "acme-partners", "version": 12, "collector": "acme",
                                  "entries": list(entries), "sha256": "6" * 64, "published_at": "2026-09-10T06:00:00Z"},
        "agreement:acme-canalvert:3": {"kind": "agreement", "id": "acme-canalvert", "version": 3, "collector": "acme",
                                       "prospector": "canalvert", "document_sha256": base.CONTRACT_SHA256},
        "party:acme": {"kind": "party", "id": "acme", "legal_name": "ACME Jeux SAS"},
    }  # fmt: skip
    references = []
    for key, document in documents.items():
        offset, at = w.publish("registry", document)
        references.append({"key": key, "offset": offset, "archived_at": at})
    facts = base.consent_facts(
        notice={"id": "mentions", "version": "2026-08", "sha256": "5" * 64, "language": "fr"},
        recipient_list={"id": "acme-partners", "version": 12, "sha256": "6" * 64, "displayed_at": "2026-09-14T08:30:41.000Z"},
        action={"type": "checkbox", "default_state": "off", "confirmed_by": "double_opt_in"},
        decisions=[
            {"channel": "email", "purpose": "prospecting", "value": "granted", "recipients": "all_listed", "object": None},
            {"channel": "call", "purpose": "prospecting", "value": "granted", "recipients": ["canalvert"],
             "object": "abonnements de télévision"},
            {"channel": "sms", "purpose": "prospecting", "value": "refused", "recipients": ["hibou"], "object": None},
        ],
        attachments=[],
    ) | consent  # fmt: skip
    w.facts("consents", facts)
    if verdict:
        given = lines or [
            line(),
            line(channel="call"),
            line("hibou"),
            line("hibou", "sms", "invalid", "refused", ["REFUSED"]),
        ]
        w.facts("verdicts", base.verdict_facts(references, lines=given))
    return w


def withdraw(w, parties=("canalvert", "hibou")):
    """A withdrawal by the first party, told to all, answered by the first."""
    w.at = base.START + 18 * 86_400_000
    stop = {
        "kind": "stop.recorded", "stop": base.STOP, "stop_id": "s1", "source": "canalvert", "stop_kind": "withdrawal",
        "at": "2026-10-02T08:31:00.000Z", "received_at": "2026-10-02T08:31:07.000Z", "via": "portal", "record": None,
        "recipients": "all", "channels": "all", "purposes": "all", "contact_types": ["email"], "commitments": {},
    }  # fmt: skip
    w.facts("stops", stop)
    for number, party in enumerate(parties):
        order = {
            "order": f"{party[:1] * 40}",
            "stop": base.STOP,
            "party": party,
            "record": base.RECORD,
            "at": stop["at"],
        }
        due = {"ack_due_at": "2026-10-03T08:31:07.000Z", "channels": "all", "purposes": "all", "recipients": "all"}
        w.facts("deliveries", {"kind": "delivery.ordered", **order, **due, "reminder": 0})
        if number == 0:
            answer = {"source": party, "event_id": "e", "received_at": "2026-10-02T09:00:00.000Z"}
            w.facts("reports", {"kind": "order.acknowledged", **answer, "order": order["order"], "status": "applied",
                                "applied_at": "2026-10-02T08:45:00.000Z"})  # fmt: skip
            w.facts("deliveries", {"kind": "delivery.acknowledged", **order, "status": "applied", "closed": True})
        else:
            w.facts("deliveries", {"kind": "delivery.reminded", **order, **due, "reminder": 1})
            w.facts("deliveries", {"kind": "delivery.escalated", **order})
    return w


def erase(w):
    w.facts("erasures", {"kind": "record.erased", "record": base.RECORD, "at": "2026-10-04T00:00:00.000Z"})
    return w


COLLECTOR = Audience(scope="collector", party="acme")
PROSPECTOR = Audience(scope="prospector", party="canalvert")


def case_of(w, audience=PROSPECTOR, policy=base.POLICY, *, picture=True, disclosed=True, pending=0, **changes):
    """The case of a world, for an audience."""
    request = w.request(
        requested_for=audience, disclosures=w.disclosures() if disclosed else (), evidence={}, **changes
    )  # fmt: skip
    if picture:
        request = replace(request, evidence={PICTURE_SHA256: PICTURE})
    consent = (w.origin("consents"), base.consent_index(w))
    return Case.of(request, AT, independence_of(request, parse_policy(policy), consent), pending)


def variants():
    """Every variant of an attestation, by name."""
    many = [
        {"party": f"societe-{n}", "legal_name": f"{LONG_NAME} n° {n}", "siren": f"9990{n:05d}", "channels": ["email"], "purposes": ["prospecting"]}
        for n in range(80)
    ]  # fmt: skip
    many_lines = [line(f"societe-{n}", "email", "valid" if n % 3 else "invalid", reasons=["AGREEMENT-INCOMPLETE", "LIST-NOT-NAMED"]) for n in range(80)]  # fmt: skip
    hostile = [{**CANALVERT, "legal_name": HOSTILE}, {**HIBOU, "legal_name": "漢字 \u202e\u200b😀 " + "W" * 300}]
    return {
        "granted": case_of(world(), policy=base.WITNESSED_POLICY),
        "granted-collector": case_of(world(), COLLECTOR),
        "invalid": case_of(world([line(verdict="invalid", reasons=["LIST-NOT-NAMED", "FORM-UNBALANCED"])]), picture=False, disclosed=False),
        "refused": case_of(world([line(verdict="invalid", value="refused", reasons=["REFUSED"])]), disclosed=False),
        "review": case_of(world([line(verdict="review", reasons=["EVIDENCE-LATE"])])),
        "unassessed": case_of(world(verdict=False), COLLECTOR, pending=1),
        "withdrawn": case_of(withdraw(world())),
        "withdrawn-collector": case_of(withdraw(world()), COLLECTOR),
        "erased": case_of(erase(withdraw(world())), COLLECTOR, disclosed=False, picture=False),
        "no-screenshot": case_of(world(screenshot=None)),
        "many": case_of(world(many_lines, entries=many), COLLECTOR),
        "hostile": case_of(world(entries=hostile, form={"id": HOSTILE, "version": 7, "sha256": "x" * 200}), COLLECTOR, picture=False),
    }  # fmt: skip
