"""Traces across Kafka, without personal data (OpenTelemetry; optional extra `tracing`, off unless OPPOSABLE_OTLP_ENDPOINT is set).

The context of a trace travels in the `traceparent` header (W3C Trace Context; CloudEvents distributed tracing extension). A
batch is one span; each traced record in it is a span in its own trace, linked to the batch's, so that one consent can be
followed from `in.*` to `out.*` though it was done beside a thousand others. What a batch publishes belongs to the record it
was caused by: same Kafka key, else same event id; else, where every record of the batch is traced, the one record it
held, or the batch. So the sampled share never grows on its way.

Attributes are a closed list (`ATTRIBUTES`): topics, groups, offsets, counts, classes of errors. Never a key, an id, a body, an
exception's text: a record's key may be linked to a person. Sampling is decided where an event enters, by the sender's own
`traceparent` or else by OPPOSABLE_TRACE_RATIO; a record that is not sampled costs one look at its headers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from shared.contracts.envelope import Headers
from shared.errors import ConfigurationError
from shared.kafka.publisher import Outgoing
from shared.kafka.record import Record
from shared.settings import Settings
from shared.topics import DEAD

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

HEADER, EVENT = "traceparent", "ce_id"
GROUP, COUNT = "messaging.consumer.group.name", "messaging.batch.message_count"
TOPIC, PARTITION, OFFSET = "messaging.destination.name", "messaging.destination.partition.id", "messaging.kafka.offset"
SYSTEM, OPERATION, ERROR = "messaging.system", "messaging.operation.name", "error.type"
ATTRIBUTES = frozenset({GROUP, COUNT, TOPIC, PARTITION, OFFSET, SYSTEM, OPERATION, ERROR})
"""Every attribute a span may have (semantic conventions of messaging)."""
MOST_LINKS = 128
_FORM = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
SAMPLED = 1
_Traced = tuple[Record, Any]
"""A record, and the sampled context that it carries (None: it begins a trace)."""


class Tracing(Protocol):
    """What a batch loop and a publisher ask of it."""

    def batch(self, group: str, records: Sequence[Record]) -> Any:
        """A context manager around the doing of a batch."""
        ...

    def carried(self, messages: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """The messages with the header of what caused each."""
        ...

    def stop(self) -> None:
        """Send what is left."""
        ...


@dataclass(slots=True)
class _Batch:
    """The contexts of the batch in hand."""

    by_key: dict[bytes, bytes] = field(default_factory=dict)
    by_event: dict[bytes, bytes] = field(default_factory=dict)
    otherwise: bytes | None = None


_current: ContextVar[_Batch | None] = ContextVar("opposable_traced_batch", default=None)


def make_tracing(settings: Settings, service: str) -> Tracing | None:
    """None where no endpoint is set. Raises ConfigurationError where one is set and the extra is not installed."""
    if not settings.otlp_endpoint:
        return None
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise ConfigurationError(
            "OPPOSABLE_OTLP_ENDPOINT is set and the extra is missing: pip install 'opposable[tracing]'"
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional

    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=10)
    return BatchTracing(service, exporter, settings.trace_ratio)


class BatchTracing:
    """Spans by OpenTelemetry's own SDK."""

    def __init__(
        self, service: str, exporter: SpanExporter, ratio: float, processor: Callable[[SpanExporter], Any] | None = None
    ) -> None:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415

        resource = Resource(
            {"service.name": service, "service.namespace": "opposable"}
        )  # no host, no process: a closed list
        # What is traced is decided here, before a span is made: a span that is not recorded costs too.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor((processor or BatchSpanProcessor)(exporter))
        self._tracer = self._provider.get_tracer("opposable")
        self._ratio = ratio

    def stop(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    @contextmanager
    def batch(self, group: str, records: Sequence[Record]) -> Iterator[None]:
        """Spans of a batch and of its traced records. An error is told by its class alone."""
        traced = [one for record in records if (one := self._traced(record)) is not None]
        if not traced:
            yield
            return
        spans, batch = self._spans(group, len(records), traced)
        token = _current.set(batch)
        try:
            yield
        except Exception as error:
            for span in spans:
                span.set_attribute(ERROR, type(error).__name__)
                span.set_status(_error_status())
            raise
        finally:
            _current.reset(token)
            for span in reversed(spans):
                span.end()

    def _traced(self, record: Record) -> _Traced | None:
        parent = _parent(record)
        if parent is None and not (record.topic.startswith("in.") and random.random() < self._ratio):
            return None
        return record, parent

    def _spans(self, group: str, count: int, traced: Sequence[_Traced]) -> tuple[list[Any], _Batch]:
        from opentelemetry.trace import Link, SpanKind, set_span_in_context  # noqa: PLC0415 - optional

        links = [Link(p.get_span_context()) for _, p in traced if p is not None][:MOST_LINKS]
        common: dict[str, str | int] = {SYSTEM: "kafka", OPERATION: "process", GROUP: group}
        own: list[tuple[Record, Any]] = []
        for record, parent in traced:
            where: dict[str, str | int] = {TOPIC: record.topic, PARTITION: str(record.partition), OFFSET: record.offset}
            context = None if parent is None else set_span_in_context(parent)
            span = self._tracer.start_span(f"process {record.topic}", context, SpanKind.CONSUMER, {**common, **where})
            own.append((record, span))
        first = own[0][1]
        head = self._tracer.start_span(
            f"batch {group}", set_span_in_context(first), SpanKind.CONSUMER, {**common, COUNT: count}, links
        )
        batch = _Batch()
        if len(own) == count:
            batch.otherwise = _header(first if count == 1 else head)
        for record, span in own:
            if first is not span:
                span.add_link(head.get_span_context())
            value = _header(span)
            if record.key is not None:
                batch.by_key[record.key] = value
            event = _named(record.headers, EVENT)
            if event is not None:
                batch.by_event[event] = value
        return [*(span for _, span in own), head], batch

    def carried(self, messages: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """The messages with the header of what caused each; those of no traced batch as they are."""
        batch = _current.get()
        if batch is None:
            return messages
        return [_with_header(message, batch) for message in messages]


def _with_header(message: Outgoing, batch: _Batch) -> Outgoing:
    key, event = message.key, _named(message.headers, EVENT)
    value = (batch.by_key.get(key) or batch.by_event.get(key)) if key is not None else None
    value = value or (batch.by_event.get(event) if event is not None else None) or batch.otherwise
    if value is None or message.topic == DEAD.name or _named(message.headers, HEADER) is not None:
        return message  # a dead letter keeps exactly the headers it came with
    return replace(message, headers=(*message.headers, (HEADER, value)))


def _named(headers: Headers, name: str) -> bytes | None:
    for one, raw in headers:
        if one == name:
            return raw
    return None


def _parent(record: Record) -> Any:
    """The sampled context that a record carries, as a span; None where there is none, or no readable one."""
    raw = _named(record.headers, HEADER)
    found = _FORM.fullmatch(raw) if raw is not None else None
    if found is None or not int(found[3], 16) & SAMPLED:
        return None
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags  # noqa: PLC0415 - optional

    context = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(SAMPLED))
    return NonRecordingSpan(context) if context.is_valid else None


def _header(span: Any) -> bytes:
    context = span.get_span_context()
    return b"00-%032x-%016x-%02x" % (context.trace_id, context.span_id, context.trace_flags)


def _error_status() -> Any:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - optional

    return Status(StatusCode.ERROR)
