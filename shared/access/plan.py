"""Every access entry that Kafka should hold, from the table of topics and the registered parties. Pure.

Least privilege (promise P6): a party writes its own `in.*`, reads its own `out.*` and the public checkpoints, and uses consumer
groups named `<party>.…`; it may create, delete and configure nothing. A service reads and writes the rows of the table that name
it, topic by topic: a party registered later gets its topics and everybody's entries from the same command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.errors import ConfigurationError
from shared.topics import IN_PLATFORM_RIGHTS, IN_RIGHTS, SERVICES, TABLE, Scope, TopicRow

SERVICE_PREFIX = "svc."
"""Services' principals: no party id holds a dot, so none can be taken for a service."""
OPERATOR = "operator"
"""The super user: provisioning and the operator's commands. Needs no entry."""
PARTY, EVERYONE = "party", "everyone"
FOREIGN_GROUPS: dict[str, tuple[str, ...]] = {
    "rights_handler": ("collector",), "eraser": ("rights_handler",), "console": SERVICES,
}  # fmt: skip
"""Groups whose position a service looks at: a permission check is refused while stops may still be unread (promise P2);
the console shows how far behind each is."""
FOREIGN_TOPICS: dict[str, tuple[TopicRow, ...]] = {
    "rights_handler": (IN_RIGHTS, IN_PLATFORM_RIGHTS), "console": TABLE,
}  # fmt: skip
"""Topics whose ends it compares those positions with: described, not read."""


class Resource(IntEnum):
    """Kafka's resource types."""

    TOPIC = 2
    GROUP = 3


class Pattern(IntEnum):
    """Whether a name is a whole name or a beginning."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """Kafka's operations, those used here. Reading and writing imply describing."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """`principal` may do `operation` on the resources that `pattern` and `name` say."""

    principal: str
    resource: Resource
    pattern: Pattern
    name: str
    operation: Operation


def service_principal(service: str) -> str:
    """`collector` → `svc.collector`."""
    return f"{SERVICE_PREFIX}{service}"


def services() -> list[str]:
    """Every service that the table names."""
    named = {who for row in TABLE for who in (*row.writers, *row.readers)}
    return sorted(named - {PARTY, EVERYONE, OPERATOR})


def wanted(parties: Iterable[str]) -> set[Entry]:
    """The whole list. Raises ConfigurationError for a party whose id is a service's, or the operator's."""
    parties = sorted(set(parties))
    taken = {OPERATOR, *services()}.intersection(parties)
    if taken:
        raise ConfigurationError(
            f"a party may not be called {', '.join(sorted(taken))}: consumer groups would be mixed"
        )
    found: set[Entry] = set()
    for service in services():
        found |= _of_service(service, parties)
    for party in parties:
        found |= _of_party(party)
    return found


def _of_service(service: str, parties: Sequence[str]) -> set[Entry]:
    who = service_principal(service)
    found = {_entry(who, Resource.GROUP, name, Operation.READ) for name in (service, f"{service}.")}
    for row in TABLE:
        if service in row.writers:
            found |= _on_topics(who, row, parties, Operation.WRITE)
        if service in row.readers or EVERYONE in row.readers:
            found |= _on_topics(who, row, parties, Operation.READ)
    for group in FOREIGN_GROUPS.get(service, ()):
        found |= {_entry(who, Resource.GROUP, name, Operation.DESCRIBE) for name in (group, f"{group}.")}
    for row in FOREIGN_TOPICS.get(service, ()):
        found |= _on_topics(who, row, parties, Operation.DESCRIBE)
    return found


def _of_party(party: str) -> set[Entry]:
    found = {_entry(party, Resource.GROUP, f"{party}.", Operation.READ)}
    for row in TABLE:
        if PARTY in row.writers:
            found.add(_entry(party, Resource.TOPIC, row.of(party), Operation.WRITE))
        if PARTY in row.readers or EVERYONE in row.readers:
            found.add(_entry(party, Resource.TOPIC, row.of(party), Operation.READ))
    return found


def _on_topics(who: str, row: TopicRow, parties: Sequence[str], operation: Operation) -> set[Entry]:
    names = [row.name] if row.scope is Scope.PLATFORM else [row.of(party) for party in parties]
    return {_entry(who, Resource.TOPIC, name, operation) for name in names}


def _entry(who: str, resource: Resource, name: str, operation: Operation) -> Entry:
    """A name that ends with a dot is a beginning."""
    return Entry(who, resource, Pattern.PREFIXED if name.endswith(".") else Pattern.LITERAL, name, operation)
