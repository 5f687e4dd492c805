"""Requests over HTTP: who may ask, see, decide; how they enter; what the one-click page offers."""

import hashlib

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.rights_handler.api import Api
from services.rights_handler.requesting import Requesting
from services.rights_handler.requests.api import RequestApi
from services.rights_handler.requests.asking import Asking
from services.rights_handler.requests.controllers import Controller, may_answer
from services.rights_handler.requests.link import erasure_router
from services.rights_handler.requests.views import sender_of
from services.rights_handler.tokens import Reference
from shared.auth import Authenticator
from shared.contracts.envelope import from_headers
from shared.contracts.types import EVENT_ID_PATTERN
from shared.intake.accept import accept
from shared.problems import install
from shared.registry.load import view_of
from tests.unit.requests.requests_world import EMAIL, NOW, Bench, Log
from tests.unit.rights.rights_world import RECORD, TOKENS


def sha(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Key:
    expires_at = None

    def __init__(self, token, *scopes):
        self.id, self.sha256, self.scopes = token, sha(token), scopes


class Party:
    roles, siren, contact_dpo, privacy_url, country = ("prospector",), None, None, None, "FR"

    def __init__(self, name, scope):
        self.id = self.legal_name = name
        self.api_keys = [Key(f"key-{name}", scope)]


PARTIES = {
    "acme": Party("acme", "collector"), "canalvert": Party("canalvert", "prospector"),
    "assurbrelle": Party("assurbrelle", "prospector"),
}  # fmt: skip


class Registry:
    class view:  # noqa: N801
        @staticmethod
        def parties():
            return list(PARTIES.values())

        @staticmethod
        def party(name):
            return PARTIES.get(name)


@pytest.fixture
async def web():
    bench = Bench()
    auth = Authenticator(Registry, bench.clock, sha("operator"))
    asking, requesting = Asking(bench.ports, Registry, bench.clock), Requesting(bench.ports, bench.clock)
    app = FastAPI()
    install(app, Log())
    api = Api(
        auth=auth, index=bench.ports, ledger=bench.ports, requesting=requesting, asking=asking,
        requests=bench.ports,
    )  # fmt: skip
    requests = RequestApi(auth=auth, store=bench.ports, ledger=bench.ports, handling=bench.handling, asking=asking)
    for router in (api.router(), requests.router(), erasure_router(TOKENS, asking)):
        app.include_router(router)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")

    async def ask(method, path, token="operator", **more):  # noqa: S107
        return await client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)

    bench.ask = ask
    bench.queued = lambda: [m for m in bench.ports.world.published if m.topic == "in.platform.rights"]
    yield bench
    await client.aclose()


async def test_a_request_by_http_is_read_by_the_collector_as_it_was_here(web):
    body = {"right": "access", "contacts": [EMAIL], "request_id": "42", "details": "Tout ce que vous avez"}
    one, again = [await web.ask("POST", "/v1/requests", "key-acme", json=body) for _ in range(2)]
    other = await web.ask("POST", "/v1/requests", "key-canalvert", json=body)
    assert (one.status_code, one.json()["status"]) == (202, "queued")
    assert one.json()["request"] == again.json()["request"] != other.json()["request"]
    message = web.queued()[0]
    envelope, value = from_headers(message.headers, message.value)
    accepted = accept(envelope, value, party="platform", received_at=NOW, registry=view_of([]))
    assert accepted.facts["request"] == one.json()["request"]
    assert accepted.facts["identity"] == {"verified": False, "method": None}
    assert message.key.decode() in one.json()["request"]
    assert "jeanne" not in one.text


def test_ids_fit_the_contract_and_name_their_sender():
    import re  # noqa: PLC0415

    bench = Bench()
    longest = "a" * 41
    name = f"{longest}.{'0' * 22}"
    assert re.fullmatch(EVENT_ID_PATTERN, name)
    request = bench.request("access", name=f"platform/{name}")
    assert sender_of(request) == longest
    assert sender_of(bench.request("access", name="acme/x.y")) == "acme", "only our own edges name a sender in the id"


@pytest.mark.parametrize(("body", "code"), [
    (b"[]", "JSON"), (b"{", "JSON"), (orjson.dumps({"right": "access"}), "REQUEST-NOBODY"),
    (orjson.dumps({"right": "oblivion", "contacts": [EMAIL]}), None),
    (orjson.dumps({"right": "access", "contacts": [{"type": "phone", "value": "12"}]}), "CONTACT-PHONE"),
    (b'{"contacts":' + b"[" * 900 + b"]" * 900 + b"}", "JSON"),
])  # fmt: skip
async def test_what_cannot_be_read_is_refused_with_its_reason_and_not_queued(web, body, code):
    answer = await web.ask("POST", "/v1/requests", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    if code:
        assert answer.json()["problems"][0]["code"].startswith(code)
    assert not web.queued()


async def test_a_withdrawal_that_asks_for_erasure_too_is_two_events_about_one_person(web):
    body = {"contacts": [EMAIL], "stop_id": "7", "erase": True, "identity": {"verified": True, "method": "code"}}
    answer = await web.ask("POST", "/v1/stops", "key-canalvert", json=body)
    assert answer.status_code == 202
    stop, erasure = web.queued()
    assert dict(erasure.headers)["ce_type"] == b"opposable.right.requested.v1"
    assert orjson.loads(erasure.value)["contacts"] == orjson.loads(stop.value)["contacts"]
    assert answer.json()["request"].startswith("platform/canalvert.")
    again = await web.ask("POST", "/v1/stops", "key-canalvert", json=body)
    assert again.json()["request"] == answer.json()["request"]
    plain = await web.ask("POST", "/v1/stops", "key-canalvert", json={"contacts": [EMAIL]})
    assert "request" not in plain.json()


async def test_a_stop_is_in_even_where_its_erasure_cannot_be_read(web):
    body = {"contacts": [{"type": "phone", "value": "12"}], "subject_ref": "lead-1", "erase": True}
    answer = await web.ask("POST", "/v1/stops", "key-acme", json=body)
    assert answer.status_code == 202
    assert answer.json()["request"] is None
    assert answer.json()["problems"]
    assert len(web.queued()) == 1


async def test_the_one_click_page_offers_erasure_and_it_proves_no_identity(web):
    token = TOKENS.make(Reference(RECORD, "canalvert"))
    page = await web.ask("POST", f"/u/{token}/erasure")
    assert page.status_code == 200
    assert "effacement" in page.text
    (message,) = web.queued()
    data = orjson.loads(message.value)
    assert (data["right"], data["record"], data["identity"]["verified"]) == ("erasure", RECORD, False)
    assert (await web.ask("POST", "/u/xx/erasure")).status_code == 404


async def test_each_sees_its_part_and_nobody_elses(web):
    await web.consent()
    await web.receive("restriction", name="canalvert/r1")
    whole = (await web.ask("GET", "/v1/requests/canalvert/r1")).json()
    assert {c["role"] for c in whole["controllers"]} == {"collector", "independent", "joint"}
    assert {b["party"] for b in whole["branches"]} == {"acme", "canalvert", "assurbrelle"}
    assert whole["owner"] == "operator"
    seen = {}
    for party in ("acme", "canalvert", "assurbrelle"):
        view = (await web.ask("GET", "/v1/requests/canalvert/r1", f"key-{party}")).json()
        seen[party] = {branch["party"] for branch in view["branches"]}
        assert "controllers" not in view
    assert seen == {
        "acme": {"acme", "canalvert", "assurbrelle"},
        "canalvert": {"canalvert"},
        "assurbrelle": {"assurbrelle"},
    }
    await web.receive("access", name="canalvert/r2")
    assert (await web.ask("GET", "/v1/requests/canalvert/r2", "key-assurbrelle")).status_code == 404
    assert (await web.ask("GET", "/v1/requests/canalvert/r2", "key-canalvert")).status_code == 200
    assert (await web.ask("GET", "/v1/requests/canalvert/r9")).status_code == 404
    assert (await web.ask("GET", "/v1/requests", "key-acme")).status_code == 403
    assert len((await web.ask("GET", "/v1/requests")).json()["requests"]) == 2


async def test_details_are_for_those_who_must_correct(web):
    await web.consent()
    await web.receive("rectification", details="Jehanne, pas Jeanne")
    url = "/v1/requests/acme/r1/details"
    assert (await web.ask("GET", url, "key-canalvert")).status_code == 404, "not ordered yet"
    await web.ask("POST", "/v1/requests/acme/r1/answer", json={})
    told = await web.ask("GET", url, "key-canalvert")
    assert told.json()["details"] == "Jehanne, pas Jeanne"
    assert told.headers["cache-control"] == "no-store"
    await web.receive("access", name="acme/r2", details="secret")
    assert (await web.ask("GET", "/v1/requests/acme/r2/details", "key-acme")).status_code == 404


async def test_the_controller_that_the_agreements_name_answers_by_http_and_no_other(web):
    await web.consent()
    await web.receive("access")
    url = "/v1/requests/acme/r1"
    independent = await web.ask("POST", f"{url}/answer", "key-canalvert", json={"to": EMAIL})
    assert (independent.status_code, independent.json()["code"]) == (403, "REQUEST-OTHERS")
    assert web.now().live
    longer = await web.ask("POST", f"{url}/extend", "key-assurbrelle", json={"reason": "many"})
    assert longer.status_code == 200, "a joint controller may be turned to (RGPD 26(3))"
    elsewhere = await web.ask("POST", f"{url}/answer", "key-acme", json={"to": EMAIL})
    assert elsewhere.json()["problems"][0]["code"] == "REQUEST-ADDRESS", "what is held is not sent where a party says"
    done = await web.ask("POST", f"{url}/answer", "key-acme", json={})
    assert (done.status_code, done.json()["state"]) == (200, "closed")
    assert "controllers" not in done.json()
    assert "jeanne" not in done.text


async def test_nobody_judges_its_own_dispute_and_a_stranger_learns_nothing(web):
    await web.consent()
    await web.receive("dispute")
    own = await web.ask(
        "POST", "/v1/requests/acme/r1/answer", "key-acme", json={"outcome": "withdrawn", "note": "Non."}
    )
    assert (own.status_code, own.json()["code"]) == (403, "REQUEST-DISPUTE")
    await web.receive("access", name="acme/r2", contacts=[{"type": "email", "value": "autre@courriel.example"}])
    assert (await web.ask("POST", "/v1/requests/acme/r2/answer", "key-canalvert", json={})).status_code == 404


def test_where_several_collected_the_data_no_one_of_them_decides():
    named = {
        role: Controller(role, role, None, None, role) for role in ("collector", "independent", "joint", "processor")
    }
    assert [role for role in named if may_answer(role, list(named.values()))] == ["collector", "joint"]
    other = Controller("other", "other", None, None, "collector")
    assert not any(may_answer(role, [*named.values(), other]) for role in (*named, "other"))
    assert not may_answer("collector", [])


async def test_deciding_is_the_operators_too(web):
    await web.consent()
    await web.receive("access")
    unknown = await web.ask("POST", "/v1/requests/acme/r1/burn", json={})
    assert unknown.status_code == 404
    vague = await web.ask("POST", "/v1/requests/acme/r1/refuse", json={"reason": "because"})
    assert vague.json()["problems"][0]["pointer"] == "/reason"
    longer = await web.ask("POST", "/v1/requests/acme/r1/extend", json={"reason": "many"})
    assert longer.json()["due_at"] == "2027-01-05T09:00:00.000Z"
    bad = await web.ask("POST", "/v1/requests/acme/r1/answer", json={"to": {"type": "phone", "value": "12"}})
    assert bad.json()["problems"][0]["pointer"] == "/to/value"
    done = await web.ask("POST", "/v1/requests/acme/r1/answer", json={"to": EMAIL})
    assert done.json()["state"] == "closed"
    assert "jeanne" not in done.text
    again = await web.ask("POST", "/v1/requests/acme/r1/answer", json={})
    assert again.json()["problems"][0]["code"] == "REQUEST-CLOSED"


async def test_open_requests_stand_among_the_operators_obligations(web):
    await web.receive("access")
    (owed,) = (await web.ask("GET", "/v1/obligations")).json()["obligations"]
    assert (owed["owner"], owed["kind"], owed["due_at"]) == ("operator", "request", "2026-11-05T09:00:00.000Z")
    assert owed["cause"]
    assert owed["next_at"] < owed["due_at"]
    assert not (await web.ask("GET", "/v1/obligations", "key-acme")).json()["obligations"]
