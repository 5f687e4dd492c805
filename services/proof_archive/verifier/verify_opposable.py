#!/usr/bin/env python3
"""Verify a proof bundle of consent offline, with this one file and Python 3.8 or newer: no package, no network, no clock.

    python3 verify_opposable.py BUNDLE.zip --policy TRUST-FILE [--json] [--lang fr|en]

Exit codes: 0 the bundle holds, 1 it is refused (with a stable code), 2 a file cannot be read or the trust file is unusable.
The trust file holds the public keys to believe. Get it by another way than the bundle.

Vérifier hors ligne un dossier de preuve de consentement, avec ce seul fichier et Python 3.8 ou plus récent.
Le fichier de confiance contient les clés publiques : il ne doit pas venir avec le dossier.

What is checked, in order, each step trusting only those before it:
 1. the ZIP is written byte for byte as bundles are (PKWARE APPNOTE 6.3.x; stored members, known names, fixed dates);
 2. manifest.json is signed by the bundle key of the trust file (C2SP signed-note, Ed25519 of RFC 8032);
 3. every member is the one that the manifest hashes (SHA-256);
 4. every entry is in its log (RFC 9162 inclusion, C2SP tlog-proof) under a checkpoint signed by the log key and seen by the
    trust file's quorum of witnesses (C2SP tlog-checkpoint, tlog-cosignature, tlog-policy);
 5. every entry is about the record, or relied on by its verdict;
 6. the disclosed values are those committed to (HMAC-SHA256), and the timeline and the erasure say what the entries say;
 7. each timestamp is of checkpoints that the bundle's grew from; it is believed where the trust file knows the certificate
    that signed it (RFC 3161; RSA PKCS#1 v1.5 and ECDSA with SHA-2).

To read it: sections stand in that order; `verify_bundle` near the end is the whole check in one page.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import struct
import sys
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, NoReturn, Optional, Set, Tuple

# --- Reasons ---------------------------------------------------------------------------------------------------------

REASONS: Dict[str, Tuple[str, str]] = {
    "TOO-LARGE": ("The bundle is larger than any bundle we make.", "Le dossier dépasse la taille admise."),
    "ZIP-UNREADABLE": ("This is not a readable ZIP file.", "Ce n'est pas un fichier ZIP lisible."),
    "ZIP-COMPRESSED": (
        "A member is compressed or encrypted: bundles store their members as they are.",
        "Un fichier du dossier est compressé ou chiffré : un dossier de preuve les contient tels quels.",
    ),
    "ZIP-BOMB": (
        "The members claim to be larger than the file that holds them.",
        "Les fichiers annoncés dépassent la taille du dossier qui les contient.",
    ),
    "ZIP-PATH": (
        "A member has a name that no bundle contains (path, extra file).",
        "Un fichier porte un nom qu'aucun dossier ne contient (chemin, fichier ajouté).",
    ),
    "ZIP-DUPLICATE": ("Two members have the same name.", "Deux fichiers portent le même nom."),
    "ZIP-NOT-CANONICAL": (
        "The ZIP is not written byte for byte as bundles are.",
        "Le ZIP n'est pas écrit à l'octet près comme un dossier de preuve.",
    ),
    "MANIFEST-MISSING": ("The manifest or its signature is missing.", "Le manifeste ou sa signature manque."),
    "MANIFEST-MALFORMED": ("The manifest does not have the documented form.", "Le manifeste est mal formé."),
    "MANIFEST-NOT-SIGNED": (
        "The manifest is not signed by the bundle key that the trust file names.",
        "Le manifeste n'est pas signé par la clé que désigne le fichier de confiance.",
    ),
    "MEMBERS-DIFFER": (
        "The members are not those of the manifest, in its order.",
        "Les fichiers ne sont pas ceux du manifeste, dans son ordre.",
    ),
    "MEMBER-ALTERED": ("A member is not the one the manifest hashes.", "Un fichier n'est pas celui du manifeste."),
    "README-UNKNOWN": ("LISEZMOI.txt is not the known text.", "LISEZMOI.txt n'est pas le texte connu."),
    "ENTRY-MALFORMED": ("A log entry does not have the documented form.", "Une entrée du journal est mal formée."),
    "ENTRY-BODY": (
        "The facts beside an entry are missing, superfluous or not those it hashes.",
        "Les faits joints à une entrée manquent, sont de trop ou ne sont pas ceux qu'elle désigne.",
    ),
    "ENTRY-UNRELATED": (
        "An entry is not about this record, nor relied on by its verdict.",
        "Une entrée ne concerne pas ce dossier et n'est pas citée par son évaluation.",
    ),
    "ENTRY-ORDER": ("The entries are not in order, or one stands twice.", "Les entrées ne sont pas dans l'ordre."),
    "CONSENT-MISSING": ("The consent itself is not among the entries.", "Le consentement n'est pas joint."),
    "PROOF-MALFORMED": ("An inclusion proof cannot be read.", "Une preuve d'inclusion est illisible."),
    "CHECKPOINT-REFUSED": (
        "A checkpoint is not acceptable under the trust file (signature, witnesses, origin).",
        "Un point de contrôle n'est pas acceptable (signature, témoins, origine).",
    ),
    "CHECKPOINT-DIFFERS": (
        "A proof's checkpoint is not the one that the manifest states, or its log is not that of the entry.",
        "Le point de contrôle d'une preuve n'est pas celui que le manifeste énonce, ou n'est pas celui du journal de l'entrée.",
    ),
    "NOT-INCLUDED": ("An entry is not proven to be in the log.", "L'inclusion d'une entrée n'est pas prouvée."),
    "REFERENCE-MISSING": (
        "An entry is not listed by the manifest, or is listed otherwise.",
        "Une entrée n'est pas citée par le manifeste, ou l'est autrement.",
    ),
    "DISCLOSURES-MALFORMED": ("disclosures.json is malformed.", "disclosures.json est mal formé."),
    "DISCLOSURE-WRONG": (
        "A disclosed value is not the one committed to in the log.",
        "Une valeur dévoilée n'est pas celle que le journal engage.",
    ),
    "ERASURE-DIFFERS": (
        "The manifest and the entries do not agree on the erasure.",
        "Le manifeste et les entrées ne s'accordent pas sur l'effacement.",
    ),
    "TIMELINE-DIFFERS": (
        "timeline.json does not say what the entries say.",
        "timeline.json ne dit pas ce que disent les entrées.",
    ),
    "EVIDENCE-UNKNOWN": (
        "An evidence file is not one that the entries hash.",
        "Une pièce n'est pas désignée par les entrées.",
    ),
    "TIMESTAMP-MALFORMED": (
        "A timestamp does not have the documented form.",
        "Un horodatage n'a pas la forme documentée.",
    ),
    "TIMESTAMP-WRONG": (
        "A timestamp is not of these checkpoints, or its authority did not sign it.",
        "Un horodatage ne porte pas sur ces points de contrôle, ou son autorité ne l'a pas signé.",
    ),
}


class Refused(Exception):
    """The bundle is refused for the reason `code`; `where` is the member concerned, "" for the whole bundle."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__((code + " " + where).strip())
        self.code, self.where = code, where


class Bad(Exception):
    """Bytes are not what they should be. The caller knows which refusal that makes."""


# --- Bytes -----------------------------------------------------------------------------------------------------------

MAX_SAFE_INTEGER = 2**53 - 1
MAX_SIZE = 2**63 - 1
HASH_SIZE = 32


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Standard base64, padded, and no other spelling than the canonical one."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Bad("not base64") from None
    if b64(data) != text:
        raise Bad("base64 with stray bits")
    return data


def parse_decimal(text: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text) or int(text) > MAX_SIZE:
        raise Bad("not a decimal number from 0 to 2^63 - 1 without leading zeroes")
    return int(text)


# --- Canonical JSON: ASCII keys, sorted, no float, |integer| < 2^53, no space, UTF-8 (RFC 8785 on this profile) ---------


def canonical(value: Any) -> bytes:
    """Bytes of a value. Raises ValueError where UTF-8 cannot write a string."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def check_profile(value: Any, depth: int = 0) -> None:
    if depth > 64:
        raise Bad("nested too deep")
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise Bad("an integer beyond 2^53")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise Bad("a key that is not ASCII")
            check_profile(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_profile(item, depth + 1)
    else:
        raise Bad("a number that is not an integer")


def read_canonical(data: bytes) -> Any:
    """The value of canonical JSON bytes: one text, one meaning."""
    try:
        value = json.loads(data.decode("utf-8"))
        written = canonical(value)
    except (ValueError, TypeError, RecursionError):
        raise Bad("not JSON") from None
    if written != data:
        raise Bad("not canonical JSON")
    return value


# --- Forms: each reader returns the value or raises Bad -----------------------------------------------------------------

Reader = Callable[[Any], Any]
REQUIRED = object()


def text_of(most: int = 512, least: int = 0, pattern: str = "") -> Reader:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise Bad("not a text of the right length")
        if pattern and not re.fullmatch(pattern, value):
            raise Bad("not a text of the right form")
        return value

    return read


def int_of(least: int = -MAX_SAFE_INTEGER, most: int = MAX_SAFE_INTEGER) -> Reader:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Bad("not an integer within bounds")
        return value

    return read


def one_of(*choices: Any) -> Reader:
    def read(value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise Bad("not one of the choices")
        return value

    return read


def list_of(item: Reader) -> Reader:
    def read(value: Any) -> List[Any]:
        if not isinstance(value, list):
            raise Bad("not a list")
        return [item(one) for one in value]

    return read


def either(*readers: Reader) -> Reader:
    def read(value: Any) -> Any:
        for reader in readers:
            try:
                return reader(value)
            except Bad:
                continue
        raise Bad("none of the forms")

    return read


def maybe(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def any_value(value: Any) -> Any:
    return value


def object_value(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad("not an object")
    return value


def form(fields: Dict[str, Tuple[Reader, Any]], *, strict: bool = False) -> Reader:
    """An object. Each field has a reader and a default (REQUIRED = none); unknown fields are refused if `strict`."""

    def read(value: Any) -> Dict[str, Any]:
        object_value(value)
        if strict and not value.keys() <= fields.keys():
            raise Bad("an unknown field")
        result = {}
        for name, (reader, default) in fields.items():
            if name in value:
                result[name] = reader(value[name])
            elif default is REQUIRED:
                raise Bad("a missing field")
            else:
                result[name] = default
        return result

    return read


def map_of_texts(value: Any) -> Dict[str, str]:
    if not all(isinstance(item, str) for item in object_value(value).values()):
        raise Bad("not an object of texts")
    return value  # type: ignore[no-any-return]


boolean = one_of(True, False)
count = int_of(0)
name = text_of(512, 1, "[\x21-\x7e]+")
hash_hex = text_of(64, 64, "[0-9a-f]{64}")
word = text_of(512, 1)
version = either(int_of(0), word)
any_of = either(list_of(word), word)


def strict_form(**fields: Reader) -> Reader:
    return form({key: (reader, REQUIRED) for key, reader in fields.items()}, strict=True)


# --- Instants ----------------------------------------------------------------------------------------------------------

_INSTANT = re.compile(
    "([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:[.]([0-9]{1,9}))?"
    "(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


def format_instant(moment: datetime, millis: int) -> str:
    return moment.isoformat(timespec="seconds") + ".%03dZ" % millis


def instant(value: Any) -> str:
    """An RFC 3339 instant, in UTC with milliseconds: the form whose order as text is the order of times."""
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Bad("not an RFC 3339 instant")
    parts = match.groups()
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts[:6])
        moment = datetime(year, month, day, hour, minute, second)
        if parts[7]:
            minutes = int(parts[8]) * 60 + int(parts[9])
            moment -= timedelta(minutes=minutes if parts[7] == "+" else -minutes)
    except (ValueError, OverflowError):
        raise Bad("not an instant of our calendar") from None
    return format_instant(moment, int(((parts[6] or "") + "000")[:3]))


def instant_of_millis(millis: int) -> str:
    return format_instant(datetime(1970, 1, 1) + timedelta(seconds=millis // 1000), millis % 1000)


# --- Ed25519, verification only (RFC 8032 §5.1.7, without cofactor; arithmetic on public data only) ----------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
Point = Tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(a: Point) -> Point:
    xx, yy, zz = a[0] * a[0] % P, a[1] * a[1] % P, 2 * a[2] * a[2] % P
    h = xx + yy
    e = h - (a[0] + a[1]) * (a[0] + a[1]) % P
    g = xx - yy
    f = zz + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _decode_point(data: bytes) -> Optional[Point]:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, (number & (2**255 - 1)) % P
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * SQRT_M1 % P
        if (v * x * x - u) % P:
            return None
    if x & 1 != sign:
        x = (P - x) % P
    return x, y, 1, x * y % P


def _encode_point(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    key, s = _decode_point(public), int.from_bytes(signature[32:], "little")
    if key is None or _BASE is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus = (P - key[0], key[1], key[2], P - key[3])
    both, result = _add(_BASE, minus), IDENTITY
    for bit in range(255, -1, -1):  # s·B - k·A, bit by bit together
        result = _double(result)
        pick = (s >> bit & 1) | (k >> bit & 1) << 1
        if pick:
            result = _add(result, (_BASE, minus, both)[pick - 1])
    return _encode_point(result) == signature[:32]


# --- Merkle trees (RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2) -------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def _climb(index: int, last: int, proof: List[bytes]) -> List[Tuple[bytes, bool]]:
    """Each sibling with whether it stands on the left, from node `index` to the root; `last` is that level's last node."""
    meeting = (index ^ last).bit_length()
    length = meeting + bin(index >> meeting).count("1")
    if len(proof) != length:
        raise Bad("a proof of the wrong length")
    return list(zip(proof, [bool(index >> level & 1) for level in range(meeting)] + [True] * (length - meeting)))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: List[bytes], root: bytes) -> None:
    if any(len(item) != HASH_SIZE for item in [leaf, root, *proof]):
        raise Bad("a hash is 32 bytes")
    if not 0 <= index < size <= MAX_SIZE:
        raise Bad("the index lies outside the tree")
    for sibling, on_left in _climb(index, size - 1, proof):
        leaf = node_hash(sibling, leaf) if on_left else node_hash(leaf, sibling)
    if leaf != root:
        raise Bad("the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: List[bytes], root1: bytes, root2: bytes) -> None:
    """RFC 9162 §2.1.4.2: the first tree is a beginning of the second."""
    if any(len(item) != HASH_SIZE for item in [root1, root2, *proof]):
        raise Bad("a hash is 32 bytes")
    if not 1 <= size1 <= size2 <= MAX_SIZE:
        raise Bad("a consistency proof goes from a size of at least 1 to one at least as large")
    if size1 == size2:
        if proof or root1 != root2:
            raise Bad("two trees of one size have one root and need no proof")
        return
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    if not path:
        raise Bad("the consistency proof is empty")
    skipped = (size1 ^ (size1 - 1)).bit_length() - 1
    first = second = path[0]
    for sibling, on_left in _climb((size1 - 1) >> skipped, (size2 - 1) >> skipped, path[1:]):
        if on_left:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    if (first, second) != (root1, root2):
        raise Bad("the consistency proof leads to other roots")


# --- Signed notes (C2SP signed-note 1.0, tlog-cosignature 1.0.1) ---------------------------------------------------------

ED25519, COSIGNATURE = 0x01, 0x04
BUNDLE_SUFFIX = "/bundle"


class Key(NamedTuple):
    """A public key with its name, from a vkey `name+hex8+base64(type ‖ public key)`."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode("utf-8") + b"\n" + bytes([self.algorithm]) + self.public)[:4]

    def holds(self, text: str, value: bytes) -> bool:
        """Whether `value` is this key's signature of a note's text."""
        message = text.encode("utf-8")
        if self.algorithm == COSIGNATURE:
            seconds = int.from_bytes(value[:8], "big")
            message, value = ("cosignature/v1\ntime %d\n" % seconds).encode("ascii") + message, value[8:]
        return ed25519_verify(self.public, message, value)


class SignatureLine(NamedTuple):
    """One signature line as written."""

    name: str
    key_id: bytes
    value: bytes


def check_key_name(text: str) -> None:
    if not text or "+" in text or any(c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in text):
        raise Bad("a key name is not empty and holds neither a space nor '+'")


def parse_vkey(vkey: str) -> Key:
    key_name, _, rest = vkey.partition("+")  # base64 may hold "+": split from the left only
    written_id, _, encoded = rest.partition("+")
    check_key_name(key_name)
    data = unb64(encoded)
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
        raise Bad("the verifier key is neither Ed25519 (01) nor a cosignature key (04)")
    key = Key(key_name, data[0], data[1:])
    if binascii.hexlify(key.id).decode("ascii") != written_id:
        raise Bad("the verifier key's id does not match its name and key")
    return key


def split_note(data: bytes) -> Tuple[str, List[SignatureLine]]:
    """Text and signature lines of a note, unverified."""
    if len(data) > 1 << 20:
        raise Bad("the note is too long")
    try:
        message = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("the note is not UTF-8") from None
    head, blank, tail = message.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise Bad("the note has no blank line before its signatures, or is cut short")
    if any(c < " " and c != "\n" for c in head):
        raise Bad("a note's text holds no control character but line feeds")
    lines = tail[:-1].split("\n")
    if len(lines) > 100:
        raise Bad("the note has too many signatures")
    return head + "\n", [_signature_line(line) for line in lines]


def _signature_line(line: str) -> SignatureLine:
    if not line.startswith("— "):
        raise Bad("a signature line starts with an em dash and a space")
    key_name, _, encoded = line[2:].partition(" ")
    check_key_name(key_name)
    value = unb64(encoded)
    if len(value) <= 4:
        raise Bad("the signature is too short")
    return SignatureLine(key_name, value[:4], value[4:])


def open_note(data: bytes, keys: List[Key]) -> Tuple[str, Set[Tuple[str, bytes]]]:
    """Text of a note and the (name, id) of the known keys that signed it. Every signature by a known key must be right."""
    text, lines = split_note(data)
    known = {(key.name, key.id): key for key in keys}
    signed = set()
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is not None:
            if not key.holds(text, line.value):
                raise Bad("the signature of %s is wrong" % key.name)
            signed.add((line.name, line.key_id))
    if not signed:
        raise Bad("no signature of the note is by a known key")
    return text, signed


# --- Trust file (C2SP tlog-policy) ----------------------------------------------------------------------------------------


class Group(NamedTuple):
    """Satisfied when at least `threshold` of its members (witnesses or groups) are."""

    threshold: int
    members: Tuple[str, ...]


class Policy:
    """Which logs to believe, and how many witnesses must have seen a checkpoint."""

    def __init__(self) -> None:
        self.logs: List[Key] = []
        self.witnesses: Dict[str, Key] = {}
        self.groups: Dict[str, Group] = {}
        self.quorum: Optional[str] = None
        self.authorities: Dict[str, str] = {}
        self._grouped: Set[str] = set()

    @property
    def independent(self) -> bool:
        return self.quorum != "none"

    def satisfied(self, seen: List[str]) -> bool:
        if self.quorum == "none":
            return True
        made = {witness: witness in seen for witness in self.witnesses}
        for group_name, group in self.groups.items():  # members stand before their group in the file
            made[group_name] = sum(made[member] for member in group.members) >= group.threshold
        return made[self.quorum or ""]

    def log_key(self, key_name: str) -> Key:
        found = [key for key in self.logs if key.name == key_name]
        if len(found) != 1:
            raise Bad("the trust file holds %s log keys named %s" % (len(found) or "no", key_name))
        return found[0]

    def take(self, line: str) -> None:
        """Take one line of the file in."""
        if any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise Bad("no control character but tab is allowed")
        line = line.strip(" \t")
        if not line:
            return
        kind, *items = words = re.split("[ \t]+", line)
        if words[:2] == ["#", "timestamp-authority"]:  # a comment for others: whose times are believed
            self._authority(words[2:])
        if kind.startswith("#"):
            return
        readers = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}
        bounds = {"log": (1, 2), "witness": (2, 3), "group": (3, 4096), "quorum": (1, 1)}
        if kind not in readers:
            raise Bad("a line starts with log, witness, group or quorum")
        if not bounds[kind][0] <= len(items) <= bounds[kind][1]:
            raise Bad("a %s line has another number of items" % kind)
        readers[kind](items)

    def _authority(self, items: List[str]) -> None:
        match = re.fullmatch("sha256:([0-9a-f]{64})", items[1]) if len(items) == 2 else None
        if match is None:
            raise Bad("a timestamp authority is a name and sha256:<hash of its certificate>")
        if match.group(1) in self.authorities:
            raise Bad("a timestamp authority's certificate stands once")
        self.authorities[match.group(1)] = items[0]

    def _log(self, items: List[str]) -> None:
        key = parse_vkey(items[0])
        if key.algorithm != ED25519 or any(key.public == other.public for other in self.logs):
            raise Bad("a log key is Ed25519 and stands once")
        self.logs.append(key)

    def _witness(self, items: List[str]) -> None:
        key = parse_vkey(items[1])
        if key.algorithm != COSIGNATURE or any(key.public == other.public for other in self.witnesses.values()):
            raise Bad("a witness key is a cosignature key and stands once")
        self._check_new(items[0])
        self.witnesses[items[0]] = key

    def _group(self, items: List[str]) -> None:
        group_name, threshold, *members = items
        self._check_new(group_name)
        if not all(member in self.witnesses or member in self.groups for member in members):
            raise Bad("a group's members are defined before it")
        if len(set(members)) != len(members) or self._grouped & set(members):
            raise Bad("a name is a member once, of one group")
        self._grouped |= set(members)
        least = {"any": 1, "all": len(members)}.get(threshold)
        if least is None:
            if not re.fullmatch("[1-9][0-9]{0,4}", threshold) or int(threshold) > len(members):
                raise Bad("a threshold is any, all, or a number from 1 to the number of members")
            least = int(threshold)
        self.groups[group_name] = Group(least, tuple(members))

    def _quorum(self, items: List[str]) -> None:
        if self.quorum is not None:
            raise Bad("there is one quorum line")
        if items[0] != "none" and items[0] not in self.witnesses and items[0] not in self.groups:
            raise Bad("the quorum is none, or a witness or group defined before it")
        self.quorum = items[0]

    def _check_new(self, new: str) -> None:
        if new == "none" or new in self.witnesses or new in self.groups:
            raise Bad("a witness or group has a name of its own, and not 'none'")


def parse_policy(text: str) -> Policy:
    """Read a trust file. Raises Bad naming the line and what is wrong with it."""
    policy, lines = Policy(), text.split("\n")
    if len(lines) > 4096:
        raise Bad("the trust file is too long")
    for number, line in enumerate(lines, start=1):
        try:
            policy.take(line)
        except Bad as error:
            raise Bad("line %d of the trust file: %s" % (number, error)) from None
    if policy.quorum is None:
        raise Bad("the trust file has no quorum line")
    return policy


# --- Checkpoints and proofs (C2SP tlog-checkpoint 1.0, tlog-proof) ---------------------------------------------------------

# Of an origin `<deployment>/<topic>/<incarnation>/p<NN>`: one log per partition of a topic.
_ORIGIN = re.compile(r"([^\s+]+)/([a-z]+)/([0-9a-f]{16})/p([0-9]{2,})")


class Checkpoint(NamedTuple):
    """A checkpoint accepted under the trust file, and the witnesses (names in the file) that cosigned it."""

    origin: str
    size: int
    root: bytes
    deployment: str
    topic: str
    partition: int
    witnesses: Tuple[str, ...]


def parse_checkpoint(text: str) -> Tuple[str, int, bytes]:
    lines = text[:-1].split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        raise Bad("a checkpoint is at least three lines, none empty, each ended by a line feed")
    root = unb64(lines[2])
    if len(root) != HASH_SIZE:
        raise Bad("a checkpoint's root is 32 bytes")
    return lines[0], parse_decimal(lines[1]), root


def parse_origin(origin: str) -> Tuple[str, str, int]:
    """Deployment, topic and partition of an origin."""
    match = _ORIGIN.fullmatch(origin)
    if match is None or match.group(4) != "%02d" % int(match.group(4)[:9]):
        raise Bad("the origin is not <deployment>/<topic>/<incarnation>/p<NN>")
    return match.group(1), match.group(2), int(match.group(4))


def open_checkpoint(data: bytes, policy: Policy) -> Checkpoint:
    """Open a checkpoint note: signed by its deployment's log key, and seen by the quorum."""
    text, signed = open_note(data, policy.logs + list(policy.witnesses.values()))
    origin, size, root = parse_checkpoint(text)
    deployment, topic, partition = parse_origin(origin)
    if deployment.endswith(BUNDLE_SUFFIX):
        raise Bad("a key for bundles does not sign checkpoints")
    log = policy.log_key(deployment)
    if (log.name, log.id) not in signed:
        raise Bad("the checkpoint is not signed by %s" % log.name)
    witnesses = [witness for witness, key in policy.witnesses.items() if (key.name, key.id) in signed]
    if not policy.satisfied(witnesses):
        raise Bad("too few of the trust file's witnesses have seen the checkpoint")
    return Checkpoint(origin, size, root, deployment, topic, partition, tuple(witnesses))


class Proof(NamedTuple):
    """A `c2sp.org/tlog-proof@v1`: place of the entry, hashes from the leaf up, the checkpoint note, what nothing proves."""

    position: int
    hashes: List[bytes]
    checkpoint: bytes
    extra: Optional[bytes]


def parse_proof(data: bytes) -> Proof:
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise Bad("the proof has no blank line before its checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Bad("the proof's head is not ASCII") from None
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Bad("the proof does not start with its header")
    extra = unb64(lines.pop(0)[len("extra ") :]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise Bad("the proof has no index")
    index = parse_decimal(lines.pop(0)[len("index ") :])
    if len(lines) > 64:
        raise Bad("the proof is too long")
    hashes = [unb64(line) for line in lines]
    if any(len(item) != HASH_SIZE for item in hashes):
        raise Bad("a hash of the proof is not 32 bytes")
    return Proof(index, hashes, checkpoint, extra)


# --- The ZIP: only what the writer of bundles would write ------------------------------------------------------------------

MAX_BYTES = 64 * 1024 * 1024
MAX_MEMBERS = 16384
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_MEMBER = re.compile(
    rb"manifest\.json|manifest\.note|LISEZMOI\.txt|disclosures\.json|timeline\.json|attestation\.pdf"
    rb"|entries/[0-9]{3,5}\.(?:bin|body|tlog-proof)|evidence/[0-9a-f]{64}\.bin"
    rb"|timestamps/[0-9a-f]{64}\.(?:consistency|json|tsr)"
)


def write_zip(members: List[Tuple[bytes, bytes]]) -> bytes:
    """The one ZIP of these members: stored, dated 1 January 1980, mode 0644, in this order."""
    files, directory, at = [], [], 0
    for member_name, data in members:
        crc = binascii.crc32(data) & 0xFFFFFFFF
        common = (20, 0, 0, 0, 33, crc, len(data), len(data), len(member_name), 0)
        local = _LOCAL.pack(b"PK\3\4", *common) + member_name + data
        directory.append(_CENTRAL.pack(b"PK\1\2", 3 << 8 | 20, *common, 0, 0, 0, 0o100644 << 16, at) + member_name)
        files.append(local)
        at += len(local)
    listed = b"".join(directory)
    return b"".join(files) + listed + _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(listed), at, 0)


def read_zip(data: bytes) -> Dict[str, bytes]:
    """Members by name, in order."""
    if len(data) > MAX_BYTES:
        raise Refused("TOO-LARGE")
    end = data.rfind(b"PK\5\6", max(0, len(data) - _END.size - 0xFFFF))
    if end < 0 or end + _END.size > len(data):
        raise Refused("ZIP-UNREADABLE")
    at = end - _END.unpack_from(data, end)[5]
    listed: List[Tuple[bytes, int, bool]] = []  # name, size, stored as it is
    while at != end and len(listed) <= MAX_MEMBERS:
        if at < 0 or at + _CENTRAL.size > end or data[at : at + 4] != b"PK\1\2":
            raise Refused("ZIP-UNREADABLE")
        fields = _CENTRAL.unpack_from(data, at)
        begin = at + _CENTRAL.size
        at = begin + fields[10] + fields[11] + fields[12]
        if at > end:
            raise Refused("ZIP-UNREADABLE")
        is_plain = fields[3] == 0 and fields[4] == 0 and fields[8] == fields[9]
        listed.append((data[begin : begin + fields[10]], fields[9], is_plain))
    if len(listed) > MAX_MEMBERS:
        raise Refused("TOO-LARGE")
    if sum(size for _, size, _ in listed) > len(data):
        raise Refused("ZIP-BOMB")
    for member_name, _, is_plain in listed:
        if not is_plain:
            raise Refused("ZIP-COMPRESSED")
        if not _MEMBER.fullmatch(member_name):
            raise Refused("ZIP-PATH")
    if len({member_name for member_name, _, _ in listed}) != len(listed):
        raise Refused("ZIP-DUPLICATE")
    members, at = [], 0
    for member_name, size, _ in listed:
        at += _LOCAL.size + len(member_name)
        members.append((member_name, data[at : at + size]))
        at += size
    if write_zip(members) != data:
        raise Refused("ZIP-NOT-CANONICAL")
    return {member_name.decode("ascii"): content for member_name, content in members}


# --- The manifest ------------------------------------------------------------------------------------------------------------

MANIFEST, NOTE, README = "manifest.json", "manifest.note", "LISEZMOI.txt"
DISCLOSURES, TIMELINE, ATTESTATION = "disclosures.json", "timeline.json", "attestation.pdf"
README_SHA256 = (  # of the texts of formats 1 and 2
    "b5937241f87d782ab132856d037c6054d46b60651c9fdef61988983ada291a6f",
    "ea7f47026fdf088a022786ee3198bee6e596ec91347a740b76b93af4f6917a13",
)
STAMPS, STAMP_SUFFIXES = "timestamps/", (".consistency", ".json", ".tsr")
Place = Tuple[str, int]

_MANIFEST = strict_form(
    v=one_of(1),
    deployment=name,
    record=name,
    requested_for=form(
        {
            "scope": (one_of("collector", "prospector", "operator", "auditor", "person"), REQUIRED),
            "party": (maybe(name), REQUIRED),
        },
        strict=True,
    ),
    erased=boolean,
    checkpoints=list_of(strict_form(origin=name, size=count)),
    references=list_of(strict_form(origin=name, index=count, topic=name, kind=name)),
    held=list_of(strict_form(sha256=hash_hex, bytes=count)),
    members=list_of(strict_form(name=name, sha256=hash_hex, bytes=count)),
)


class Manifest(NamedTuple):
    """The manifest: what the bundle is about, what it holds, what else is known."""

    fields: Dict[str, Any]
    sizes: Dict[str, int]
    references: Dict[Place, Tuple[str, str]]
    note_text: str


def read_manifest(data: bytes) -> Manifest:
    try:
        fields = _MANIFEST(read_canonical(data))
    except Bad:
        raise Refused("MANIFEST-MALFORMED", MANIFEST) from None
    origins = [item["origin"] for item in fields["checkpoints"]]
    places = [(item["origin"], item["index"]) for item in fields["references"]]
    held = [item["sha256"] for item in fields["held"]]
    sizes = {item["origin"]: item["size"] for item in fields["checkpoints"]}
    if (
        origins != sorted(set(origins))
        or places != sorted(set(places))
        or held != sorted(set(held))
        or any(index >= sizes.get(origin, 0) for origin, index in places)
    ):
        raise Refused("MANIFEST-MALFORMED", MANIFEST)
    references = {(r["origin"], r["index"]): (r["topic"], r["kind"]) for r in fields["references"]}
    text = "opposable-bundle\n%s\n%s\n" % (fields["record"], hashlib.sha256(data).hexdigest())
    return Manifest(fields, sizes, references, text)


def signed_manifest(members: Dict[str, bytes], policy: Policy) -> Manifest:
    if list(members)[:2] != [MANIFEST, NOTE]:
        raise Refused("MANIFEST-MISSING")
    manifest = read_manifest(members[MANIFEST])
    try:
        key = policy.log_key(manifest.fields["deployment"] + BUNDLE_SUFFIX)
        text, _ = open_note(members[NOTE], [key])
        _, lines = split_note(members[NOTE])
    except Bad:
        raise Refused("MANIFEST-NOT-SIGNED", NOTE) from None
    if text != manifest.note_text or len(lines) != 1:  # the note is the only member that no hash covers
        raise Refused("MANIFEST-NOT-SIGNED", NOTE)
    return manifest


def check_members(manifest: Manifest, members: Dict[str, bytes]) -> None:
    listed = manifest.fields["members"]
    names = [member["name"] for member in listed]
    if names != list(members)[2:] or names != expected_order(set(names)):
        raise Refused("MEMBERS-DIFFER")
    for member in listed:
        data = members[member["name"]]
        if len(data) != member["bytes"] or hashlib.sha256(data).hexdigest() != member["sha256"]:
            raise Refused("MEMBER-ALTERED", member["name"])


def expected_order(names: Set[str]) -> List[str]:
    """The order in which the writer puts these names; a different list when one cannot be there."""
    expected, number = [README, DISCLOSURES, TIMELINE] + [ATTESTATION] * (ATTESTATION in names), 0
    while "entries/%03d.bin" % number in names:
        stem = "entries/%03d" % number
        expected.append(stem + ".bin")
        if stem + ".body" in names:
            expected.append(stem + ".body")
        expected.append(stem + ".tlog-proof")
        number += 1
    expected += sorted(member for member in names if member.startswith("evidence/"))
    stems = sorted({member.partition(".")[0] for member in names if member.startswith(STAMPS)})
    return expected + [stem + suffix for stem in stems for suffix in STAMP_SUFFIXES]


# --- Entries and their facts --------------------------------------------------------------------------------------------------

_ENTRY = strict_form(
    v=one_of(1),
    topic=name,
    partition=count,
    offset=count,
    ts=int_of(0, 253402300799999),
    facts=object_value,
)
_BESIDE = strict_form(bytes=count, sha256=hash_hex)
_HASHED = form(
    {
        "id": (maybe(word), None),
        "kind": (maybe(word), None),
        "version": (maybe(version), None),
        "sha256": (maybe(word), None),
    }
)
_ANY_FACTS: Dict[str, Tuple[Reader, Any]] = {
    "kind": (name, REQUIRED),
    "record": (maybe(word), None),
    "stop": (maybe(word), None),
    "order": (maybe(word), None),
    "request": (maybe(word), None),
    "commitments": (map_of_texts, {}),
}


def facts_form(**fields: Any) -> Reader:
    """Facts of one kind: those any entry may say, and these; a tuple gives a default, else the field is required."""
    own = {key: field if isinstance(field, tuple) else (field, REQUIRED) for key, field in fields.items()}
    return form(dict(_ANY_FACTS, **own))


_REFERENCE = form({"key": (word, REQUIRED), "offset": (int_of(), REQUIRED), "archived_at": (instant, REQUIRED)})
_LINE_FIELDS: Dict[str, Tuple[Reader, Any]] = {
    "recipient": (maybe(word), REQUIRED),
    "channel": (word, REQUIRED),
    "purpose": (word, REQUIRED),
    "verdict": (word, REQUIRED),
    "basis": (maybe(word), None),
    "valid_until": (maybe(word), None),
    "reasons": (list_of(word), []),
}
_LINE = form(_LINE_FIELDS)
_OWN_LINE = form(dict(_LINE_FIELDS, references=(list_of(_REFERENCE), [])))
_ASSESSED: Dict[str, Reader] = {
    "record": word,
    "ruleset": word,
    "ruleset_seq": int_of(),
    "registry_offset": int_of(),
    "evaluated_at": instant,
    "references": list_of(_REFERENCE),
}
CONSENT, VERDICT, COMMITTED, STOP, REQUEST, DELIVERY, REPORT, REGISTERED, OTHER = (
    "consent", "verdict", "committed", "stop", "request", "delivery", "report", "registered", "other",
)  # fmt: skip
_FORMS: Dict[str, Reader] = {
    OTHER: facts_form(),
    CONSENT: facts_form(
        record=word,
        collector=word,
        collected_at=instant,
        received_at=instant,
        form=(maybe(_HASHED), None),
        notice=(maybe(_HASHED), None),
        recipient_list=(maybe(_HASHED), None),
        attachments=(list_of(_HASHED), []),
    ),
    COMMITTED: facts_form(**_ASSESSED, line_commitments=list_of(text_of(64))),
    VERDICT: facts_form(**_ASSESSED, lines=list_of(_LINE)),
    STOP: facts_form(
        stop=word,
        source=word,
        stop_kind=word,
        at=instant,
        recipients=(any_of, "all"),
        channels=(any_of, "all"),
        purposes=(any_of, "all"),
    ),
    REQUEST: facts_form(request=word, source=word, right=word),
    DELIVERY: facts_form(
        party=word,
        ack_due_at=(maybe(instant), None),
        reminder=(int_of(), 0),
        status=(maybe(word), None),
        closed=(boolean, False),
    ),
    REPORT: facts_form(
        source=word,
        at=(maybe(instant), None),
        applied_at=(maybe(instant), None),
        status=(maybe(word), None),
        to=(maybe(word), None),
        channel=(maybe(word), None),
    ),
    REGISTERED: facts_form(
        id=word,
        version=(maybe(version), None),
        collector=(maybe(word), None),
        html_sha256=(maybe(word), None),
        screenshot_sha256=(maybe(word), None),
        sha256=(maybe(word), None),
        document_sha256=(maybe(word), None),
    ),
}
_BY_KIND = {
    ("consents", "consent.recorded"): CONSENT,
    ("verdicts", "consent.assessed"): VERDICT,
    ("stops", "stop.recorded"): STOP,
    ("requests", "request.received"): REQUEST,
    ("deliveries", "delivery.ordered"): DELIVERY,
    ("deliveries", "delivery.reminded"): DELIVERY,
    ("deliveries", "delivery.acknowledged"): DELIVERY,
    ("deliveries", "delivery.escalated"): DELIVERY,
    ("reports", "order.acknowledged"): REPORT,
    ("reports", "notice.given"): REPORT,
    ("reports", "data.transferred"): REPORT,
    ("reports", "contact.attempted"): REPORT,
}


class Entry(NamedTuple):
    """An entry, read: its place in its log, when it was archived (the broker's clock), its facts and their form."""

    origin: str
    position: int
    topic: str
    partition: int
    offset: int
    at: str
    form: str
    facts: Dict[str, Any]
    hides: bool = False  # a verdict that commits to its lines, each apart: it shows those that the bundle discloses

    @property
    def kind(self) -> str:
        return str(self.facts["kind"])

    @property
    def is_erasure(self) -> bool:
        return self.topic == "erasures" and self.kind.endswith("erased")


def read_entry(origin: str, index: int, data: bytes, body: Optional[bytes], where: str) -> Entry:
    try:
        entry = _ENTRY(read_canonical(data))
        facts = entry["facts"]
        check_profile(facts)
        if facts.keys() == {"bytes", "sha256"}:  # facts too long for an entry stand beside it
            beside = _BESIDE(facts)
            if body is None or len(body) != beside["bytes"] or hashlib.sha256(body).hexdigest() != beside["sha256"]:
                raise Refused("ENTRY-BODY", where)
            facts = object_value(read_canonical(body))
            check_profile(facts)
        elif body is not None:
            raise Refused("ENTRY-BODY", where)
        kind = facts.get("kind")
        which = REGISTERED if entry["topic"] == "registry" else OTHER
        if which is OTHER and isinstance(kind, str):
            which = _BY_KIND.get((entry["topic"], kind), OTHER)
        if which == VERDICT and facts.get("v") == 2:
            which = COMMITTED
        facts = _FORMS[which](facts)
    except Bad:
        raise Refused("ENTRY-MALFORMED", where) from None
    at = instant_of_millis(entry["ts"])
    return Entry(origin, index, entry["topic"], entry["partition"], entry["offset"], at, which, facts)


def prove_entries(
    manifest: Manifest, members: Dict[str, bytes], policy: Policy
) -> Tuple[Dict[str, Entry], Dict[str, Checkpoint]]:
    """Every entry by the stem of its members, proven in its log, and the one checkpoint of each log."""
    entries: Dict[str, Entry] = {}
    checkpoints: Dict[str, Checkpoint] = {}
    opened: Dict[bytes, Checkpoint] = {}
    for member in members:
        if not (member.startswith("entries/") and member.endswith(".bin")):
            continue
        stem = member[: -len(".bin")]
        try:
            proof = parse_proof(members[stem + ".tlog-proof"])
        except Bad:
            raise Refused("PROOF-MALFORMED", stem) from None
        if proof.extra is not None:  # nothing authenticates it
            raise Refused("PROOF-MALFORMED", stem)
        try:
            if proof.checkpoint not in opened:
                opened[proof.checkpoint] = open_checkpoint(proof.checkpoint, policy)
        except Bad:
            raise Refused("CHECKPOINT-REFUSED", stem) from None
        checkpoint = opened[proof.checkpoint]
        # One note a log: two that differ would let a log show two faces in one bundle.
        if (
            checkpoint.size != manifest.sizes.get(checkpoint.origin)
            or checkpoints.setdefault(checkpoint.origin, checkpoint) is not checkpoint
        ):
            raise Refused("CHECKPOINT-DIFFERS", stem)
        data = members[member]
        try:
            verify_inclusion(proof.position, checkpoint.size, leaf_hash(data), proof.hashes, checkpoint.root)
        except Bad:
            raise Refused("NOT-INCLUDED", stem) from None
        entry = read_entry(checkpoint.origin, proof.position, data, members.get(stem + ".body"), stem)
        place = (checkpoint.deployment, checkpoint.topic, checkpoint.partition)
        if place != (manifest.fields["deployment"], entry.topic, entry.partition):
            raise Refused("CHECKPOINT-DIFFERS", stem)
        if manifest.references.get((entry.origin, entry.position)) != (entry.topic, entry.kind):
            raise Refused("REFERENCE-MISSING", stem)
        entries[stem] = entry
    places = [(entry.origin, entry.position) for entry in entries.values()]
    if places != sorted(set(places)):
        raise Refused("ENTRY-ORDER")
    return entries, checkpoints


# --- What ties each entry to the record ---------------------------------------------------------------------------------------


def registry_key(facts: Dict[str, Any]) -> str:
    written = "" if facts["version"] is None else ":%s" % facts["version"]
    return "%s:%s%s" % (facts["kind"], facts["id"], written)


def check_links(record: str, entries: Dict[str, Entry]) -> None:
    named = [e for e in entries.values() if e.facts["record"] == record and e.topic != "registry"]
    stops: FrozenSet[str] = frozenset(e.facts["stop"] for e in named if e.facts["stop"])
    requests: FrozenSet[str] = frozenset(e.facts["request"] for e in named if e.facts["request"])
    orders: FrozenSet[str] = frozenset(e.facts["order"] for e in named if e.facts["order"])
    versions = {
        (reference["key"], reference["offset"], reference["archived_at"])
        for entry in named
        if entry.form == VERDICT
        for reference in entry.facts["references"]
    }
    owners = {"stop/" + stop for stop in stops} | {"request/" + request for request in requests} | {record}

    def is_tied(entry: Entry) -> bool:
        facts = entry.facts
        if entry.form == REGISTERED:
            return (registry_key(facts), entry.offset, entry.at) in versions
        if facts["record"] in owners:
            return True
        if entry.topic == "stops":  # it may name another record of the same person
            return facts["stop"] in stops
        if entry.topic == "requests":
            return facts["request"] in requests
        return entry.topic in ("deliveries", "reports") and facts["record"] is None and facts["order"] in orders

    for stem, entry in entries.items():
        if not is_tied(entry):
            raise Refused("ENTRY-UNRELATED", stem)
    if not any(entry.form == CONSENT for entry in entries.values()):
        raise Refused("CONSENT-MISSING")


# --- Disclosures: the value of a field, with the salt of that field alone --------------------------------------------------------

_DISCLOSED = list_of(strict_form(entry=name, pointer=text_of(512), salt=text_of(64), value=any_value))


def read_disclosures(data: bytes, entries: Dict[str, Entry]) -> List[Dict[str, Any]]:
    try:
        lines = _DISCLOSED(read_canonical(data))
        check_profile([line["value"] for line in lines])
        salts = [unb64(line["salt"]) for line in lines]
    except Bad:
        raise Refused("DISCLOSURES-MALFORMED", DISCLOSURES) from None
    places = [(line["entry"], line["pointer"]) for line in lines]
    if places != sorted(set(places)):
        raise Refused("DISCLOSURES-MALFORMED", DISCLOSURES)
    committed = {stem: commitments_of(entry) for stem, entry in entries.items()}
    for line, salt in zip(lines, salts):
        commitment = committed.get(line["entry"], {}).get(line["pointer"])
        message = line["pointer"].encode("utf-8") + b"\x00" + canonical(line["value"])
        mac = base64.urlsafe_b64encode(hmac.new(salt, message, hashlib.sha256).digest()).decode("ascii").rstrip("=")
        if commitment is None or len(salt) != 32 or mac != commitment:
            raise Refused("DISCLOSURE-WRONG", DISCLOSURES)
    return lines  # type: ignore[no-any-return]


def commitments_of(entry: Entry) -> Dict[str, str]:
    """Every commitment that a disclosure may answer, by pointer: of personal fields, or of the lines of a verdict."""
    if entry.form != COMMITTED:
        return entry.facts["commitments"]  # type: ignore[no-any-return]
    return {"/lines/%d" % number: commitment for number, commitment in enumerate(entry.facts["line_commitments"])}


def open_verdicts(entries: Dict[str, Entry], disclosures: List[Dict[str, Any]]) -> Dict[str, Entry]:
    """The entries, each verdict that commits to its lines as far as the disclosures show it."""
    opened = {}
    for stem, entry in entries.items():
        if entry.form == COMMITTED:
            shown = {d["pointer"]: d["value"] for d in disclosures if d["entry"] == stem}
            try:
                lines = list_of(_OWN_LINE)([shown[pointer] for pointer in commitments_of(entry) if pointer in shown])
            except Bad:
                raise Refused("ENTRY-MALFORMED", stem) from None
            references = entry.facts["references"] + [one for line in lines for one in line["references"]]
            hidden = len(entry.facts["line_commitments"]) - len(lines)
            facts = dict(entry.facts, lines=lines, references=references, hidden=hidden)
            opened[stem] = entry._replace(form=VERDICT, facts=facts, hides=True)
        else:
            opened[stem] = entry
    return opened


# --- The story of the record in French, derived from the entries alone ------------------------------------------------------------

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_STOPS = {
    "withdrawal": "Retrait du consentement",
    "objection": "Opposition",
    "stop_reply": "Réponse STOP",
    "call_refusal": "Refus d'appel",
}
_ANSWERS = {"applied": "appliqué", "unknown_person": "personne inconnue", "refused": "refusé"}
_RIGHTS = {
    "access": "accès",
    "erasure": "effacement",
    "rectification": "rectification",
    "portability": "portabilité",
    "restriction": "limitation",
    "dispute": "contestation du consentement",
}
_REGISTERED = {
    "list": "Liste de destinataires",
    "form": "Formulaire",
    "notice": "Mention d'information",
    "agreement": "Contrat",
    "party": "Organisme",
}


def date_fr(at: str) -> str:
    day = int(at[8:10])
    return "%s %s %s à %s (UTC)" % ("1er" if day == 1 else day, _MONTHS[int(at[5:7]) - 1], at[:4], at[11:19])


def scope_fr(scope: Any) -> str:
    return "tous" if scope == "all" else ", ".join([scope] if isinstance(scope, str) else scope)


def answer_fr(status: Optional[str]) -> str:
    return _ANSWERS.get(status or "", status or "sans statut")


def told(entry: Entry) -> Tuple[Optional[str], str]:
    """The party concerned and the sentence."""
    facts, kind = entry.facts, entry.kind
    if entry.form == CONSENT:
        shown = facts["form"]
        which = ""
        if shown is not None and shown["id"] is not None:
            which = ", formulaire « %s » version %s" % (shown["id"], shown["version"])
        return facts["collector"], "%s déclare avoir recueilli un choix le %s%s." % (
            facts["collector"], date_fr(facts["collected_at"]), which
        )  # fmt: skip
    if entry.form == VERDICT:
        verdicts, hidden = [line["verdict"] for line in facts["lines"]], hidden_lines(facts)
        return None, (
            "Contrôles selon les règles %s : %d ligne(s) aux contrôles satisfaits au vu des déclarations du collecteur, "
            "%d aux contrôles non satisfaits, %d à examiner%s"
        ) % (
            facts["ruleset"], verdicts.count("valid"), verdicts.count("invalid"), verdicts.count("review"),
            " ; %d autre(s) ligne(s), non dévoilée(s) dans ce dossier." % hidden if hidden else ".",
        )  # fmt: skip
    if entry.form == STOP:
        return facts["source"], "%s reçu par %s, exprimé le %s ; destinataires : %s ; canaux : %s ; finalités : %s." % (
            _STOPS.get(facts["stop_kind"], facts["stop_kind"]), facts["source"], date_fr(facts["at"]),
            scope_fr(facts["recipients"]), scope_fr(facts["channels"]), scope_fr(facts["purposes"]),
        )  # fmt: skip
    if entry.form == REQUEST:
        right = _RIGHTS.get(facts["right"], facts["right"])
        return facts["source"], "Demande reçue par %s : %s." % (facts["source"], right)
    if entry.form == DELIVERY:
        return facts["party"], told_delivery(facts, kind)
    if entry.form == REPORT:
        return facts["source"], told_report(facts, kind)
    if entry.form == REGISTERED:
        written = "" if facts["version"] is None else ", version %s" % facts["version"]
        what = _REGISTERED.get(kind, kind)
        return facts["collector"], "%s « %s »%s : archivé." % (what, facts["id"], written)
    if kind.endswith("erased"):
        return None, "Données personnelles effacées ; les entrées du journal restent vérifiables."
    if kind.endswith(".conflict"):
        return None, "Autre contenu présenté sous le même identifiant : refusé et archivé."
    return None, "Événement « %s » archivé." % kind


def told_delivery(facts: Dict[str, Any], kind: str) -> str:
    if kind == "delivery.ordered":
        due = " ; réponse attendue avant le " + date_fr(facts["ack_due_at"]) if facts["ack_due_at"] else ""
        return "%s à %s%s." % ("Ordre de cesser adressé" if facts["stop"] else "Demande adressée", facts["party"], due)
    if kind == "delivery.reminded":
        return "Rappel n° %d adressé à %s." % (facts["reminder"], facts["party"])
    if kind == "delivery.acknowledged":
        closed = " ; ordre clos" if facts["closed"] else " ; ordre toujours ouvert"
        return "Réponse de %s : %s%s." % (facts["party"], answer_fr(facts["status"]), closed)
    return "Sans réponse suffisante de %s : un opérateur est saisi." % facts["party"]


def told_report(facts: Dict[str, Any], kind: str) -> str:
    source = facts["source"]
    dated = " le " + date_fr(facts["at"]) if facts["at"] else ""
    if kind == "order.acknowledged":
        applied = ", appliqué le " + date_fr(facts["applied_at"]) if facts["applied_at"] else ""
        return "%s répond à l'ordre : %s%s." % (source, answer_fr(facts["status"]), applied)
    if kind == "notice.given":
        return "%s déclare avoir donné l'information de l'article 14 du RGPD%s." % (source, dated)
    if kind == "data.transferred":
        return "%s déclare avoir transmis les données à %s%s." % (source, facts["to"] or "un tiers", dated)
    return "%s déclare une prise de contact (%s)%s." % (source, facts["channel"] or "canal non dit", dated)


def timeline_of(entries: Dict[str, Entry]) -> List[Dict[str, Any]]:
    events = []
    for entry in sorted(entries.values(), key=lambda entry: (entry.at, entry.origin, entry.position)):
        party, text = told(entry)
        events.append({"at": entry.at, "kind": entry.kind, "party": party, "text_fr": text})
    return events


# --- The latest known state, as of the sizes of the checkpoints -----------------------------------------------------------------


def state_of(entries: Dict[str, Entry]) -> Dict[str, Any]:
    verdicts = [entry.facts for entry in entries.values() if entry.form == VERDICT]
    stops = [entry.facts for entry in entries.values() if entry.form == STOP]
    consent = next(entry.facts for entry in entries.values() if entry.form == CONSENT)
    latest = max(verdicts, key=lambda v: (v["ruleset_seq"], v["registry_offset"], v["evaluated_at"]), default=None)
    lines = [line_state(line, consent, stops) for line in latest["lines"]] if latest else []
    code = "assessed" if latest else "unassessed"
    if any(line["state"] == "stopped" for line in lines):
        code = "stopped"
    if any(entry.is_erasure for entry in entries.values()):
        code = "erased"
    return {
        "code": code,
        "ruleset": latest["ruleset"] if latest else None,
        "evaluated_at": latest["evaluated_at"] if latest else None,
        "lines": lines,
        "hidden": hidden_lines(latest) if latest else 0,
    }


def hidden_lines(verdict: Dict[str, Any]) -> int:
    """How many lines a verdict commits to that are not shown."""
    return int(verdict.get("hidden", 0))


def line_state(line: Dict[str, Any], consent: Dict[str, Any], stops: List[Dict[str, Any]]) -> Dict[str, Any]:
    def within(scope: Any, value: Optional[str]) -> bool:
        return bool(scope == "all" or (isinstance(scope, list) and value in scope))

    since = min(consent["collected_at"], consent["received_at"])
    covering = sorted(
        {
            stop["stop"]
            for stop in stops
            if stop["at"] >= since
            and within(stop["recipients"], line["recipient"])
            and within(stop["channels"], line["channel"])
            and within(stop["purposes"], line["purpose"])
        }
    )
    return {
        "recipient": line["recipient"],
        "channel": line["channel"],
        "purpose": line["purpose"],
        "state": "stopped" if covering and line["verdict"] == "valid" else line["verdict"],
        "basis": line["basis"],
        "valid_until": line["valid_until"],
        "reasons": line["reasons"],
        "stops": covering,
    }


# --- Evidence: the files that the entries hash, joined or owed --------------------------------------------------------------------


def evidence_of(manifest: Manifest, entries: Dict[str, Entry], members: Dict[str, bytes]) -> List[Dict[str, Any]]:
    collector = next((e.facts["collector"] for e in entries.values() if e.form == CONSENT), "")
    what: Dict[str, str] = {}
    for entry in entries.values():
        facts, pairs = entry.facts, []
        if entry.form == CONSENT:
            objects = [("page", facts["form"]), ("notice", facts["notice"])]
            objects += [(item["kind"] or "attachment", item) for item in facts["attachments"]]
            pairs = [(item["sha256"], kind) for kind, item in objects if item is not None]
        elif entry.form == REGISTERED:
            pairs = [
                (facts["html_sha256"], "page"),
                (facts["screenshot_sha256"], "screenshot"),
                (facts["document_sha256"], "contract"),
            ]
            if entry.kind == "notice":
                pairs.append((facts["sha256"], "notice"))
        for digest, kind in pairs:
            if digest:
                what.setdefault(digest, kind)
    joined = {member for member in members if member.startswith("evidence/")}
    for member in sorted(joined - {"evidence/%s.bin" % digest for digest in what}):
        raise Refused("EVIDENCE-UNKNOWN", member)
    result, held = [], {item["sha256"]: item["bytes"] for item in manifest.fields["held"]}
    for digest in sorted(what):
        member = "evidence/%s.bin" % digest
        if member in joined and hashlib.sha256(members[member]).hexdigest() != digest:
            raise Refused("EVIDENCE-UNKNOWN", member)
        result.append(
            {
                "sha256": digest, "what": what[digest], "owed_by": collector, "joined": member in joined,
                "held": held.get(digest),
            }
        )  # fmt: skip
    if not held.keys() <= {item["sha256"] for item in result if not item["joined"]}:
        raise Refused("EVIDENCE-UNKNOWN", MANIFEST)
    return result


# --- Timestamps (RFC 3161, RFC 5652): a strict reader of DER, RSA PKCS#1 v1.5 and ECDSA on public data, and what they cover -----


class Der:
    """Elements one after the other: definite, shortest lengths; tags of one byte (X.690 §10). Bad on any other content."""

    def __init__(self, data: bytes, begin: int = 0, end: Optional[int] = None) -> None:
        self.data, self.at, self.end = data, begin, len(data) if end is None else end

    def __bool__(self) -> bool:
        return self.at < self.end

    @property
    def tag(self) -> int:
        return self.data[self.at] if self else -1

    def next(self, tag: int) -> Tuple[int, int, int]:
        """Pass over an element of this tag: where it starts, where its content starts and ends."""
        data, start = self.data, self.at
        if start + 2 > self.end or data[start] != tag or tag & 0x1F == 0x1F:
            raise Bad("another element was expected")
        length, begin = data[start + 1], start + 2
        if length >= 0x80:
            width = length - 0x80
            begin += width
            if not 1 <= width <= 4 or begin > self.end:
                raise Bad("a length is not written as DER writes it")
            length = int.from_bytes(data[begin - width : begin], "big")
            if length < 0x80 or length >> 8 * (width - 1) == 0:
                raise Bad("a length is not written as DER writes it")
        if begin + length > self.end:
            raise Bad("an element is cut short")
        self.at = begin + length
        return start, begin, self.at

    def take(self, tag: int) -> "Der":
        _, begin, end = self.next(tag)
        return Der(self.data, begin, end)

    def content(self, tag: int) -> bytes:
        _, begin, end = self.next(tag)
        return self.data[begin:end]

    def raw(self, tag: int) -> bytes:
        start, _, end = self.next(tag)
        return self.data[start:end]

    def done(self) -> None:
        if self:
            raise Bad("something follows where nothing may")

    def only(self, tag: int) -> "Der":
        """What the one element left holds."""
        inner = self.take(tag)
        self.done()
        return inner

    def only_raw(self, tag: int) -> bytes:
        inner = self.raw(tag)
        self.done()
        return inner


def unsigned(content: bytes) -> int:
    shortest = len(content) == 1 or (len(content) > 1 and not (content[0] == 0 and content[1] < 0x80))
    if not shortest or content[0] >= 0x80:
        raise Bad("not a positive integer as DER writes it")
    return int.from_bytes(content, "big")


def same(one: bytes, written: str) -> None:
    if one != bytes.fromhex(written):
        raise Bad("not what this form has here")


_TST_INFO = "060b2a864886f70d0109100104"
_GEN_TIME = re.compile(
    "([0-9]{4})([0-9]{2})([0-9]{2})([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])(?:[.]([0-9]{0,8}[1-9]))?Z"
)


class Certificate(NamedTuple):
    """What is read of a certificate (RFC 5280 §4.1); times as `YYYYMMDDHHMMSS`."""

    data: bytes
    issuer: bytes
    serial: bytes
    not_before: str
    not_after: str
    key_algorithm: bytes
    key: bytes
    for_time_stamping: bool


class Token(NamedTuple):
    """A granted response with nothing in it but what is signed or checked: one signer, its certificate alone."""

    content: bytes
    imprint_algorithm: bytes
    imprint: bytes
    at: str
    second: str
    digest_algorithm: bytes
    digest: bytes
    signed: bytes
    signature_algorithm: bytes
    signature: bytes
    certificate: Certificate


def parse_token(data: bytes) -> Token:
    response = Der(data).only(0x30)
    same(response.raw(0x30), "3003020100")
    info = response.only(0x30)
    same(info.raw(0x06), "06092a864886f70d010702")
    signed_data = info.only(0xA0).only(0x30)
    same(signed_data.raw(0x02), "020103")
    digest_algorithm = signed_data.take(0x31).only_raw(0x30)
    inner = signed_data.take(0x30)
    same(inner.raw(0x06), _TST_INFO)
    holder = inner.only(0xA0)
    content = holder.content(0x04)
    holder.done()
    certificate = read_certificate(signed_data.take(0xA0).only_raw(0x30))
    signer = signed_data.only(0x31).only(0x30)
    same(signer.raw(0x02), "020101")
    signer_name = signer.take(0x30)
    if (signer_name.raw(0x30), signer_name.raw(0x02)) != (certificate.issuer, certificate.serial):
        raise Bad("the certificate is not the signer's")
    signer_name.done()
    if signer.raw(0x30) != digest_algorithm:
        raise Bad("two digest algorithms")
    attributes = signer.raw(0xA0)
    digest = stated_digest(Der(attributes).take(0xA0))
    signature_algorithm, signature = signer.raw(0x30), signer.content(0x04)
    signer.done()
    imprint_algorithm, imprint, at, second = read_info(content)
    return Token(
        content, imprint_algorithm, imprint, at, second, digest_algorithm, digest, b"\x31" + attributes[1:],
        signature_algorithm, signature, certificate,
    )  # fmt: skip


def read_certificate(data: bytes) -> Certificate:
    outer = Der(data).take(0x30)
    body = outer.take(0x30)
    outer.raw(0x30)
    outer.raw(0x03)
    outer.done()
    body.raw(0xA0)
    serial = body.raw(0x02)
    body.raw(0x30)
    issuer = body.raw(0x30)
    validity = body.take(0x30)
    not_before, not_after = certificate_time(validity), certificate_time(validity)
    validity.done()
    body.raw(0x30)
    key = body.take(0x30)
    key_algorithm, bits = key.raw(0x30), key.content(0x03)
    key.done()
    for_time_stamping = False
    while body:
        if body.tag == 0xA3:
            for_time_stamping = is_for_time_stamping(body.take(0xA3).only(0x30))
        else:
            body.next(body.tag)
    return Certificate(data, issuer, serial, not_before, not_after, key_algorithm, bits, for_time_stamping)


def is_for_time_stamping(extensions: Der) -> bool:
    """Whether the certificate is for timestamps and nothing else, critically (RFC 3161 §2.3)."""
    found = False
    while extensions:
        extension = extensions.take(0x30)
        extension_name = extension.raw(0x06)
        critical = extension.tag == 0x01 and extension.content(0x01) == b"\xff"
        value = extension.content(0x04)
        extension.done()
        if extension_name == bytes.fromhex("0603551d25"):
            found = critical and value == bytes.fromhex("300a06082b06010505070308")
    return found


def certificate_time(validity: Der) -> str:
    tag = validity.tag
    if tag not in (0x17, 0x18):
        raise Bad("a certificate's validity is two times")
    text = validity.content(tag).decode("latin-1")
    if not re.fullmatch("[0-9]{12}Z" if tag == 0x17 else "[0-9]{14}Z", text):
        raise Bad("a certificate's time is not written as DER writes it")
    if tag == 0x17:
        text = ("20" if text[:2] < "50" else "19") + text
    return text[:-1]


def stated_digest(attributes: Der) -> bytes:
    found: Dict[bytes, Der] = {}
    while attributes:
        attribute = attributes.take(0x30)
        attribute_name = attribute.raw(0x06)
        if attribute_name in found:
            raise Bad("an attribute stands twice")
        found[attribute_name] = attribute.only(0x31)
    kind = found.get(bytes.fromhex("06092a864886f70d010903"))
    digest = found.get(bytes.fromhex("06092a864886f70d010904"))
    if kind is None or digest is None:
        raise Bad("the signed attributes lack the content's type or digest")
    same(kind.only_raw(0x06), _TST_INFO)
    value = digest.content(0x04)
    digest.done()
    return value


def read_info(content: bytes) -> Tuple[bytes, bytes, str, str]:
    info = Der(content).only(0x30)
    same(info.raw(0x02), "020101")
    info.raw(0x06)
    imprint = info.take(0x30)
    algorithm, digest = imprint.raw(0x30), imprint.content(0x04)
    imprint.done()
    info.raw(0x02)
    match = _GEN_TIME.fullmatch(info.content(0x18).decode("latin-1"))
    if match is None:
        raise Bad("not a time as DER writes it")
    for tag in (0x30, 0x01, 0x02, 0xA0, 0xA1):  # accuracy, ordering, nonce, the authority's name, extensions
        if info.tag == tag:
            info.next(tag)
    info.done()
    year, month, day, hour, minute, second, fraction = match.groups()
    at = instant("%s-%s-%sT%s:%s:%s.%sZ" % (year, month, day, hour, minute, second, fraction or "0"))
    return algorithm, digest, at, "".join(match.groups()[:6])


_DIGESTS = {
    "300b0609608648016503040201": "sha256", "300d06096086480165030402010500": "sha256",
    "300b0609608648016503040202": "sha384", "300d06096086480165030402020500": "sha384",
    "300b0609608648016503040203": "sha512", "300d06096086480165030402030500": "sha512",
}  # fmt: skip
_RSA = "300d06092a864886f70d0101010500"
_RSA_WITH = {
    "sha256": "300d06092a864886f70d01010b0500",
    "sha384": "300d06092a864886f70d01010c0500",
    "sha512": "300d06092a864886f70d01010d0500",
}
_ECDSA_WITH = {
    "sha256": "300a06082a8648ce3d040302", "sha384": "300a06082a8648ce3d040303", "sha512": "300a06082a8648ce3d040304",
}  # fmt: skip
_DIGEST_INFO = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}


class Curve(NamedTuple):
    """y² = x³ - 3x + b over the integers modulo p, with a point of order n (FIPS 186-5, SP 800-186)."""

    p: int
    b: int
    x: int
    y: int
    n: int


_P256 = Curve(
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)
_P384 = Curve(
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
)
_CURVES = {"301306072a8648ce3d020106082a8648ce3d030107": _P256, "301006072a8648ce3d020106052b81040022": _P384}
Affine = Optional[Tuple[int, int]]
"""A point of a curve; None is the one at infinity."""
PublicKey = Tuple[str, Any]
"""("rsa", (modulus, exponent)) or ("ecdsa", (curve, point))."""


def curve_add(curve: Curve, one: Affine, two: Affine) -> Affine:
    if one is None or two is None:
        return two if one is None else one
    if one[0] == two[0]:
        if (one[1] + two[1]) % curve.p == 0:
            return None
        slope = 3 * (one[0] * one[0] - 1) * pow(2 * one[1], curve.p - 2, curve.p)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], curve.p - 2, curve.p)
    x = (slope * slope - one[0] - two[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def curve_multiply(curve: Curve, scalar: int, point: Affine) -> Affine:
    result: Affine = None
    for bit in bin(scalar)[2:]:
        result = curve_add(curve, result, result)
        if bit == "1":
            result = curve_add(curve, result, point)
    return result


def ecdsa_verify(curve: Curve, point: Affine, digest: bytes, signature: bytes) -> bool:
    """FIPS 186-5 §6.4.2; the signature is DER, `SEQUENCE { r, s }`."""
    try:
        numbers = Der(signature).only(0x30)
        r, s = unsigned(numbers.content(0x02)), unsigned(numbers.content(0x02))
        numbers.done()
    except Bad:
        return False
    if not (1 <= r < curve.n and 1 <= s < curve.n):
        return False
    excess = max(0, 8 * len(digest) - curve.n.bit_length())
    e, w = int.from_bytes(digest, "big") >> excess, pow(s, curve.n - 2, curve.n)
    base = curve_multiply(curve, e * w % curve.n, (curve.x, curve.y))
    found = curve_add(curve, base, curve_multiply(curve, r * w % curve.n, point))
    return found is not None and found[0] % curve.n == r


def rsa_verify(modulus: int, exponent: int, digest_name: str, digest: bytes, signature: bytes) -> bool:
    """RFC 8017 §8.2.2: the one encoding is made again and compared."""
    size = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    if len(signature) != size or value >= modulus:
        return False
    info = bytes.fromhex(_DIGEST_INFO[digest_name]) + digest
    expected = b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info
    return pow(value, exponent, modulus).to_bytes(size, "big") == expected


def public_key(certificate: Certificate) -> Optional[PublicKey]:
    """The key of a certificate, None where it is of a kind or size that is not known."""
    if not certificate.key or certificate.key[0]:
        raise Bad("a public key is whole bytes")
    data, algorithm = certificate.key[1:], certificate.key_algorithm.hex()
    if algorithm == _RSA:
        numbers = Der(data).only(0x30)
        modulus, exponent = unsigned(numbers.content(0x02)), unsigned(numbers.content(0x02))
        numbers.done()
        fits = 2048 <= modulus.bit_length() <= 8192 and 2 <= exponent.bit_length() <= 64 and modulus & exponent & 1
        return ("rsa", (modulus, exponent)) if fits else None
    curve = _CURVES.get(algorithm)
    if curve is None or data[:1] != b"\x04":
        return None
    size = (curve.p.bit_length() + 7) // 8
    x, y = int.from_bytes(data[1 : 1 + size], "big"), int.from_bytes(data[1 + size :], "big")
    on_curve = x < curve.p and y < curve.p and (y * y - (x * x * x - 3 * x + curve.b)) % curve.p == 0
    return ("ecdsa", (curve, (x, y))) if on_curve and len(data) == 1 + 2 * size else None


def token_signed(token: Token) -> bool:
    """False where an algorithm is not known. Refuses where the signature is not the certificate's over the content."""
    digest_name = _DIGESTS.get(token.digest_algorithm.hex())
    key = public_key(token.certificate)
    if digest_name is None or key is None:
        return False
    known = (_RSA, _RSA_WITH[digest_name]) if key[0] == "rsa" else (_ECDSA_WITH[digest_name],)
    if token.signature_algorithm.hex() not in known:
        return False
    if hashlib.new(digest_name, token.content).digest() != token.digest:
        raise Refused("TIMESTAMP-WRONG")
    digest = hashlib.new(digest_name, token.signed).digest()
    if key[0] == "rsa":
        holds = rsa_verify(key[1][0], key[1][1], digest_name, digest, token.signature)
    else:
        holds = ecdsa_verify(key[1][0], key[1][1], digest, token.signature)
    if not holds:
        raise Refused("TIMESTAMP-WRONG")
    return True


def judge(
    data: bytes, statement: bytes, authorities: Dict[str, str]
) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    """Authority (its name in the trust file), time, and why it is not believed, of a timestamp over a statement's bytes."""
    token = parse_token(data)
    if _DIGESTS.get(token.imprint_algorithm.hex()) != "sha256" or token.imprint != sha256(statement):
        raise Refused("TIMESTAMP-WRONG")
    authority = authorities.get(hashlib.sha256(token.certificate.data).hexdigest())
    if authority is None:
        return None, None, "authority"
    if not token_signed(token):
        return authority, None, "algorithm"
    certificate = token.certificate
    if not certificate.for_time_stamping or not certificate.not_before <= token.second <= certificate.not_after:
        raise Refused("TIMESTAMP-WRONG")
    return authority, token.at, None


_STATEMENT = strict_form(
    v=one_of(1),
    deployment=name,
    checkpoints=list_of(strict_form(origin=name, size=int_of(1), root=text_of(64))),
)
_GROWTHS = list_of(strict_form(origin=name, proof=list_of(text_of(64))))


def read_hash(text: str) -> bytes:
    data = unb64(text)
    if len(data) != HASH_SIZE:
        raise Bad("a hash is 32 bytes")
    return data


def read_statement(data: bytes) -> Tuple[str, Dict[str, Tuple[int, bytes]]]:
    """Deployment, and (size, root) by origin."""
    statement = _STATEMENT(read_canonical(data))
    origins = [item["origin"] for item in statement["checkpoints"]]
    if origins != sorted(set(origins)):
        raise Bad("the logs are not in order")
    trees = {item["origin"]: (item["size"], read_hash(item["root"])) for item in statement["checkpoints"]}
    return statement["deployment"], trees


def read_growths(data: bytes) -> Dict[str, List[bytes]]:
    rows = _GROWTHS(read_canonical(data))
    origins = [row["origin"] for row in rows]
    if origins != sorted(set(origins)):
        raise Bad("the logs are not in order")
    return {row["origin"]: [read_hash(node) for node in row["proof"]] for row in rows}


class Stamp(NamedTuple):
    """A timestamp of the bundle, what is made of it, and how many entries of each log it covers."""

    sha256: str
    authority: Optional[str]
    at: Optional[str]
    reason: Optional[str]
    covered: Dict[str, int]

    def covers(self, entry: Entry) -> bool:
        return entry.position < self.covered.get(entry.origin, 0)


def read_stamps(
    deployment: str, members: Dict[str, bytes], checkpoints: Dict[str, Checkpoint], authorities: Dict[str, str]
) -> List[Stamp]:
    stems = [member[: -len(".tsr")] for member in members if member.startswith(STAMPS) and member.endswith(".tsr")]
    if len(stems) > 16:
        raise Refused("TIMESTAMP-MALFORMED")
    return [read_stamp(stem, deployment, members, checkpoints, authorities) for stem in stems]


def read_stamp(
    stem: str,
    deployment: str,
    members: Dict[str, bytes],
    checkpoints: Dict[str, Checkpoint],
    authorities: Dict[str, str],
) -> Stamp:
    growths_data, stated, token = (members[stem + suffix] for suffix in STAMP_SUFFIXES)
    try:
        stated_deployment, trees = read_statement(stated)
        growths = read_growths(growths_data)
    except Bad:
        raise Refused("TIMESTAMP-MALFORMED", stem) from None
    digest = hashlib.sha256(stated).hexdigest()
    grown = {o for o, c in checkpoints.items() if 1 <= trees.get(o, (0, b""))[0] < c.size}
    if stem != STAMPS + digest or stated_deployment != deployment or set(growths) != grown:
        raise Refused("TIMESTAMP-MALFORMED", stem)
    covered = {}
    for origin, (size, root) in trees.items():
        checkpoint = checkpoints.get(origin)
        if checkpoint is not None and size <= checkpoint.size:
            try:
                verify_consistency(size, checkpoint.size, growths.get(origin, []), root, checkpoint.root)
            except Bad:
                raise Refused("TIMESTAMP-WRONG", stem) from None
            covered[origin] = size
    try:
        authority, at, reason = judge(token, stated, authorities)
    except Bad:
        raise Refused("TIMESTAMP-MALFORMED", stem) from None
    except Refused as refused:
        raise Refused(refused.code, stem) from None
    return Stamp(digest, authority, at, reason, covered)


def earliest(stamps: List[Stamp], entry: Entry) -> Optional[str]:
    """The earliest time at which an entry is known to have been in its log."""
    return min((stamp.at for stamp in stamps if stamp.at is not None and stamp.covers(entry)), default=None)


# --- The whole check -----------------------------------------------------------------------------------------------------------------


def verify_bundle(data: bytes, policy_text: str) -> Dict[str, Any]:
    """The answer as JSON values. Raises Bad only when the trust file itself cannot be used."""
    policy = parse_policy(policy_text)
    try:
        return {"valid": True, "problems": [], "contents": contents_of(data, policy)}
    except Refused as refused:
        pointer = "/" + refused.where if refused.where else ""
        problem = {"code": refused.code, "pointer": pointer, "message": REASONS[refused.code][0]}
        return {"valid": False, "problems": [problem], "contents": None}


def contents_of(data: bytes, policy: Policy) -> Dict[str, Any]:
    members = read_zip(data)
    manifest = signed_manifest(members, policy)
    check_members(manifest, members)
    entries, checkpoints = prove_entries(manifest, members, policy)
    disclosures = read_disclosures(members[DISCLOSURES], entries)
    entries = open_verdicts(entries, disclosures)
    check_links(manifest.fields["record"], entries)
    if hashlib.sha256(members[README]).hexdigest() not in README_SHA256:
        raise Refused("README-UNKNOWN", README)
    disclosures = [item for item in disclosures if not entries[item["entry"]].hides]
    erased = any(entry.is_erasure for entry in entries.values())
    if manifest.fields["erased"] != erased or (erased and disclosures):
        raise Refused("ERASURE-DIFFERS", MANIFEST)
    timeline = timeline_of(entries)
    if members[TIMELINE] != canonical(timeline):
        raise Refused("TIMELINE-DIFFERS", TIMELINE)
    stamps = read_stamps(manifest.fields["deployment"], members, checkpoints, policy.authorities)
    stamped = {stem: earliest(stamps, entry) for stem, entry in entries.items()}
    joined = {(entry.origin, entry.position) for entry in entries.values()}
    seen_by = [len(checkpoint.witnesses) for checkpoint in checkpoints.values()]
    return {
        "deployment": manifest.fields["deployment"],
        "record": manifest.fields["record"],
        "requested_for": manifest.fields["requested_for"]["scope"],
        "party": manifest.fields["requested_for"]["party"],
        "entries": [
            {
                "name": stem, "origin": e.origin, "index": e.position, "topic": e.topic, "kind": e.kind, "at": e.at,
                "status": "included, personal data erased" if erased and e.facts["commitments"] else "included",
                "timestamped": stamped[stem],
            }
            for stem, e in entries.items()
        ],
        "withheld": [[*place, kind] for place, (_, kind) in manifest.references.items() if place not in joined],
        "logs": [
            {
                "origin": origin, "size": size, "proven": origin in checkpoints,
                "witnesses": list(checkpoints[origin].witnesses) if origin in checkpoints else [],
            }
            for origin, size in manifest.sizes.items()
        ],
        "witnessed": {"seen_by": min(seen_by, default=0), "known": len(policy.witnesses)},
        "timestamps": [
            {
                "sha256": stamp.sha256, "verified": stamp.at is not None, "authority": stamp.authority, "at": stamp.at,
                "reason": stamp.reason, "covers": sum(stamp.covers(entry) for entry in entries.values()),
            }
            for stamp in stamps
        ],
        "independent": policy.independent or all(at is not None for at in stamped.values()),
        "erased": erased,
        "disclosed": [{"entry": d["entry"], "pointer": d["pointer"], "value": d["value"]} for d in disclosures],
        "evidence": evidence_of(manifest, entries, members),
        "attested": ATTESTATION in members,
        "state": state_of(entries),
        "timeline": timeline,
    }  # fmt: skip


# --- The command ------------------------------------------------------------------------------------------------------------------------

_STATES = {
    "valid": ("checks satisfied", "contrôles satisfaits"),
    "invalid": ("checks not satisfied", "contrôles non satisfaits"),
    "review": ("to be examined", "à examiner"),
    "stopped": ("stopped by the person", "arrêtée par la personne"),
}
_STATE_CODES = {
    "assessed": (
        "assessed, on the collector's declarations; no stop among the entries",
        "évalué, au vu des déclarations du collecteur ; aucun retrait parmi les entrées",
    ),
    "stopped": ("stopped by the person, at least in part", "arrêté par la personne, au moins en partie"),
    "erased": ("personal data erased", "données personnelles effacées"),
    "unassessed": ("not assessed yet", "pas encore évalué"),
}


_UNVERIFIED = {
    "authority": (
        "timestamp not verified: authority unknown to the trust file",
        "horodatage non vérifié : autorité inconnue du fichier de confiance",
    ),
    "algorithm": ("timestamp not verified: algorithm", "horodatage non vérifié : algorithme"),
}


def clean(text: str) -> str:
    """The text with what could act on a terminal, or reorder it, made visible."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def report(answer: Dict[str, Any], fr: bool) -> str:
    """What a person reads."""

    def tr(en: str, french: str) -> str:
        return french if fr else en

    contents = answer["contents"]
    if contents is None:
        lines = [tr("✘ The bundle is refused", "✘ Le dossier est refusé")]
        for problem in answer["problems"]:
            where = " (%s)" % problem["pointer"][1:] if problem["pointer"] else ""
            lines.append("%s%s : %s" % (problem["code"], where, REASONS[problem["code"]][fr]))
        return "\n".join(lines)
    lines = [tr("✔ The proof holds", "✔ La preuve est vérifiée")]
    if not contents["independent"]:
        lines.append(
            tr(
                "! Not an independent proof: the trust file asks for no witness outside the operator, and no verified "
                "timestamp covers every entry: only the operator's signature vouches for the rest of the log.",
                "! Preuve non indépendante : le fichier de confiance n'exige aucun témoin extérieur, et aucun horodatage "
                "vérifié ne couvre toutes les entrées : seule la signature de l'opérateur répond du reste du journal.",
            )
        )
    party = " " + contents["party"] if contents["party"] else ""
    proven = sum(log["proven"] for log in contents["logs"])
    seen = contents["witnessed"]
    rows = [
        (tr("record", "dossier"), contents["record"]),
        (tr("made for", "établi pour"), contents["requested_for"] + party),
        (
            tr("included", "incluses"),
            tr("%d entries in %d logs", "%d entrées dans %d journaux") % (len(contents["entries"]), proven),
        ),
        (tr("witnessed", "témoins"), tr("%d of %d", "%d sur %d") % (seen["seen_by"], seen["known"])),
    ]
    label, total = tr("timestamped", "horodatage"), len(contents["entries"])
    if not contents["timestamps"]:
        rows.append((label, tr("not", "aucun")))
    for stamp in contents["timestamps"]:
        shown = tr("at %s by %s: %d of %d entries", "le %s par %s : %d entrées sur %d")
        if stamp["verified"]:
            rows.append((label, shown % (stamp["at"], stamp["authority"], stamp["covers"], total)))
        else:
            rows.append((label, _UNVERIFIED[stamp["reason"]][fr]))
    label = tr("personal data", "données personnelles")
    if contents["erased"]:
        rows.append((label, tr("included, personal data erased", "incluses, données personnelles effacées")))
    else:
        rows.append((label, tr("%d disclosed", "%d dévoilée(s)") % len(contents["disclosed"])))
    for item in contents["disclosed"]:
        rows.append(("", "%s = %s" % (item["pointer"], item["value"])))
    if contents["withheld"]:
        what = tr("%d known entries are not in this bundle", "%d entrées connues ne sont pas dans ce dossier")
        rows.append((tr("withheld", "non jointes"), what % len(contents["withheld"])))
    for item in contents["evidence"]:
        held = tr("joined", "jointe") if item["joined"] else tr("owed by ", "due par ") + item["owed_by"]
        if item["held"] is not None:
            held = tr(
                "kept by the platform, %d bytes: ask it", "conservée par la plateforme, %d octets : à lui demander"
            )
            held %= item["held"]
        rows.append((tr("evidence", "pièce"), "%s %s… : %s" % (item["what"], item["sha256"][:12], held)))
    if contents["attested"]:
        said = tr("joined, a retelling: the entries are the proof", "jointe, un récit : la preuve est dans les entrées")
        rows.append((tr("attestation", "attestation"), said))
    rows.append((tr("state", "état"), _STATE_CODES[contents["state"]["code"]][fr]))
    for log in contents["logs"]:
        word_of = "" if log["proven"] else tr(" (signer's word)", " (parole du signataire)")
        rows.append((tr("as of size", "à la taille"), "%d · %s%s" % (log["size"], log["origin"], word_of)))
    width = max(len(row[0]) for row in rows)
    lines += ["%s  %s" % (row[0].ljust(width), clean(row[1])) for row in rows]
    if contents["state"]["lines"] or contents["state"]["hidden"]:
        lines += ["", clean(tr("Rules %s", "Règles %s") % contents["state"]["ruleset"])]
    for line in contents["state"]["lines"]:
        state = _STATES[line["state"]][fr] if line["state"] in _STATES else line["state"]
        why = ", ".join(line["stops"] or line["reasons"])
        row = "%s · %s · %s : %s" % (line["recipient"] or "—", line["channel"], line["purpose"], state)
        lines.append("  " + clean(row + (" (%s)" % why if why else "")))
    if contents["state"]["hidden"]:
        more = tr(
            "%d more lines, not disclosed in this bundle", "%d autre(s) ligne(s), non dévoilée(s) dans ce dossier"
        )
        lines.append("  " + more % contents["state"]["hidden"])
    lines.append("")
    for event in contents["timeline"]:
        told_text = event["text_fr"] if fr else "%s %s" % (event["kind"], event["party"] or "")
        lines.append("%s  %s" % (event["at"], clean(told_text)))
    lines += [
        "",
        tr(
            "Not proven: that the collector told the truth; that nothing else exists, beyond the word of the manifest's "
            "signer; anything after the sizes above.",
            "Non prouvé : que le collecteur a dit vrai ; que rien d'autre n'existe, au-delà de la parole du signataire du "
            "manifeste ; ce qui suit les tailles ci-dessus.",
        ),
    ]
    return "\n".join(lines)


def unusable(code: str, message: str) -> NoReturn:
    """Exit 2 with one sentence."""
    sys.stderr.write("%s -: %s\n" % (code, message))
    sys.exit(2)


def read_file(path: str, most: int, fr: bool) -> bytes:
    """The file's bytes, up to one more than `most`, so that what is too long is seen to be."""
    try:
        with open(path, "rb") as file:
            return file.read(most + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        shown = "%s ne peut pas être lu : %s" if fr else "%s cannot be read: %s"
        unusable("FILE-UNREADABLE", shown % (path, reason))


def main(argv: Optional[List[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Verify a proof bundle offline / Vérifier un dossier de preuve hors ligne.",
        epilog="0: holds / vérifié · 1: refused / refusé · 2: unusable input / entrée inutilisable",
    )
    parser.add_argument("bundle", help="the proof bundle (.zip) / le dossier de preuve")
    parser.add_argument(
        "--policy", required=True, help="the trust file, received by another way / le fichier de confiance"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="machine-readable output / sortie JSON")
    parser.add_argument("--lang", choices=("fr", "en"), help="language / langue")
    options = parser.parse_args(argv)
    places = [os.environ.get(variable) for variable in ("OPPOSABLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = options.lang or next((place for place in places if place), "")
    fr = chosen.lower().startswith("fr")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    data, trust = read_file(options.bundle, MAX_BYTES, fr), read_file(options.policy, 1 << 20, fr)
    try:
        answer = verify_bundle(data, trust.decode("utf-8"))
    except UnicodeDecodeError:
        unusable("POLICY", "le fichier de confiance n'est pas en UTF-8" if fr else "the trust file is not UTF-8")
    except Bad as error:
        unusable("POLICY", str(error))
    print(json.dumps(answer, ensure_ascii=False) if options.as_json else report(answer, fr))
    return 0 if answer["valid"] else 1


if __name__ == "__main__":
    sys.exit(main())
