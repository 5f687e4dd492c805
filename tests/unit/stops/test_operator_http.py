"""The operator's routes: opposition lists row by row, questions about addresses, the end of an escalation."""

import hashlib
from datetime import timedelta

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.rights_handler.deliveries import escalated
from services.rights_handler.requesting import Requesting
from services.rights_handler.resolving import Resolving
from services.rights_handler.stop_api import StopApi
from services.rights_handler.suppressing.importing import ROWS_MOST
from services.rights_handler.suppressing.near import review
from shared.auth import Authenticator
from shared.clock import ManualClock
from shared.contracts.envelope import from_headers
from shared.instants import format_instant
from shared.intake.accept import accept
from shared.problems import install
from tests.fakes.rights import Direct
from tests.unit.rights.rights_world import (
    PERSON,
    PERSONS,
    RECORD,
    START,
    TIMES,
    FakeRegistry,
    make_crossing,
    make_grant,
    make_line,
    make_stop,
)

TOKEN = "operator-token"


class Quiet:
    def warning(self, *_args, **_fields):
        pass

    error = warning


class Keys:
    def __init__(self):
        self.view = self

    def parties(self):
        return []


class Operator:
    def __init__(self):
        self.ports, self.clock, self.registry = Direct(), ManualClock(START), FakeRegistry()
        auth = Authenticator(Keys(), self.clock, hashlib.sha256(TOKEN.encode()).hexdigest())
        api = StopApi(
            auth=auth, registry=self.registry, index=self.ports, ledger=self.ports,
            requesting=Requesting(self.ports, self.clock), resolving=Resolving(self.ports, self.ports, self.clock),
            key_of=PERSONS.row_key, clock=self.clock,
        )  # fmt: skip
        app = FastAPI()
        install(app, Quiet())
        app.include_router(api.router())
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")

    async def post(self, path, body, token=TOKEN):
        return await self.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    def queued(self):
        found = [m for m in self.ports.world.published if m.topic == "in.platform.rights"]
        return [(m, orjson.loads(m.value)) for m in found]


@pytest.fixture
async def operator():
    one = Operator()
    yield one
    await one.client.aclose()


def row(value="Jeanne@Exemple.example", kind="email", **more):
    return {"contacts": [{"type": kind, "value": value}], **more}


async def test_rows_become_stops_whose_id_is_keyed_and_the_same_row_is_the_same_stop(operator):
    rows = [row(), row("jeanne@exemple.example "), row("06 12 34 56 78", "phone", at="2024-03-01T22:59:59.999Z")]
    answer = await operator.post("/v1/stops/import", {"rows": rows})
    assert answer.status_code == 202
    first, twin, phone = (result["stop"] for result in answer.json()["results"])
    assert first == twin != phone
    assert "exemple" not in first
    (message, data), _, (_, called) = operator.queued()
    assert data["contacts"] == [{"type": "email", "value": "jeanne@exemple.example"}]
    assert called["contacts"] == [{"type": "phone", "value": "+33612345678"}]
    envelope, value = from_headers(message.headers, message.value)
    accepted = accept(envelope, value, party="platform", received_at=START, registry=operator.registry.view)
    assert accepted.facts["stop"] == first
    assert (accepted.facts["recipients"], accepted.facts["channels"]) == ("all", "all")
    assert accepted.facts["at"] == format_instant(START)  # no date: that of the import


async def test_scope_source_and_receiver_travel(operator):
    sent = row(
        source="Liste rouge 2019", party="acme", recipients=["canalvert"], channels=["call"], at="2024-03-01T00:00:00Z"
    )
    await operator.post("/v1/stops/import", {"rows": [sent]})
    ((message, _),) = operator.queued()
    envelope, value = from_headers(message.headers, message.value)
    accepted = accept(envelope, value, party="platform", received_at=START, registry=operator.registry.view)
    assert accepted.facts["recipients"] == ["canalvert"]
    assert accepted.facts["channels"] == ["call"]
    assert accepted.facts["at"] == "2024-03-01T00:00:00.000Z"
    assert accepted.facts["received_by"] == "acme"
    assert accepted.sealed["operator_reference"] == "Liste rouge 2019"
    assert "Liste rouge" not in orjson.dumps(accepted.facts).decode()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (row("pas une adresse"), "CONTACT-EMAIL"),
        (row("12", "phone"), "CONTACT-PHONE"),
        (row(recipients=["personne-de-connu"]), "PARTY-UNKNOWN"),
        (row(party="personne-de-connu"), "PARTY-UNKNOWN"),
        (row(recipients=[]), "VALUE-UNKNOWN"),
        (row(channels=["pigeon"]), "VALUE-UNKNOWN"),
        (row(at="2026-10-01T00:00:00Z"), "TIME-FUTURE"),
        ({"contacts": []}, None),
        ({"contact": "x"}, None),
        (12, None),
    ],
)
async def test_a_row_that_is_not_understood_is_answered_and_its_neighbours_flow(operator, wrong, code):
    answer = await operator.post("/v1/stops/import", {"rows": [wrong, row()]})
    refused, taken = answer.json()["results"]
    assert refused["status"] == "rejected"
    assert taken["status"] == "queued"
    assert len(operator.queued()) == 1
    if code is not None:
        assert [p["code"] for p in refused["problems"]] == [code]
    else:
        assert refused["problems"]


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"rows": [row()] * (ROWS_MOST + 1)}, {"rows": "x"}])
async def test_a_batch_of_another_form_is_refused_whole(operator, body):
    assert (await operator.post("/v1/stops/import", body)).status_code == 422
    assert not operator.queued()


async def test_the_routes_are_the_operators(operator):
    for path in ("/v1/stops/import", "/v1/reviews", "/v1/orders/x/resolve"):
        body = {"how": "party_gone", "id": "x", "answer": "same", "rows": []}
        answer = await operator.client.post(path, json=body)
        assert answer.status_code in (401, 422)
    assert (await operator.post("/v1/stops/import", {"rows": [row()]}, token="autre")).status_code == 401


async def test_the_answer_same_is_a_stop_of_the_record_and_other_closes_the_question(operator):
    stop, grant = make_stop("platform/letter", channels=frozenset(["post"])), make_grant(make_line(channel="post"))
    ports = operator.ports
    await ports.put_stops([stop])
    question = review(stop, grant, format_instant(START))
    await ports.open_obligations([question])
    assert (await operator.post("/v1/reviews", {"id": "near/x/y", "answer": "same"})).status_code == 404
    for _ in range(2):  # a crash before the question is closed asks again
        assert (await operator.post("/v1/reviews", {"id": question.id, "answer": "same"})).status_code == 202
    (_, first), (_, again) = operator.queued()
    assert first == again
    assert (first["record"], first["channels"], first["at"]) == (RECORD, ["post"], stop.at)
    assert ports.world.obligations[question.id].closed_at is not None
    ports.world.published.clear()
    assert (await operator.post("/v1/reviews", {"id": question.id, "answer": "other"})).json()["stop"] is None
    assert not operator.queued()


async def test_only_an_escalated_order_is_resolved_and_its_reason_archived(operator):
    ports = operator.ports
    crossing = make_crossing(ports)
    await crossing.verdicts([make_grant(make_line())], {RECORD: PERSON})
    await crossing.stops([make_stop()])
    order, row_ = next(iter(ports.world.rows.items()))
    path, body = f"/v1/orders/{order}/resolve", {"how": "confirmed_otherwise"}
    assert (await operator.post(path, body)).status_code == 409
    assert (await operator.post("/v1/orders/none/resolve", body)).status_code == 404
    assert (await operator.post(path, {"how": "Jeanne a appelé"})).status_code == 422
    operator.clock.advance(timedelta(hours=30))
    ports.world.rows[order] = escalated(row_, format_instant(operator.clock.now()), TIMES)
    answer = await operator.post(path, body)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["owner"]) == ("closed", None)
    assert [entry["what"] for entry in answer.json()["history"]] == ["ordered", "escalated", "resolved"]
    facts = [orjson.loads(m.value)["facts"] for m in ports.world.published if m.topic == "deliveries"]
    assert [f["how"] for f in facts if f["kind"] == "delivery.resolved"] == ["confirmed_otherwise"]
    assert (await operator.post(path, body)).status_code == 409
