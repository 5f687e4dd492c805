"""The text of RGPD 14 over HTTP: to whom, for which uses, with what the law asks in it."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from services.rights_handler.informing.api import NoticeApi
from services.rights_handler.informing.overdue import OverdueNotices
from services.rights_handler.informing.store import Owing
from services.rights_handler.informing.texts import NoticeTexts
from shared.auth import Authenticator
from shared.problems import install
from tests.unit.requests.requests_world import Bench, Log
from tests.unit.requests.requests_world import Registry as Companies
from tests.unit.requests.test_request_http import Registry, sha
from tests.unit.rights.rights_world import RECORD, TOKENS, make_line, make_stop


class Late:
    """A store in memory: everything the world holds is owed."""

    def __init__(self, world):
        self.world, self.cleared = world, []

    async def owing(self, _party, until, after, limit):
        rows = sorted((g.received_at, g.record) for g in self.world.grants.values() if g.received_at <= until)
        return [Owing(record, at) for at, record in rows if after is None or (at, record) > after][:limit]

    async def transferred(self, _party, _until, _after, _limit):
        return []

    async def released(self, _party, records):
        self.cleared += records


@pytest.fixture
async def web():
    bench = Bench()
    overdue = OverdueNotices(Late(bench.ports.world), bench.ports, bench.ports)
    api = NoticeApi(
        auth=Authenticator(Registry, bench.clock, sha("operator")), index=bench.ports, overdue=overdue, clock=bench.clock,
        texts=NoticeTexts(Companies(), TOKENS, "https://oppo.example/"),
    )  # fmt: skip
    app = FastAPI()
    install(app, Log())
    app.include_router(api.router())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")

    async def ask(path, token="key-canalvert", **query):  # noqa: S107
        return await client.get(path, headers={"Authorization": f"Bearer {token}"}, params=query)

    bench.ask = ask
    yield bench
    await client.aclose()


async def test_the_text_names_source_purpose_data_rights_and_sets_the_objection_apart(web):
    await web.consent(make_line(), make_line(channel="post", basis="legitimate_interest"), make_line("assurbrelle"))
    answer = (await web.ask("/v1/notices/text", record=RECORD)).json()
    assert (answer["recipient"], answer["due_at"]) == ("canalvert", "2026-10-14T08:31:07.900Z")
    by_channel = {one["channel"]: one for one in answer["notices"]}
    assert set(by_channel) == {"email", "post"}
    text = by_channel["email"]["text_fr"]
    first, blank, *_ = text.split("\n")
    assert first.startswith("VOUS POUVEZ VOUS OPPOSER À TOUT MOMENT")
    assert "https://oppo.example/u/" in first
    assert blank == "", "the right to object stands apart (RGPD 21(4))"
    for words in ("ACME Jeux SAS (SIREN 999000011)", "offres commerciales", "votre adresse électronique", "votre consentement",
                  "droit d'accès", "CNIL", "Canal Vert SA"):  # fmt: skip
        assert words in text, words
    assert "intérêt légitime" in by_channel["post"]["text_fr"]
    assert "privacy_url" in by_channel["email"]["lacks"]


async def test_no_notice_where_nothing_is_permitted(web):
    await web.consent()
    for party, token in (("televerveine", "operator"), ("acme", "operator")):
        assert (await web.ask("/v1/notices/text", token, record=RECORD, recipient=party)).status_code == 404
    await web.crossing.stops([make_stop()])
    gone = await web.ask("/v1/notices/text", record=RECORD)
    assert gone.status_code == 404
    assert gone.json()["code"] == "NOTICE-NONE"


async def test_a_party_sees_its_own_only(web):
    await web.consent()
    assert (await web.ask("/v1/notices/text", record=RECORD, recipient="assurbrelle")).status_code == 403
    assert (await web.ask("/v1/notices/overdue", party="assurbrelle")).status_code == 403
    assert (await web.ask("/v1/notices/overdue", "operator")).status_code == 422
    assert (await web.ask("/v1/notices/overdue", "nobody")).status_code == 401
    assert (await web.ask("/v1/notices/text", record="acme/x")).status_code == 422
    assert (await web.ask("/v1/notices/overdue", after="now")).status_code == 422


async def test_overdue_persons_are_paged(web):
    for n in range(5):
        await web.consent(record=f"{RECORD[:-1]}{n}")
    web.clock.advance(timedelta(days=40))
    first = (await web.ask("/v1/notices/overdue", limit=3)).json()
    assert len(first["overdue"]) == 3
    rest = (await web.ask("/v1/notices/overdue", limit=3, after=first["next"])).json()
    assert len(rest["overdue"]) == 2
    assert rest["next"] is None
    assert first["overdue"][0]["due_at"] == "2026-10-14T08:31:07.900Z"
