"""Mutants of what JSON says, and of how it is written: manifest, disclosures, entries and the facts beside them."""

import contextlib
import copy
import json
from typing import Any

from forge import Forged, manifest_note, resigned
from mutants_base import Draw, Mutant, members_of, pair, some_world, worlds
from odd import ODD_NUMBERS, ODDITIES

from services.proof_archive.bundles.canonical_zip import write_zip
from shared import canonical
from shared.crypto.encoding import unb64
from shared.crypto.sealing import commitment_of


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
    members = dict(members_of(draw.choice(["plain", "stopped", "erased", "own", "own", "whole", "gone"])))
    before = json.loads(members["disclosures.json"]) or json.loads(members_of("plain")["disclosures.json"])
    said = odd_json(draw, before)
    members["disclosures.json"] = dumped(said) if draw.random() < 0.8 else odd_text(draw, members["disclosures.json"])
    return pair(resigned(members, json.loads(members["manifest.json"])), draw)


def facts(draw: Draw) -> Mutant:
    """What entries say, changed, and everything else made to agree with it."""
    name = draw.choice(["plain", "stopped", "stopped", "erased", "own"])
    shown = members_of(name)["disclosures.json"] if name == "own" else some_disclosures(draw)
    forged = Forged.of(worlds()[name], shown)
    for _ in range(draw.choice([1, 1, 2, 3])):
        topic, index = draw.choice(forged.mine)
        entry = json.loads(forged.logs[topic][index])
        if draw.random() < 0.85:
            entry["facts"] = odd_json(draw, entry["facts"])
        else:
            entry = odd_json(draw, entry)
        forged.logs[topic][index] = dumped(entry)
    return pair(forged.bundle(), draw)


def lines(draw: Draw) -> Mutant:
    """Verdicts that commit to each line: what they say, what is shown of them, and a platform that commits to what it likes."""
    name = draw.choice(["own", "own", "whole", "gone"])
    forged = Forged.of(worlds()[name], members_of(name)["disclosures.json"])
    place = next(at for at in forged.mine if at[0] == "verdicts")
    entry, shown = json.loads(forged.logs["verdicts"][place[1]]), json.loads(forged.disclosures)
    kind = draw.randrange(5)
    if kind == 0:
        entry["facts"] = odd_json(draw, entry["facts"])
    elif kind == 1:
        shown = odd_json(draw, shown)
    elif kind == 2:  # commitments moved, doubled, dropped
        each = entry["facts"]["line_commitments"]
        entry["facts"]["line_commitments"] = draw.choice([
            each[::-1], each * 2, each[:1], each[1:], [], None, [1], "x", ["A" * 65], {"0": each[0]}, [*each, None],
        ])  # fmt: skip
    elif kind == 3:
        entry["facts"]["v"] = draw.choice([1, 3, "2", True, None, 2, -2])
        if draw.random() < 0.5:
            entry["facts"] |= {"lines": [], "references": []}
    else:  # whatever value, honestly committed to
        line = draw.choice([one for one in shown if one["pointer"].startswith("/lines/")])
        line["value"] = odd_json(draw, line["value"]) if draw.random() < 0.8 else draw.choice([None, [], "x", 1, {}])
        with contextlib.suppress(TypeError, UnicodeEncodeError):
            commitment = commitment_of(unb64(line["salt"]), line["pointer"], line["value"])
            entry["facts"]["line_commitments"][int(line["pointer"].rpartition("/")[2])] = commitment
    forged.logs["verdicts"][place[1]], forged.disclosures = dumped(entry), dumped(shown)
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
