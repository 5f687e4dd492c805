"""HTTP, one-click link, command and reminders of the rights handler, in a whole system on real engines."""

import asyncio
import json
import subprocess
import sys
import uuid
from functools import partial

import httpx
import pytest

from tests import waiting
from tests.e2e.partner import Partner, consent
from tests.waiting import operator_http

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
NAMED = {"canalvert", "hibou", "tisane"}
until = partial(waiting.until, seconds=30)


@pytest.fixture(scope="module")
def endpoints(make_system):
    fast = {
        "OPPOSABLE_RIGHTS_REMIND_AFTER": "1,2",
        "OPPOSABLE_RIGHTS_ACK_WITHIN": "3",
        "OPPOSABLE_RIGHTS_REPEAT_EVERY": "600",
        "OPPOSABLE_RIGHTS_SWEEP_EVERY": "0.2",
    }
    return make_system(environment=fast, instances=2).wait_ready()


@pytest.fixture
async def http(endpoints):
    async with operator_http(endpoints) as client:
        yield client


@pytest.fixture
def partner(endpoints):
    return Partner(endpoints)


def someone():
    return f"claire.{uuid.uuid4().hex[:8]}@courriel.example"


async def check(http, email, party="canalvert"):
    body = {"contact": {"type": "email", "value": email}, "channel": "email", "recipient": party}
    return await http.post("/v1/permissions/check", json=body)


async def branches(http, stop, state=None):
    answer = await until(lambda: http.get(f"/v1/stops/{stop}"), lambda a: a.status_code == 200)
    view = answer.json()
    if state is not None:
        view = await until(
            lambda: _json(http, f"/v1/stops/{stop}"),
            lambda v: v["branches"] and {b["state"] for b in v["branches"]} == {state},
        )
    return view


async def _json(http, path):
    return (await http.get(path)).json()


async def test_one_click_from_the_permission_to_the_refused_check(partner, http):
    email = someone()
    record = await partner.consent(consent(email))
    (told,) = await partner.permissions("canalvert", record)
    allowed = await until(lambda: check(http, email.upper()), lambda a: a.status_code == 200)
    assert allowed.json()["allowed"], allowed.text
    path = "/u/" + told["stop_url"].rpartition("/")[2]
    async with httpx.AsyncClient(base_url=http.base_url) as person:  # no key, no cookie
        assert "Ne plus être démarché" in (await person.get(path)).text
        assert (await person.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    after = await until(lambda: check(http, email), lambda a: a.status_code == 200 and not a.json()["allowed"])
    assert [reason["code"] for reason in after.json()["reasons"]] == ["STOPPED"]
    assert (await check(http, email, "hibou")).json()["allowed"]  # the link speaks to its sender only
    (order,) = await partner.read("out.acme.withdrawals", lambda b: record.endswith(b["consent_ids"][0]))
    assert order["recipients"] == ["canalvert"]


async def test_the_command_sends_follows_and_says_who_is_late(partner, http, endpoints):
    email = someone()
    record = await partner.consent(consent(email))
    await partner.permissions("tisane", record)

    def command(*words):
        data_dir = endpoints.secrets_dir.parent
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "stop", *words, "--data-dir", str(data_dir)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    code, out, err = await asyncio.to_thread(command, "send", "--contact", f"email:{email}", "--json")
    assert code == 0, err
    stop = json.loads(out)["stop"]
    await branches(http, stop, "escalated")
    code, out, err = await asyncio.to_thread(command, "status", stop, "--json")
    assert code == 1, err
    view = json.loads(out)
    assert {b["party"] for b in view["branches"]} == {*NAMED, "acme"}
    for branch in view["branches"]:
        assert [e["what"] for e in branch["history"]] == ["ordered", "reminded", "reminded", "escalated"]
    code, out, _ = await asyncio.to_thread(command, "due", "--owner", "operator", "--json")
    owed = [o for o in json.loads(out) if o["refs"]["stop"] == stop]
    assert {o["kind"] for o in owed} == {"order-escalated"}
    assert len(owed) == len(view["branches"])
    for branch in view["branches"]:
        answer = {"order_id": branch["order"], "status": "applied", "applied_at": branch["ordered_at"]}
        await partner.send(f"in.{branch['party']}.rights", "opposable.order.acknowledged.v1", answer)
    await branches(http, stop, "closed")
    code, out, _ = await asyncio.to_thread(command, "status", stop)
    assert code == 0, out


async def test_two_instances_publish_each_reminder_once(partner, http):
    email = someone()
    record = await partner.consent(consent(email))
    await partner.permissions("hibou", record)
    answer = await http.post("/v1/stops", json={"record": record, "recipients": ["hibou"]})
    assert answer.status_code == 202
    stop = answer.json()["stop"]
    await branches(http, stop, "escalated")
    await partner.none("out.hibou.withdrawals", lambda b: b["stop_id"] == stop and b["reminder"] > 3, 1)
    for number in (0, 1, 2, 3):
        matching = lambda b, n=number: b["stop_id"] == stop and b["reminder"] == n  # noqa: E731
        assert await partner.read("out.hibou.withdrawals", matching)
        with pytest.raises(TimeoutError):
            await partner.read("out.hibou.withdrawals", matching, count=2, seconds=1)
