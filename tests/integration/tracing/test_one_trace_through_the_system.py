"""One trace from `in.*` to `out.*` on a whole system, seen by an OTLP receiver; nothing of the person in it."""

import asyncio
import http.server
import json
import threading
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.kafka.reading import find_partitions
from shared.tracing import ATTRIBUTES
from tests.e2e.partner import consent, stop
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(480)]


class Receiver:
    """Takes traces by OTLP/HTTP in protobuf, as a collector does."""

    def __init__(self):
        self.spans, self.bodies = [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the library's name
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    import gzip  # noqa: PLC0415

                    body = gzip.decompress(body)
                receiver.bodies.append((self.path, body))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
                    receiver.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def services(self, trace):
        return {service for service, span in self.spans if span.trace_id.hex() == trace}


@pytest.fixture(scope="module")
def receiver():
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


@pytest.fixture(scope="module")
def at(make_system, receiver):
    environment = {
        "OPPOSABLE_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server.server_port}", "OTEL_BSP_SCHEDULE_DELAY": "300",
        "OPPOSABLE_TRACE_RATIO": "0", "NO_PROXY": "*",
    }  # fmt: skip
    return make_system(environment=environment).endpoints()


async def send(at, topic, kind, data, traceparent=None):
    headers = [("ce_specversion", b"1.0"), ("ce_id", uuid.uuid4().hex.encode()), ("ce_source", b"acme"),
               ("ce_type", kind.encode()), ("content-type", b"application/json")]  # fmt: skip
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    async with AIOKafkaProducer(bootstrap_servers=at.kafka, acks="all") as producer:
        await producer.send_and_wait(topic, json.dumps(data).encode(), headers=headers)


async def headers_of(at, topic, match):
    """The headers of the first record that matches."""
    async with (
        AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest") as consumer,
        asyncio.timeout(60),
    ):
        partitions = await find_partitions(at.kafka, [topic])
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in consumer:
            if match(json.loads(record.value)):
                return dict(record.headers)
    raise AssertionError


async def test_a_consent_and_its_withdrawal_are_followed_from_in_to_out(at, receiver):
    email, trace = f"tracee.{uuid.uuid4().hex[:8]}@courriel.example", uuid.uuid4().hex
    body = consent(email, phone="0612340000")
    await send(at, "in.acme.consents", "opposable.consent.collected.v1", body, f"00-{trace}-00f067aa0ba902b7-01")
    told = await headers_of(at, "out.canalvert.permissions", lambda b: b["consent_id"] == body["consent_id"])
    assert told["traceparent"].decode().split("-")[1] == trace
    second, withdrawal = uuid.uuid4().hex, stop([("email", email)])
    await send(at, "in.acme.rights", "opposable.stop.requested.v1", withdrawal, f"00-{second}-00f067aa0ba902b7-01")
    told = await headers_of(at, "out.canalvert.withdrawals", lambda b: b["stop_id"].endswith(withdrawal["stop_id"]))
    assert told["traceparent"].decode().split("-")[1] == second

    async def services():
        return receiver.services(trace), receiver.services(second)

    whole = {"collector", "consent_validator", "rights_handler", "proof_archive"}
    await until(services, lambda found: whole <= found[0] and whole - {"consent_validator"} <= found[1])
    mine = [span for _, span in receiver.spans if span.trace_id.hex() == trace]
    roots = [span for span in mine if span.parent_span_id.hex() == "00f067aa0ba902b7"]
    assert [span.name for span in roots] == ["process in.acme.consents"]
    known = {span.span_id for span in mine}
    assert all(span.parent_span_id in known for span in mine if span not in roots), (
        "every span hangs on another of its trace"
    )

    assert {path for path, _ in receiver.bodies} == {"/v1/traces"}
    assert {a.key for _, span in receiver.spans for a in span.attributes} <= ATTRIBUTES
    sent = b"".join(body for _, body in receiver.bodies)
    for personal in (email, "612340000", body["consent_id"], body["subject_ref"], withdrawal["stop_id"]):
        assert personal.encode() not in sent


async def test_what_nobody_asked_to_trace_is_not(at, receiver):
    body = consent(f"untraced.{uuid.uuid4().hex[:8]}@courriel.example")
    await send(at, "in.acme.consents", "opposable.consent.collected.v1", body)
    told = await headers_of(at, "out.canalvert.permissions", lambda b: b["consent_id"] == body["consent_id"])
    assert "traceparent" not in told
