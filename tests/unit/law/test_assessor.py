"""The validator's batch: what it reads, when it catches up with the registry, what it publishes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import httpx
import orjson
import pytest
from fastapi import FastAPI
from law_world import Json, body, case, decision, documents, event, registry, taken

from services.consent_validator.api import make_router
from services.consent_validator.domain import cites_unknown
from services.consent_validator.handlers import Assessor
from services.consent_validator.rules.book import STANDARD
from services.consent_validator.settings import ValidatorSettings
from shared.auth import Caller
from shared.clock import ManualClock
from shared.contracts.types import instant
from shared.errors import Unavailable
from shared.kafka.publisher import Outgoing
from shared.kafka.record import StoredRecord
from shared.metrics import Metrics
from shared.problems import install
from shared.registry.load import view_of
from shared.registry.view import RegistryView
from shared.verdicts import said


class Feed:
    """A registry that is behind until it is asked to catch up."""

    def __init__(self, view: RegistryView, missing: tuple[Json, ...] = (), *, away: bool = False) -> None:
        self.view, self.missing, self.away, self.asked = view, missing, away, 0

    async def catch_up(self) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        for document in self.missing:
            key = f"{document['kind']}:{document['id']}:{document['version']}"
            self.view.apply(key, document, offset=90, archived_at=instant("2026-01-01T00:00:00Z"))


class Sent:
    def __init__(self) -> None:
        self.messages: list[Outgoing] = []

    async def send_all(self, messages: list[Outgoing]) -> None:
        self.messages += messages


def stored(value: bytes, offset: int = 0) -> StoredRecord:
    return StoredRecord("consents", 0, offset, 0, b"k", value)


def recorded(data: Json, sealed: str | None = "c2VhbGVk") -> StoredRecord:
    facts = taken(data).facts | {"commitments": {}}
    return stored(orjson.dumps({"facts": facts} | ({"sealed": sealed} if sealed else {})))


def assessor(feed: Feed, **options: Any) -> tuple[Assessor, Sent]:
    sent = Sent()
    return Assessor(registry=feed, publisher=sent, metrics=Metrics(), book=STANDARD, **options), sent  # type: ignore[arg-type]


async def test_a_verdict_for_each_consent_with_its_sealed_part_unchanged() -> None:
    feed = Feed(view_of(documents()))
    dead: list[tuple[bytes | None, str]] = []

    async def dead_all(letters: Any) -> None:
        dead.extend((record.value, code) for record, code, _ in letters)

    one, sent = assessor(feed, dead_all=dead_all)
    conflict = stored(orjson.dumps({"facts": {"kind": "consent.conflict", "record": "x"}}))
    bad = [b"null", b"", b"{", b'{"facts":[]}', b'{"facts":{"kind":7}}', b'{"facts":{"kind":"stop.recorded"}}']
    await one.process(
        [recorded(event()), conflict, *map(stored, bad), recorded(event(decisions=[decision("sms")]), None)]
    )
    assert dead == [(value, "FACTS") for value in bad[:-1]] + [(bad[-1], "KIND-UNKNOWN")]
    assert feed.asked == 0
    assert [m.topic for m in sent.messages] == ["verdicts", "verdicts"]
    first = orjson.loads(sent.messages[0].value or b"")
    facts = said(first)
    assert first["sealed"] == "c2VhbGVk"
    assert "sealed" not in orjson.loads(sent.messages[1].value or b"")
    assert sent.messages[0].key == facts["record"].encode()
    assert facts["kind"] == "consent.assessed"
    assert facts["evaluated_at"] == facts["received_at"]
    assert facts["confirmed"] is True
    assert facts["ruleset_seq"] == 1
    assert {r["key"] for r in facts["references"]} == {
        "form:jeu-tilleuls:1", "notice:mentions-jeux:2026-05", "list:ludibrume-partenaires:1", "party:ludibrume",
        "party:televerveine", "agreement:ludibrume-televerveine:1",
    }  # fmt: skip
    own = {"party:televerveine", "agreement:ludibrume-televerveine:1"}
    assert {r["key"] for r in facts["lines"][0]["references"]} == own
    assert not {r["key"] for r in first["facts"]["references"]} & own, (
        "whom it has a contract with is that recipient's to know"
    )
    assert facts["lines"][0] == {
        "recipient": "televerveine", "channel": "email", "purpose": "prospecting", "sector": "general", "object": None,
        "value": "granted", "verdict": "valid", "basis": "consent", "valid_from": facts["collected_at"],
        "valid_until": "2029-06-15T09:12:30.000Z", "reasons": [], "references": facts["lines"][0]["references"],
    }  # fmt: skip


async def test_in_the_running_system_lateness_counts() -> None:
    one, sent = assessor(Feed(view_of(documents())))
    facts = taken(event(), received_at="2026-06-20T09:12:30.000Z").facts
    await one.process([stored(orjson.dumps({"facts": facts}))])
    (line,) = said(orjson.loads(sent.messages[0].value or b""))["lines"]
    assert (line["verdict"], line["reasons"]) == ("review", ["EVIDENCE-LATE"])


async def test_the_same_record_gives_the_same_lines_under_other_salts() -> None:
    one, sent = assessor(Feed(view_of(documents())))
    await one.process([recorded(event())])
    await one.process([recorded(event())])
    first, again = (orjson.loads(message.value or b"") for message in sent.messages)
    assert first["opened"]["lines"] == again["opened"]["lines"]
    assert first["opened"]["secret"] != again["opened"]["secret"]
    assert not set(first["facts"]["line_commitments"]) & set(again["facts"]["line_commitments"])
    by_line = {"line_commitments"}
    assert {k: v for k, v in first["facts"].items() if k not in by_line} == {
        k: v for k, v in again["facts"].items() if k not in by_line
    }


async def test_with_the_same_secret_it_gives_the_same_bytes() -> None:
    one, sent = assessor(Feed(view_of(documents())), draw=lambda size: b"s" * size)
    await one.process([recorded(event())])
    await one.process([recorded(event())])
    assert sent.messages[0] == sent.messages[1]


@pytest.mark.parametrize("key", ["form:jeu-tilleuls:1", "list:ludibrume-partenaires:1", "notice:mentions-jeux:2026-05"])
async def test_unknown_means_after_reading_to_the_end(key: str) -> None:
    behind = view_of([d for d in documents() if d.key != key])
    feed = Feed(behind, (body(key),))
    one, sent = assessor(feed)
    await one.process([recorded(event()), recorded(event())])
    assert feed.asked == 1  # once a batch
    assert all(said(orjson.loads(m.value or b""))["lines"][0]["verdict"] == "valid" for m in sent.messages)


async def test_nothing_is_judged_on_a_view_known_to_be_behind() -> None:
    one, sent = assessor(Feed(view_of([d for d in documents() if not d.key.startswith("list:")]), away=True))
    with pytest.raises(Unavailable):
        await one.process([recorded(event())])
    assert sent.messages == []


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({}, False),
        ({"recipient_list": None}, False),
        ({"recipient_list": {"id": "ludibrume-partenaires", "version": 9, "sha256": "0" * 64}}, True),
        ({"form": {"id": "jeu-tilleuls", "version": 99, "sha256": "0" * 64}}, True),
        ({"decisions": [decision(recipients=["orbevent"])]}, True),
        ({"decisions": [decision(recipients=["facturelune"])]}, True),  # no agreement known
        ({"decisions": [decision(recipients=["ludibrume"])], "recipient_list": None}, False),
        ({"notice": {"version": "2031-01", "sha256": "0" * 64}}, True),
        ({"notice": None}, False),
    ],
)
def test_what_sends_it_back_to_the_registry(changes: Json, *, unknown: bool) -> None:
    assert cites_unknown(taken(event(**changes)).facts, registry()) is unknown


def test_settings_become_rule_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPPOSABLE_RULES_LATE_AFTER_HOURS", "48")
    monkeypatch.setenv("OPPOSABLE_RULES_HOUSING_CALLS_BANNED_FROM", "2025-07-01")
    chosen = ValidatorSettings().rule_settings
    assert chosen.late_after.total_seconds() == 48 * 3600
    assert chosen.housing_calls_banned_from.isoformat() == "2025-07-01"


class Door:
    """An authenticator that knows one caller."""

    def __init__(self, party: str | None, *scopes: str) -> None:
        self._caller = Caller(party, frozenset(scopes))

    def caller(self, _request: object) -> Caller:
        return self._caller


async def ask(door: Door, method: Literal["GET", "POST"], path: str, content: bytes = b"") -> tuple[int, Any]:
    app, clock = FastAPI(), ManualClock(datetime.fromisoformat("2026-09-01T08:00:00+00:00"))
    install(app, None)
    app.include_router(make_router(door, Feed(registry()), clock, STANDARD))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        answer = await client.request(method, path, content=content)
    return answer.status_code, answer.json()


async def test_dry_run_over_http() -> None:
    line = case("old-call-consent-used-after-11-august")
    mine = Door("ludibrume", "collector")
    status, answer = await ask(mine, "POST", "/v1/assess?at=2026-09-01T08:00:00Z", orjson.dumps(line))
    assert (status, answer["lines"][0]["reasons"]) == (200, ["PHONE-STATEMENTS"])
    assert answer["ruleset"] == STANDARD.version
    del line["received_at"]  # dated by the clock
    assert (await ask(mine, "POST", "/v1/assess", orjson.dumps(line)))[1]["lines"][0]["reasons"] == ["PHONE-STATEMENTS"]
    assert (await ask(mine, "POST", "/v1/assess", b"{"))[1]["problems"][0]["code"] == "JSON"
    assert (await ask(Door("comparlune", "collector"), "POST", "/v1/assess", orjson.dumps(line)))[0] == 403
    assert (await ask(Door(None, "operator"), "POST", "/v1/assess", orjson.dumps(line)))[0] == 200
    assert (await ask(Door("ludibrume", "auditor"), "POST", "/v1/assess", orjson.dumps(line)))[0] == 403
    assert (await ask(mine, "POST", "/v1/assess?at=hier", orjson.dumps(line)))[0] == 422
    assert (await ask(mine, "POST", "/v1/assess", b" " * 1_048_577))[0] == 413


async def test_rules_over_http() -> None:
    status, answer = await ask(Door(None), "GET", "/v1/rules?at=2026-08-10")
    assert (status, len(answer["rules"])) == (200, 41)
    assert len((await ask(Door(None), "GET", "/v1/rules"))[1]["rules"]) == 44  # today, by the clock
