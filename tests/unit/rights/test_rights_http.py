"""The HTTP edges but permission checks: who may ask what, that stops enter like any other input, the one-click pages."""

from datetime import timedelta

import pytest
from aiokafka.errors import KafkaConnectionError
from http_bench import Bench
from hypothesis import given
from hypothesis import strategies as st
from rights_world import PERSON, RECORD, START, TOKENS, UUID, make_grant, make_line, make_stop

from services.rights_handler.tokens import Reference, Tokens
from shared.contracts.envelope import from_headers
from shared.errors import InputError
from shared.intake.accept import accept
from shared.registry.load import view_of


@pytest.fixture
async def bench():
    bench = Bench()
    yield bench
    await bench.client.aclose()


async def grant(bench, *lines):
    await bench.crossing.verdicts([make_grant(*(lines or (make_line(),)))], {RECORD: PERSON})


async def test_a_stop_by_http_enters_like_any_other_input(bench):
    body = {"contacts": [{"type": "phone", "value": "01 99 00 12 34"}], "stop_id": "42", "kind": "stop_reply"}
    answers = [await bench.ask("POST", "/v1/stops", json=body) for _ in range(2)]
    assert [a.status_code for a in answers] == [202, 202]
    (message, data), (_, again) = bench.queued()
    assert data == again  # the collector's guard will answer `duplicate`
    assert data["recipients"] == ["canalvert"]
    assert answers[0].json()["stop"] == f"platform/{data['stop_id']}"
    envelope, value = from_headers(message.headers, message.value)
    accepted = accept(envelope, value, party="platform", received_at=START, registry=view_of([]))
    assert accepted.facts["stop"] == answers[0].json()["stop"]
    assert accepted.facts["recipients"] == "all"  # an empty registry knows no canalvert: the widest


async def test_two_callers_never_share_a_stop_id(bench):
    body = {"record": UUID, "stop_id": "1"}
    one = await bench.ask("POST", "/v1/stops", json=body)
    two = await bench.ask("POST", "/v1/stops", "key-acme", json=body)
    assert one.json()["stop"] != two.json()["stop"]
    (_, first), (_, second) = bench.queued()
    assert first["collector"] == "canalvert"
    assert second["collector"] == "acme"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"at":"2026-01-01T00:00:00Z"}', b"[" * 900 + b"]" * 900])
async def test_a_stop_that_names_nobody_is_refused(bench, body):
    assert (await bench.ask("POST", "/v1/stops", content=body)).status_code == 422
    assert not bench.queued()


async def test_a_body_beyond_any_stop_is_refused_while_it_is_read(bench):
    assert (await bench.ask("POST", "/v1/stops", content=b"x" * 70_000)).status_code == 413
    assert not bench.queued()


async def test_what_is_nested_beyond_reason_is_refused_and_breaks_nothing(bench):
    deep = b'{"record":"acme/x","contacts":' + b"[" * 900 + b"]" * 900 + b"}"
    assert (await bench.ask("POST", "/v1/stops", content=deep)).status_code == 422
    assert not bench.queued()


async def test_nothing_is_accepted_that_kafka_did_not_store(bench):
    async def away(_messages):
        raise KafkaConnectionError

    bench.ports.send_all = away
    answer = await bench.ask("POST", "/v1/stops", json={"record": UUID})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    link = TOKENS.make(Reference(RECORD, "canalvert"))
    assert (await bench.ask("POST", f"/u/{link}", None)).status_code == 503


async def test_branches_are_shown_to_those_entitled(bench):
    await grant(bench, make_line(), make_line("assurbrelle"))
    await bench.crossing.stops([make_stop()])
    seen = {}
    for token in ("operator", "key-acme", "key-canalvert", "key-assurbrelle"):
        answer = (await bench.ask("GET", "/v1/stops/canalvert/s1", token)).json()
        assert answer["state"] == "open"
        seen[token] = [branch["party"] for branch in answer["branches"]]
    everyone = ["acme", "assurbrelle", "canalvert"]
    assert seen == {
        "operator": everyone, "key-acme": everyone, "key-canalvert": ["canalvert"], "key-assurbrelle": ["assurbrelle"],
    }  # fmt: skip
    branch = (await bench.ask("GET", "/v1/stops/canalvert/s1")).json()["branches"][0]
    assert branch["owner"] == "canalvert"
    assert branch["next_at"] < branch["ack_due_at"]
    assert [entry["what"] for entry in branch["history"]] == ["ordered"]
    assert (await bench.ask("GET", "/v1/stops/nobody/s9")).status_code == 404


async def test_a_stop_is_hidden_from_parties_it_does_not_concern(bench):
    await grant(bench, make_line())
    await bench.crossing.stops([make_stop()])
    assert (await bench.ask("GET", "/v1/stops/canalvert/s1", "key-assurbrelle")).status_code == 404


async def test_states_of_a_stop(bench):
    await bench.crossing.stops([make_stop()])
    assert (await bench.ask("GET", "/v1/stops/canalvert/s1")).json()["state"] == "recorded"


async def test_obligations_have_owner_cause_due_and_next(bench):
    await grant(bench, make_line(), make_line("inconnu", verdict="invalid"))
    await bench.crossing.stops([make_stop()])
    found = (await bench.ask("GET", "/v1/obligations", "operator")).json()["obligations"]
    assert {o["owner"] for o in found} == {"operator", "canalvert", "acme"}
    for one in found:
        assert one["cause"]
        assert one["due_at"]
        assert one["next_at"]
    mine = (await bench.ask("GET", "/v1/obligations", "key-canalvert")).json()["obligations"]
    assert {o["refs"]["party"] for o in mine} == {"canalvert"}


async def test_the_link_asks_and_only_a_post_acts(bench):
    link = TOKENS.make(Reference(RECORD, "canalvert"))
    page = await bench.ask("GET", f"/u/{link}", None)
    assert page.status_code == 200
    assert "Canalvert &lt;SA&gt;" in page.text
    assert not bench.queued()
    done = await bench.ask("POST", f"/u/{link}", None, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert "C'est enregistré" in done.text.replace("&#x27;", "'")
    ((_, data),) = bench.queued()
    assert data == {
        "stop_id": data["stop_id"], "record": RECORD, "recipients": ["canalvert"], "kind": "withdrawal", "via": "one_click",
    }  # fmt: skip


async def test_the_confirmation_offers_to_stop_everyone_with_one_more_button(bench):
    link = TOKENS.make(Reference(RECORD, "canalvert"))
    done = await bench.ask("POST", f"/u/{link}", None)
    assert f'action="{link}/all"' in done.text
    everyone = await bench.ask("POST", f"/u/{link}/all", None)
    assert everyone.status_code == 200
    assert "toutes les sociétés" in everyone.text
    (_, one), (_, everybody) = bench.queued()
    assert (one["recipients"], everybody["recipients"]) == (["canalvert"], "all")
    assert one["stop_id"] != everybody["stop_id"]
    assert (await bench.ask("POST", "/u/inconnu/all", None)).status_code == 404


async def test_a_click_repeated_at_once_is_one_stop_and_later_another(bench):
    link = TOKENS.make(Reference(RECORD, "canalvert"))
    for wait in (0, 0.3, 5):
        bench.clock.advance(timedelta(seconds=wait))
        await bench.ask("POST", f"/u/{link}", None)
    ids = [data["stop_id"] for _, data in bench.queued()]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("token", ["x", "%00", "A" * 600, "é", TOKENS.make(Reference(RECORD, "acme"))[:-2]])
async def test_a_link_that_is_not_ours_says_so_in_french(bench, token):
    for method in ("GET", "POST"):
        answer = await bench.ask(method, f"/u/{token}", None)
        assert answer.status_code == 404
        assert 'lang="fr"' in answer.text
    assert not bench.queued()


@given(st.text(max_size=40), st.text(max_size=40))
def test_tokens_round_trip_and_no_other_key_reads_them(record, party):
    if "\0" in record + party:
        return
    made = TOKENS.make(Reference(record, party))
    assert made == TOKENS.make(Reference(record, party))
    assert TOKENS.read(made) == Reference(record, party)
    with pytest.raises(InputError):
        Tokens(b"o" * 32).read(made)


@given(st.text(max_size=120))
def test_no_text_is_a_token_by_chance(text):
    with pytest.raises(InputError):
        TOKENS.read(text)
