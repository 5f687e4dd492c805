"""Traces: who caused what, whatever the batch; a closed list of attributes; nothing where it is off."""

import asyncio
import re
import time

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.errors import ConfigurationError
from shared.kafka.publisher import Outgoing
from shared.kafka.record import StoredRecord
from shared.settings import Settings
from shared.tracing import ATTRIBUTES, HEADER, BatchTracing, make_tracing

PERSONAL = "jeanne.martin@exemple.fr"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01".encode()


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    tracing = BatchTracing("collector", exporter, 1.0, SimpleSpanProcessor)
    yield tracing
    tracing.stop()


def record(number, topic="in.acme.consents", traceparent=None):
    headers = [("ce_id", b"event-%d" % number)]
    if traceparent is not None:
        headers.append((HEADER, traceparent))
    value = f'{{"contacts":[{{"value":"{PERSONAL}"}}]}}'.encode()
    return StoredRecord(topic, 0, number, 0, f"{PERSONAL}-{number}".encode(), value, tuple(headers))


def out(topic, key, event=None):
    headers = () if event is None else (("ce_id", event),)
    return Outgoing(topic, key, b"{}", headers)


def carried(message):
    return dict(message.headers).get(HEADER)


def trace_of(message):
    found = re.fullmatch(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-0[13]", carried(message))
    return found[1].decode()


def test_the_senders_trace_is_carried_on_by_key_by_event_and_by_the_only_record(tracing, exporter):
    one = record(7, traceparent=PARENT)
    with tracing.batch("collector.consents", [one]):
        by_key, by_event, receipt, other = tracing.carried([
            out("consents", one.key), out("consents", b"acme/1", b"event-7"),
            out("out.acme.receipts", b"event-7", b"receipt:event-7"), out("deliveries", b"elsewhere"),
        ])  # fmt: skip
    assert {trace_of(m) for m in (by_key, by_event, receipt, other)} == {TRACE}
    process = next(s for s in exporter.get_finished_spans() if s.name == "process in.acme.consents")
    assert format(process.parent.span_id, "016x") == "00f067aa0ba902b7"
    assert carried(by_key).split(b"-")[2].decode() == format(process.context.span_id, "016x")


def test_in_a_batch_of_many_each_message_goes_on_in_the_trace_of_its_own_record(tracing, exporter):
    other = f"00-{'a' * 32}-00f067aa0ba902b8-01".encode()
    records = [record(1, "consents", PARENT), record(2, "consents", other)]
    with tracing.batch("validator", records):
        first, second, unknown = tracing.carried(
            [out("verdicts", records[0].key), out("verdicts", records[1].key), out("deliveries", b"x")]
        )
    assert (trace_of(first), trace_of(second)) == (TRACE, "a" * 32)
    head = next(s for s in exporter.get_finished_spans() if s.name == "batch validator")
    assert head.attributes["messaging.batch.message_count"] == 2
    assert {format(link.context.trace_id, "032x") for link in head.links} == {TRACE, "a" * 32}
    assert carried(unknown).split(b"-")[2].decode() == format(head.context.span_id, "016x")
    linked = [s for s in exporter.get_finished_spans() if s.name == "process consents" and s.links]
    assert [format(s.context.trace_id, "032x") for s in linked] == ["a" * 32]


def test_a_record_that_is_not_traced_does_not_become_so_beside_one_that_is(tracing, exporter):
    records = [record(1, "consents", PARENT), record(2, "consents"), record(3, "consents", PARENT[:-2] + b"00")]
    with tracing.batch("validator", records):
        sent = tracing.carried([out("verdicts", r.key) for r in records] + [out("deliveries", b"x")])
    assert [carried(m) is not None for m in sent] == [True, False, False, False]


@pytest.mark.parametrize("bad", [b"", b"00-1-2-01", b"\xff", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", None])
def test_a_header_that_is_no_context_begins_a_trace_of_ours(tracing, bad):
    broken = record(1)
    broken = StoredRecord(*(getattr(broken, n) for n in ("topic", "partition", "offset", "timestamp", "key", "value")),
                          headers=((HEADER, bad),))  # fmt: skip
    with tracing.batch("collector.consents", [broken]):
        (sent,) = tracing.carried([out("consents", broken.key)])
    assert trace_of(sent) not in (TRACE, "0" * 32)


def test_attributes_are_the_closed_list_and_nothing_tells_of_a_person(tracing, exporter):
    def fail():
        with tracing.batch("collector.consents", [record(1), record(2)]):
            tracing.carried([out("consents", PERSONAL.encode())])
            raise ValueError(PERSONAL)

    with pytest.raises(ValueError, match="jeanne"):
        fail()
    spans = exporter.get_finished_spans()
    assert len(spans) == 3
    for span in spans:
        assert set(span.attributes) <= ATTRIBUTES
        assert span.attributes["error.type"] == "ValueError"
        assert not span.events, "an exception's text and stack are not recorded"
        assert "jeanne" not in span.to_json()
    assert set(spans[0].resource.attributes) == {"service.name", "service.namespace"}


def test_a_dead_letter_keeps_exactly_its_headers_and_what_is_outside_a_batch_has_none(tracing):
    one = record(1)
    with tracing.batch("collector.consents", [one]):
        (dead,) = tracing.carried([Outgoing("dead", None, b"x", one.headers)])
    assert dead.headers == one.headers
    (after,) = tracing.carried([out("consents", one.key)])
    assert carried(after) is None


async def test_batches_at_the_same_time_do_not_mix(tracing):
    async def do(number):
        trace = f"{number:032x}"
        one = record(number, "consents", f"00-{trace}-00f067aa0ba902b7-01".encode())
        with tracing.batch("g", [one]):
            await asyncio.sleep(0.001 * (5 - number))
            (sent,) = await asyncio.create_task(asyncio.to_thread(tracing.carried, [out("verdicts", b"x")]))
        return trace_of(sent) == trace

    assert all(await asyncio.gather(*(do(n) for n in range(1, 5))))


def test_it_is_off_unless_an_endpoint_is_set_and_says_what_is_missing(monkeypatch):
    assert make_tracing(Settings(), "collector") is None
    monkeypatch.setattr("shared.tracing.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"opposable\[tracing\]"):
        make_tracing(Settings(otlp_endpoint="http://127.0.0.1:4318"), "collector")


def test_a_sampled_out_batch_costs_little(exporter):
    tracing = BatchTracing("validator", exporter, 0.0, SimpleSpanProcessor)
    records = [record(n, "consents") for n in range(1000)]
    messages = [out("verdicts", r.key) for r in records]
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        with tracing.batch("validator", records):
            assert tracing.carried(messages) is messages
        best = min(best, time.perf_counter() - started)
    assert best < 0.02, f"{best * 1000:.1f} ms for 1 000 records"
    assert exporter.get_finished_spans() == ()
    tracing.stop()
