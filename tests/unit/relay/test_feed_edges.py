"""The feed's edges without engines: who may read what, cursors that are none, how often, what a gap says."""

import hashlib

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from services.collector import feed_cursor
from services.collector.feed import make_feed_router
from services.collector.feed_reading import Gap, Page
from shared.auth import Authenticator
from shared.clock import SystemClock
from shared.contracts.envelope import Envelope, to_headers
from shared.errors import InputError
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.pace import Pace
from shared.problems import install
from shared.registry.view import RegistryView


class Feed:
    def __init__(self):
        self.view = RegistryView()
        for offset, (name, scope) in enumerate(
            [("acme", "collector"), ("hibou", "prospector"), ("watcher", "auditor")]
        ):
            body = {"kind": "party", "id": name, "legal_name": name, "siren": "999000011", "country": "FR", "roles": ["collector"],
                    "api_keys": [{"id": "k", "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": [scope]}]}  # fmt: skip
            self.view.apply(f"party:{name}", body, offset=offset, archived_at=None)


class Reader:
    def __init__(self):
        self.asked, self.answer = [], Page((), {0: 5}, at_end=True)

    async def page(self, topic, after, limit, wait):
        self.asked.append((topic, after, limit, wait))
        return self.answer


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def moment():
    return [0.0]


@pytest.fixture
async def http(reader, moment):
    app = FastAPI()
    install(app, configure("test"))
    auth = Authenticator(Feed(), SystemClock(), hashlib.sha256(b"operator").hexdigest())
    app.include_router(make_feed_router(auth, reader, Pace(1.0, 3, 2, lambda: moment[0]), configure("test")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def bearer(name):
    return {"Authorization": f"Bearer {name}"}


@pytest.mark.parametrize(("name", "status"), [("nobody", 401), ("watcher", 403), ("operator", 403), ("hibou", 200)])
async def test_who_may_read(http, reader, name, status):
    answer = await http.get("/v1/feed/withdrawals", headers=bearer(name))
    assert answer.status_code == status
    assert [topic for topic, *_ in reader.asked] == (["out.hibou.withdrawals"] if status == 200 else [])


async def test_the_topic_is_the_callers_whatever_the_cursor_says(http, reader):
    theirs = feed_cursor.write("acme", "withdrawals", {0: 7})
    refused = await http.get("/v1/feed/withdrawals", params={"after": theirs}, headers=bearer("hibou"))
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["code"] == "CURSOR"
    assert reader.asked == []
    mine = feed_cursor.write("hibou", "withdrawals", {0: 7})
    answer = await http.get(
        "/v1/feed/withdrawals", params={"after": mine, "limit": 3, "wait": 2}, headers=bearer("hibou")
    )
    assert answer.status_code == 200
    assert reader.asked == [("out.hibou.withdrawals", {0: 7}, 3, 2.0)]
    assert feed_cursor.read(answer.json()["next"], "hibou", "withdrawals") == {0: 5}


async def test_too_often_is_429_each_party_apart(http, moment):
    for _ in range(3):
        assert (await http.get("/v1/feed/receipts", headers=bearer("hibou"))).status_code == 200
    refused = await http.get("/v1/feed/receipts", headers=bearer("hibou"))
    assert refused.status_code == 429
    assert refused.headers["retry-after"]
    assert (await http.get("/v1/feed/receipts", headers=bearer("acme"))).status_code == 200
    moment[0] += 1.0
    assert (await http.get("/v1/feed/receipts", headers=bearer("hibou"))).status_code == 200
    assert (await http.get("/v1/feed/receipts", headers=bearer("hibou"))).status_code == 429


async def test_gaps_are_told_and_events_are_whole(http, reader):
    reader.answer = Page((), {0: 9}, at_end=False, gaps=(Gap(0, 3, 8),))
    gone = await http.get("/v1/feed/receipts", headers=bearer("acme"))
    assert gone.status_code == 410
    assert gone.json()["gap"] == [{"partition": 0, "first": 3, "last": 8}]
    assert feed_cursor.read(gone.json()["earliest"], "acme", "receipts") == {0: 9}
    headers = tuple(to_headers(Envelope("e1", "opposable/collector", "opposable.receipt.v1")))
    record = StoredRecord(
        "out.acme.receipts", 0, 9, 1_790_000_000_000, b"e", b'{"event_id":"e","status":"accepted"}', headers
    )
    reader.answer = Page((record,), {0: 10}, at_end=True)
    (event,) = (await http.get("/v1/feed/receipts", headers=bearer("acme"))).json()["events"]
    assert (event["id"], event["source"], event["type"]) == ("e1", "opposable/collector", "opposable.receipt.v1")
    assert event["data"] == {"event_id": "e", "status": "accepted"}


@given(st.dictionaries(st.integers(0, 99), st.integers(0, 2**63 - 1), max_size=12))
def test_cursors_come_back_as_written(offsets):
    assert feed_cursor.read(feed_cursor.write("acme", "receipts", offsets), "acme", "receipts") == offsets


@given(st.text() | st.binary().map(lambda b: "f1." + b.hex()))
def test_no_text_breaks_the_reading_of_cursors(text):
    with pytest.raises(InputError):
        feed_cursor.read(text, "acme", "receipts")


def test_long_polls_are_counted():
    pace = Pace(1, 1, 1, lambda: 0.0)
    pace.begin_wait("acme")
    with pytest.raises(Exception, match="wait already"):
        pace.begin_wait("acme")
    pace.end_wait("acme")
    pace.begin_wait("acme")
