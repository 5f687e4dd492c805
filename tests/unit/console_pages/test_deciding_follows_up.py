"""After a decision: its fact said, its verdict asked for until it is there, and nothing held up where the archive is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from services.rights_handler.deciding.model import Made, decisions_on, fact
from services.rights_handler.deciding.resolving import Deciding
from services.rights_handler.domain import Grant, Line
from shared.clock import ManualClock
from shared.contracts.reviews import DecisionReason, Outcome
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.problems import Refusal

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
AT = format_instant(NOW)


def line(recipient="hibou", verdict="review", *reasons):
    return Line(recipient, "email", "prospecting", "general", None, "granted", verdict, "consent", AT, None,
                reasons or ("EVIDENCE-LATE",))  # fmt: skip


def grant(*lines):
    return Grant("acme/1", "000001.000000000001." + AT, "acme", "1", AT, AT, confirmed=True, via=(), contact_keys=frozenset(),
                 subject_key=None, ruleset="r", lines=lines, sealed=b"x")  # fmt: skip


def made(*lines, outcome=Outcome.REFUSE, reason=DecisionReason.DOUBT_REMAINS, wanted=()):
    return decisions_on(grant(*lines), wanted, outcome, reason, "dpo", AT)


def test_one_decision_a_recipient_so_that_nobody_is_shown_another_s() -> None:
    found = made(line("hibou"), line("tisane"), line("hibou", "valid"))
    assert {one.recipient for one in found} == {"hibou", "tisane"}
    assert all(name[0] == one.recipient for one in found for name in one.lines)
    assert made(line("hibou")) == made(line("hibou")), "the same decision on the same verdict is the same"
    assert fact(found[0]).key == b"acme/1"


def test_what_is_refused() -> None:
    accept = {"outcome": Outcome.ACCEPT, "reason": DecisionReason.EVIDENCE_CHECKED}
    with pytest.raises(Refusal, match="does not go with"):
        made(line(), outcome=Outcome.ACCEPT)
    with pytest.raises(Refusal, match="not in review"):
        made(line("hibou", "valid"))
    with pytest.raises(Refusal, match="not in review"):
        made(line(), wanted=[("tisane", "email", "prospecting", "general", None)])
    with pytest.raises(Refusal, match="AGREEMENT-INCOMPLETE"):
        made(line("hibou", "review", "EVIDENCE-LATE", "AGREEMENT-INCOMPLETE"), **accept)
    with pytest.raises(Refusal, match="not in review"):
        made(line("hibou", "invalid"), **accept)


class Store:
    def __init__(self, rows):
        self.rows, self.postponed = rows, {}

    async def due(self, now, most):
        return [row for row in self.rows if row["next_at"] <= now][:most]

    async def of(self, record):
        return [row for row in self.rows if row["record"] == record]

    async def again(self, ids, at):
        for row in self.rows:
            if row["_id"] in ids:
                row |= {"next_at": at, "archived": True, "tries": row["tries"] + 1}

    async def waiting(self, _collector, _after, _limit):
        return []


class Archive:
    def __init__(self):
        self.asked, self.away = [], False

    async def ask(self, record, decisions):
        self.asked.append((record, [one["id"] for one in decisions]))
        if self.away:
            raise Unavailable("away")
        return True


def row(identity, record):
    one = Made(identity, record, "hibou", (("hibou", "email", "prospecting", "general", None),), Outcome.REFUSE,
               DecisionReason.DOUBT_REMAINS, "dpo", ("EVIDENCE-LATE",), AT)  # fmt: skip
    return {"_id": one.id, "record": record, "recipient": "hibou", "lines": [list(n) for n in one.lines], "outcome": "refuse",
            "reason": "doubt_remains", "author": "dpo", "codes": ["EVIDENCE-LATE"], "decided_at": AT, "commitment": None,
            "next_at": AT, "tries": 0}  # fmt: skip


async def test_an_archive_that_is_away_is_asked_once_a_round_and_facts_are_said_once() -> None:
    sent, clock, archive = [], ManualClock(NOW), Archive()
    store = Store([row("d1", "acme/1"), row("d2", "acme/2")])

    async def send_all(messages):
        sent.extend(messages)

    async def grants_of(records):
        return [grant(line()) for _ in records]

    async def show(*_):
        pass

    deciding = Deciding(
        store, SimpleNamespace(grants_of=grants_of), None, SimpleNamespace(show=show), None, SimpleNamespace(send_all=send_all),
        archive, clock, timedelta(hours=72), None,
    )  # fmt: skip
    archive.away = True
    assert await deciding.sweep(10) == 2
    assert [record for record, _ in archive.asked] == ["acme/1"], "the second waits for the next round"
    archive.away = False
    clock.advance(timedelta(seconds=5))
    await deciding.sweep(10)
    assert archive.asked[1:] == [("acme/1", ["d1"]), ("acme/2", ["d2"])]
    assert len(sent) == 2, "each fact once, however often its verdict is asked for"
    assert store.rows[0]["next_at"] >= format_instant(clock.now() + timedelta(minutes=1))
