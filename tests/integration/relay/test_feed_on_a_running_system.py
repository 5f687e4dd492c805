"""The HTTP feed of two parties on a real Kafka: each its own, nothing twice, news as it comes, gaps named."""

import asyncio
import hashlib
import time

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.integration.relay.relay_world import order, party, plain, register, tell, told

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]


def key(name):
    return f"key-of-{name}-0123456789"


async def as_parties(endpoints, *names):
    bodies = []
    for name in names:
        digest = hashlib.sha256(key(name).encode()).hexdigest()
        keys = [{"id": "k1", "sha256": digest, "scopes": ["prospector"], "expires_at": None}]
        bodies.append(plain(party(name)) | {"delivery": {"mode": "kafka"}, "api_keys": keys})
    await register(endpoints, *bodies)
    clients = [
        httpx.AsyncClient(
            base_url=endpoints.url("collector"), headers={"Authorization": f"Bearer {key(name)}"}, timeout=60,
            trust_env=False,
        )
        for name in names
    ]  # fmt: skip
    async with asyncio.timeout(40):
        while (await clients[-1].get("/v1/feed/receipts")).status_code == 401:  # the registry travels
            await asyncio.sleep(0.2)
    return clients


async def drain(client, feed, after=None, limit=100):
    found, pages = [], 0
    while True:
        params = {"limit": limit, **({"after": after} if after else {})}
        answer = await client.get(f"/v1/feed/{feed}", params=params)
        if answer.status_code == 429:
            await asyncio.sleep(0.5)
            continue
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["events"]
        after, pages = page["next"], pages + 1
        if page["at_end"]:
            return found, after, pages


async def test_each_party_reads_its_own_once_in_pages_and_as_it_comes(endpoints):
    mine, other = await as_parties(endpoints, "marmotte", "isobelette")
    await tell(endpoints, *(told("marmotte", order(n), f"feed-{n}") for n in range(25)))
    await tell(endpoints, told("isobelette", order(99), "feed-99"))
    found, after, pages = await drain(mine, "withdrawals", limit=10)
    assert [e["id"] for e in found] == [f"feed-{n}" for n in range(25)]
    assert pages == 3
    assert found[0]["data"]["order_id"] == "o0"
    assert found[0]["specversion"] == "1.0"
    assert "feed-99" not in str(found)
    theirs, their_cursor, _ = await drain(other, "withdrawals")
    assert [e["id"] for e in theirs][-1:] == ["feed-99"]
    for params in ({"after": their_cursor}, {"after": "f1.x"}, {"limit": 501}, {"wait": 31}):
        assert (await mine.get("/v1/feed/withdrawals", params=params)).status_code == 422
    assert (await mine.get("/v1/feed/permissions", params={"after": after})).status_code == 422
    assert (await mine.get("/v1/feed/consents")).status_code == 422

    waiting = asyncio.create_task(mine.get("/v1/feed/withdrawals", params={"after": after, "wait": 20}))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    asked = time.monotonic()
    await tell(endpoints, told("marmotte", order(25), "feed-25"))
    answer = (await waiting).json()
    assert [e["id"] for e in answer["events"]] == ["feed-25"]
    assert time.monotonic() - asked < 10
    await asyncio.sleep(1)
    nothing = (await mine.get("/v1/feed/withdrawals", params={"after": answer["next"], "wait": 0.5})).json()
    assert nothing == {"events": [], "next": answer["next"], "at_end": True}

    event = {"specversion": "1.0", "id": "ack-1", "source": "marmotte", "type": "opposable.order.acknowledged.v1",
             "data": {"order_id": "o1", "status": "applied", "applied_at": "2026-09-02T00:00:00Z"}}  # fmt: skip
    assert (await mine.post("/v1/events", json=event)).status_code == 202
    async with asyncio.timeout(40):
        while not (receipts := (await drain(mine, "receipts"))[0]):
            await asyncio.sleep(0.5)
    assert receipts[-1]["data"]["event_id"] == "ack-1"
    for client in (mine, other):
        await client.aclose()


async def test_a_cursor_older_than_what_is_kept_names_the_gap(endpoints):
    (mine,) = await as_parties(endpoints, "tisane")
    await tell(endpoints, *(told("tisane", {"request_id": f"r{n}"}, f"gap-{n}", "opposable.right.ordered.v1", "requests")
                            for n in range(6)))  # fmt: skip
    first = (await mine.get("/v1/feed/requests", params={"limit": 2})).json()
    admin = AIOKafkaAdminClient(bootstrap_servers=endpoints.kafka)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition("out.tisane.requests", 0): RecordsToDelete(before_offset=4)})
    finally:
        await admin.close()
    gone = await mine.get("/v1/feed/requests", params={"after": first["next"]})
    assert gone.status_code == 410, gone.text
    assert gone.headers["content-type"] == "application/problem+json"
    problem = gone.json()
    assert (problem["code"], problem["gap"]) == ("FEED-GAP", [{"partition": 0, "first": 2, "last": 3}])
    left, _, _ = await drain(mine, "requests", after=problem["earliest"])
    assert [e["id"] for e in left] == ["gap-4", "gap-5"]
    await mine.aclose()
