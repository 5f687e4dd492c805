"""Timestamps: what each verifier says of honest ones, of unknown authorities and algorithms, of forged ones."""

import json

import pytest
from bundle_world import POLICY, WITNESSED_POLICY, plain_world
from forge import resigned
from stamped import (
    EARLY,
    EARLY_AT,
    EC_LINE,
    FIRST,
    LATE_AT,
    RSA_LINE,
    STAMPED_POLICY,
    root_of,
    stamp,
    stamped_bundle,
    stamped_world,
)
from three import InNode, by_command, by_single_file, call_page, single
from tiny_tsa import KEYS, algorithm, authority, element, key_of, oid

from services.proof_archive.bundles.canonical_zip import read_zip
from services.proof_archive.timestamps.judge import Wrong, judge
from services.proof_archive.timestamps.statement import Statement, write_growths
from shared import canonical
from shared.errors import IntegrityError

STATEMENT = b'{"checkpoints":[]}'


def all_three(bundle, policy, tmp_path):
    """The one answer of the three verifiers."""
    case = (policy.encode(), bundle)
    answer = by_command(*case)
    assert by_single_file(*case) == answer
    assert InNode([case], tmp_path).answers() == [answer]
    return answer


def code(answer):
    return "valid" if answer["valid"] else answer["problems"][0]["code"]


def test_what_is_covered_is_timestamped_at_its_earliest(tmp_path):
    answer = all_three(stamped_bundle(), STAMPED_POLICY, tmp_path)
    contents = answer["contents"]
    early, late = sorted(contents["timestamps"], key=lambda item: item["at"])
    assert (early["authority"], early["at"], early["verified"], early["reason"]) == ("sablier", EARLY_AT, True, None)
    assert (late["authority"], late["at"], late["covers"]) == ("horloge", LATE_AT, len(contents["entries"]))
    times = {(entry["topic"], entry["index"]): entry["timestamped"] for entry in contents["entries"]}
    assert early["covers"] == list(times.values()).count(EARLY_AT)
    assert times["consents", 1] == times["registry", 1] == times["verdicts", 0] == EARLY_AT
    assert times["stops", 0] == times["consents", 2] == LATE_AT
    assert contents["independent"]  # no witness is asked for, but every entry is timestamped
    assert contents["attested"]
    assert [item["held"] for item in contents["evidence"] if item["sha256"] == "a" * 64] == [48211]


def test_without_trust_in_the_authority_nothing_is_believed(tmp_path):
    contents = all_three(stamped_bundle(), POLICY, tmp_path)["contents"]
    assert {(item["verified"], item["reason"], item["at"]) for item in contents["timestamps"]} == {
        (False, "authority", None)
    }
    assert {entry["timestamped"] for entry in contents["entries"]} == {None}
    assert not contents["independent"]
    assert all_three(stamped_bundle(), WITNESSED_POLICY, tmp_path)["contents"]["independent"]


def test_some_entries_covered_is_not_independent(tmp_path):
    contents = all_three(stamped_bundle(), POLICY + EC_LINE, tmp_path)["contents"]
    assert not contents["independent"]
    assert {entry["timestamped"] for entry in contents["entries"]} == {None, EARLY_AT}
    only_late = all_three(stamped_bundle(), POLICY + RSA_LINE, tmp_path)["contents"]
    assert only_late["independent"]
    assert {entry["timestamped"] for entry in only_late["entries"]} == {LATE_AT}


@pytest.mark.parametrize("name", ["rsa", "p256", "p384"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("null", [True, False])
def test_every_known_algorithm_is_believed(name, digest, null, tmp_path):
    by = authority(name)
    token = by.response(STATEMENT, digest=digest, null=null)
    assert judgements(token, {by.sha256: "horloge"}, tmp_path) == ("horloge", LATE_AT, None)
    if name == "rsa":
        token = by.response(STATEMENT, digest=digest, signature_algorithm=algorithm(f"rsa-{digest}", null=True))
        assert judgements(token, {by.sha256: "horloge"}, tmp_path) == ("horloge", LATE_AT, None)


def judgements(token, authorities, tmp_path, statement=STATEMENT):
    """What the three make of a token: the same."""
    try:
        one = judge(token, statement, authorities)
        package = (one.authority, one.at, None if one.reason is None else str(one.reason))
    except Wrong:
        package = "TIMESTAMP-WRONG"
    except IntegrityError:
        package = "malformed"
    try:
        alone = single.judge(token, statement, authorities)
    except single.Refused as refused:
        alone = refused.code
    except single.Bad:
        alone = "malformed"
    (said,) = call_page(
        [["judge", {"hex": token.hex()}, {"hex": statement.hex()}, list(authorities.items())]], tmp_path
    )
    if "value" in said:
        page = (said["value"]["authority"], said["value"]["at"], said["value"]["reason"])
    else:
        page = "malformed" if "bad" in said else said["crashed"].split("\n")[0].removeprefix("Error: ")
    assert alone == package == page
    return package


UNKNOWN = {
    "digest SHA-1": {"digest": "sha1"},
    "RSA with SHA-1": {"signature_algorithm": algorithm("rsa-sha1", null=True)},
    "RSA-PSS": {"signature_algorithm": algorithm("rsa-pss", null=True)},
    "RSA without its parameters": {"signature_algorithm": algorithm("rsa", null=False)},
    "signature of another digest": {"signature_algorithm": algorithm("rsa-sha512", null=True)},
    "ECDSA under an RSA key": {"signature_algorithm": algorithm("ecdsa-sha256", null=False)},
}
WRONG = {
    "other bytes": {"imprint": b"\1" * 32},
    "imprint by SHA-1": {"imprint": b"\1" * 20, "imprint_algorithm": "sha1"},
    "imprint by SHA-512": {"imprint_algorithm": "sha512"},
    "stated digest": {"stated_digest": b"\1" * 32},
    "signature flipped": {"signature": b"\1" * 256},
    "signature short": {"signature": b"\1" * 255},
    "signature empty": {"signature": b""},
    "signed with another digest": {"signed_with": "sha512"},
    "before the certificate": {"at": "20251231235959Z"},
    "after the certificate": {"at": "20360101000001Z"},
}
MALFORMED = {
    "not granted": {"status": bytes.fromhex("3003020102")},
    "granted with modifications": {"status": bytes.fromhex("3003020101")},
    "status with a text": {"status": element(0x30, b"\2\1\0", element(0x30, element(0x0C, b"ok")))},
    "unsigned attributes": {"unsigned": element(0xA1, element(0x30, oid("data"), element(0x31)))},
    "two digests": {"more_digests": algorithm("sha512", null=False)},
    "two certificates": {"more_certificates": authority("p256").certificate},
    "revocation lists": {"lists": element(0xA1)},
    "two signers": {"more_signers": element(0x30)},
    "content of another type": {"content_type": "data"},
    "no attribute": {"attributes": element(0x30, oid("data"), element(0x31))},
    "fraction with a zero at its end": {"at": "20261104120000.50Z"},
    "no zone": {"at": "20261104120000"},
    "a month that is not": {"at": "20261304120000Z"},
    "a day that is not": {"at": "20260230120000Z"},
    "hour 24": {"at": "20261104240000Z"},
    "second 60": {"at": "20261104115960Z"},
    "year 0": {"at": "00001104115900Z"},
    "rest cut": {"info_rest": b"\x30\x05\2\1\1"},
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        *(pytest.param(changes, ("horloge", None, "algorithm"), id=name) for name, changes in UNKNOWN.items()),
        *(pytest.param(changes, "TIMESTAMP-WRONG", id=name) for name, changes in WRONG.items()),
        *(pytest.param(changes, "malformed", id=name) for name, changes in MALFORMED.items()),
        pytest.param({"at": "20261104120000.123456789Z"}, ("horloge", "2026-11-04T12:00:00.123Z", None), id="fraction"),
        pytest.param({"info_rest": b""}, ("horloge", LATE_AT, None), id="no accuracy"),
    ],
)
def test_a_forged_token(changes, expected, tmp_path):
    by = authority()
    assert judgements(by.response(STATEMENT, **changes), {by.sha256: "horloge"}, tmp_path) == expected


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (authority("rsa1024"), ("horloge", None, "algorithm")),
        (authority(usage="none"), "TIMESTAMP-WRONG"),
        (authority(usage="loose"), "TIMESTAMP-WRONG"),
        (authority(usage="two"), "TIMESTAMP-WRONG"),
        (authority(begin=2027), "TIMESTAMP-WRONG"),
        (authority(end=2026, begin=2020), "TIMESTAMP-WRONG"),
        (authority("p384", other_key=True), "TIMESTAMP-WRONG"),
        (authority(end=2060), ("horloge", LATE_AT, None)),  # its end is written as a GeneralizedTime
    ],
)
def test_certificates(by, expected, tmp_path):
    assert judgements(by.response(STATEMENT), {by.sha256: "horloge"}, tmp_path) == expected
    assert judgements(by.response(STATEMENT), {}, tmp_path) == (None, None, "authority")


@pytest.mark.parametrize(
    ("r", "s"), [(b"\0", b"\1"), (b"\1", b"\0"), (b"\0\1", b"\1"), (b"\x81", b"\1"), (b"\1" * 40, b"\1"), (b"", b"\1")]
)
def test_ecdsa_numbers_out_of_bounds_or_written_otherwise(r, s, tmp_path):
    by = authority("p256")
    token = by.response(STATEMENT, signature=element(0x30, element(2, r), element(2, s)))
    assert judgements(token, {by.sha256: "horloge"}, tmp_path) == "TIMESTAMP-WRONG"


def test_sha384_of_the_page(tmp_path):
    messages = [b"", b"abc", bytes(range(256)) * 3]
    said = call_page([["sha384", {"hex": message.hex()}] for message in messages], tmp_path)
    assert [one["value"]["hex"] for one in said] == [single.hashlib.sha384(message).hexdigest() for message in messages]


def test_the_keys_are_the_tests_own():
    assert {key_of(path.stem.removeprefix("tsa-")).key_size for path in KEYS.glob("*.pem")} == {256, 384, 1024, 2048}


def altered(change):
    """The stamped bundle with its timestamps changed, hashes and signatures redone."""
    members = dict(read_zip(stamped_bundle()))
    names = sorted(name for name in members if name.startswith("timestamps/"))
    change(members, names)
    return resigned(dict(sorted_members(members)), json.loads(members["manifest.json"]))


def sorted_members(members):
    stamps = sorted(name for name in members if name.startswith("timestamps/"))
    return [(name, members[name]) for name in [*(n for n in members if n not in stamps), *stamps]]


def swap_tokens(members, names):
    members[names[2]], members[names[5]] = members[names[5]], members[names[2]]


def other_root(members, names):
    world = stamped_world()
    origin, size = world.origin("consents"), len(world.logs["consents"])
    replace_statement(members, names, {origin: (size, b"\1" * 32)}, {})


def other_log_bigger(members, names):
    world = stamped_world()
    replace_statement(members, names, {world.origin("consents"): (99, b"\1" * 32)}, {})


def replace_statement(members, names, trees, growths):
    for name in names[:3]:
        del members[name]
    statement = Statement.of("opposable.test", trees).marshal()
    stem = f"timestamps/{canonical.sha256_hex(statement)}"
    members[f"{stem}.json"] = statement
    members[f"{stem}.tsr"] = authority().response(statement)
    members[f"{stem}.consistency"] = write_growths(growths)


def growth_missing(members, names):
    world = stamped_world()
    root = root_of(world, "consents", 2)
    replace_statement(members, names, {world.origin("consents"): (2, root)}, {})


def growth_wrong(members, names):
    world = stamped_world()
    root = root_of(world, "consents", 2)
    replace_statement(
        members, names, {world.origin("consents"): (2, root)}, {world.origin("consents"): [b"\1" * 32] * 2}
    )


def too_many(members, names):
    world = stamped_world()
    for size in range(16):
        statement = Statement.of("opposable.test", {"elsewhere": (size + 1, b"\1" * 32)}).marshal()
        stem = f"timestamps/{canonical.sha256_hex(statement)}"
        members |= {f"{stem}.json": statement, f"{stem}.tsr": authority().response(statement)}
        members[f"{stem}.consistency"] = b"[]"
    assert world


CHANGES = [
    (swap_tokens, "TIMESTAMP-WRONG"),
    (other_root, "TIMESTAMP-WRONG"),
    (growth_wrong, "TIMESTAMP-WRONG"),
    (growth_missing, "TIMESTAMP-MALFORMED"),
    (too_many, "TIMESTAMP-MALFORMED"),
    (other_log_bigger, "valid"),
    (lambda members, names: members.pop(names[0]), "MEMBERS-DIFFER"),
    (lambda members, names: members.pop(names[1]), "MEMBERS-DIFFER"),
    (lambda members, names: members.pop(names[2]), "MEMBERS-DIFFER"),
    (lambda members, names: [members.pop(name) for name in names], "valid"),
    (lambda members, names: members.update({names[1]: members[names[1]] + b" "}), "TIMESTAMP-MALFORMED"),
    (lambda members, names: members.update({names[1]: members[names[4]]}), "TIMESTAMP-MALFORMED"),
    (lambda members, names: members.update({names[0]: b"[] "}), "TIMESTAMP-MALFORMED"),
    (lambda members, names: members.update({names[2]: b""}), "TIMESTAMP-MALFORMED"),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_timestamps_of_a_dishonest_platform(change, expected, tmp_path):
    answer = all_three(altered(change), STAMPED_POLICY, tmp_path)
    assert code(answer) == expected
    if expected == "valid":
        assert not any(item["at"] == LATE_AT and item["covers"] for item in answer["contents"]["timestamps"]) or (
            change is other_log_bigger
        )


def test_a_tree_that_is_larger_than_the_bundles_covers_nothing(tmp_path):
    contents = all_three(altered(other_log_bigger), STAMPED_POLICY, tmp_path)["contents"]
    assert 0 in {item["covers"] for item in contents["timestamps"]}


def test_what_no_verifier_would_believe_is_not_made():
    world = plain_world()
    good = stamp(world)
    world.bundle(timestamps=[good])
    for statement, token in ((good.statement, b"\x30\0"), (good.statement + b" ", good.token)):
        with pytest.raises(IntegrityError, match="TIMESTAMP"):
            world.bundle(timestamps=[type(good)(statement, token, good.growths)])
    early = stamp(world, {"consents": 1}, at=EARLY)
    assert early.growths
    with pytest.raises(IntegrityError, match="TIMESTAMP-MALFORMED"):
        world.bundle(timestamps=[type(early)(early.statement, early.token, {})])
    assert FIRST


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("# timestamp-authority horloge sha256:" + "a" * 63, "is a name and"),
        ("# timestamp-authority sha256:" + "a" * 64, "is a name and"),
        ("#\ttimestamp-authority", "is a name and"),
        (("# timestamp-authority horloge sha256:" + "a" * 64 + "\n") * 2, "stands once"),
        ("#timestamp-authority horloge", None),
        ("# timestamp-authorities are believed", None),
    ],
)
def test_trust_files(line, said, tmp_path):
    case = ((POLICY + line).encode(), stamped_bundle())
    answer = by_command(*case)
    assert by_single_file(*case) == answer
    assert InNode([case], tmp_path).answers() == [answer]
    assert (said in answer["unusable"]) if said else answer["valid"]
