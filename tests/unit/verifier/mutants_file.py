"""Mutants of the file: its bytes, the headers of the ZIP, its members; hashes and manifest redone, or not."""

import json
import struct

from forge import resigned
from mutants_base import Draw, Mutant, bundle_of, edited, flipped, members_of, pair, some_world
from three import single

from services.proof_archive.bundles.canonical_zip import write_zip


def raw_flips(draw: Draw) -> Mutant:
    return pair(flipped(draw, bundle_of(some_world(draw))))


def raw_edits(draw: Draw) -> Mutant:
    return pair(edited(draw, bundle_of(some_world(draw))))


def zip_headers(draw: Draw) -> Mutant:
    """One field of a header, or of the end record, set to something else."""
    bundle = bytearray(bundle_of("plain"))
    signature = draw.choice([b"PK\3\4", b"PK\1\2", b"PK\1\2", b"PK\5\6"])
    places = [at for at in range(len(bundle) - 4) if bundle[at : at + 4] == signature]
    at = draw.choice(places) + draw.randrange(4, 22 if signature == b"PK\5\6" else 46)
    value = draw.choice([0, 1, 8, 9, 20, 33, 0x7F, 0xFF, draw.randrange(256)])
    struct.pack_into("<B", bundle, min(at, len(bundle) - 1), value)
    if draw.random() < 0.2:
        bundle += draw.choice([b"\0", b"PK\5\6" + bytes(18), bytes(bundle[-22:]), draw.randbytes(9), bytes(70_000)])
    if draw.random() < 0.1:
        bundle[:0] = draw.choice([b"#!/bin/sh\n", b"PK\3\4", b"PK\5\6" + bytes(18)])
    return pair(bytes(bundle))


def members_altered(draw: Draw) -> Mutant:
    """A member altered in a well-formed ZIP, the manifest as it was."""
    members = dict(members_of(some_world(draw)))
    name = draw.choice(list(members))
    members[name] = draw.choice([flipped, edited])(draw, members[name])
    return pair(write_zip(members))


def members_moved(draw: Draw) -> Mutant:
    """Members added, removed, renamed, swapped; the manifest as it was, or redone."""
    members = list(members_of(some_world(draw)).items())
    for _ in range(draw.randrange(1, 3)):
        one, two = draw.randrange(len(members)), draw.randrange(len(members))
        kind = draw.randrange(4)
        if kind == 0:
            del members[one]
        elif kind == 1:
            members[one], members[two] = (members[one][0], members[two][1]), (members[two][0], members[one][1])
        elif kind == 2:
            members[one], members[two] = members[two], members[one]
        else:
            name = draw.choice([
                "entries/099.bin", "entries/004.bin", "entries/0000.bin", "entries/00000.bin", f"evidence/{'f' * 64}.bin",
                "entries/003.body", "evidence/" + draw.choice(["A", "a", "0"]) * 64 + ".bin", "x", "entries/../x", "",
            ])  # fmt: skip
            members.insert(one, (name, draw.randbytes(3)))
    if draw.random() < 0.5:  # this writer writes a name twice where it is asked to
        return pair(single.write_zip([(name.encode(), data) for name, data in members]))
    return pair(resigned(dict(members), json.loads(members_of("plain")["manifest.json"])))


def entries_moved(draw: Draw) -> Mutant:
    """Whole entries swapped, repeated or left out, each still proven; the manifest redone."""
    members = dict(members_of("plain"))
    one, two = draw.sample(range(4), 2)
    kind = draw.randrange(3)
    for suffix in ("bin", "tlog-proof"):
        first, second = f"entries/{one:03d}.{suffix}", f"entries/{two:03d}.{suffix}"
        if kind == 0:
            members[first], members[second] = members[second], members[first]
        elif kind == 1:
            members[first] = members[second]
        else:
            members[first] = members["entries/003." + suffix]
            del members["entries/003." + suffix]
    return pair(resigned(members, json.loads(members["manifest.json"])))


def members_resigned(draw: Draw) -> Mutant:
    """A member altered, its hash and the manifest's signature redone."""
    members = dict(members_of(some_world(draw)))
    name = draw.choice([name for name in members if not name.startswith("manifest.")])
    members[name] = draw.choice([flipped, edited])(draw, members[name])
    return pair(resigned(members, json.loads(members["manifest.json"])), draw)
