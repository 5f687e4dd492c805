"""What pages show, ask and write down; the services answer from a table."""

from __future__ import annotations

from datetime import timedelta

import httpx
import orjson
import pytest
from console_bench import LETTER, PROBLEM, RECORD, STOP, answers, lookup

from services.console.roles import Role

pytestmark = pytest.mark.engines
CONTACT = "jeanne.martin@courriel.example"


class Publisher:
    def __init__(self, fault=None):
        self.sent, self.fault = [], fault

    async def send_all(self, messages):
        if self.fault:
            raise self.fault
        self.sent += messages


async def test_a_contact_is_posted_looked_up_with_our_token_and_kept_by_its_key_alone(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        answer = await browser.post("/search", data={"wanted": CONTACT, "csrf": token})
    assert answer.status_code == 200
    assert answer.url.path == "/search"
    assert not answer.url.query
    assert CONTACT not in answer.text
    assert f"/records/{RECORD}" in answer.text
    assert f"/stops/{STOP}" in answer.text
    ((_, method, url, authorization, content),) = bench.asked
    assert (method, authorization) == ("POST", "Bearer secret-token")
    assert CONTACT not in url
    assert orjson.loads(content) == {"contact": CONTACT}
    done = (await bench.operations())[-1]
    assert (done["action"], done["object"], done["keyed"]) == ("search.done", "p1.AbCdEf", True)
    rows = [row for name in await bench.database.list_collection_names() async for row in bench.database[name].find()]
    assert CONTACT not in str(rows)
    assert CONTACT not in str(bench.log.lines)


async def test_a_search_that_finds_nobody_is_written_down_too_and_what_is_no_contact_is_told(bench):
    bench.answers = {("rights_handler", "/v1/lookups"): lookup(records=[], stops=[])}
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        answer = await browser.post("/search?lang=en", data={"wanted": "x@y.example", "csrf": token})
        assert "Nothing is known of this contact." in answer.text
        assert (await bench.operations())[-1]["action"] == "search.done"
        refusal = {**PROBLEM, "status": 422, "title": "Refused", "problems": [{"message": "no telephone number"}]}
        bench.answers = {("rights_handler", "/v1/lookups"): (422, refusal)}
        answer = await browser.post("/search", data={"wanted": "12", "csrf": token})
        assert answer.status_code == 422
        assert "no telephone number" in answer.text
        assert (await browser.post("/search", data={"wanted": " ", "csrf": token})).status_code == 422


@pytest.mark.parametrize(("wanted", "page"), [(RECORD, f"/records/{RECORD}"), (STOP, f"/stops/{STOP}")])
async def test_what_is_named_is_gone_to(bench, wanted, page):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        answer = await browser.post("/search", data={"wanted": wanted, "csrf": token})
    assert (answer.status_code, answer.url.path) == (200, page)
    actions = [(row["action"], row["object"]) for row in await bench.operations()][1:]
    assert actions[0] == ("search.done", wanted)
    assert actions[1][0] in ("record.viewed", "stop.viewed")


async def test_a_record_is_one_history_and_looking_is_written_before_it_is_shown(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        text = (await browser.get(f"/records/{RECORD}")).text
        english = (await browser.get(f"/records/{RECORD}?lang=en")).text
    for said in (
        "Phrase consent.recorded.",
        "pas encore signé",
        "jeu-rentree",
        "retrait de la personne",
        "canalvert",
        "traceur",
    ):
        assert said in text, said
    for said in ("Withdrawal received by acme", "not signed yet", "What is allowed now"):
        assert said in english, said
    assert [row["action"] for row in await bench.operations()][1:] == ["record.viewed", "record.viewed"]


@pytest.mark.parametrize(
    "path",
    ["/records/%2e%2e/%2e%2e/v1/obligations", "/records/acme/..%2f..%2fmetrics", "/stops/a/b/c/d/e", "/audit/%2e%2e"],
)
async def test_an_address_cannot_climb_to_another_route_of_a_service(bench, path):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post("/search", data={"wanted": "acme/..", "csrf": token})).status_code == 404
    assert bench.asked == []
    assert [row["action"] for row in await bench.operations()] == ["login.done"]


async def test_nothing_is_shown_where_it_cannot_be_written_down(bench, monkeypatch):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)

        async def away(*_args, **_kwargs):
            raise TimeoutError

        monkeypatch.setattr(bench.console.audit, "note", away)
        for method, path in (
            ("GET", f"/records/{RECORD}"),
            ("GET", f"/dead/{LETTER.id}"),
            ("POST", f"/proofs/{RECORD}"),
        ):
            answer = await browser.request(
                method, path, data={"form": "zip", "csrf": token} if method == "POST" else None
            )
            assert answer.status_code == 503, path
            assert "Phrase" not in answer.text
            assert "claire" not in answer.text
    assert not [one for one in bench.asked if "/v1/proofs/" in one[2]]  # the archive was not even asked


async def test_a_fault_of_ours_is_told_in_words_and_logged_without_what_it_was_about(bench):
    broken = {"key": "p1.AbCdEf"}  # not what the rights handler promises
    bench.answers = {("rights_handler", "/v1/lookups"): broken}
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        answer = await browser.post("/search", data={"wanted": CONTACT, "csrf": token})
    assert answer.status_code == 500
    assert "Erreur inattendue" in answer.text
    assert answer.headers["content-security-policy"]
    assert CONTACT not in answer.text
    assert ("unexpected error", "/search") in [(event, values.get("page")) for event, values in bench.log.lines]
    assert CONTACT not in str(
        [(event, {n: v for n, v in values.items() if n != "exc_info"}) for event, values in bench.log.lines]
    )


async def test_half_a_history_is_never_shown_as_the_whole(bench):
    bench.answers = answers() | {("proof_archive", f"/v1/dossiers/{RECORD}"): httpx.ConnectError("away")}
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        assert (await browser.get(f"/records/{RECORD}")).status_code == 503
        bench.answers = answers() | {
            ("rights_handler", f"/v1/records/{RECORD}"): (404, PROBLEM)
        }  # erased: the logs know it still
        answer = await browser.get(f"/records/{RECORD}")
        assert answer.status_code == 200
        assert "pas encore évalué, ou effacé" in answer.text
        bench.answers = {}
        assert (await browser.get(f"/records/{RECORD}")).status_code == 404


async def test_the_bundle_is_handed_over_as_it_is_after_it_was_written_down(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser, Role.DPO)
        answer = await browser.post(f"/proofs/{RECORD}", data={"form": "zip", "csrf": token})
        assert answer.content == b"PK-bundle"
        assert answer.headers["content-disposition"].startswith('attachment; filename="acme-0190')
        bench.answers[("proof_archive", f"/v1/proofs/{RECORD}.zip")] = (202, {"status": "promised"})
        assert (await browser.post(f"/proofs/{RECORD}", data={"form": "zip", "csrf": token})).status_code == 202
        assert (await browser.post(f"/proofs/{RECORD}", data={"form": "exe", "csrf": token})).status_code == 404
    assert [row["action"] for row in await bench.operations()][1:] == ["bundle.downloaded"] * 2


async def test_what_is_stuck_is_listed_filtered_and_who_is_silent_is_said(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        page = await browser.get("/stuck")
        assert "pas encore de réponse" in page.text
        assert "en retard" in page.text
        assert (
            "notifier" not in page.text.split("<table>")[0].split('role="alert"')[-1] or 'role="alert"' not in page.text
        )
        assert "canalvert</td>" not in (await browser.get("/stuck?owner=operator")).text
        assert "1 sur 1" in (await browser.get("/stuck?late=1&text=ffee")).text
        bench.answers[("notifier", "/v1/obligations")] = httpx.ConnectError("away")
        alarmed = await browser.get("/stuck")
        assert 'role="alert"' in alarmed.text
        assert "notifier" in alarmed.text


async def test_a_letter_is_opened_and_dropped_with_a_reason_and_only_once(bench):
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        listed = await browser.get("/dead")
        assert LETTER.code in listed.text
        assert "claire@courriel.example" not in listed.text
        assert "claire@courriel.example" in (await browser.get(f"/dead/{LETTER.id}")).text
        bad = await browser.post(
            f"/dead/{LETTER.id}", data={"how": "dropped", "reason": "de claire@courriel.example", "csrf": token}
        )
        assert bad.status_code == 422
        assert bench.console.letters.done == {}
        good = await browser.post(
            f"/dead/{LETTER.id}", data={"how": "dropped", "reason": "message d’essai", "csrf": token}
        )
        assert "abandonnée" in good.text
        assert bench.console.letters.done == {LETTER.id: "dropped"}
        assert (await browser.get("/dead/7/7")).status_code == 422
        assert (
            await browser.post(f"/dead/{LETTER.id}", data={"how": "eaten", "reason": "message", "csrf": token})
        ).status_code == 422
    done = [(row["action"], row["object"], row["reason"]) for row in await bench.operations()][1:]
    assert done == [("letter.opened", LETTER.id, ""), ("letter.dropped", LETTER.id, "message d’essai")]


async def test_operations_are_published_once_they_are_written_and_again_after_a_fault(bench):
    async with bench.browser() as browser:
        await bench.signed_in(browser)
    with pytest.raises(TimeoutError):
        await bench.console.audit.publish(Publisher(TimeoutError()))
    assert await bench.console.audit.owed() == []
    bench.clock.advance(timedelta(minutes=6))
    (owed,) = await bench.console.audit.owed()
    assert (owed["owner"], owed["kind"]) == ("operator", "operation.unarchived")
    kafka = Publisher()
    assert await bench.console.audit.publish(kafka) == 1
    assert await bench.console.audit.publish(kafka) == 0
    assert await bench.console.audit.owed() == []
    facts = orjson.loads(kafka.sent[0].value)["facts"]
    assert facts["action"] == "login.done"
    assert "operator" not in facts["account"]  # an id, never a login


async def test_the_log_is_read_by_account_action_and_object(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        await browser.get(f"/records/{RECORD}")
        await bench.console.audit.publish(Publisher())
        assert (await browser.get("/audit")).text.count("<tr>") == 3  # its head, and two operations
        assert (await browser.get("/audit?who=operator&action=record.viewed")).text.count("<tr>") == 2
        assert (await browser.get(f"/audit?object={RECORD}")).text.count("<tr>") == 2
        assert "Rien à montrer" in (await browser.get("/audit?who=personne")).text
        operation = (await bench.operations())[-1]["_id"]
        assert f'href="/audit/{operation}"' in (await browser.get("/audit")).text
        bench.answers[("proof_archive", f"/v1/operations/{operation}")] = {
            "origin": "d/operations/x/p00", "index": 4, "ts": "2026-11-27T04:00:00.000Z", "covered": True, "facts": {"action": "record.viewed"},
        }  # fmt: skip
        assert "d/operations/x/p00 #4" in (await browser.get(f"/audit/{operation}")).text


async def test_the_overview_lives_on_looks_made_in_the_background(bench):
    bench.answers = {
        ("rights_handler", "/v1/standing"): {"stops_open": 12, "stops_late": 3, "orders_open": 40, "orders_late": 5, "complete": True},
        ("collector", "/health/ready"): {"status": "ready", "problems": []},
        ("collector", "/metrics"): (200, b'opposable_receipts_total{status="accepted"} 41.0\n'),
        ("notifier", "/health/ready"): (503, {"status": "waiting", "problems": ["MongoDB does not answer"]}),
        ("webhook_relay", "/health/ready"): httpx.ConnectError("away"),
    }  # fmt: skip
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        assert "Premier relevé en cours" in (await browser.get("/")).text
        await bench.console.watch.look()
        before = len(bench.asked)
        text = (await browser.get("/overview/live")).text
        assert len(bench.asked) == before  # a page asks nobody: a hundred viewers cost one look
    for said in (
        "MongoDB does not answer",
        "ne répond pas",
        "in.acme.consents",
        "3 en retard",
        "41",
        "non installé ici",
    ):
        assert said in text, said
