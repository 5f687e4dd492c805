"""Nothing altered is accepted, nothing makes the verifier fail otherwise than by a named refusal."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable

import pytest
from bundle_world import (
    BUNDLE,
    DEPLOYMENT,
    LOG,
    LOGS,
    PAGE,
    PAGE_SHA256,
    POLICY,
    RECORD,
    WITNESSED_POLICY,
    World,
    consent_facts,
    erased_world,
    line,
    plain_world,
    stopped_world,
    verdict_facts,
)

from services.proof_archive.bundles import canonical_zip as bundle_zip
from services.proof_archive.bundles.canonical_zip import MAX_BYTES, read_zip, write_zip
from services.proof_archive.verifying.codes import REASONS
from services.proof_archive.verifying.verify import verify_bundle
from shared import canonical
from shared.crypto import note
from shared.crypto.note import Signer
from shared.crypto.tlog_proof import TlogProof
from shared.errors import IntegrityError

SEED = 20261124
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def world():
    return plain_world()


@pytest.fixture(scope="module")
def bundle(world):
    return world.bundle(disclosures=world.disclosures(), evidence={PAGE_SHA256: PAGE})


def refusal(data: bytes, policy: str = POLICY) -> str:
    """The code of the refusal: known, documented, and the only answer."""
    verification = verify_bundle(data, policy)
    assert not verification.valid
    assert len(verification.problems) == 1
    assert verification.problems[0].code in REASONS
    return verification.problems[0].code


def resigned(
    given: Members, manifest: dict | None = None, listed: list | None = None, *, signer: Signer = BUNDLE, **changes
) -> bytes:
    """The bundle a dishonest platform would make: hashes and signature redone over altered members."""
    written = json.loads(given["manifest.json"]) if manifest is None else manifest
    rest = {name: data for name, data in given.items() if not name.startswith("manifest.")}
    written["members"] = listed or [
        {"name": name, "sha256": canonical.sha256_hex(data), "bytes": len(data)} for name, data in rest.items()
    ]
    written.update(changes)
    data = canonical.dumps(written)
    text = f"opposable-bundle\n{written['record']}\n{canonical.sha256_hex(data)}\n"
    return write_zip({"manifest.json": data, "manifest.note": note.sign(text, [signer]), **rest})


def altered(bundle: bytes, alter: Callable[[Members], object]) -> bytes:
    members = read_zip(bundle)
    alter(members)
    return resigned(members)


def test_resigning_alone_changes_nothing(bundle):
    assert resigned(read_zip(bundle)) == bundle
    assert verify_bundle(bundle, POLICY).valid


def test_no_flipped_byte_is_accepted(bundle):
    """Every byte of the file, one bit each, drawn anew for each byte: about 9 000 mutants."""
    draw = random.Random(SEED)
    seen = set()
    for at in range(len(bundle)):
        mutant = bytearray(bundle)
        mutant[at] ^= 1 << draw.randrange(8)
        seen.add(refusal(bytes(mutant)))
    assert len(bundle) > 2000
    assert seen >= {"ZIP-UNREADABLE", "ZIP-NOT-CANONICAL", "ZIP-PATH"}


def test_no_flipped_byte_of_a_member_is_accepted_even_in_a_well_formed_zip(bundle):
    """Checksums of the ZIP redone, so that the cryptography alone answers."""
    draw = random.Random(SEED + 1)
    seen = set()
    members = read_zip(bundle)
    for name, data in members.items():
        for at in draw.sample(range(len(data)), min(len(data), 120)):
            mutant = bytearray(data)
            mutant[at] ^= 1 << draw.randrange(8)
            seen.add(refusal(write_zip({**members, name: bytes(mutant)})))
    assert seen >= {"MEMBER-ALTERED", "MANIFEST-NOT-SIGNED", "MANIFEST-MALFORMED"}


def test_no_flipped_byte_survives_a_dishonest_platform(bundle):
    """Manifest redone and signed again: what the log and its witnesses hold still cannot be changed."""
    draw = random.Random(SEED + 2)
    members = read_zip(bundle)
    seen = set()
    for name, data in members.items():
        if name.startswith("manifest."):
            continue
        for at in draw.sample(range(len(data)), min(len(data), 60)):
            mutant = bytearray(data)
            mutant[at] ^= 1 << draw.randrange(8)
            seen.add(refusal(resigned({**members, name: bytes(mutant)}), WITNESSED_POLICY))
    assert seen >= {
        "README-UNKNOWN", "NOT-INCLUDED", "PROOF-MALFORMED", "CHECKPOINT-REFUSED", "DISCLOSURE-WRONG",
        "DISCLOSURES-MALFORMED", "TIMELINE-DIFFERS", "EVIDENCE-UNKNOWN",
    }  # fmt: skip


def test_random_edits_of_the_file_are_refused(bundle):
    draw = random.Random(SEED + 3)
    for _ in range(1500):
        start, end = sorted(draw.choices(range(len(bundle) + 1), k=2))
        kind = draw.randrange(4)
        if kind == 0:
            mutant = bundle[:start]
        elif kind == 1:
            mutant = bundle[:start] + bundle[end:]
        elif kind == 2:
            mutant = bundle[:start] + draw.randbytes(draw.randrange(1, 40)) + bundle[start:]
        else:
            mutant = bundle[:start] + bundle[start:end] * 2 + bundle[end:]
        if mutant != bundle:
            refusal(mutant)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"%PDF-1.7", b"PK\x03\x04" * 1000])
def test_what_is_no_bundle_is_refused(data):
    assert refusal(data) in {"ZIP-UNREADABLE", "MANIFEST-MISSING"}


def test_a_file_over_the_limit_is_not_read():
    assert refusal(bytes(MAX_BYTES + 1)) == "TOO-LARGE"


def rezip(members: list[tuple[str, bytes]], **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_an_ordinary_zip_of_the_same_members_is_refused(bundle):
    assert refusal(rezip(list(read_zip(bundle).items()))) == "ZIP-NOT-CANONICAL"


def test_compressed_members_are_refused(bundle):
    members = list(read_zip(bundle).items())
    data = rezip([(name, data) for name, data in members if len(data) < 300], compression=zipfile.ZIP_DEFLATED)
    assert refusal(data) == "ZIP-COMPRESSED"


def test_a_bomb_is_refused_before_it_is_opened(monkeypatch):
    def opened(*_):
        pytest.fail("a member of a bomb was read")

    data = rezip([("entries/000.bin", bytes(80_000_000))], compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert len(data) < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "read", opened)
    assert refusal(data) == "ZIP-BOMB"


def test_members_that_overlap_are_refused():
    """The other bomb: a directory that lists the same stored bytes many times."""
    name = b"entries/000.bin"
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 1000, 1000, len(name), 0) + name + bytes(1000)
    directory = b""
    for number in range(200):
        listed = b"entries/%03d.bin" % number
        fields = (20, 20, 0, 0, 0, 33, 0, 1000, 1000, len(listed), 0, 0, 0, 0, 0, 0)
        directory += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *fields) + listed
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 200, 200, len(directory), len(local), 0)
    assert refusal(local + directory + end) == "ZIP-BOMB"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "/etc/passwd", "C:\\x", "entries/../manifest.json", "entries\\000.bin", "manifest.json\x00x",
        "entries/", "attestation.exe", "entries/000.BIN", "ENTRIES/000.bin", "évidence", "entries/000.bin/", "evidence/x.bin",
        "entries/٠٠٠.bin", "entries/000.bin\n", "entries/999999.bin",
    ],
)  # fmt: skip
def test_other_names_are_refused(bundle, name):
    members = list(read_zip(bundle).items())
    assert refusal(raw_zip([*members, (name, b"x")])) in {"ZIP-PATH", "ZIP-COMPRESSED"}


def raw_zip(members: list[tuple[str, bytes]]) -> bytes:
    """A ZIP written like ours, whatever its names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename, info.create_system, info.external_attr = name, 3, 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members_are_refused(bundle):
    members = list(read_zip(bundle).items())
    assert refusal(raw_zip([*members, members[-1]])) == "ZIP-DUPLICATE"
    assert refusal(raw_zip([*members, (members[0][0], b"other")])) == "ZIP-DUPLICATE"


def test_hidden_bytes_are_refused(bundle):
    assert refusal(b"#!/bin/sh\n" + bundle) == "ZIP-NOT-CANONICAL"
    assert refusal(bundle + b"\0") in {"ZIP-NOT-CANONICAL", "ZIP-UNREADABLE"}
    commented = bundle[:-2] + b"\x05\x00hello"
    assert refusal(commented) == "ZIP-NOT-CANONICAL"


def test_an_added_removed_or_moved_member_is_refused(bundle):
    members = read_zip(bundle)
    extra = {**members, "entries/099.bin": b"x"}
    assert refusal(write_zip(extra)) == "MEMBERS-DIFFER"
    assert refusal(resigned(extra)) == "MEMBERS-DIFFER"
    for name in members:
        fewer = {other: data for other, data in members.items() if other != name}
        assert refusal(write_zip(fewer)) in {"MANIFEST-MISSING", "MEMBERS-DIFFER"}
    assert refusal(write_zip(dict(reversed(members.items())))) == "MANIFEST-MISSING"
    moved = list(members.items())
    moved[-2], moved[-3] = moved[-3], moved[-2]
    assert refusal(resigned(dict(moved))) == "MEMBERS-DIFFER"


def test_removing_one_entry_needs_its_reference_to_lie(bundle):
    """The last entry dropped and the manifest signed again: accepted, but named as withheld; nothing disappears silently."""
    members = {n: d for n, d in read_zip(bundle).items() if not n.startswith("entries/003")}
    members["timeline.json"] = canonical.dumps(
        [event for event in json.loads(members["timeline.json"]) if event["kind"] != "consent.assessed"]
    )
    code = refusal(resigned(members))
    assert code == "ENTRY-UNRELATED"  # the registry versions were tied to the record by that verdict


def test_swapped_proofs_are_refused(bundle):
    def swap(members):
        one, two = "entries/000.tlog-proof", "entries/003.tlog-proof"
        members[one], members[two] = members[two], members[one]

    assert refusal(altered(bundle, swap)) == "NOT-INCLUDED"


def test_swapped_entries_are_refused(bundle):
    def swap(members):
        members["entries/001.bin"], members["entries/002.bin"] = members["entries/002.bin"], members["entries/001.bin"]

    assert refusal(altered(bundle, swap)) == "NOT-INCLUDED"


def test_entries_in_another_order_are_refused(bundle):
    def swap(members):
        for suffix in ("bin", "tlog-proof"):
            one, two = f"entries/001.{suffix}", f"entries/002.{suffix}"
            members[one], members[two] = members[two], members[one]

    assert refusal(altered(bundle, swap)) == "ENTRY-ORDER"


def test_an_entry_twice_is_refused(bundle):
    def repeat(members):
        for suffix in ("bin", "tlog-proof"):
            members[f"entries/002.{suffix}"] = members[f"entries/001.{suffix}"]

    assert refusal(altered(bundle, repeat)) == "ENTRY-ORDER"


def test_an_older_checkpoint_than_the_one_stated_is_refused(world):
    """A valid proof under a valid, older checkpoint: before the record was known elsewhere, say before a stop."""
    world = stopped_world()
    bundle = world.bundle()
    index = next(index for topic, index in world.mine if topic == "consents")

    def older(members):
        entry = world.entry("consents", index, size=index + 1)
        proof = TlogProof(index, entry.proof, world.checkpoint("consents", size=index + 1))
        members["entries/000.tlog-proof"] = proof.marshal()

    assert refusal(altered(bundle, older)) == "CHECKPOINT-DIFFERS"


def test_two_faces_of_one_log_are_refused(world, bundle):
    """Same size, other note (fewer cosignatures): one log shows one checkpoint per bundle."""

    def other(members):
        proof = TlogProof.parse(members["entries/002.tlog-proof"])
        members["entries/002.tlog-proof"] = TlogProof(
            proof.index, proof.hashes, world.checkpoint("registry", witnesses=[])
        ).marshal()

    assert refusal(altered(bundle, other)) == "CHECKPOINT-DIFFERS"


def test_an_entry_of_another_log_is_refused():
    """The log of one topic holds what says it is of another: a platform may sign that, a bundle does not hold it."""
    world = World()
    world.facts("consents", consent_facts())
    world.logs["verdicts"] = world.logs["consents"]
    honest, moved = world.request(), world.entry("verdicts", 0)
    with pytest.raises(IntegrityError, match="CHECKPOINT-DIFFERS"):
        world.bundle(entries=[moved])

    def move(members):
        members["entries/000.tlog-proof"] = TlogProof(0, moved.proof, honest.checkpoints[moved.origin]).marshal()

    bundle = altered(world.bundle(), move)
    assert refusal(bundle) == "CHECKPOINT-DIFFERS"


@pytest.fixture(scope="module")
def with_body():
    world = World()
    world.facts("consents", consent_facts())
    world.facts("verdicts", verdict_facts([], lines=[line(f"party-{n:04d}", "email") for n in range(400)]))
    return world.bundle()


def test_a_body_altered_removed_or_added_is_refused(with_body):
    def alter(members):
        members["entries/001.body"] = members["entries/001.body"].replace(b"party-0000", b"party-9999")

    def remove(members):
        del members["entries/001.body"]

    def lengthen(members):
        members["entries/001.body"] += b" "

    def add(members):
        rest = list(members.items())
        members.clear()
        for name, data in rest:
            members[name] = data
            if name == "entries/000.bin":
                members["entries/000.body"] = b"{}"

    for change in (alter, remove, lengthen, add):
        assert refusal(altered(with_body, change)) == "ENTRY-BODY"


def test_evidence_that_no_entry_names_is_refused(bundle):
    def add(members):
        members["evidence/" + "f" * 64 + ".bin"] = b"x"

    assert refusal(altered(bundle, add)) == "EVIDENCE-UNKNOWN"


def test_more_members_than_any_bundle_has_are_not_read(bundle, monkeypatch):
    monkeypatch.setattr(bundle_zip, "MAX_MEMBERS", 3)
    assert refusal(bundle) == "TOO-LARGE"


def test_extra_data_in_a_proof_is_refused(bundle):
    def extra(members):
        proof = TlogProof.parse(members["entries/000.tlog-proof"])
        members["entries/000.tlog-proof"] = TlogProof(proof.index, proof.hashes, proof.checkpoint, b"x").marshal()

    assert refusal(altered(bundle, extra)) == "PROOF-MALFORMED"


def test_the_wrong_trust_file_refuses(bundle):
    other = f"log {Signer(DEPLOYMENT, b'x' * 32).verifier.vkey()}\n"
    bundle_key, log_key = f"log {BUNDLE.verifier.vkey()}\n", f"log {LOG.verifier.vkey()}\n"
    assert refusal(bundle, "quorum none\n") == "MANIFEST-NOT-SIGNED"
    assert refusal(bundle, log_key + "quorum none\n") == "MANIFEST-NOT-SIGNED"
    assert refusal(bundle, bundle_key + "quorum none\n") == "CHECKPOINT-REFUSED"
    assert refusal(bundle, bundle_key + other + "quorum none\n") == "CHECKPOINT-REFUSED"
    assert refusal(bundle, LOGS + other + "quorum none\n") == "CHECKPOINT-REFUSED"


def test_a_manifest_signed_by_anyone_else_is_refused(bundle):
    members = read_zip(bundle)
    for signer in (LOG, Signer(BUNDLE.name, b"x" * 32), Signer("other/bundle", b"b" * 32)):
        assert refusal(resigned(members, signer=signer)) == "MANIFEST-NOT-SIGNED"


def test_a_note_with_one_more_signature_is_refused(bundle):
    members = read_zip(bundle)
    text, signatures = note.split(members["manifest.note"])
    more = note.join(text, [*signatures, Signer("anyone", b"a" * 32).sign(text)])
    assert refusal(write_zip({**members, "manifest.note": more})) == "MANIFEST-NOT-SIGNED"


def test_a_note_of_another_bundle_is_refused(bundle):
    other = read_zip(stopped_world().bundle())
    assert refusal(write_zip({**read_zip(bundle), "manifest.note": other["manifest.note"]})) == "MANIFEST-NOT-SIGNED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"record": "acme/other"}, "ENTRY-UNRELATED"),
        ({"erased": True}, "ERASURE-DIFFERS"),
        ({"deployment": "elsewhere"}, "MANIFEST-NOT-SIGNED"),
        ({"references": []}, "REFERENCE-MISSING"),
        ({"checkpoints": []}, "MANIFEST-MALFORMED"),
        ({"v": 2}, "MANIFEST-MALFORMED"),
        ({"more": 1}, "MANIFEST-MALFORMED"),
        ({"requested_for": {"scope": "god", "party": None}}, "MANIFEST-MALFORMED"),
        ({"erased": 0}, "MANIFEST-MALFORMED"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(bundle, changes, code):
    assert refusal(resigned(read_zip(bundle), **changes)) == code


@pytest.mark.parametrize("name", ["checkpoints", "references"])
def test_manifest_lists_out_of_order_or_repeated_are_refused(bundle, name):
    members = read_zip(bundle)
    given = json.loads(members["manifest.json"])[name]
    for changed in (given[::-1], [*given, given[-1]]):
        assert refusal(resigned(members, **{name: changed})) == "MANIFEST-MALFORMED"


def test_a_manifest_that_miscounts_bytes_is_refused(bundle):
    members = read_zip(bundle)
    listed = json.loads(members["manifest.json"])["members"]
    listed[3]["bytes"] += 1
    assert refusal(resigned(members, None, listed)) == "MEMBER-ALTERED"


def test_a_reference_of_another_kind_is_refused(bundle):
    members = read_zip(bundle)
    manifest = json.loads(members["manifest.json"])
    manifest["references"][0]["kind"] = "consent.conflict"
    assert refusal(resigned(members, manifest=manifest)) == "REFERENCE-MISSING"


def test_another_size_than_the_checkpoint_is_refused(bundle):
    members = read_zip(bundle)
    manifest = json.loads(members["manifest.json"])
    manifest["checkpoints"][0]["size"] += 1
    assert refusal(resigned(members, manifest=manifest)) == "CHECKPOINT-DIFFERS"


def test_a_manifest_written_otherwise_is_refused(bundle):
    members = read_zip(bundle)
    data = json.dumps(json.loads(members["manifest.json"])).encode()
    text = f"opposable-bundle\n{RECORD}\n{canonical.sha256_hex(data)}\n"
    spaced = {**members, "manifest.json": data, "manifest.note": note.sign(text, [BUNDLE])}
    assert refusal(write_zip(spaced)) == "MANIFEST-MALFORMED"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b"[" * 5000, b'{"v":1e999}', b'{"v":NaN}', b"\xff\xfe"])
def test_a_manifest_that_is_none_is_refused(bundle, data):
    assert refusal(write_zip({**read_zip(bundle), "manifest.json": data})) == "MANIFEST-MALFORMED"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[{}]", b"[" * 5000, b"[ ]", b"null", b'[{"entry":"entries/000"}]',
        b'[{"entry":"entries/000","pointer":"/subject_ref","salt":"AA==","value":1.5}]',
        b'[{"entry":"entries/000","pointer":"/subject_ref","salt":"!","value":"x"}]',
        b'[{"entry":"entries/000","pointer":"/x","salt":"AA==","value":' + b"[" * 190 + b"]" * 190 + b"}]",
    ],
)  # fmt: skip
def test_malformed_disclosures_are_refused(bundle, data):
    code = refusal(altered(bundle, lambda members: members.update({"disclosures.json": data})))
    assert code in {"DISCLOSURES-MALFORMED", "DISCLOSURE-WRONG"}


def test_an_erasure_left_out_must_show():
    """A platform that drops the erasure and keeps its reference is seen by the reader: the entry is named as withheld."""
    bundle = erased_world().bundle()
    members = read_zip(bundle)
    manifest = json.loads(members["manifest.json"])
    place = next(i for i, item in enumerate(manifest["references"]) if item["topic"] == "erasures")
    rest, number = {name: data for name, data in members.items() if not name.startswith("entries/")}, 0
    stems = sorted({name.rpartition(".")[0] for name in members if name.startswith("entries/")})
    for stem in stems:
        if stem == f"entries/{place:03d}":
            continue
        for suffix in ("bin", "tlog-proof"):
            rest[f"entries/{number:03d}.{suffix}"] = members[f"{stem}.{suffix}"]
        number += 1
    rest["timeline.json"] = canonical.dumps(
        [event for event in json.loads(members["timeline.json"]) if event["kind"] != "record.erased"]
    )
    assert refusal(resigned(rest)) == "ERASURE-DIFFERS"
    contents = verify_bundle(resigned(rest, erased=False), POLICY).contents
    assert contents is not None
    assert [kind for _, _, kind in contents.withheld] == ["record.erased"]


def test_every_code_has_a_sentence_in_both_languages():
    for said in REASONS.values():
        assert said.en.endswith(".")
        assert said.fr.endswith(".")
        assert said.en != said.fr
