"""The trust file: which logs to believe and how many witnesses must have seen a checkpoint (C2SP tlog-policy, draft).

Lines `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> <k|any|all> <member>…` and one `quorum
<name|none>`. A comment of ours, `# timestamp-authority <name> sha256:<hash of its certificate>`, names who is believed on
times (RFC 3161; docs/decisions/0015); other parsers pass over it. The file reaches the verifier out of band. Two log keys per deployment: `<deployment>` signs checkpoints,
`<deployment>/bundle` signs manifests of bundles; neither is accepted for the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.crypto.checkpoint import Checkpoint, Origin
from shared.crypto.note import COSIGNATURE, ED25519, Note, Verifier, open_note
from shared.errors import IntegrityError

NO_QUORUM = "none"
BUNDLE_SUFFIX = "/bundle"
"""Ends the name of the key that signs manifests of bundles."""

MAX_LINES = 4096
_WORDS = re.compile(r"[ \t]+")
_DECIMAL = re.compile(r"[1-9][0-9]{0,4}")
_AUTHORITY = ["#", "timestamp-authority"]
_CERTIFICATE = re.compile(r"sha256:([0-9a-f]{64})")
_LOG_ARITY, _WITNESS_ARITY, _GROUP_ARITY = (1, 2), (2, 3), (3, MAX_LINES)


@dataclass(frozen=True, slots=True)
class Group:
    """Satisfied when at least `threshold` of its members (witnesses or groups) are."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A trust file, parsed. `witnesses` and `groups` by their names in the file; `quorum` is one of them or `none`."""

    logs: tuple[Verifier, ...] = ()
    witnesses: dict[str, Verifier] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = NO_QUORUM
    authorities: dict[str, str] = field(default_factory=dict)
    """Who is believed on times: names by the SHA-256 (hex) of their certificates, as DER."""

    @property
    def independent(self) -> bool:
        """Whether someone besides the log's operator must have seen each checkpoint."""
        return self.quorum != NO_QUORUM

    def satisfied(self, seen: frozenset[str]) -> bool:
        """Whether these witnesses (names in the file) make the quorum."""
        if self.quorum == NO_QUORUM:
            return True
        made: dict[str, bool] = {name: name in seen for name in self.witnesses}
        for name, group in self.groups.items():  # members stand before their group in the file
            made[name] = sum(made[member] for member in group.members) >= group.threshold
        return made[self.quorum]

    def log_key(self, name: str) -> Verifier:
        """The log key of this name. Raises IntegrityError when the file names none, or two (say which to trust)."""
        found = [verifier for verifier in self.logs if verifier.name == name]
        if len(found) != 1:
            raise IntegrityError(f"the trust file holds {len(found) or 'no'} log keys named {name}")
        return found[0]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint accepted under a policy, its origin's parts, and the policy's witnesses that cosigned it."""

    checkpoint: Checkpoint
    origin: Origin
    witnesses: tuple[str, ...]


def open_checkpoint(data: bytes, policy: Policy) -> Witnessed:
    """Open a checkpoint note: signed by its deployment's log key and seen by the quorum. Raises IntegrityError."""
    note = open_note(data, [*policy.logs, *policy.witnesses.values()])
    checkpoint = Checkpoint.parse(note.text)
    origin = Origin.parse(checkpoint.origin)
    if origin.deployment.endswith(BUNDLE_SUFFIX):
        raise IntegrityError("a key for bundles does not sign checkpoints")
    _require_signature(note, policy.log_key(origin.deployment))
    witnesses = tuple(name for name, key in policy.witnesses.items() if _signed(note, key))
    if not policy.satisfied(frozenset(witnesses)):
        raise IntegrityError("too few of the trust file's witnesses have seen the checkpoint")
    return Witnessed(checkpoint, origin, witnesses)


def open_manifest(data: bytes, deployment: str, policy: Policy) -> str:
    """The text of a bundle's manifest note, signed by the deployment's bundle key. Raises IntegrityError."""
    key = policy.log_key(deployment + BUNDLE_SUFFIX)
    return open_note(data, [key]).text


def parse_policy(text: str) -> Policy:
    """Read a trust file. Raises IntegrityError naming the line and what is wrong with it."""
    parser = _Parser()
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise IntegrityError("the trust file is too long")
    for number, line in enumerate(lines, start=1):
        try:
            parser.read(line)
        except IntegrityError as error:
            raise IntegrityError(f"line {number} of the trust file: {error}") from error
    if parser.quorum is None:
        raise IntegrityError("the trust file has no quorum line")
    return Policy(tuple(parser.logs), parser.witnesses, parser.groups, parser.quorum, parser.authorities)


class _Parser:
    """Reads lines in order: a name must be defined before it is used, and joins at most one group."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Verifier] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.authorities: dict[str, str] = {}
        self._grouped: set[str] = set()
        self._readers: dict[str, tuple[Callable[[list[str]], None], tuple[int, int]]] = {
            "log": (self._log, _LOG_ARITY),
            "witness": (self._witness, _WITNESS_ARITY),
            "group": (self._group, _GROUP_ARITY),
            "quorum": (self._quorum, (1, 1)),
        }

    def read(self, line: str) -> None:
        """Take one line in."""
        if any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise IntegrityError("no control character but tab is allowed")
        line = line.strip(" \t")
        if not line:
            return
        word, *items = words = _WORDS.split(line)
        if words[:2] == _AUTHORITY:
            self._authority(words[2:])
        if word.startswith("#"):
            return
        if word not in self._readers:
            raise IntegrityError("a line starts with log, witness, group or quorum")
        reader, (least, most) = self._readers[word]
        if not least <= len(items) <= most:
            raise IntegrityError(f"a {word} line has another number of items")
        reader(items)

    def _authority(self, items: list[str]) -> None:
        match = _CERTIFICATE.fullmatch(items[1]) if len(items) == len(_AUTHORITY) else None
        if match is None:
            raise IntegrityError("a timestamp authority is a name and sha256:<hash of its certificate>")
        if match[1] in self.authorities:
            raise IntegrityError("a timestamp authority's certificate stands once")
        self.authorities[match[1]] = items[0]

    def _log(self, items: list[str]) -> None:
        key = Verifier.parse(items[0])
        if key.algorithm != ED25519 or any(key.public == other.public for other in self.logs):
            raise IntegrityError("a log key is Ed25519 and stands once")
        self.logs.append(key)

    def _witness(self, items: list[str]) -> None:
        name, key = items[0], Verifier.parse(items[1])
        if key.algorithm != COSIGNATURE or any(key.public == other.public for other in self.witnesses.values()):
            raise IntegrityError("a witness key is a cosignature key and stands once")
        self._check_new(name)
        self.witnesses[name] = key

    def _group(self, items: list[str]) -> None:
        name, threshold, *members = items
        self._check_new(name)
        if any(member not in self._names() for member in members):
            raise IntegrityError("a group's members are defined before it")
        if len(set(members)) != len(members) or self._grouped & set(members):
            raise IntegrityError("a name is a member once, of one group")
        self._grouped |= set(members)
        self.groups[name] = Group(_threshold(threshold, len(members)), tuple(members))

    def _quorum(self, items: list[str]) -> None:
        if self.quorum is not None:
            raise IntegrityError("there is one quorum line")
        if items[0] != NO_QUORUM and items[0] not in self._names():
            raise IntegrityError("the quorum is none, or a witness or group defined before it")
        self.quorum = items[0]

    def _names(self) -> set[str]:
        return {*self.witnesses, *self.groups}

    def _check_new(self, name: str) -> None:
        if name == NO_QUORUM or name in self._names():
            raise IntegrityError("a witness or group has a name of its own, and not 'none'")


def _threshold(text: str, members: int) -> int:
    if text in {"any", "all"}:
        return 1 if text == "any" else members
    if _DECIMAL.fullmatch(text) is None or int(text) > members:
        raise IntegrityError("a threshold is any, all, or a number from 1 to the number of members")
    return int(text)


def _signed(note: Note, key: Verifier) -> bool:
    return any((signature.name, signature.key_id) == (key.name, key.key_id) for signature in note.verified)


def _require_signature(note: Note, key: Verifier) -> None:
    if not _signed(note, key):
        raise IntegrityError(f"the checkpoint is not signed by {key.name}")
