"""What a bundle reads of the facts of each kind of entry: the few fields that link, date and judge.

Lenient on purpose: facts gain optional fields with time and a proof made today must still be read then. What is read is
read strictly (no coercion), so that verifiers written in other languages agree.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.proof_archive.bundles.fact_types import AnyOf, Facts, Instant, Version, Word
from services.proof_archive.bundles.verdict_facts import CommittedVerdict, Verdict
from shared.instants import format_instant, from_millis
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REGISTRY, REPORTS, REQUESTS, STOPS, VERDICTS
from shared.verdicts import is_committed


class Hashed(BaseModel):
    """Something named by its version and hash: form, notice, list, attachment."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: Word | None = None
    kind: Word | None = None
    version: Version | None = None
    sha256: Word | None = None


class Consent(Facts):
    """`consent.recorded`: what the collector declares."""

    record: Word
    collector: Word
    collected_at: Instant
    received_at: Instant
    form: Hashed | None = None
    notice: Hashed | None = None
    recipient_list: Hashed | None = None
    attachments: list[Hashed] = Field(default_factory=list)


class Stop(Facts):
    """`stop.recorded`: a withdrawal, objection or STOP."""

    stop: Word
    source: Word
    stop_kind: Word
    at: Instant
    recipients: AnyOf = "all"
    channels: AnyOf = "all"
    purposes: AnyOf = "all"


class Request(Facts):
    """`request.received`: the exercise of another right."""

    request: Word
    source: Word
    right: Word


class Delivery(Facts):
    """`delivery.*`: an order to a party and what became of it."""

    party: Word
    ack_due_at: Instant | None = None
    reminder: int = 0
    status: Word | None = None
    closed: bool = False


class Report(Facts):
    """What a party declares afterwards: acknowledgement, information given, transfer, contact."""

    source: Word
    at: Instant | None = None
    applied_at: Instant | None = None
    status: Word | None = None
    to: Word | None = None
    channel: Word | None = None


class Registered(Facts):
    """An object of the registry, as archived."""

    id: Word
    version: Version | None = None
    collector: Word | None = None
    html_sha256: Word | None = None
    screenshot_sha256: Word | None = None
    sha256: Word | None = None
    document_sha256: Word | None = None

    @property
    def key(self) -> str:
        """Its key in the registry: `kind:id[:version]`."""
        return f"{self.kind}:{self.id}" + ("" if self.version is None else f":{self.version}")


_BY_KIND: dict[tuple[str, str], type[Facts]] = {
    (CONSENTS.name, "consent.recorded"): Consent,
    (VERDICTS.name, "consent.assessed"): Verdict,
    (STOPS.name, "stop.recorded"): Stop,
    (REQUESTS.name, "request.received"): Request,
    (DELIVERIES.name, "delivery.ordered"): Delivery,
    (DELIVERIES.name, "delivery.reminded"): Delivery,
    (DELIVERIES.name, "delivery.acknowledged"): Delivery,
    (DELIVERIES.name, "delivery.escalated"): Delivery,
    (REPORTS.name, "order.acknowledged"): Report,
    (REPORTS.name, "notice.given"): Report,
    (REPORTS.name, "data.transferred"): Report,
    (REPORTS.name, "contact.attempted"): Report,
}


def read_facts(topic: str, facts: dict[str, Any]) -> Facts:
    """The facts of an entry, read as their kind. Raises pydantic.ValidationError."""
    kind = facts.get("kind")
    if topic == VERDICTS.name and is_committed(facts):
        return CommittedVerdict.model_validate(facts)
    model = (
        Registered if topic == REGISTRY.name else _BY_KIND.get((topic, kind if isinstance(kind, str) else ""), Facts)
    )
    return model.model_validate(facts)


def is_erasure(topic: str, kind: str) -> bool:
    """Whether an entry states that a record's personal data is erased."""
    return topic == ERASURES.name and kind.endswith("erased")


def instant_of(millis: int) -> str:
    """The text of a Kafka timestamp."""
    return format_instant(from_millis(millis))
