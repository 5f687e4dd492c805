"""Durations, promises, tallies and tickets: the pure parts of the service level and of the person's proof."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.proof_archive.delivering.terms import (
    Tally,
    day_of,
    duration,
    pair_of,
    promised,
    quantile,
    recipients_of,
)
from shared.clock import ManualClock
from shared.keyring.ring import Fixed
from shared.metrics import SLA_SECONDS
from shared.registry.models import key_of
from shared.registry.view import RegistryView
from shared.tickets import GOOD_FOR, Tickets
from tests.bench import world

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
RECORD = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT24H", 86_400), ("P14D", 14 * 86_400), ("P1DT2H3M4S", 93_784), ("PT0S", 0), ("PT90M", 5400)],
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "24H", "P1Y", "PT1.5H", "P1D ", "-P1D"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        duration(text)


def view(**changes):
    registry = RegistryView()
    agreement = next(d for d in world.documents() if d["kind"] == "agreement" and d["prospector"] == "p00")
    versions = [
        agreement,
        {
            **agreement,
            "version": 2,
            "proof_sla": "PT1H",
            "valid_from": "2026-11-01",
            "valid_until": "2026-11-30",
            **changes,
        },
    ]
    for offset, body in enumerate(versions):
        registry.apply(key_of(body), body, offset=offset, archived_at=NOW)
    return registry


def test_the_promise_of_a_day_is_the_shortest_in_force():
    registry = view()
    assert promised(registry, "bench-a", "p00", date(2026, 10, 31)) == timedelta(hours=24)
    assert promised(registry, "bench-a", "p00", date(2026, 11, 1)) == timedelta(hours=1)
    assert promised(registry, "bench-a", "p00", date(2026, 11, 30)) == timedelta(hours=1)
    assert promised(registry, "bench-a", "p00", date(2026, 12, 1)) == timedelta(hours=24)
    assert promised(registry, "bench-a", "p01", date(2026, 11, 1)) is None
    assert promised(view(proof_sla=None), "bench-a", "p00", date(2026, 11, 1)) == timedelta(hours=24)


def test_a_month_and_a_day_are_those_of_paris():
    at = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert pair_of("acme", "canalvert", at).month == "2026-12"
    assert day_of(at) == date(2026, 12, 1)


def test_who_is_owed_a_proof():
    lines = [
        {"recipient": "a", "value": "granted"}, {"recipient": "b", "value": "refused"}, {"recipient": None, "value": "granted"},
        {"recipient": "c", "value": "not_objected"},
    ]  # fmt: skip
    assert recipients_of(lines) == {"a", "c"}


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_a_tally_says_what_was_added(times):
    tally, limit = Tally(), timedelta(seconds=60)
    late = [tally.add(ms, limit, NOW) for ms in times]
    assert (tally.count, tally.total, tally.worst) == (len(times), sum(times), max(times))
    assert tally.late == sum(late) == sum(ms > 60_000 for ms in times)
    assert (tally.first_late is None) == (tally.late == 0)
    assert sum(tally.buckets.values()) == len(times)
    for part in (0.5, 0.99, 1.0):
        bound, nth = quantile(tally.buckets, part), sorted(times)[max(0, -(-int(part * 100) * len(times) // 100) - 1)]
        assert bound is None or bound * 1000 >= nth
        assert bound is not None or max(times) > SLA_SECONDS[-1] * 1000


def test_nothing_measured_has_no_quantile():
    assert quantile({}, 0.5) is None


def test_without_a_promise_nothing_is_late():
    assert Tally().add(10**12, None, NOW) is False


async def test_a_ticket_opens_one_record_for_a_while():
    clock, keys = ManualClock(NOW), Fixed({1: b"a" * 32, 2: b"b" * 32})
    tickets = Tickets(keys, clock)
    ticket = tickets.make(RECORD)
    assert ticket.startswith("2~")
    assert await tickets.record_of(ticket) == RECORD
    assert await Tickets(Fixed({2: b"b" * 32, 3: b"c" * 32}), clock).record_of(ticket) == RECORD  # rotated since
    assert await Tickets(Fixed({3: b"c" * 32}), clock).record_of(ticket) is None  # its key was destroyed
    clock.advance(GOOD_FOR)
    assert await tickets.record_of(ticket) is None
    assert RECORD not in ticket


@given(st.text(max_size=700))
async def test_nothing_else_is_a_ticket(text):
    assert await Tickets(Fixed({1: b"a" * 32}), ManualClock(NOW)).record_of(text) is None


async def test_every_character_of_a_ticket_counts():
    tickets = Tickets(Fixed({1: b"a" * 32}), ManualClock(NOW))
    ticket = tickets.make(RECORD)
    for at in range(2, len(ticket) - 1):  # the last one also holds bits that base64 does not use
        other = ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1 :]
        assert await tickets.record_of(other) is None, at
