"""HTTP of the relay: each party sees and moves only its own; gaps halt and are named; a record becomes one row."""

import hashlib
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import orjson
import pytest
from aiokafka import TopicPartition
from fastapi import FastAPI

from services.webhook_relay.api import Api
from services.webhook_relay.domain import Breaker, Policy
from services.webhook_relay.following import Following
from services.webhook_relay.intake import Intake
from services.webhook_relay.keys import Sealer
from services.webhook_relay.store import GIVEN_UP, QUEUED, Endpoint
from services.webhook_relay.views import delivery_view
from shared.auth import Authenticator
from shared.clock import ManualClock
from shared.contracts.envelope import Envelope, to_headers
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.metrics import Metrics
from shared.problems import install
from shared.registry.view import RegistryView
from tests.fakes.relay import waiting

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PARTIES = ("acme", "hibou", "tisane")


def registry():
    view = RegistryView()
    for offset, name in enumerate(PARTIES):
        body = {"kind": "party", "id": name, "legal_name": name, "siren": "999000011", "country": "FR", "roles": ["prospector"],
                "delivery": {"mode": "webhook", "url": "https://hooks.example/"} if name != "tisane" else {"mode": "kafka"},
                "api_keys": [{"id": "k", "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": ["prospector"]}]}  # fmt: skip
        view.apply(f"party:{name}", body, offset=offset, archived_at=None)
    return SimpleNamespace(view=view)


class Rows:
    """What the routes read."""

    def __init__(self):
        self.rows = {
            QUEUED: [self._of(n, party, code) for n, (party, code) in enumerate(
                [("acme", None), ("hibou", "503"), ("tisane", "CONNECT"), ("hibou", "422")])],
            GIVEN_UP: [self._of(9, "acme", "TIMEOUT")],
        }  # fmt: skip
        self.states = {
            "hibou": Endpoint(Breaker(5, 1, NOW + timedelta(minutes=2), "503", NOW)),
            "acme": Endpoint(disabled="x"),
        }
        self.kept = {}

    @staticmethod
    def _of(number, party, code):
        one = waiting(number, f"o{number}", NOW, code=code, attempts=1)
        return type(one)(**{**{f: getattr(one, f) for f in one.__slots__}, "id": f"{party}/{number}", "party": party})

    async def endpoints(self):
        return self.states

    async def next_by_party(self):
        return dict.fromkeys(PARTIES, NOW)

    async def of_state(self, state, party, limit):
        return [row for row in self.rows[state] if party in (None, row.party)][:limit]

    async def waiting(self, party, most):
        return min(most, len(await self.of_state(QUEUED, party, most)))

    async def keep(self, party, endpoint):
        self.kept[party] = endpoint

    async def pull_forward(self, party, now):
        pass


class Lanes:
    def __init__(self):
        self.enabled = []

    def enable(self, party):
        self.enabled.append(party)

    def wake(self, parties):
        self.enabled += parties


class Replaying:
    async def page(self, *asked):
        return 7, None if asked[-1] else {"out.acme.withdrawals/0": 3}


@pytest.fixture
def world():
    rows, lanes = Rows(), Lanes()
    feed = registry()
    halted = {TopicPartition("out.hibou.receipts", 0): "offsets 3 to 8 were deleted before they were queued"}
    following = SimpleNamespace(halted=halted, paused=frozenset({"acme"}))
    auth = Authenticator(feed, ManualClock(NOW), hashlib.sha256(b"operator").hexdigest())
    app = FastAPI()
    install(app, configure("test"))
    app.include_router(
        Api(auth=auth, store=rows, following=following, lanes=lanes, replaying=Replaying(), registry=feed,
            clock=ManualClock(NOW), public_key="whpk_x").router()
    )  # fmt: skip
    return SimpleNamespace(rows=rows, lanes=lanes, app=app)


def http(world, key=None):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://test", headers=headers)


async def test_each_party_sees_its_own_and_the_operator_all(world):
    async with http(world, "operator") as client:
        found = (await client.get("/v1/obligations")).json()["obligations"]
    assert {o["refs"]["party"] for o in found} == set(PARTIES)
    assert {o["kind"] for o in found} == {"webhook", "webhook-given-up", "webhook-endpoint", "webhook-gap"}
    assert all(o["owner"] and o["cause"] and o["opened_at"] and o["due_at"] for o in found)
    by_code = {o["id"]: o for o in found}
    assert by_code["webhook/hibou/1"]["next_at"] == "2026-11-27T08:02:00.000Z", "not before the endpoint is tried again"
    assert "503" in by_code["webhook/hibou/1"]["cause"]
    assert "422" in by_code["webhook/hibou/3"]["cause"], "what is wrong with this event alone"
    assert by_code["webhook/acme/0"]["next_at"] is None
    assert "410" in by_code["webhook/acme/0"]["cause"]
    assert "takes no webhooks" not in by_code["webhook/acme/0"]["cause"]
    assert by_code["webhook/tisane/2"]["owner"] == "operator"  # its delivery is no webhook any more
    async with http(world, "hibou") as client:
        mine = (await client.get("/v1/obligations", params={"owner": "hibou"})).json()["obligations"]
        assert {o["refs"]["party"] for o in mine} == {"hibou"}
        assert [r["party"] for r in (await client.get("/v1/endpoints")).json()["endpoints"]] == ["hibou"]
    async with http(world) as client:
        assert (await client.get("/v1/obligations")).status_code == 401
        assert (await client.get("/v1/webhook-key")).json() == {"public_key": "whpk_x"}


async def test_each_party_moves_its_own_only(world):
    body = {"party": "acme", "from": "2026-11-26T00:00:00Z", "to": "2026-11-27T00:00:00Z"}
    async with http(world, "hibou") as client:
        assert (await client.post("/v1/endpoints/acme/enable")).status_code == 403
        assert (await client.post("/v1/replay", json=body)).status_code == 403
    assert (world.rows.kept, world.lanes.enabled) == ({}, [])
    async with http(world, "acme") as client:
        assert (await client.post("/v1/endpoints/acme/enable")).status_code == 200
        assert world.rows.kept == {"acme": Endpoint()}
        first = (await client.post("/v1/replay", json=body)).json()
        assert first == {"queued": 7, "after": {"out.acme.withdrawals/0": 3}}
        assert (await client.post("/v1/replay", json=body | {"after": first["after"]})).json()["after"] is None
        for wrong in ({"kinds": ["consents"]}, {"to": "2026-11-25T00:00:00Z"}, {"from": "yesterday"}, {"party": "A"}):
            assert (await client.post("/v1/replay", json=body | wrong)).status_code == 422, wrong


@pytest.mark.parametrize(("code", "now", "owner"), [
    (None, None, "acme"), ("503", None, "acme"), ("NO-SECRET", None, "operator"), ("503", "NO-SECRET", "operator"),
    ("NO-SECRET", "ADDRESS-REFUSED", "acme"), ("422", "NO-SECRET", "acme"),
])  # fmt: skip
def test_who_owes_the_next_step(code, now, owner):
    """`now`: why the endpoint is left alone at this moment, which counts more than what the event once met."""
    endpoint = Endpoint(Breaker(5, 1, NOW, now, NOW)) if now else Endpoint()
    assert delivery_view(waiting(1, "o", NOW, code=code), endpoint, NOW, takes=True)["owner"] == owner


def test_a_hole_in_a_topic_halts_its_partition_and_names_it():
    consumer = SimpleNamespace(seeks=[], paused=[])
    consumer.seek = lambda partition, offset: consumer.seeks.append((partition, offset))
    consumer.pause = consumer.paused.append
    following = Following(
        settings=None, loop=None, registry=None, store=None, most=10, metrics=Metrics(), log=configure("test")
    )  # fmt: skip
    following._starts.consumer = consumer
    partition = TopicPartition("out.acme.receipts", 0)
    following._starts.expected[partition] = 5
    assert following._whole(partition, 5)
    assert following._whole(partition, 3), "a repetition is no hole"
    assert not following._whole(partition, 9)
    assert following.halted == {partition: "offsets 5 to 8 were deleted before they were queued"}
    assert (consumer.seeks, consumer.paused) == ([(partition, 9)], [partition])


def test_a_record_becomes_one_row_whatever_is_read_again():
    sealer = Sealer(b"s" * 32)
    intake = Intake(store=None, sealer=sealer, clock=ManualClock(NOW), policy=Policy((1.0,), 60.0, 3, 1.0, 1.0),
                    dead_all=None, wake=None)  # fmt: skip
    headers = tuple(to_headers(Envelope("e1", "opposable/rights_handler", "opposable.stop.ordered.v1")))
    data = b'{"order_id":"o1","ack_due_at":"2026-11-28T00:00:00.000Z","source_refs":["lead-7"]}'
    record = StoredRecord("out.acme.withdrawals", 0, 4, 1_795_000_000_000, b"o1", data, headers)
    again = StoredRecord("out.acme.withdrawals", 0, 9, 1_795_000_000_500, b"o1", data, headers)  # published twice
    broken = [
        StoredRecord("out.acme.withdrawals", 0, 5, 0, None, b"{}", ()),
        StoredRecord("out.acme.receipts", 0, 6, 0, b"k", b"[1", headers),
    ]
    rows, letters = intake.rows([record, again, *broken])
    one, two = rows
    assert one.id == two.id
    assert (one.party, one.kind, one.thread, one.place) == ("acme", "withdrawals", "withdrawals/o1", 4)
    assert one.due_at == datetime(2026, 11, 28, tzinfo=UTC)
    assert b"lead-7" not in one.body
    event = orjson.loads(sealer.open(one.id, one.body))
    assert (event["id"], event["data"]["source_refs"]) == ("e1", ["lead-7"])
    assert [code for _, code, _ in letters] == ["ENVELOPE-MISSING", "JSON"]
