"""A sub-processor is announced on a running system: too soon is refused, every party is told, the version is archived."""

import json
from datetime import date, timedelta

import httpx
import pytest

from tests.integration.partner_guide.conftest import KEYS, opposable
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(480)]
WORDS = ["subprocessor", "add", "hebergeur", "--name", "Nuage du Nord SAS", "--siren", "999000300", "--country", "FR",
         "--location", "FR", "--service", "hébergement", "--data", "toutes, chiffrées"]  # fmt: skip


async def told(at, party, change):
    headers = {"Authorization": f"Bearer {KEYS[party][0]}"}
    async with httpx.AsyncClient(base_url=at.url("collector"), headers=headers, trust_env=False, timeout=30) as http:

        async def ask():
            events = (await http.get("/v1/feed/requests", params={"limit": 500})).json()["events"]
            return [
                e["data"]
                for e in events
                if e["type"] == "opposable.subprocessor.changing.v1" and e["data"]["change"] == change
            ]

        return await until(ask, lambda found: found)


async def test_parties_are_told_before_it_takes_effect_and_when_it_ends(at, onboarded):
    soon = opposable(at, *WORDS, "--on", str(date.today() + timedelta(days=3)))  # noqa: DTZ011 - the command's own day
    assert soon.returncode == 1
    assert "too soon" in soon.stderr
    added = opposable(at, *WORDS, "--json")
    assert added.returncode == 0, added.stderr
    body = json.loads(added.stdout)
    for party in KEYS:
        (event,) = await told(at, party, "added")
        assert event["starts_on"] == body["starts_on"]
        assert event["objections_until"] == str(date.fromisoformat(body["starts_on"]) - timedelta(days=1))
        assert "Nuage du Nord SAS (SIREN 999000300)" in event["text"]
    ended = opposable(at, "subprocessor", "end", "hebergeur", "--on", body["starts_on"], "--json")
    assert ended.returncode == 0, ended.stderr
    (event,) = await told(at, "canalvert", "ended")
    assert (event["version"], event["ends_on"]) == (2, body["starts_on"])
    (row,) = json.loads(opposable(at, "subprocessor", "list", "--json").stdout)
    assert (row["version"], row["serving"]) == (2, False)
    again = opposable(at, "subprocessor", "end", "hebergeur")
    assert again.returncode == 2
