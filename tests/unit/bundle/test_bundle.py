import hashlib
import json
from dataclasses import replace

import pytest
from bundle_world import (
    BUNDLE,
    CONTRACT_SHA256,
    DEPLOYMENT,
    LOG,
    ORDER,
    OTHER,
    PAGE,
    PAGE_SHA256,
    POINTERS,
    POLICY,
    RECORD,
    SEALED,
    STOP,
    WITNESSED_POLICY,
    World,
    consent_facts,
    consent_index,
    erased_world,
    line,
    plain_world,
    stopped_world,
    verdict_facts,
)

from services.proof_archive.bundles import build as bundle_module
from services.proof_archive.bundles.build import build_bundle
from services.proof_archive.bundles.canonical_zip import read_zip, write_zip
from services.proof_archive.bundles.manifest import Audience, Reference
from services.proof_archive.verifying.result import INCLUDED, INCLUDED_ERASED
from services.proof_archive.verifying.verify import verify_bundle
from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError


def contents_of(bundle, policy=POLICY):
    verification = verify_bundle(bundle, policy)
    assert verification.problems == ()
    assert verification.valid
    return verification.contents


def test_a_consent_is_proven():
    world = plain_world()
    contents = contents_of(world.bundle())
    assert (contents.deployment, contents.record) == (DEPLOYMENT, RECORD)
    assert (contents.requested_for, contents.party) == ("prospector", "canalvert")
    assert [(entry.topic, entry.kind, entry.status) for entry in contents.entries] == [
        ("consents", "consent.recorded", INCLUDED),
        ("registry", "form", INCLUDED),
        ("registry", "agreement", INCLUDED),
        ("verdicts", "consent.assessed", INCLUDED),
    ]
    assert [(log.size, log.proven) for log in contents.logs] == [(2, True), (3, True), (2, True)]
    assert contents.withheld == ()
    assert not contents.erased
    assert contents.state.code == "assessed"
    assert [(item.channel, item.state) for item in contents.state.lines] == [("email", "valid"), ("sms", "invalid")]
    assert not contents.independent
    assert (contents.witnessed.seen_by, contents.witnessed.known) == (0, 0)


def test_the_same_input_gives_the_same_bytes():
    world = stopped_world()
    entries = world.request().entries
    assert world.bundle() == world.bundle(entries=entries[::-1])


def test_witnesses_make_it_independent():
    contents = contents_of(stopped_world().bundle(), WITNESSED_POLICY)
    assert contents.independent
    assert (contents.witnessed.seen_by, contents.witnessed.known) == (2, 3)
    assert all(log.witnesses == ("w1", "w2") for log in contents.logs)


def test_too_few_witnesses_are_refused():
    world = plain_world()
    checkpoints = {world.origin(topic): world.checkpoint(topic) for topic in world.logs}
    checkpoints[world.origin("consents")] = world.checkpoint("consents", witnesses=[])
    assert (
        verify_bundle(world.bundle(checkpoints=checkpoints), WITNESSED_POLICY).problems[0].code == "CHECKPOINT-REFUSED"
    )
    assert verify_bundle(world.bundle(checkpoints=checkpoints), POLICY).valid


def test_a_stop_that_names_no_record_is_tied_by_its_order():
    contents = contents_of(stopped_world().bundle())
    assert contents.state.code == "stopped"
    assert [(item.state, item.stops) for item in contents.state.lines] == [("stopped", (STOP,)), ("invalid", ())]
    assert {entry.kind for entry in contents.entries} >= {
        "stop.recorded", "delivery.ordered", "delivery.acknowledged", "order.acknowledged", "notice.given",
        "data.transferred", "contact.attempted", "request.received", "consent.conflict",
    }  # fmt: skip


def test_a_stop_older_than_the_consent_does_not_cover_it():
    world = plain_world()
    stop = {"kind": "stop.recorded", "stop": STOP, "source": "canalvert", "stop_kind": "objection", "record": RECORD}
    world.facts("stops", {**stop, "at": "2026-09-14T08:31:06.119Z"})
    assert contents_of(world.bundle()).state.code == "assessed"
    world.facts("stops", {**stop, "stop": "canalvert/s2", "at": "2026-09-14T08:31:06.120Z"})
    assert contents_of(world.bundle()).state.lines[0].stops == ("canalvert/s2",)


@pytest.mark.parametrize(
    ("scope", "states"),
    [
        ({}, ["stopped", "invalid"]),
        ({"recipients": ["canalvert"], "channels": ["email"], "purposes": ["prospecting"]}, ["stopped", "invalid"]),
        ({"recipients": ["other"]}, ["valid", "invalid"]),
        ({"recipients": "canalvert-and-more"}, ["valid", "invalid"]),  # neither "all" nor a list: covers nothing
        ({"channels": ["sms", "call"]}, ["valid", "invalid"]),
        ({"purposes": ["ad_tracking"]}, ["valid", "invalid"]),
    ],
)
def test_a_stop_covers_what_its_scope_says(scope, states):
    world = plain_world()
    at = "2026-10-02T17:05:00.000Z"
    stop = {"kind": "stop.recorded", "stop": STOP, "source": "x", "stop_kind": "objection", "record": RECORD, "at": at}
    world.facts("stops", {**stop, **scope})
    assert [item.state for item in contents_of(world.bundle()).state.lines] == states


def test_a_bundle_over_the_limits_is_not_made(monkeypatch):
    world = plain_world()
    size, members = len(world.bundle()), len(read_zip(world.bundle()))
    for name, most in (("MAX_BYTES", size), ("MAX_MEMBERS", members)):
        with monkeypatch.context() as limits:
            limits.setattr(bundle_module, name, most)
            world.bundle()
            limits.setattr(bundle_module, name, most - 1)
            with pytest.raises(IntegrityError, match="too large"):
                world.bundle()


def test_a_body_of_another_length_makes_no_bundle():
    world = World()
    world.facts("consents", consent_facts())
    world.facts("verdicts", verdict_facts([], lines=[line(f"party-{n:04d}", "email") for n in range(400)]))
    one, two = world.request().entries
    wrong = two.data.replace(b'{"bytes":%d' % len(two.body), b'{"bytes":%d' % (len(two.body) + 1))
    assert wrong != two.data
    with pytest.raises(IntegrityError, match="ENTRY-BODY"):
        world.bundle(entries=[one, replace(two, data=wrong)])


def test_the_highest_verdict_tells_the_state():
    world = plain_world()
    world.facts("verdicts", verdict_facts([], registry_offset=10, lines=[line("canalvert", "email", "review")]))
    world.facts("verdicts", verdict_facts([], registry_offset=8))
    assert [item.state for item in contents_of(world.bundle()).state.lines] == ["review"]


def test_a_consent_not_assessed_yet_is_proven_as_such():
    world = World()
    world.facts("consents", consent_facts())
    assert contents_of(world.bundle()).state.code == "unassessed"


def test_an_erased_record_still_verifies():
    contents = contents_of(erased_world().bundle())
    assert contents.erased
    assert contents.state.code == "erased"
    assert {entry.status for entry in contents.entries if entry.kind == "consent.recorded"} == {INCLUDED_ERASED}
    assert {entry.status for entry in contents.entries if entry.kind == "consent.assessed"} == {INCLUDED}


def test_an_erased_record_discloses_nothing():
    world = erased_world()
    bundle = world.bundle(disclosures=world.disclosures())
    assert verify_bundle(bundle, POLICY).problems[0].code == "ERASURE-DIFFERS"


def test_disclosed_values_are_those_committed_to():
    world = plain_world()
    contents = contents_of(world.bundle(disclosures=world.disclosures("/contacts/1/value", "/subject_ref")))
    assert [(item.entry, item.pointer, item.value) for item in contents.disclosed] == [
        ("entries/000", "/contacts/1/value", "+33612345678"),
        ("entries/000", "/subject_ref", "lead-88231"),
    ]


def test_what_is_not_disclosed_is_nowhere_in_the_bundle():
    world = stopped_world()
    bundle = world.bundle(disclosures=world.disclosures("/subject_ref"))
    assert b"lead-88231" in bundle
    for secret in (b"jeanne.martin", b"33612345678"):
        assert secret not in bundle


def test_a_wrong_value_or_salt_makes_no_bundle():
    world = plain_world()
    good = world.disclosures("/subject_ref")[0]
    for bad in (replace(good, value="lead-2"), replace(good, salt=bytes(32)), replace(good, pointer="/missing")):
        with pytest.raises(IntegrityError):
            world.bundle(disclosures=[bad])
    with pytest.raises(IntegrityError, match="does not hold"):
        world.bundle(disclosures=[replace(good, index=99)])
    with pytest.raises(IntegrityError):
        world.bundle(disclosures=[good, good])


def test_facts_beside_their_entry_are_joined():
    world = World()
    world.facts("consents", consent_facts(), mine=True)
    many = [line(f"party-{n:04d}", "email") for n in range(400)]
    world.facts("verdicts", verdict_facts([], lines=many))
    assert world.logs["verdicts"][0].body is not None
    bundle = world.bundle()
    assert "entries/001.body" in read_zip(bundle)
    assert len(contents_of(bundle).state.lines) == 400


def test_evidence_is_joined_or_owed():
    world = plain_world()
    contents = contents_of(world.bundle(evidence={PAGE_SHA256: PAGE}))
    assert {(item.sha256, item.what, item.owed_by, item.joined) for item in contents.evidence} == {
        (PAGE_SHA256, "page", "acme", True),
        ("a" * 64, "screenshot", "acme", False),
        (CONTRACT_SHA256, "contract", "acme", False),
    }


@pytest.mark.parametrize("evidence", [{hashlib.sha256(b"x").hexdigest(): b"x"}, {PAGE_SHA256: b"another page"}])
def test_evidence_that_no_entry_names_makes_no_bundle(evidence):
    with pytest.raises(IntegrityError, match="EVIDENCE-UNKNOWN"):
        plain_world().bundle(evidence=evidence)


def test_an_attestation_is_joined_as_it_is():
    world = plain_world()
    bundle = world.bundle(attestation=b"%PDF-1.7 a retelling")
    members = read_zip(bundle)
    assert list(members)[4:7] == ["timeline.json", "attestation.pdf", "entries/000.bin"]
    assert members["attestation.pdf"] == b"%PDF-1.7 a retelling"
    assert contents_of(bundle).attested
    assert not contents_of(world.bundle()).attested
    members["attestation.pdf"] = b"%PDF-1.7 b retelling"
    assert verify_bundle(write_zip(members), POLICY).problems[0].code == "MEMBER-ALTERED"
    moved = [item for item in members.items() if item[0] != "attestation.pdf"]
    moved.append(("attestation.pdf", b"%PDF-1.7 a retelling"))
    assert verify_bundle(write_zip(moved), POLICY).problems[0].code == "MEMBERS-DIFFER"


def test_what_is_withheld_is_counted():
    world = stopped_world()
    request = world.request()
    kept = [entry for entry in request.entries if "/requests/" not in entry.origin]
    withheld = Reference(origin=world.origin("requests"), index=0, topic="requests", kind="request.received")
    contents = contents_of(world.bundle(entries=kept, withheld=[withheld]))
    assert contents.withheld == ((world.origin("requests"), 0, "request.received"),)
    assert [log.proven for log in contents.logs if "/requests/" in log.origin] == [False]


def test_a_withheld_entry_beyond_the_size_stated_makes_no_bundle():
    world = plain_world()
    beyond = Reference(origin=world.origin("consents"), index=2, topic="consents", kind="consent.conflict")
    with pytest.raises(IntegrityError, match="MANIFEST-MALFORMED"):
        world.bundle(withheld=[beyond])


@pytest.mark.parametrize(
    ("topic", "facts"),
    [
        ("consents", consent_facts(record=OTHER)),
        ("verdicts", verdict_facts([], record=OTHER)),
        ("stops", {"kind": "stop.recorded", "stop": "x/1", "source": "x", "stop_kind": "objection",
                   "at": "2026-10-02T17:05:00.000Z", "record": OTHER}),
        ("deliveries", {"kind": "delivery.ordered", "order": ORDER, "stop": STOP, "party": "x", "record": OTHER}),
        ("reports", {"kind": "order.acknowledged", "order": "q" * 40, "source": "x", "status": "applied"}),
        ("reports", {"kind": "contact.attempted", "record": None, "source": "x", "channel": "call"}),
        ("requests", {"kind": "request.received", "request": "x/9", "source": "x", "right": "access", "record": None}),
        ("erasures", {"kind": "record.erased", "record": OTHER}),
        ("erasures", {"kind": "record.erased", "record": None, "order": ORDER}),
    ],
)  # fmt: skip
def test_an_entry_about_someone_else_makes_no_bundle(topic, facts):
    world = stopped_world()
    world.facts(topic, facts)
    with pytest.raises(IntegrityError, match="ENTRY-UNRELATED"):
        world.bundle()


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "form", "id": "jeu-rentree", "version": 8},  # not relied on
        {"kind": "form", "id": "jeu-rentree", "version": 7},  # relied on, but this is a second body under the version
    ],
)
def test_a_registry_version_that_the_verdict_did_not_rely_on_makes_no_bundle(document):
    world = plain_world()
    world.publish("registry", document)
    with pytest.raises(IntegrityError, match="ENTRY-UNRELATED"):
        world.bundle()


def test_a_bundle_without_the_consent_is_not_made():
    world = plain_world()
    entries = [entry for entry in world.request().entries if "/consents/" not in entry.origin]
    with pytest.raises(IntegrityError, match="CONSENT-MISSING"):
        world.bundle(entries=entries)


def test_a_wrong_proof_or_checkpoint_makes_no_bundle():
    world = plain_world()
    entries = list(world.request().entries)
    swapped = [replace(entries[0], proof=entries[1].proof), *entries[1:]]
    with pytest.raises(IntegrityError):
        world.bundle(entries=swapped)
    with pytest.raises(IntegrityError, match="missing"):
        world.bundle(checkpoints={})
    with pytest.raises(IntegrityError, match="another log"):
        world.bundle(checkpoints={world.origin("consents"): world.checkpoint("verdicts")})
    with pytest.raises(IntegrityError, match="bundle key"):
        build_bundle(world.request(), LOG)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"v":1}', b"[" * 100_000])
def test_a_malformed_entry_makes_no_bundle(data):
    world = plain_world()
    entries = list(world.request().entries)
    with pytest.raises(IntegrityError, match="ENTRY-MALFORMED"):
        world.bundle(entries=[replace(entries[0], data=data), *entries[1:]])


def test_the_members_stand_in_the_documented_order():
    names = list(read_zip(plain_world().bundle()))
    assert names[:8] == [
        "manifest.json", "manifest.note", "LISEZMOI.txt", "disclosures.json", "timeline.json", "entries/000.bin",
        "entries/000.tlog-proof", "entries/001.bin",
    ]  # fmt: skip


def test_the_manifest_note_is_a_plain_signed_note():
    members = read_zip(plain_world().bundle())
    text = members["manifest.note"].decode()
    assert text.startswith(f"opposable-bundle\n{RECORD}\n")
    assert f"\n\n— {BUNDLE.name} " in text


def test_a_canonical_zip_is_read_back_as_written():
    members = {"manifest.json": b"{}", "entries/000.bin": bytes(range(256))}
    assert read_zip(write_zip(members)) == members


def test_the_story_is_told_in_french_and_never_says_valid():
    contents = contents_of(erased_world().bundle())
    story = [event["text_fr"] for event in contents.timeline]
    assert "acme déclare avoir recueilli un choix le 14 septembre 2026 à 08:31:06 (UTC)" in " ".join(story)
    assert any("1 ligne(s) aux contrôles satisfaits au vu des déclarations du collecteur" in text for text in story)
    assert any(text.startswith("Retrait du consentement reçu par canalvert") for text in story)
    assert any("Rappel n° 1" in text for text in story)
    assert any("Réponse de canalvert : appliqué ; ordre clos." in text for text in story)
    assert story[-1].startswith("Données personnelles effacées")
    assert not any("valide" in text or "anonyme" in text for text in story)
    assert [event["at"] for event in contents.timeline] == sorted(event["at"] for event in contents.timeline)


def test_the_answer_is_plain_json():
    verification = verify_bundle(stopped_world().bundle(), POLICY)
    answer = json.loads(json.dumps(verification.as_dict()))
    assert answer["valid"]
    assert answer["contents"]["witnessed"] == {"seen_by": 0, "known": 0}
    refused = verify_bundle(b"", POLICY).as_dict()
    assert (refused["valid"], refused["contents"]) == (False, None)


def test_a_trust_file_that_cannot_be_read_is_no_answer():
    with pytest.raises(IntegrityError, match="quorum"):
        verify_bundle(plain_world().bundle(), "")


def test_an_audience_without_party():
    contents = contents_of(plain_world().bundle(requested_for=Audience(scope="auditor")))
    assert (contents.requested_for, contents.party) == ("auditor", None)


def test_the_disclosed_salt_opens_no_other_field():
    world = plain_world()
    bundle = world.bundle(disclosures=world.disclosures("/subject_ref"))
    disclosed = json.loads(read_zip(bundle)["disclosures.json"])
    assert [item["pointer"] for item in disclosed] == ["/subject_ref"]
    assert RecordKey(bytes(range(32))).salt.hex() not in bundle.hex()
    assert set(POINTERS) - {"/subject_ref"}
    assert SEALED["subject_ref"] == disclosed[0]["value"]
    assert consent_index(world) == 1
