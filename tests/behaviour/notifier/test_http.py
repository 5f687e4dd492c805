"""The operator's HTTP: what is owed, bounces as mail servers tell them, retry, close; never what was written, nor to whom."""

import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from pymongo import AsyncMongoClient

from services.notifier.api import Api
from services.notifier.domain import Failed, Row, Sent, after
from services.notifier.outbox import Outbox
from shared.auth import Authenticator
from shared.clock import ManualClock
from shared.problems import install

pytestmark = pytest.mark.engines
NOW = "2026-09-14T10:00:00.000Z"
GIVE_UP = timedelta(days=3)


class Nobody:
    class view:  # noqa: N801
        @staticmethod
        def parties():
            return ()


class Quiet:
    def __getattr__(self, _name):
        return lambda *_args, **_fields: None


@pytest.fixture
async def desk(mongo_uri, database_name):
    async with AsyncMongoClient(mongo_uri, tz_aware=True) as client:
        outbox, clock, app = (
            Outbox(client, database_name),
            ManualClock(datetime(2026, 9, 14, 10, tzinfo=UTC)),
            FastAPI(),
        )
        await outbox.prepare()
        await client[database_name]["messages"].drop_index("purge_at_1")  # the test lives in its own time
        install(app, Quiet())
        auth = Authenticator(Nobody(), clock, hashlib.sha256(b"key").hexdigest())
        app.include_router(
            Api(auth=auth, outbox=outbox, clock=clock, give_up=GIVE_UP, deployment="opposable.example").router()
        )
        given = {"transport": httpx.ASGITransport(app), "base_url": "http://notifier"}
        async with httpx.AsyncClient(**given, headers={"Authorization": "Bearer key"}) as http:
            http.outbox, http.given = outbox, given
            yield http


async def kept(desk, message, outcome):
    row = Row(message, "acme/x", "email", "portal.link", b"sealed", NOW, None, next_at=NOW, attempts=1)
    done = after(row, outcome, NOW, first=timedelta(seconds=1), give_up=GIVE_UP, jitter=0)
    await desk.outbox.add([done])


async def test_a_bounce_becomes_an_obligation_until_the_operator_closes_it(desk):
    await kept(desk, "m1", Sent())
    assert (await desk.get("/v1/obligations")).json() == {"obligations": []}
    for _ in range(2):  # told twice, it is one bounce
        answer = await desk.post("/v1/bounces", json={"message_id": "<m1@opposable.example>", "status": "5.1.1"})
        assert (answer.status_code, answer.json()) == (202, {"message": "m1", "state": "bounced"})
    ((owed),) = (await desk.get("/v1/obligations")).json()["obligations"]
    assert (owed["id"], owed["kind"], owed["owner"], owed["code"]) == (
        "message/m1",
        "message-bounced",
        "operator",
        "BOUNCE 5.1.1",
    )
    assert (await desk.post("/v1/messages/m1/retry")).status_code == 409  # nothing is left to send
    assert (await desk.post("/v1/messages/m1/close")).json()["state"] == "closed"
    assert (await desk.get("/v1/obligations")).json() == {"obligations": []}
    assert (await desk.post("/v1/messages/m1/close")).status_code == 409


async def test_a_failed_message_can_be_sent_again(desk):
    await kept(desk, "m2", Failed("SMTP-550 5.7.1", permanent=True))
    assert (await desk.get("/v1/messages/m2")).json()["code"] == "SMTP-550 5.7.1"
    assert (await desk.post("/v1/messages/m2/retry")).json()["state"] == "waiting"
    _, (row,) = await desk.outbox.claim(NOW, "2026-09-14T10:05:00.000Z", 8)
    assert (row.id, row.sealed) == ("m2", b"sealed")


async def test_a_delay_changes_nothing(desk):
    await kept(desk, "m3", Sent())
    answer = await desk.post("/v1/bounces", json={"message_id": "m3", "status": "4.2.2"})
    assert (answer.status_code, answer.json()["state"]) == (202, "sent")


async def test_what_is_no_bounce_or_of_nobody_is_refused_with_its_reason(desk):
    assert (await desk.post("/v1/bounces", json={"status": "5.1.1"})).status_code == 422
    assert (await desk.post("/v1/bounces", json={"message_id": "unknown", "status": "5.1.1"})).status_code == 404
    assert (await desk.post("/v1/bounces", content=b"x" * 300_000)).status_code == 413
    assert (await desk.get("/v1/messages/unknown")).json()["code"] == "MESSAGE-UNKNOWN"


async def test_only_the_operator_is_answered(desk):
    async with httpx.AsyncClient(**desk.given) as stranger:
        for method, path in (("GET", "/v1/obligations"), ("GET", "/v1/messages/m"), ("POST", "/v1/messages/m/retry"),
                             ("POST", "/v1/messages/m/close"), ("POST", "/v1/bounces")):  # fmt: skip
            assert (await stranger.request(method, path)).status_code == 401


async def test_what_is_owed_is_counted_by_state(desk):
    await kept(desk, "counted-1", Sent())
    assert await desk.outbox.owed_counts() == {"failed": 0, "bounced": 0, "stuck": 0}
    await kept(desk, "counted-2", Failed("SMTP 550", permanent=True))
    for number, attempts in enumerate((2, 3)):
        row = Row(
            f"counted-w{number}", "acme/x", "email", "portal.link", b"s", NOW, None, next_at=NOW, attempts=attempts
        )
        await desk.outbox.add([row])
    report = {"message_id": "<counted-1@opposable.example>", "status": "5.1.1"}
    assert (await desk.post("/v1/bounces", json=report)).status_code == 202
    assert await desk.outbox.owed_counts() == {"failed": 1, "bounced": 1, "stuck": 1}
