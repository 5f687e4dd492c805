"""Mutants of what is signed: checkpoints, signature lines, inclusion proofs, the trust file."""

import json

from bundle_world import BUNDLE, LOG, POLICY, WITNESSED_POLICY, WITNESSES
from forge import Forged, origin_of, resigned, sign_bytes
from mutants_base import Draw, Mutant, bundle_of, flipped, members_of, pair, worlds
from odd import ODD_TEXTS

from services.proof_archive.bundles.canonical_zip import write_zip
from shared.crypto.encoding import b64
from shared.crypto.note import Signer
from shared.crypto.tlog_proof import TlogProof


def checkpoint_texts(draw: Draw) -> Mutant:
    """What a log's checkpoint says, changed and signed by the log and its witnesses."""
    forged = Forged.of(worlds()["plain"])
    topic = draw.choice(list(forged.logs))
    text = worlds()["plain"].checkpoint(topic).decode().partition("\n\n")[0] + "\n"
    origin, size, root = text.split("\n")[:3]
    forged.checkpoint_text = {topic: draw.choice([
        lambda: text + draw.choice(["more\n", "\n", "x\ny\n", "\u2028\n", "é\n", " \n", "x"]),
        lambda: f"{origin}\n{draw.choice(['0', '01', '+1', ' 1', '1 ', str(2**63), str(2**63 - 1), '9' * 20, '١', ''])}\n{root}\n",
        lambda: f"{origin}\n{size}\n{draw.choice([root[:-1], root + '=', root[:-2] + 'B=', 'AAAA', '', root.lower(), '=' + root])}\n",
        lambda: f"{draw.choice(odd_origins(origin))}\n{size}\n{root}\n",
        lambda: f"{origin}\n{size}\n",
        lambda: text.replace("\n", draw.choice(["\r\n", "\n\n"])),
        lambda: draw.choice(["\n", "a\nb\nc\n", f"{origin}\n{size}\n{root}"]),
    ])()}  # fmt: skip
    return pair(forged.bundle(), draw)


def odd_origins(origin: str) -> list[str]:
    deployment, topic, incarnation, partition = origin.split("/")
    return [
        f"{deployment}/{topic}/{incarnation}/p0", f"{deployment}/{topic}/{incarnation}/p000", f"{deployment}/{topic}/{incarnation}/p01",
        f"{deployment}/{topic}/{incarnation}/p1234567890", f"{deployment}/{topic.upper()}/{incarnation}/{partition}",
        f"{deployment}/{topic}/{incarnation.upper()}/{partition}", f"{deployment}/x/{topic}/{incarnation}/{partition}",
        f"{deployment}/bundle/{topic}/{incarnation}/{partition}", f"{deployment}+x/{topic}/{incarnation}/{partition}",
        f"{deployment}\u00a0/{topic}/{incarnation}/{partition}", f"{deployment}\u2003/{topic}/{incarnation}/{partition}",
        f"{deployment}\ufeff/{topic}/{incarnation}/{partition}", f"other.test/{topic}/{incarnation}/{partition}",
        f"/{topic}/{incarnation}/{partition}", f"{deployment}/{topic}/{incarnation}/{partition}/", origin_of("stops"), "x",
    ]  # fmt: skip


def signature_lines(draw: Draw) -> Mutant:
    """The signatures of a checkpoint or of the manifest: more, fewer, repeated, malformed, by others, by the wrong kind of key."""
    members = dict(members_of("plain"))
    name = draw.choice([name for name in members if name.endswith((".tlog-proof", ".note"))])
    head, _, tail = members[name].decode().rpartition("\n\n")
    text = head.rpartition("\n\n")[2] + "\n"
    lines = tail.split("\n")[:-1]
    stranger = Signer("stranger", bytes([draw.randrange(256)]) * 32)
    cosigner = draw.choice(WITNESSES)
    at = draw.randrange(len(lines) + 1)
    new = draw.choice([
        lambda: sign_bytes(stranger, text.encode()).line(),
        lambda: cosigner.cosign(text, draw.choice([0, 1, 2**63, 2**64 - 1])).line(),
        lambda: cosigner.cosign(text + "x\n", 1).line(),
        lambda: sign_bytes(LOG, text.encode()).line(),
        lambda: sign_bytes(LOG, b"other\n").line(),
        lambda: sign_bytes(BUNDLE, text.encode()).line(),
        lambda: f"— {cosigner.name} {b64(cosigner.verifier.key_id + draw.randbytes(draw.choice([0, 1, 7, 8, 63, 64, 65, 72, 73])))}\n",
        lambda: f"— {draw.choice(ODD_TEXTS)} {b64(draw.randbytes(68))}\n",
        lambda: f"— name {draw.choice(['AAAA', 'AAAAA', 'AAAAAA==', 'AAAAAB==', 'AAAAAAA=', '!', '', 'AAAA AAAA'])}\n",
        lambda: draw.choice(["- name AAAAAAA=\n", "—name AAAAAAA=\n", "\n", "—\n", "— \n", "x\n", "—  AAAAAAA=\n", "\ufeff— n AAAAAAA=\n"]),
    ])().removesuffix("\n")  # fmt: skip
    kind = draw.randrange(6)
    if kind == 0:
        del lines[min(at, len(lines) - 1)]
    elif kind == 1:
        lines.insert(at, draw.choice(lines))
    elif kind == 2:
        draw.shuffle(lines)
    elif kind == 3:
        lines = [new] * draw.choice([1, 99, 101]) + lines
    else:
        lines.insert(at, new)
    tail = "".join(f"{item}\n" for item in lines)
    members[name] = (head + "\n\n" + draw.choice([tail] * 9 + [tail[:-1]])).encode()
    manifest = json.loads(members["manifest.json"])
    if name.endswith(".note"):
        return pair(write_zip(members), draw)
    for other, data in members.items():  # the same note in every proof of that log, or in one alone
        if other.endswith(".tlog-proof") and other != name and draw.random() < 0.8:
            there, here = data.decode().partition("\n\n"), members[name].decode().partition("\n\n")
            if there[2].partition("\n")[0] == here[2].partition("\n")[0]:
                members[other] = (there[0] + "\n\n" + here[2]).encode()
    return pair(resigned(members, manifest), draw)


def proofs(draw: Draw) -> Mutant:
    """The head of an inclusion proof."""
    members = dict(members_of(draw.choice(["plain", "stopped"])))
    name = draw.choice([name for name in members if name.endswith(".tlog-proof")])
    proof = TlogProof.parse(members[name])
    head, _, rest = members[name].partition(b"\n\n")
    lines = head.decode().split("\n")
    at = draw.randrange(len(lines))
    hashes = list(proof.hashes) or [bytes(32)]
    odd_line = draw.choice([
        lines[at] + " ", lines[at].upper(), "index 0", "index 00", "index -1", "index \u0661", "", "extra ", "extra !",
        b64(bytes(31)), b64(bytes(33)), "é",
    ])  # fmt: skip
    members[name] = draw.choice([
        lambda: TlogProof(draw.choice([0, 1, 2, 3, proof.index + 1, 2**62]), proof.hashes, proof.checkpoint).marshal(),
        lambda: TlogProof(proof.index, tuple(draw.sample(hashes, len(hashes))), proof.checkpoint).marshal(),
        lambda: TlogProof(proof.index, (*hashes, draw.choice(hashes)), proof.checkpoint).marshal(),
        lambda: TlogProof(proof.index, (bytes(32),) * draw.choice([1, 63, 64, 65]), proof.checkpoint).marshal(),
        lambda: TlogProof(proof.index, proof.hashes[1:], proof.checkpoint).marshal(),
        lambda: TlogProof(proof.index, proof.hashes, proof.checkpoint, draw.choice([b"", b"x"])).marshal(),
        lambda: "\n".join(lines[:at] + lines[at + 1 :]).encode() + b"\n\n" + rest,
        lambda: "\n".join([*lines[:at], lines[at], *lines[at:]]).encode() + b"\n\n" + rest,
        lambda: "\n".join([*lines[:at], odd_line, *lines[at + 1 :]]).encode() + b"\n\n" + rest,
        lambda: head + draw.choice([b"\n", b"\r\n\r\n", b"\n\n\n", b"\n\n\xff"]) + rest,
        lambda: head,
    ])()  # fmt: skip
    return pair(resigned(members, json.loads(members["manifest.json"])), draw)


def trust_files(draw: Draw) -> Mutant:
    """The trust file, changed; the bundle an honest one."""
    lines = draw.choice([POLICY, WITNESSED_POLICY, WITNESSED_POLICY + "# end\n\n"]).split("\n")
    other = Signer(draw.choice(["opposable.test", "x", "opposable.test/bundle"]), bytes([draw.randrange(256)]) * 32)
    new = draw.choice([
        "", "#", " # x", "\tquorum none", "quorum g", "quorum none", "quorum w1", "quorum nobody", "quorum", "quorum none x",
        "group h any w1 w2", "group h all w3", "group h 0 w1", "group h 4 w1", "group h 01 w1", "group none 1 w1", "group h 1 h",
        "group w1 1 w2",
        "group h 1 w1 w1", "group h 1", "group h ٣ w1 w2 w3", "witness none " + WITNESSES[0].verifier.vkey(), "log x", "log", "witness w9",
        f"log {other.verifier.vkey()}", f"log {other.verifier.vkey()} https://example", f"log {LOG.verifier.vkey()}",
        f"log {WITNESSES[0].verifier.vkey()}", f"witness w9 {LOG.verifier.vkey()}", "log a+b", "log a+00000000+AQ==", "x", "\x7f", "a\x01",
        "log é+00000000+AQ==", "log a\u2003b+00000000+AQ==", "quorum\u00a0none", "quorum none\r", "quorum none\x0c", "LOG x",
        "group", "\ufeff",
    ])  # fmt: skip
    for _ in range(draw.choice([1, 1, 2])):
        at = draw.randrange(len(lines))
        kind = draw.randrange(6)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[draw.randrange(len(lines))])
        elif kind == 2:
            draw.shuffle(lines)
        elif kind == 3 and lines[at]:
            lines[at] = flipped(draw, lines[at].encode()).decode("utf-8", "replace")
        else:
            lines.insert(at, new)
        lines = lines or [""]
    return Mutant("", "\n".join(lines).encode(), bundle_of(draw.choice(["plain", "stopped"])))
