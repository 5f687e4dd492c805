"""Mutants of timestamps and of evidence: bytes and elements of tokens, statements, proofs of growth; hashes and manifest redone.

`HONEST` is everything that may ever be believed: what the tests' authorities really signed.
"""

import functools
import json
from typing import Any

from bundle_world import DEPLOYMENT, PAGE, POLICY
from forge import resigned
from mutants_base import Draw, Mutant, edited, flipped
from stamped import (
    EARLY_AT,
    EC_LINE,
    LATE,
    LATE_AT,
    RSA_LINE,
    STAMPED_POLICY,
    STAMPED_WITNESSED_POLICY,
    stamped_bundle,
    stamped_world,
    statement_of,
)
from tiny_tsa import algorithm, authority, element, oid

from services.proof_archive.bundles.canonical_zip import read_zip
from services.proof_archive.timestamps.der import Der
from services.proof_archive.timestamps.statement import FOLDER
from shared import canonical
from shared.errors import IntegrityError

HONEST = {(name, at) for name in ("sablier", "horloge") for at in (EARLY_AT, LATE_AT)}


@functools.cache
def members_and_stems() -> tuple[dict[str, bytes], list[str]]:
    members = read_zip(stamped_bundle())
    return members, [name.removesuffix(".tsr") for name in members if name.endswith(".tsr")]


def trusted(draw: Draw) -> bytes:
    policies = [STAMPED_POLICY, STAMPED_WITNESSED_POLICY, POLICY + RSA_LINE, POLICY + EC_LINE, POLICY]
    return draw.choices(policies, [8, 2, 2, 2, 1])[0].encode()


def with_members(draw: Draw, members: dict[str, bytes]) -> Mutant:
    manifest = json.loads(members["manifest.json"])
    stamps = sorted(name for name in members if name.startswith(FOLDER))
    ordered = {name: members[name] for name in [*(n for n in members if n not in stamps), *stamps]}
    return Mutant("", trusted(draw), resigned(ordered, manifest))


def places(data: bytes, begin: int = 0, end: int | None = None) -> list[tuple[int, int, int]]:
    """Every element of some DER: where it starts, where its content starts and ends; inside octets too."""
    found = []
    at, end = begin, len(data) if end is None else end
    while at < end:
        reader = Der(data, at, end)
        try:
            start, inner, after = reader._next(data[at])
        except IntegrityError:
            return []
        found.append((start, inner, after))
        if data[at] & 0x20 or data[at] == 0x04:
            found += places(data, inner, after)
        at = after
    return found


def token_bytes(draw: Draw) -> Mutant:
    """Bits of a token flipped, parts moved."""
    members, stems = members_and_stems()
    name = draw.choice(stems) + ".tsr"
    return with_members(draw, {**members, name: draw.choice([flipped, flipped, edited])(draw, members[name])})


def token_elements(draw: Draw) -> Mutant:
    """An element's tag or content replaced, the lengths around it left as they are, or the content of one put in another."""
    members, stems = members_and_stems()
    name = draw.choice(stems) + ".tsr"
    token = bytearray(members[name])
    every = places(bytes(token))
    start, inner, after = draw.choice(every)
    kind = draw.randrange(4)
    if kind == 0:
        token[start] = draw.choice([0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x17, 0x18, 0x1F, 0x30, 0x31, 0xA0, 0xA1, 0xA3])
    elif kind == 1:
        token[start + 1] = draw.choice([0, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x85, 0xFF, token[start + 1] ^ 1])
    elif kind == 2 and after > inner:
        token[inner:after] = draw.randbytes(after - inner)
    else:
        other = draw.choice([place for place in every if place[2] - place[1] == after - inner])
        token[inner:after] = token[other[1] : other[2]]
    return with_members(draw, {**members, name: bytes(token)})


def forged_tokens(draw: Draw) -> Mutant:
    """What an authority, or whoever plays one, could sign."""
    members, _ = members_and_stems()
    name = draw.choice(["rsa", "p256", "p384", "rsa1024"])
    by = authority(name, usage=draw.choice(["critical"] * 6 + ["none", "loose", "two"]), other_key=draw.random() < 0.1)
    rsa_like = name.startswith("rsa")
    oids = ["rsa", "rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa-pss", "ecdsa-sha256", "ecdsa-sha384"]
    kinds: list[tuple[str, Any]] = [
        ("digest", draw.choice(["sha256", "sha384", "sha512"] + ["sha1"] * rsa_like)),
        ("null", draw.random() < 0.5),
        ("signature_algorithm", algorithm(draw.choice(oids), null=draw.random() < 0.7)),
        ("imprint", draw.randbytes(32)),
        ("imprint_algorithm", draw.choice(["sha256", "sha512", "sha1"])),
        ("stated_digest", draw.randbytes(32)),
        ("signature", draw.choice([b"", draw.randbytes(256), draw.randbytes(255), element(0x30, b"\2\1\1\2\1\1")])),
        ("content_type", draw.choice(["data", "tst-info"])),
        ("info_rest", draw.choice([b"", b"\2\1\7", draw.randbytes(4), element(0xA0, b"")])),
        ("unsigned", element(0xA1, b"")),
        ("status", draw.choice([bytes.fromhex("3003020101"), element(0x30, b"\2\1\0", element(0x30, b""))])),
        ("more_certificates", by.certificate),
        ("more_digests", algorithm("sha256", null=False)),
        ("attributes", element(0x30, oid("signing-time"), element(0x31, element(0x17, b"261104120000Z")))),
    ]
    changes = dict(draw.sample(kinds, draw.choice([0, 1, 1, 1, 2])))
    world = stamped_world()
    statement = statement_of(world, {topic: len(log) for topic, log in world.logs.items()})
    stem = FOLDER + canonical.sha256_hex(statement)
    mutant = with_members(draw, {**members, f"{stem}.tsr": by.response(statement, LATE, **changes)})
    if (
        draw.random() < 0.7 and by.sha256.encode() not in mutant.trust
    ):  # a certificate is believed, whatever it is worth
        mutant = mutant._replace(trust=mutant.trust + by.line("horloge").encode())
    return mutant


def statements(draw: Draw) -> Mutant:
    """What is stated of the logs: altered, and timestamped as it is; proofs of growth altered."""
    members, stems = members_and_stems()
    members, stem = dict(members), draw.choice(stems)
    kind = draw.randrange(4)
    if kind == 0:
        name = stem + draw.choice([".json", ".consistency"])
        members[name] = draw.choice([flipped, edited])(draw, members[name])
        return with_members(draw, members)
    if kind == 1:
        one, two = stems
        suffix = draw.choice([".json", ".consistency", ".tsr"])
        members[one + suffix], members[two + suffix] = members[two + suffix], members[one + suffix]
        return with_members(draw, members)
    statement = json.loads(members.pop(f"{stem}.json"))
    growths = json.loads(members.pop(f"{stem}.consistency"))
    del members[f"{stem}.tsr"]
    row = draw.choice(statement["checkpoints"])
    if kind == 2:
        field, value = draw.choice([
            ("size", draw.choice([0, 1, 2, -1, 2**53, 2**53 - 1, "1", True, None, row["size"] + 1])),
            ("root", draw.choice(["", "A" * 44, row["root"][:-2] + "==", "A" * 43 + "=", 5])),
            ("origin", draw.choice(["", "x", DEPLOYMENT, row["origin"] + "0", "é"])),
        ])  # fmt: skip
        row[field] = value
    else:
        change = draw.choice(["drop", "twice", "deployment", "v", "growth", "grow", "extra"])
        if change == "drop":
            statement["checkpoints"].remove(row)
        elif change == "twice":
            statement["checkpoints"].append(row)
        elif change == "extra":
            statement["more"] = 1
        elif change in statement:
            statement[change] = draw.choice([2, "x", "opposable.test/bundle", None])
        elif growths:
            growth = draw.choice(growths)
            growth["proof"] = draw.choice([[], growth["proof"] * 2, growth["proof"][:-1], ["A" * 43 + "="]])
        else:
            growths.append({"origin": row["origin"], "proof": []})
    data = canonical.dumps(statement)
    stem = FOLDER + canonical.sha256_hex(data)
    members[f"{stem}.json"], members[f"{stem}.consistency"] = data, canonical.dumps(growths)
    members[f"{stem}.tsr"] = authority().response(data, LATE)
    return with_members(draw, members)


def evidence(draw: Draw) -> Mutant:
    """Files joined, kept and owed: altered, exchanged, said to be kept when they are joined or named by nothing."""
    members, _ = members_and_stems()
    members = dict(members)
    manifest = json.loads(members["manifest.json"])
    name = next(name for name in members if name.startswith("evidence/"))
    kind = draw.randrange(5)
    if kind == 0:
        members[name] = draw.choice([flipped, edited])(draw, PAGE)
    elif kind == 1:
        other = draw.choice(["a", "b"]) * 64
        members = {n.replace(name, f"evidence/{other}.bin"): data for n, data in members.items()}
    elif kind == 2:
        del members[name]
    else:
        sha256 = draw.choice(["a" * 64, "f" * 64, canonical.sha256_hex(PAGE), "A" * 64, 1])
        held = [{"sha256": sha256, "bytes": draw.choice([0, 1, 2**53 - 1, 2**53, -1, "1", 1.5, None])}]
        manifest["held"] = draw.choice([held, held * 2, [*manifest["held"], *held], None, {}, []])
    return Mutant("", trusted(draw), resigned(members, manifest))
