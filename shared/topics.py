"""The one table of topics: provisioning, access lists, documents and dashboards are generated from it.

No other module names a topic. Times are LogAppendTime everywhere: no partner or host clock is trusted. Sizes in bytes,
retention in milliseconds (-1 = for ever). The console writes to `in.*` what it replays from `dead`, byte for byte (decision 0020).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000
MIB = 1_048_576


class Scope(StrEnum):
    """How many topics a row stands for."""

    PLATFORM = "platform"
    PARTY_IN = "party_in"
    PARTY_OUT = "party_out"


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One row of the table. `name` holds `{party}` where there is one topic a party."""

    name: str
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    scope: Scope = Scope.PLATFORM
    retention_ms: int = 30 * DAY_MS
    compact: bool = False
    max_message_bytes: int = MIB
    single_partition: bool = False
    archived: bool = False

    def of(self, party: str) -> str:
        """The topic of one party."""
        return self.name.format(party=party)


SERVICES = (
    "collector", "consent_validator", "rights_handler", "proof_archive", "signer", "webhook_relay", "notifier", "eraser",
    "console",
)  # fmt: skip
"""Every process that connects as itself. Each row names the services that read it: access lists follow (shared/access)."""
INDEXED = ("rights_handler", "proof_archive")

IN_CONSENTS = TopicRow(
    "in.{party}.consents",
    "partner's choice",
    ("party", "collector", "console"),  # the collector: for parties that publish by HTTP
    ("collector",),
    Scope.PARTY_IN,
    7 * DAY_MS,
    max_message_bytes=3 * MIB,
)
IN_RIGHTS = TopicRow(
    "in.{party}.rights",
    "partner's choice",
    ("party", "collector", "webhook_relay", "console"),
    ("collector",),
    Scope.PARTY_IN,
    7 * DAY_MS,
    max_message_bytes=3 * MIB,
)
IN_PLATFORM_RIGHTS = TopicRow(
    "in.platform.rights",
    "stop or request id",
    ("rights_handler", "console"),
    ("collector",),
    retention_ms=7 * DAY_MS,
    max_message_bytes=3 * MIB,
)
OUT_READERS = ("party", "collector", "webhook_relay")
"""The party itself by Kafka; for it by HTTP: the collector answers its feed, the relay pushes."""
OUT_RECEIPTS = TopicRow("out.{party}.receipts", "event id", ("collector",), OUT_READERS, Scope.PARTY_OUT, 7 * DAY_MS)
OUT_PERMISSIONS = TopicRow(
    "out.{party}.permissions", "record", ("rights_handler",), OUT_READERS, Scope.PARTY_OUT, 30 * DAY_MS
)
OUT_WITHDRAWALS = TopicRow(
    "out.{party}.withdrawals", "order id", ("rights_handler",), OUT_READERS, Scope.PARTY_OUT, 90 * DAY_MS
)
OUT_REQUESTS = TopicRow(
    "out.{party}.requests",
    "request id",
    ("rights_handler", "consent_validator"),
    OUT_READERS,
    Scope.PARTY_OUT,
    90 * DAY_MS,
)
CONSENTS = TopicRow("consents", "record", ("collector",), ("consent_validator", "proof_archive"), archived=True)
VERDICTS = TopicRow("verdicts", "record", ("consent_validator",), INDEXED, archived=True)
STOPS = TopicRow("stops", "stop", ("collector",), INDEXED, retention_ms=90 * DAY_MS, archived=True)
REQUESTS = TopicRow("requests", "request", ("collector",), INDEXED, retention_ms=90 * DAY_MS, archived=True)
REPORTS = TopicRow("reports", "order or record", ("collector",), INDEXED, retention_ms=90 * DAY_MS, archived=True)
DELIVERIES = TopicRow(
    "deliveries",
    "order id (a proof's delivery: record)",
    ("rights_handler", "proof_archive"),
    ("proof_archive",),
    retention_ms=90 * DAY_MS,
    archived=True,
)
ERASURES = TopicRow(
    "erasures",
    "record",
    (*INDEXED, "eraser"),
    (*INDEXED, "eraser"),
    retention_ms=90 * DAY_MS,
    archived=True,
)
OPERATIONS = TopicRow(
    "operations",
    "account id",
    ("console",),
    ("proof_archive",),
    retention_ms=90 * DAY_MS,
    single_partition=True,
    archived=True,
)
"""What operators did in the console: who, when, what (`services/console/README.md`)."""
REGISTRY = TopicRow(
    "registry",
    "kind:id[:version]",
    ("operator", "consent_validator"),
    SERVICES,
    retention_ms=-1,
    single_partition=True,
    archived=True,
)
SUBMISSIONS = TopicRow(
    "registry.submissions",
    "kind:id:version",
    ("consent_validator", "operator"),
    ("operator",),
    retention_ms=-1,
    single_partition=True,
)
REASSESSMENTS = TopicRow(
    "reassessments", "record", ("operator", "proof_archive"), ("consent_validator",), retention_ms=7 * DAY_MS
)
MESSAGES = TopicRow("messages", "message id", ("rights_handler",), ("notifier",), max_message_bytes=3 * MIB)
CHECKPOINTS = TopicRow("checkpoints", "log origin", ("signer",), ("everyone",), retention_ms=-1)
CHECKPOINTS_LATEST = TopicRow(
    "checkpoints.latest", "log origin", ("signer",), ("everyone",), retention_ms=-1, compact=True
)
DEAD = TopicRow("dead", "none", SERVICES, ("operator", "console"), retention_ms=7 * DAY_MS, max_message_bytes=4 * MIB)

TABLE: tuple[TopicRow, ...] = (
    IN_CONSENTS,
    IN_RIGHTS,
    IN_PLATFORM_RIGHTS,
    OUT_RECEIPTS,
    OUT_PERMISSIONS,
    OUT_WITHDRAWALS,
    OUT_REQUESTS,
    CONSENTS,
    VERDICTS,
    STOPS,
    REQUESTS,
    REPORTS,
    DELIVERIES,
    ERASURES,
    OPERATIONS,
    REGISTRY,
    SUBMISSIONS,
    REASSESSMENTS,
    MESSAGES,
    CHECKPOINTS,
    CHECKPOINTS_LATEST,
    DEAD,
)

ARCHIVED: tuple[TopicRow, ...] = tuple(row for row in TABLE if row.archived)

IN_CONSENTS_PATTERN = r"^in\.[a-z0-9-]+\.consents$"
IN_RIGHTS_PATTERN = r"^in\.[a-z0-9-]+\.rights$"
PLATFORM_PARTY = "platform"
"""The name that our own HTTP edges write under; no party may be called so."""


def party_of(topic: str) -> str:
    """`in.acme.consents` → `acme`: the topic is the identity of who wrote (only that party may write there)."""
    return topic.split(".", 2)[1]


def is_rights(topic: str) -> bool:
    """True for `in.<party>.rights`."""
    return topic.endswith(".rights")


def topics_of_party(party: str) -> list[tuple[str, TopicRow]]:
    """Every topic of one party with its row."""
    return [(row.of(party), row) for row in TABLE if row.scope is not Scope.PLATFORM]


def platform_topics() -> list[tuple[str, TopicRow]]:
    """Every topic that is not a party's."""
    return [(row.name, row) for row in TABLE if row.scope is Scope.PLATFORM]


def settings_of(row: TopicRow) -> dict[str, str]:
    """Kafka topic configuration of a row, the whole set (alter replaces all overrides)."""
    return {
        "cleanup.policy": "compact" if row.compact else "delete",
        "retention.ms": str(row.retention_ms),
        "max.message.bytes": str(row.max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
    }
