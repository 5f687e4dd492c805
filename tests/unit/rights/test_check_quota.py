"""The permission check has a quota for each party, counted in contacts, and what it answered is counted without saying of whom."""

import pytest
from http_bench import Bench

CHECK, BATCH = "/v1/permissions/check", "/v1/permissions/check-batch"
USE = {"channel": "email", "purpose": "prospecting"}


def contact(number):
    return {"contact": {"type": "email", "value": f"personne.{number}@courriel.example"}}


def counted(bench):
    return {
        s.labels["answer"]: s.value
        for m in bench.metrics.checks.collect()
        for s in m.samples
        if s.name.endswith("_total")
    }


async def test_a_party_past_its_quota_is_told_how_long_to_wait_and_the_others_are_not():
    bench = Bench()
    first = await bench.ask("POST", BATCH, json={**USE, "contacts": [contact(n) for n in range(30)]})
    assert first.status_code == 200, first.text
    over = await bench.ask("POST", CHECK, json={**USE, **contact(1)})
    assert (over.status_code, over.json()["code"], over.headers["Retry-After"]) == (429, "RATE", "1")
    assert (
        await bench.ask("POST", CHECK, token="operator", json={**USE, **contact(1), "recipient": "canalvert"})
    ).status_code == 200
    bench.moment[0] += 0.5  # ten contacts a second: five more
    assert (await bench.ask("POST", BATCH, json={**USE, "contacts": [contact(n) for n in range(6)]})).status_code == 429
    assert (await bench.ask("POST", BATCH, json={**USE, "contacts": [contact(n) for n in range(5)]})).status_code == 200
    assert counted(bench) == {"allowed": 0.0, "refused": 36.0, "over_quota": 7.0}


@pytest.mark.parametrize("many", [31, 500])
async def test_more_than_is_ever_allowed_at_once_is_never_let_in(many):
    bench = Bench()
    bench.moment[0] += 10_000
    answer = await bench.ask("POST", BATCH, json={**USE, "contacts": [contact(n) for n in range(many)]})
    assert answer.status_code == 429


async def test_an_answer_that_cannot_be_given_is_counted_too():
    bench = Bench()
    bench.fresh.late = True
    answer = await bench.ask("POST", CHECK, json={**USE, **contact(1)})
    assert (answer.status_code, answer.json()["allowed"]) == (503, False)
    assert counted(bench) == {"unreachable": 1.0}
