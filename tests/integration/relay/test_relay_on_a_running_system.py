"""One withdrawal to endpoints that work, are slow, dead and up and down; a relay killed hard; 410, rotation, replay."""

import asyncio
import time
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import MongoClient

from shared.instants import format_instant
from tests.e2e.partner import Partner, consent, stop
from tests.integration.relay.relay_world import (
    ORDER,
    new_secret,
    obligations,
    operator,
    order,
    register,
    tell,
    told,
    until,
    with_webhook,
)
from tests.integration.relay.sink import sink

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]


def applied(event):
    if event["type"] != ORDER:
        return 204, None
    return 200, {"status": "applied", "applied_at": format_instant(datetime.now(UTC))}


async def test_a_withdrawal_reaches_those_who_answer_while_the_others_are_named(endpoints):  # noqa: C901 - one story
    flaps = iter(range(10_000))

    def slow(event):
        if event["type"] == ORDER:
            time.sleep(10)
        return applied(event)

    def flapping(event):
        return (503, None) if next(flaps) % 2 == 0 else applied(event)

    secrets = {name: new_secret(endpoints, name) for name in ("canalvert", "hibou", "tisane", "acme")}
    with ExitStack() as stack:
        healthy = stack.enter_context(sink(secret=secrets["canalvert"], answer=applied))
        late = stack.enter_context(sink(secret=secrets["hibou"], answer=slow))
        unsure = stack.enter_context(sink(secret=secrets["acme"], answer=flapping))
        with sink() as gone:
            dead_url = gone.url  # closed from here on
        await register(
            endpoints, with_webhook("canalvert", healthy.url), with_webhook("hibou", late.url),
            with_webhook("tisane", dead_url), with_webhook("acme", unsure.url),
        )  # fmt: skip
        partner, email = Partner(endpoints), f"{uuid.uuid4().hex[:8]}@courriel.example"
        record = await partner.consent(consent(email))
        await until(lambda: [e for e in healthy.events() if e["data"].get("record") == record])
        asked = time.monotonic()
        stop_id = await partner.stop(stop([("email", email)]))

        def ordered(one):
            return [e for e in one.events(ORDER) if e["data"]["stop_id"] == stop_id]

        await until(lambda: ordered(healthy), 20)
        assert not ordered(late), "the healthy endpoint did not wait for the slow one"
        assert time.monotonic() - asked < 9
        async with operator(endpoints, "rights_handler") as http:

            async def branch(name):
                view = (await http.get(f"/v1/stops/{stop_id}")).json()
                return next((b for b in view["branches"] if b["party"] == name), {})

            async with asyncio.timeout(40):
                while (await branch("canalvert")).get("state") != "closed":
                    await asyncio.sleep(0.1)

            # The answer of the slow one is still to come, the dead one has none: each is named with its next attempt.
            async def waiting():
                return {o["refs"]["party"]: o for o in await obligations(endpoints) if o["refs"].get("type") == ORDER}

            async with asyncio.timeout(20):  # the dead one has been tried
                while "cannot be reached" not in (await waiting()).get("tisane", {}).get("cause", ""):
                    await asyncio.sleep(0.1)
            owed = await waiting()
            assert {"hibou", "tisane"} <= owed.keys(), owed
            for one in owed.values():
                assert one["owner"] == one["refs"]["party"]
                assert one["cause"]
                assert one["due_at"]
                assert one["next_at"] is not None
            async with asyncio.timeout(60):
                while (await branch("acme")).get("state") != "closed" or (await branch("hibou")).get(
                    "state"
                ) != "closed":
                    await asyncio.sleep(0.2)
            assert (await branch("tisane"))["state"] == "open"
        assert healthy.refused == late.refused == unsure.refused == 0
        with MongoClient(endpoints.mongodb) as client:  # what was delivered is remembered without its content
            rows = list(client.webhook_relay.deliveries.find({"state": "delivered"}))
            assert rows
            assert not [row for row in rows if "body" in row]
            waiting = client.webhook_relay.deliveries.find_one({"party": "tisane"})
            assert record.encode() not in waiting["body"]
        with sink(secret=secrets["tisane"], answer=applied, port=int(dead_url.split(":")[2].split("/")[0])) as risen:
            await until(lambda: ordered(risen))
        reached = [e["data"]["order_id"] for one in (healthy, late, unsure, risen) for e in ordered(one)]
        assert len(set(reached)) == 4


async def test_a_relay_killed_hard_loses_nothing_and_repeats_little(system, endpoints):
    count, per_record = 600, 3
    secret = new_secret(endpoints, "marmotte")

    def answer(_event):
        time.sleep(0.01)
        return 204, None

    with sink(secret=secret, answer=answer) as here:
        await register(endpoints, with_webhook("marmotte", here.url))
        events = [
            told("marmotte", order(n // per_record, reminder=n % per_record), f"kill-{n:04}") for n in range(count)
        ]
        await tell(endpoints, *events)
        await until(lambda: len(here.received) > count // 3)
        before = system.restarts("webhook_relay")
        system.kill("webhook_relay")

        def seen():  # not what its topics held before
            return [(message, e) for message, e in list(here.received) if e["id"].startswith("kill-")]

        await until(lambda: system.restarts("webhook_relay") > before)
        await until(lambda: len({e["id"] for _, e in seen()}) == count)
        twice = len(seen()) - count
        assert twice <= 40, f"{twice} of {count} were sent twice"
        assert len({message for message, _ in seen()}) == count, "a repetition has the same webhook-id"
        assert here.most_at_once <= 8
        # The order of one order id is kept: no first sight of a reminder before the one it follows.
        first = {}
        for place, (_, event) in enumerate(seen()):
            first.setdefault((event["data"]["order_id"], event["data"]["reminder"]), place)
        for (identity, reminder), place in first.items():
            assert reminder == 0 or first[identity, reminder - 1] < place
    system.wait_ready()


async def test_gone_disables_until_enabled_and_rotation_has_no_gap(endpoints, opposable):
    answers = [410]
    first = new_secret(endpoints, "ruisseau-devis")
    with sink(answer=lambda _e: (answers[0], None)) as here:
        await register(endpoints, with_webhook("ruisseau-devis", here.url))
        await tell(endpoints, told("ruisseau-devis", order(1), "gone-1"))
        await until(lambda: here.arrived)
        async with operator(endpoints) as http:

            async def state():
                rows = (await http.get("/v1/endpoints")).json()["endpoints"]
                return next(r for r in rows if r["party"] == "ruisseau-devis")

            async with asyncio.timeout(40):
                while (await state())["state"] != "disabled":
                    await asyncio.sleep(0.05)
        await tell(endpoints, told("ruisseau-devis", order(2), "gone-2"))
        owed = [o for o in await obligations(endpoints) if o["refs"]["party"] == "ruisseau-devis"]
        assert {o["kind"] for o in owed} >= {"webhook", "webhook-endpoint"}
        assert all("410" in o["cause"] for o in owed)
        assert len(here.arrived) == 1
        answers[0] = 204
        here.secret = first  # a partner that still checks with the first secret…
        made = opposable("webhook", "secret", "ruisseau-devis")
        assert made["version"] == 2
        opposable("webhook", "enable", "ruisseau-devis")
        await until(lambda: len(here.received) == 2)
        here.secret = made["secret"]  # …and then with the second
        opposable("webhook", "retire", "ruisseau-devis", "--version", "1")
        await tell(endpoints, told("ruisseau-devis", order(3), "gone-3"))
        await until(lambda: len(here.received) == 3)
        assert here.refused == 0


async def test_a_range_is_sent_again_under_the_same_ids(endpoints, opposable):
    secret = new_secret(endpoints, "carte-coing")
    with sink(secret=secret) as here:
        start = datetime.now(UTC) - timedelta(seconds=5)
        await register(endpoints, with_webhook("carte-coing", here.url))
        await tell(endpoints, *(told("carte-coing", order(n), f"again-{n}") for n in range(5)))

        def mine():  # not what its topics held before
            return [message for message, event in list(here.received) if event["id"].startswith("again-")]

        await until(lambda: len(mine()) == 5)
        ids = set(mine())
        again = opposable(
            "webhook", "replay", "--party", "carte-coing", "--from", format_instant(start), "--to",
            format_instant(datetime.now(UTC) + timedelta(seconds=5)), "--kind", "withdrawals",
        )  # fmt: skip
        assert again["queued"] == 5
        await until(lambda: len(mine()) == 10)
        assert set(mine()) == ids


async def test_unsigned_or_to_ourselves_nothing_leaves(endpoints):
    await register(endpoints, with_webhook("isobelette", "https://169.254.169.254/latest/meta-data"))
    await tell(endpoints, told("isobelette", order(1), "guard-1"))

    async def cause():
        found = [
            o for o in await obligations(endpoints) if o["refs"]["party"] == "isobelette" and o["kind"] == "webhook"
        ]
        return found[0] if found else {"attempts": 0}

    async with asyncio.timeout(40):
        while "no signing secret" not in (await cause()).get("cause", ""):
            await asyncio.sleep(0.1)
    assert (await cause())["owner"] == "operator"
    new_secret(endpoints, "isobelette")
    async with asyncio.timeout(40):
        while "not a public one" not in (one := await cause())["cause"]:
            await asyncio.sleep(0.1)
    assert one["owner"] == "isobelette"
    assert one["next_at"] is not None
