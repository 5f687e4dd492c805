"""Mutants of what JSON says, and of how it is written: manifest, disclosures, entries and the facts beside them."""

import copy
import json
from typing import Any

from forge import Forged, manifest_note, resigned
from mutants_base import Draw, Mutant, members_of, pair, some_world, worlds
from odd import ODD_NUMBERS, ODDITIES

from services.proof_archive.bundles.canonical_zip import write_zip
from shared import canonical


def odd_json(draw: Draw, value: Any) -> Any:  # noqa: C901 - one branch a kind of change
    """The value with one place of it changed, removed, added, repeated or moved."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(item: Any) -> None:
        if isinstance(item, dict | list):
            for key in list(item) if isinstance(item, dict) else range(len(item)):
                places.append((item, key))
                walk(item[key])

    walk(value)
    if not places:
        return draw.choice(ODDITIES)
    holder, key = draw.choice(places)
    kind = draw.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(draw.choice(holder)))
    elif kind == 2 and isinstance(holder, list):
        draw.shuffle(holder)
    elif kind == 3 and isinstance(holder, dict):
        holder[draw.choice(["more", "v", "é", "__proto__", "constructor", "kind", "", "A", "a,b"])] = draw.choice(
            ODDITIES
        )
    elif kind == 4 and isinstance(holder[key], int) and not isinstance(holder[key], bool):
        holder[key] += draw.choice([-1, 1, 2**31, 2**53])
    elif kind == 5 and isinstance(holder[key], str):
        holder[key] = draw.choice([holder[key] + "x", holder[key][1:], holder[key].upper(), holder[key] + "\n", ""])
    else:
        other = draw.choice(places)
        holder[key] = draw.choice([draw.choice(ODDITIES), copy.deepcopy(other[0][other[1]])])
    return value


def odd_text(draw: Draw, data: bytes) -> bytes:
    """JSON text that says the same, or nearly, in other bytes."""
    text = data.decode()
    spaces = [at for at, c in enumerate(text) if c in ",:{}[]"] or [0]
    at = draw.choice(spaces) + draw.randrange(2)
    number = draw.choice(ODD_NUMBERS)
    return draw.choice([
        lambda: (text[:at] + draw.choice([" ", "\n", "\t", "\ufeff", "\x00", ","]) + text[at:]).encode(),  # noqa: PLW0108
        lambda: text.replace(":1,", f":{number},", 1).encode(),
        lambda: text.replace("0}", f"{number}}}", 1).encode(),
        lambda: text.replace("a", draw.choice(["\\u0061", "\\u0041", "\\ud800", "\\ud83d\\ude00", "\\x61", "é", "\x7f"]), 1).encode(),
        lambda: text.replace("/", "\\/", 1).encode(),
        lambda: (text[:-1] + draw.choice([',"v":1}', ',"facts":{}}', ',"":0}', "}", " ", "\n", ","])).encode(),  # noqa: PLW0108
        lambda: ("{" + draw.choice(['"v":1,', '"facts":1,', '"__proto__":1,']) + text[1:]).encode(),  # noqa: PLW0108
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.replace(b"e", draw.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc1\xa5"]), 1),
        lambda: text.encode("utf-16-be"),
        lambda: b"[" * draw.choice([3, 63, 64, 65, 66, 70, 2000]) + b"]" * draw.choice([3, 63, 64, 65, 66, 70, 2000]),
        lambda: draw.choice([b"", b"null", b"true", b"[]", b"{}", b'""', b"1", b"NaN", b"[NaN]", b"-0", b"1.0"]),
    ])()  # fmt: skip


def dumped(value: Any) -> bytes:
    """Canonical bytes where there are any, else what a careless writer would write."""
    try:
        return canonical.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def manifests(draw: Draw) -> Mutant:
    """What the manifest says, changed and signed."""
    members = dict(members_of(some_world(draw)))
    said = odd_json(draw, json.loads(members["manifest.json"]))
    if draw.random() < 0.2:
        said = odd_json(draw, said)
    data = dumped(said) if draw.random() < 0.8 else odd_text(draw, members["manifest.json"])
    members["manifest.json"] = data
    members["manifest.note"] = manifest_note(said if isinstance(said, dict) else {}, data)
    return pair(write_zip(members), draw)


def disclosures(draw: Draw) -> Mutant:
    """What is disclosed, changed; the manifest redone."""
    members = dict(members_of(draw.choice(["plain", "stopped", "erased"])))
    before = json.loads(members["disclosures.json"]) or json.loads(members_of("plain")["disclosures.json"])
    said = odd_json(draw, before)
    members["disclosures.json"] = dumped(said) if draw.random() < 0.8 else odd_text(draw, members["disclosures.json"])
    return pair(resigned(members, json.loads(members["manifest.json"])), draw)


def facts(draw: Draw) -> Mutant:
    """What entries say, changed, and everything else made to agree with it."""
    forged = Forged.of(worlds()[draw.choice(["plain", "stopped", "stopped", "erased"])], some_disclosures(draw))
    for _ in range(draw.choice([1, 1, 2, 3])):
        topic, index = draw.choice(forged.mine)
        entry = json.loads(forged.logs[topic][index])
        if draw.random() < 0.85:
            entry["facts"] = odd_json(draw, entry["facts"])
        else:
            entry = odd_json(draw, entry)
        forged.logs[topic][index] = dumped(entry)
    return pair(forged.bundle(), draw)


def bodies(draw: Draw) -> Mutant:
    """Facts that stand beside their entry."""
    forged = Forged.of(worlds()["long"])
    place = ("verdicts", 0)
    said = odd_json(draw, json.loads(forged.bodies[place]))
    if isinstance(said, dict) and draw.random() < 0.5:
        said["lines"] = said.get("lines", [])[:2]
    body = dumped(said) if draw.random() < 0.7 else odd_text(draw, forged.bodies[place][:200] + b'"}')
    forged.bodies[place] = body
    entry = json.loads(forged.logs["verdicts"][0])
    entry["facts"] = {"bytes": len(body), "sha256": canonical.sha256_hex(body)}
    if draw.random() < 0.3:
        entry["facts"] = odd_json(draw, entry["facts"])
    forged.logs["verdicts"][0] = dumped(entry)
    if draw.random() < 0.1:
        forged.bodies["consents", 0] = body
    return pair(forged.bundle(), draw)


def entry_texts(draw: Draw) -> Mutant:
    """Entries that are not written as the archive writes them."""
    forged = Forged.of(worlds()["plain"])
    topic, index = draw.choice(forged.mine)
    forged.logs[topic][index] = odd_text(draw, forged.logs[topic][index])
    return pair(forged.bundle(), draw)


def some_disclosures(draw: Draw) -> bytes:
    return (
        members_of("plain")["disclosures.json"].replace(b"entries/000", b"entries/000")
        if draw.random() < 0.5
        else b"[]"
    )
