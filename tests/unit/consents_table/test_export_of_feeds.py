"""A feed as a table: what is new is added, a gap is said and passed, nothing is a formula; the collector's trouble is waited out."""

import csv
import json

import httpx
import pytest
from typer.testing import CliRunner

import services.cli.consents.export as export_module
from services.cli.consents import sending
from services.cli.consents.sending import PartyHttp
from services.cli.main import build
from shared.errors import ConfigurationError, Unavailable


def receipt(number, message="fine"):
    return {"id": f"r{number}", "type": "opposable.receipt.v1", "time": "2026-09-14T08:00:00.000Z",
            "data": {"event_id": f"e{number}", "consent_id": None, "status": "accepted", "received_at": "…",
                     "problems": [{"code": "X", "pointer": "", "message": message}]}}  # fmt: skip


class Feed:
    """Answers by cursor."""

    def __init__(self):
        self.pages, self.asked = {}, []

    def __call__(self, request):
        after = request.url.params.get("after")
        self.asked.append(after)
        status, body = self.pages[after]
        return httpx.Response(status, json=body)


@pytest.fixture
def feed(monkeypatch):
    found = Feed()
    http = PartyHttp("http://collector", "key", httpx.MockTransport(found))
    monkeypatch.setattr(export_module, "party_http", lambda _url, _key: http)
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    return found


def run(tmp_path, name="receipts.csv"):
    output = tmp_path / name
    done = CliRunner().invoke(
        build(["consents"]), ["consents", "export", "receipts", "--output", str(output), "--json"]
    )
    text = output.read_text(encoding="utf-8-sig")
    return done, list(csv.DictReader(text.splitlines(), delimiter=";"))


def page(events, following, *, at_end=True):
    return 200, {"events": events, "next": following, "at_end": at_end}


def test_it_goes_on_where_it_stood(feed, tmp_path):
    feed.pages = {
        None: page([receipt(1)], "c1", at_end=False),
        "c1": page([receipt(2)], "c2"),
        "c2": page([receipt(3)], "c3"),
    }
    done, rows = run(tmp_path)
    assert (done.exit_code, [row["event"] for row in rows]) == (0, ["r1", "r2"])
    done, rows = run(tmp_path)
    assert [row["event"] for row in rows] == ["r1", "r2", "r3"]
    assert json.loads(done.stdout)["resumed"]
    assert feed.asked == [None, "c1", "c2"]


def test_what_was_deleted_is_said_and_the_rest_is_written(feed, tmp_path):
    feed.pages = {None: page([receipt(1)], "old")}
    run(tmp_path)
    feed.pages = {"old": (410, {"title": "deleted", "earliest": "now"}), "now": page([receipt(9)], "c9")}
    done, rows = run(tmp_path)
    assert done.exit_code == 1
    assert [row["event"] for row in rows] == ["r1", "r9"]
    assert "410 deleted" in done.output


def test_no_cell_is_a_formula(feed, tmp_path):
    bad = receipt(1)
    bad["data"]["event_id"] = "=cmd|' /C calc'!A0"
    feed.pages = {None: page([bad], "c1")}
    _, rows = run(tmp_path)
    assert rows[0]["event_id"].startswith("'=")


def test_trouble_is_waited_out_and_a_refusal_is_said(monkeypatch):
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    answers = [httpx.Response(503, json={"title": "away"}), httpx.Response(429, json={"title": "slow"}),
               httpx.Response(200, json={"events": [], "next": "c", "at_end": True})]  # fmt: skip
    http = PartyHttp("http://collector", "key", httpx.MockTransport(lambda _request: answers.pop(0)))
    assert list(http.pages("receipts", None)) == [([], "c")]
    refusing = PartyHttp(
        "http://c", "key", httpx.MockTransport(lambda _r: httpx.Response(401, json={"title": "unknown key"}))
    )
    with pytest.raises(ConfigurationError, match="401 unknown key"):
        list(refusing.pages("receipts", None))
    down = PartyHttp("http://c", "key", httpx.MockTransport(lambda _r: httpx.Response(503, json={"title": "away"})))
    with pytest.raises(Unavailable, match="503 away"):
        list(down.pages("receipts", None))
