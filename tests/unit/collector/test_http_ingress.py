"""`POST /v1/events`: who may send what, one or many, and what each caller is told."""

import hashlib

import httpx
import orjson
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import FastAPI

from services.collector.api import make_router
from shared.auth import Authenticator
from shared.clock import SystemClock
from shared.contracts.envelope import from_headers
from shared.logging import configure
from shared.problems import install
from shared.registry.view import RegistryView

CONSENT, STOP = "opposable.consent.collected.v1", "opposable.stop.requested.v1"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def party(name, token, scopes=("collector",), expires_at=None):
    return {
        "kind": "party", "id": name, "legal_name": f"{name} SAS", "siren": "999000011", "country": "FR", "roles": ["collector"],
        "api_keys": [{"id": "k1", "sha256": sha(token), "scopes": list(scopes), "expires_at": expires_at}],
    }  # fmt: skip


class Publisher:
    def __init__(self):
        self.sent, self.fault = [], None

    async def send_all(self, messages):
        if self.fault:
            raise self.fault
        self.sent += messages


class Feed:
    def __init__(self):
        self.view = RegistryView()
        bodies = [
            party("acme", "acme-key"), party("watcher", "watcher-key", ["auditor"]),
            party("late", "late-key", expires_at="2020-01-01T00:00:00Z"),
        ]  # fmt: skip
        for offset, body in enumerate(bodies):
            self.view.apply(f"party:{body['id']}", body, offset=offset, archived_at=None)


@pytest.fixture
def publisher():
    return Publisher()


@pytest.fixture
async def http(publisher):
    app = FastAPI()
    install(app, configure("test"))
    app.include_router(make_router(Authenticator(Feed(), SystemClock(), sha("operator")), publisher, 4096))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def event(**change):
    return {"specversion": "1.0", "id": "e1", "source": "acme", "type": CONSENT, "data": {"a": 1}, **change}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 401), (bearer("wrong"), 401), ({"Authorization": "Basic acme-key"}, 401), (bearer("late-key"), 401),
    (bearer("watcher-key"), 403), (bearer("operator"), 403),
])  # fmt: skip
async def test_who_may_not_send(http, publisher, headers, status):
    answer = await http.post("/v1/events", json=event(), headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert publisher.sent == []


async def test_one_event_becomes_a_record_of_the_callers_topic(http, publisher):
    answer = await http.post("/v1/events", json=event(time="2026-11-24T08:00:00Z"), headers=bearer("acme-key"))
    assert (answer.status_code, answer.json()) == (202, {"results": [{"status": "queued", "event_id": "e1"}]})
    (sent,) = publisher.sent
    envelope, data = from_headers(sent.headers, sent.value)
    assert sent.topic == "in.acme.consents"
    assert (envelope.id, envelope.source, envelope.type, envelope.time) == (
        "e1",
        "acme",
        CONSENT,
        "2026-11-24T08:00:00Z",
    )
    assert orjson.loads(data) == {"a": 1}


async def test_binary_mode_and_rights_go_to_the_rights_topic(http, publisher):
    headers = bearer("acme-key") | {"ce-specversion": "1.0", "ce-id": "s1", "ce-source": "acme", "ce-type": STOP}
    answer = await http.post("/v1/events", json={"stop_id": "s1"}, headers=headers)
    assert answer.status_code == 202
    assert publisher.sent[0].topic == "in.acme.rights"


async def test_a_batch_answers_item_by_item(http, publisher):
    batch = [
        event(id="a"),
        event(id="b", source="other"),
        event(id="bad id"),
        {"id": "no data"},
        event(id="c", type=""),
    ]
    answer = await http.post("/v1/events", json=batch, headers=bearer("acme-key"))
    results = answer.json()["results"]
    assert answer.status_code == 202
    assert [r["status"] for r in results] == ["queued", "rejected", "rejected", "rejected", "rejected"]
    codes = [r["problems"][0]["code"] for r in results[1:]]
    assert codes == ["IDENTITY", "ENVELOPE-ID", "ENVELOPE", "ENVELOPE-TYPE"]
    assert len(publisher.sent) == 1


@pytest.mark.parametrize(("body", "status"), [
    (b"not json", 422), (b"[]", 422), (orjson.dumps([1]), 422), (b'"' + b"x" * 5000 + b'"', 413),
])  # fmt: skip
async def test_unusable_bodies(http, publisher, body, status):
    answer = await http.post("/v1/events", content=body, headers=bearer("acme-key"))
    assert answer.status_code == status
    assert publisher.sent == []


async def test_kafka_away_is_503_with_retry_after_and_never_accepted(http, publisher):
    publisher.fault = KafkaConnectionError()
    answer = await http.post("/v1/events", json=event(), headers=bearer("acme-key"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
