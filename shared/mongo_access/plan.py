"""Every role and user that MongoDB should hold, from one table of services. Pure.

Least privilege: a service does on a collection only what its code does, action by action; nothing grants a whole database. The
`vault` has one role per right (promise P5): `admit` inserts, `read` reads, `erase` changes, and nobody removes a row, since a
tombstone is what keeps an erased record from coming back. Only the operator creates, drops or alters collections and their
validators. Indexes are made by who owns the collection, except in the vault: an index may delete (TTL), which no service may
there (docs/decisions/0021-indexes-and-who-may-make-them.md).

Actions: https://www.mongodb.com/docs/manual/reference/privilege-actions/.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.access.plan import SERVICE_PREFIX, service_principal
from shared.topics import SERVICES

ADMIN, VAULT = "admin", "vault"
"""Where users and services' roles live; and the database whose roles live with it, so that it can move to its own cluster."""
FIND, INSERT, UPDATE, REMOVE = "find", "insert", "update", "remove"
INDEX, INDEXES, DROP_INDEX = "createIndex", "listIndexes", "dropIndex"
READ = frozenset({FIND})
ADD = frozenset({FIND, INSERT})
CHANGE = frozenset({FIND, INSERT, UPDATE})
PASSING = frozenset({FIND, INSERT, REMOVE})
"""Rows that come and go and are never altered."""
ALL = frozenset({FIND, INSERT, UPDATE, REMOVE})
INDEXED = frozenset({INDEX})
LISTED = frozenset({INDEX, INDEXES})
"""Who makes an index looks first what is there (GridFS does, and whose time to live changed)."""

Actions = frozenset[str]
Rights = tuple[tuple[str, Actions], ...]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """`role` may do `action` on `database.collection`."""

    role: str
    database: str
    collection: str
    action: str


@dataclass(frozen=True, slots=True, order=True)
class Role:
    """A role by name and the database it lives in."""

    name: str
    database: str


VAULT_ROLES: dict[str, Rights] = {
    "vault.admit": (("keys", ADD | {INDEXES}), ("secret_checks", ADD)),
    "vault.read": (("keys", READ),),
    "vault.erase": (("keys", READ | {UPDATE}),),
}
"""One role per right. `admit` reads too: what collided is compared (the guard against duplicates)."""

OWN: dict[str, tuple[str, Rights]] = {
    "rights_handler": ("rights", (
        ("grants", CHANGE | INDEXED), ("stops", CHANGE | INDEXED), ("transfers", CHANGE | INDEXED),
        ("deliveries", CHANGE | INDEXED), ("obligations", CHANGE | INDEXED), ("requests", CHANGE | INDEXED),
        ("erasures", CHANGE | INDEXED), ("holds", CHANGE | INDEXED), ("notices", ADD | INDEXED),
        ("disclosures", ADD | INDEXED), ("attempts", PASSING | INDEXED), ("naming", CHANGE), ("matching", CHANGE),
        ("portal_passes", ALL | INDEXED), ("portal_sessions", ALL | INDEXED), ("portal_limits", ALL | INDEXED),
        ("chain", CHANGE | INDEXED), ("decisions", CHANGE | INDEXED), ("breaches", CHANGE | INDEXED),
        ("restores", READ | {UPDATE}), ("secret_checks", ADD),
    )),
    "proof_archive": ("archive", (
        ("heads", CHANGE | INDEXED), ("entries", ADD | INDEXED), ("bodies", ADD), ("tiles", CHANGE), ("counters", CHANGE),
        ("sealed", PASSING), ("erased", ADD), ("restricted", ADD), ("checkpoints", READ), ("latest", READ),
        ("timestamps", READ), ("stamped", READ), ("obligations", ALL), ("outbox", PASSING | INDEXED),
        ("sla", CHANGE | INDEXED), ("sla_demands", PASSING | {UPDATE} | INDEXED), ("sla_windows", CHANGE),
        ("evidence_cited", ALL | INDEXED), ("evidence_files", PASSING | INDEXED), ("evidence_uploads", PASSING | INDEXED),
        ("evidence.files", PASSING | LISTED), ("evidence.chunks", PASSING | LISTED),
        ("decisions", CHANGE | INDEXED), ("reassessing", CHANGE | INDEXED),
    )),
    "signer": ("archive", (
        ("heads", READ), ("entries", READ), ("tiles", READ), ("checkpoints", CHANGE), ("latest", CHANGE),
        ("obligations", ALL), ("timestamps", CHANGE | INDEXED), ("stamped", ADD),
    )),
    "notifier": ("notifier", (("messages", CHANGE | INDEXED),)),
    "console": ("console", (
        ("accounts", READ | INDEXED), ("sessions", ALL | INDEXED), ("tries", CHANGE | INDEXED), ("audit", CHANGE | INDEXED),
    )),
    "webhook_relay": ("webhook_relay", (("deliveries", CHANGE | LISTED | {DROP_INDEX}), ("endpoints", CHANGE))),
}  # fmt: skip
"""What a service does in the database that it works in. Who is not named (collector, eraser) works in the vault alone."""

IN_VAULT: dict[str, str] = {
    "collector": "vault.admit", "rights_handler": "vault.read", "proof_archive": "vault.read", "notifier": "vault.read",
    "eraser": "vault.erase",
}  # fmt: skip
"""The one role of a service in the vault. The notifier opens what it writes to a person."""


def entries() -> set[Entry]:
    """The whole table, action by action."""
    own = {
        Entry(service_principal(service), database, collection, action)
        for service, (database, rights) in OWN.items()
        for collection, actions in rights
        for action in actions
    }
    return own | {
        Entry(role, VAULT, collection, action)
        for role, rights in VAULT_ROLES.items()
        for collection, actions in rights
        for action in actions
    }


def roles() -> set[Role]:
    """Every role."""
    return {Role(service_principal(service), ADMIN) for service in OWN} | {Role(name, VAULT) for name in VAULT_ROLES}


def users() -> dict[str, frozenset[Role]]:
    """Every user with its roles. One that has none may connect, and do nothing (the consent validator keeps nothing)."""
    return {service_principal(service): frozenset(_roles_of(service)) for service in SERVICES}


def may(service: str) -> set[Entry]:
    """What a service may do, through whichever role."""
    names = {role.name for role in _roles_of(service)}
    return {entry for entry in entries() if entry.role in names}


def is_ours(role: Role) -> bool:
    """Whether a role is named as ours are: what an operator made for others is not ours to remove."""
    return role.database == VAULT or (role.database == ADMIN and role.name.startswith(SERVICE_PREFIX))


def ours(found: Iterable[str]) -> set[str]:
    """Users named as services are."""
    return {user for user in found if user.startswith(SERVICE_PREFIX)}


def _roles_of(service: str) -> Iterable[Role]:
    if service in OWN:
        yield Role(service_principal(service), ADMIN)
    if service in IN_VAULT:
        yield Role(IN_VAULT[service], VAULT)
