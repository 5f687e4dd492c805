"""The demonstration's own counting: each promise holds on a whole story, and breaks when one record of it is taken away."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli import demo_promises as promises
from services.cli import demo_reach as reach
from services.cli.demo_ledger import Ledger
from services.cli.demo_picture import Picture, picture
from services.cli.demo_privacy import nothing_in_clear
from shared.instants import format_instant, from_millis

T0 = 1_790_000_000_000
AT, LATER, EARLIER = (format_instant(from_millis(T0 + shift)) for shift in (0, 1000, -1))
RECORD, CONSENT = "acme/c1", "c1"


class Story:
    """A small history, written as the services would."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.sent: dict[tuple[str, int, int], Any] = {}

    def add(
        self, topic: str, value: Any, key: str = "k", at: int = T0, headers: dict[str, str] | None = None
    ) -> tuple[str, int, int]:
        offset = sum(r.topic == topic for r in self.records)
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        pairs = tuple((name, text.encode()) for name, text in (headers or {}).items())
        self.records.append(
            SimpleNamespace(
                topic=topic, partition=0, offset=offset, timestamp=at, key=key.encode(), value=raw, headers=pairs
            )
        )
        return topic, 0, offset

    def drop(self, topic: str, index: int = 0) -> None:
        self.records.remove([r for r in self.records if r.topic == topic][index])

    def ledger(self) -> Ledger:
        ledger = Ledger()
        ledger.add(self.records)
        return ledger

    def seen(self) -> Picture:
        return picture(self.ledger())


def line(recipient: str, verdict: str = "valid", value: str = "granted") -> dict[str, Any]:
    return {
        "recipient": recipient,
        "channel": "email",
        "purpose": "prospecting",
        "verdict": verdict,
        "value": value,
        "reasons": [] if verdict == "valid" else ["LIST-NOT-NAMED"],
    }


@pytest.fixture
def story() -> Story:
    told = Story()
    data = {
        "consent_id": CONSENT,
        "subject_ref": "lead-0000aaaa",
        "contacts": [{"type": "email", "value": "A.B@boite.example"}],
    }
    expect = {
        "status": "accepted",
        "verdicts": {"valid": 1, "invalid": 1, "review": 0},
        "reasons": {"LIST-NOT-NAMED": 1},
    }
    where = told.add("in.acme.consents", data, headers={"ce_id": "e1"})
    told.sent[where] = {"topic": "in.acme.consents", "scenario": "s", "data": data, "expect": expect}
    told.add("out.acme.receipts", {"event_id": "e1", "status": "accepted", "consent_id": CONSENT, "problems": []})
    told.add("consents", {"facts": {"kind": "consent.recorded", "record": RECORD}})
    lines = [line("canalvert"), line("hibou", "invalid")]
    verdict = {"kind": "consent.assessed", "record": RECORD, "collector": "acme", "via": [], "lines": lines}
    told.add("verdicts", {"facts": {**verdict, "collected_at": AT, "received_at": AT}})
    for party, kind in (("canalvert", "granted"), ("hibou", "refused")):
        body = {"record": RECORD, "channel": "email", "purpose": "prospecting", "reasons": []}
        headers = {"ce_id": f"p-{party}", "ce_type": f"opposable.permission.{kind}.v1"}
        told.add(f"out.{party}.permissions", body, headers=headers)

    bad = told.add("in.acme.consents", b"{", headers={"ce_id": "e2"})
    told.sent[bad] = {
        "topic": "in.acme.consents",
        "scenario": "broken",
        "expect": {"status": "rejected", "code": "JSON"},
    }
    told.add("out.acme.receipts", {"event_id": "e2", "status": "rejected", "problems": [{"code": "JSON"}]})
    place = {"opposable-topic": bad[0], "opposable-partition": "0", "opposable-offset": str(bad[2])}
    told.add("dead", b"{", headers=place)

    stop = {"stop_id": "s1", "contacts": [{"type": "email", "value": "a.b@boite.example"}]}
    where = told.add("in.acme.rights", stop, headers={"ce_id": "e3"}, at=T0 + 1000)
    told.sent[where] = {
        "topic": "in.acme.rights",
        "scenario": "stop",
        "data": stop,
        "expect": {"status": "accepted", "known": True},
    }
    told.add("out.acme.receipts", {"event_id": "e3", "status": "accepted", "problems": []})
    scope = {"recipients": "all", "channels": "all", "purposes": "all"}
    told.add(
        "stops",
        {"facts": {"kind": "stop.recorded", "stop": "acme/s1", "source": "acme", "stop_id": "s1", "at": LATER,
                   "received_at": LATER, **scope}},
    )  # fmt: skip
    for party in ("acme", "canalvert", "hibou"):
        body = {"order_id": f"o-{party}", "stop_id": "acme/s1", "consent_ids": [CONSENT], "reminder": 0}
        told.add(f"out.{party}.withdrawals", body, at=T0 + 1050)
    return told


def archived() -> defaultdict[str, Counter[str]]:
    entries: defaultdict[str, Counter[str]] = defaultdict(Counter)
    entries["consent.recorded"][RECORD] = entries["consent.assessed"][RECORD] = 1
    return entries


CHECKS: dict[str, Callable[[Story], promises.Promise]] = {
    "answered": lambda s: promises.every_input_answered(s.seen()),
    "expected": lambda s: promises.receipts_as_expected(s.seen(), s.sent),
    "dead": lambda s: promises.rejected_are_kept(s.seen(), s.sent),
    "lost": lambda s: promises.nothing_lost(s.seen(), archived()),
    "verdicts": lambda s: promises.verdicts_as_expected(s.seen(), s.sent),
    "told": lambda s: promises.every_line_told(s.seen()),
    "stops": lambda s: reach.everyone_told(s.seen(), s.sent),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_whole_story_keeps_every_promise(story: Story, name: str) -> None:
    found = CHECKS[name](story)
    assert found.key == name
    assert found.kept, found.faults


@pytest.mark.parametrize(
    ("topic", "index", "broken"),
    [
        ("out.acme.receipts", 0, {"answered", "expected", "lost"}),
        ("out.acme.receipts", 1, {"answered", "expected"}),
        ("consents", 0, {"lost"}),
        ("verdicts", 0, {"lost", "verdicts", "told", "stops"}),
        ("out.canalvert.permissions", 0, {"told"}),
        ("out.hibou.permissions", 0, {"told"}),
        ("dead", 0, {"dead"}),
        ("out.canalvert.withdrawals", 0, {"stops"}),
        ("out.acme.withdrawals", 0, {"stops"}),
        ("stops", 0, {"stops"}),
    ],
)
def test_one_record_missing_breaks_exactly_what_it_should(
    story: Story, topic: str, index: int, broken: set[str]
) -> None:
    story.drop(topic, index)
    assert {name for name, check in CHECKS.items() if not check(story).kept} == broken


@pytest.mark.parametrize(
    "topic", ["out.acme.receipts", "consents", "verdicts", "out.hibou.permissions", "out.acme.withdrawals"]
)
def test_a_copy_after_a_crash_counts_once(story: Story, topic: str) -> None:
    first = next(r for r in story.records if r.topic == topic)
    story.records.append(SimpleNamespace(**{**vars(first), "offset": 99, "timestamp": T0 + 5000}))
    assert [name for name, check in CHECKS.items() if not check(story).kept] == []


def test_an_input_answered_twice_in_other_words_is_seen(story: Story) -> None:
    story.add("out.acme.receipts", {"event_id": "e1", "status": "duplicate", "consent_id": CONSENT, "problems": []})
    assert not CHECKS["answered"](story).kept


def test_an_archive_that_misses_a_verdict_is_a_loss(story: Story) -> None:
    entries = archived()
    del entries["consent.assessed"][RECORD]
    assert promises.nothing_lost(story.seen(), entries).faults == (f"archived_verdicts: {RECORD}",)


def test_permission_for_an_invalid_line_is_seen(story: Story) -> None:
    story.drop("out.hibou.permissions")
    body = {"record": RECORD, "channel": "email", "purpose": "prospecting"}
    headers = {"ce_id": "x", "ce_type": "opposable.permission.granted.v1"}
    story.add("out.hibou.permissions", body, headers=headers)
    assert not CHECKS["told"](story).kept


def test_an_order_to_someone_not_concerned_is_seen(story: Story) -> None:
    body = {"order_id": "o-x", "stop_id": "acme/s1", "consent_ids": [CONSENT], "reminder": 0}
    story.add("out.tisane.withdrawals", body)
    assert CHECKS["stops"](story).faults == ("not called for: acme/s1 → tisane",)


def test_a_refused_line_and_an_out_of_scope_one_concern_nobody_but_the_collector() -> None:
    verdict = {"collected_at": AT, "received_at": AT, "collector": "acme", "via": ["broker"]}
    stop = {"at": AT, "recipients": "all", "channels": ["email"], "purposes": "all"}
    lines = [line("canalvert", value="refused"), {**line("hibou"), "channel": "sms"}]
    assert reach._told(stop, {**verdict, "lines": lines}) == {"acme", "broker"}
    assert reach._told({**stop, "at": EARLIER}, {**verdict, "lines": lines}) == set()
    assert reach._told({**stop, "recipients": ["tisane"]}, {**verdict, "lines": lines}) == set()


def test_who_owes_an_answer_is_judged_by_the_part_it_plays(story: Story) -> None:
    behaviours = {"hibou": "silent", "canalvert": "unknown"}
    story.add(
        "out.hibou.withdrawals", {"order_id": "o-hibou", "stop_id": "acme/s1", "consent_ids": [CONSENT], "reminder": 1}
    )
    for party, status in (("acme", "applied"), ("canalvert", "unknown_person")):
        answer = {"order_id": f"o-{party}", "status": status}
        story.add(f"in.{party}.rights", answer, headers={"ce_type": "opposable.order.acknowledged.v1"}, at=T0 + 1100)
    story.add("deliveries", {"facts": {"kind": "delivery.acknowledged", "order": "o-acme", "closed": True}})
    found = reach.orders_followed(story.seen(), behaviours)
    assert found.kept
    assert found.detail == {"closed": 1, "open": 2, "reminded": 1}
    assert not reach.orders_followed(story.seen(), {}).kept

    by_party = reach.follow(story.seen())
    assert by_party["canalvert"].told_ms == [50]
    assert by_party["canalvert"].answered_ms == [50]
    assert by_party["canalvert"].open == 1
    assert by_party["hibou"].reminders == 1


@pytest.mark.parametrize("place", ["out.hibou.permissions", "consents", "log"])
def test_a_contact_in_clear_is_found_wherever_it_hides(story: Story, place: str, tmp_path: Any) -> None:
    log = tmp_path / "collector.log"
    log.write_text("all is well\n")
    lines = list(story.sent.values())
    assert nothing_in_clear(story.ledger(), lines, [log]).kept
    if place == "log":
        log.write_text('{"event":"oops a.b@boite.example"}\n')
    else:
        story.add(place, {"facts": {"kind": "x", "note": "écrit à a.b@boite.example hier"}})
    assert not nothing_in_clear(story.ledger(), lines, [log]).kept
