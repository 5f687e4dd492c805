"""What a bundle reads of the facts of each kind of entry: the few fields that link, date and judge.

Lenient on purpose: facts gain optional fields with time and a proof made today must still be read then. What is read is
read strictly (no coercion), so that verifiers written in other languages agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from services.proof_archive.bundles.manifest import Name
from shared.instants import format_instant, from_millis, parse_instant
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REGISTRY, REPORTS, REQUESTS, STOPS, VERDICTS
from shared.verdicts import is_committed, pointer_of

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_RFC3339 = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}:[0-5][0-9](\.[0-9]{{1,9}})?(Z|[+-]{_CLOCK})")
"""RFC 3339 §5.6, hours and minutes within their bounds: what a date library does beyond them changes with its version."""


def _instant(text: str) -> str:
    """The instant in the form whose order as text is the order of times."""
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 instant")
    try:
        instant = format_instant(parse_instant(text))
    except OverflowError as error:
        raise ValueError("not an instant of our calendar") from error
    if len(instant) != len("2026-01-01T00:00:00.000Z"):
        raise ValueError("not an instant of this era")
    return instant


Instant = Annotated[str, AfterValidator(_instant)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Version = Annotated[int, Field(ge=0)] | Word
Commitment = Annotated[str, StringConstraints(max_length=64)]
AnyOf = list[Word] | Word
"""A scope: `"all"` or a list."""


class Facts(BaseModel):
    """What any entry may say: what it is about, by name, and commitments to its personal fields by JSON pointer."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    kind: Name
    record: Word | None = None
    stop: Word | None = None
    order: Word | None = None
    request: Word | None = None
    commitments: dict[str, str] = {}

    def committed(self) -> Mapping[str, str]:
        """Every commitment that a disclosure may answer, by pointer."""
        return self.commitments


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
    attachments: list[Hashed] = []


class RegistryReference(BaseModel):
    """A registry version that a verdict relied on, with its place in the log and the time it was archived."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    key: Word
    offset: int
    archived_at: Instant


class Line(BaseModel):
    """One line of a verdict."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    recipient: Word | None
    channel: Word
    purpose: Word
    verdict: Word
    basis: Word | None = None
    valid_until: Word | None = None
    reasons: list[Word] = []


class Assessed(Facts):
    """`consent.assessed`: under which rules, when."""

    record: Word
    ruleset: Word
    ruleset_seq: int
    registry_offset: int
    evaluated_at: Instant


class Verdict(Assessed):
    """What the rules found, and the versions they relied on: all of it (version 1), or what a bundle discloses of it."""

    references: list[RegistryReference]
    lines: list[Line]

    @property
    def hidden(self) -> int:
        """How many lines of the verdict are not shown."""
        return 0


class OwnLine(Line):
    """A line that is committed to apart, with the registry versions that it alone relied on."""

    references: list[RegistryReference] = []


class CommittedVerdict(Assessed):
    """A verdict that commits to its lines, each apart (version 2)."""

    references: list[RegistryReference]
    line_commitments: list[Commitment]

    def committed(self) -> Mapping[str, str]:
        """By pointer: `/lines/<n>`."""
        return {pointer_of(index): item for index, item in enumerate(self.line_commitments)}

    def opened(self, values: Mapping[str, Any]) -> OpenedVerdict:
        """The verdict with the lines disclosed, by pointer (of `committed`). Raises pydantic.ValidationError on their form."""
        placed = [values[pointer] for pointer in self.committed() if pointer in values]
        lines = _OWN_LINES.validate_python(placed, strict=True)
        common = {name: getattr(self, name) for name in Assessed.model_fields}
        relied = [*self.references, *(reference for line in lines for reference in line.references)]
        hidden = len(self.line_commitments) - len(lines)
        return OpenedVerdict.model_validate({**common, "references": relied, "lines": lines, "hidden_lines": hidden})


class OpenedVerdict(Verdict):
    """A verdict of version 2 as far as a bundle shows it. Never read from an entry: made from what it discloses."""

    hidden_lines: int

    @property
    def hidden(self) -> int:
        """How many lines it commits to beside those shown."""
        return self.hidden_lines


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


_OWN_LINES = TypeAdapter(list[OwnLine])

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
