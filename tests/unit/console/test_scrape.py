"""Counters over processes that come and go, and what the overview shows of them."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from services.console.lag import Lag
from services.console.pages.overview import bars, paths, seen_of
from services.console.scrape import PROOF, Counters, highest, quantile, read
from services.console.watch import Instance, Snapshot
from shared.clock import ManualClock
from shared.metrics import Metrics

RECEIPTS = "opposable_receipts_total"


def exposed(**counts):
    metrics = Metrics()
    for status, count in counts.items():
        metrics.receipts.labels(status).inc(count)
    metrics.proof_seconds.labels("available").observe(0.7)
    metrics.proof_seconds.labels("delivered").observe(300)
    return read(generate_latest(metrics.registry).decode())


def test_what_services_expose_is_read_by_the_names_they_have():
    found = exposed(accepted=3)
    assert found[RECEIPTS, "accepted"] == 3
    buckets = {le: count for (name, le), count in found.items() if name == PROOF}
    assert (buckets["0.5"], buckets["1.0"], buckets["+Inf"]) == (0, 1, 1)  # what=delivered is not counted here
    assert quantile(buckets, 0.5) == 1.0


def test_a_process_that_starts_again_loses_nothing_and_adds_nothing():
    counters = Counters()
    for at, count in ((0, 100), (10, 160), (20, 5), (30, 25)):  # it was started again between 10 and 20
        counters.take(at, {"http://a": {(RECEIPTS, "accepted"): float(count)}})
    assert counters.growth(RECEIPTS, 60) == {"accepted": 60 + 5 + 20}
    assert counters.rate(RECEIPTS, 60) == pytest.approx(85 / 30)
    assert counters.rate(RECEIPTS, 10) == pytest.approx(2.0)
    assert counters.totals(RECEIPTS) == {"accepted": 25}
    assert counters.curve(RECEIPTS, 10) == pytest.approx([6.0, 0.5, 2.0])


def test_processes_are_summed_and_one_that_is_silent_keeps_what_it_said():
    counters = Counters()
    counters.take(0, {"http://a": {(RECEIPTS, "accepted"): 1.0}, "http://b": {(RECEIPTS, "rejected"): 4.0}})
    counters.take(5, {"http://a": {(RECEIPTS, "accepted"): 2.0}})
    assert counters.totals(RECEIPTS) == {"accepted": 2.0, "rejected": 4.0}


def test_quantiles_are_bounds_and_nothing_measured_is_nothing():
    assert quantile({}, 0.5) is None
    assert quantile({"1.0": 0.0, "+Inf": 0.0}, 0.5) is None
    assert quantile({"0.5": 98.0, "1.0": 98.0, "2.0": 99.0, "+Inf": 100.0}, 0.99) == 2.0
    assert quantile({"0.5": 0.0, "+Inf": 3.0}, 0.5) is None  # beyond all buckets: not known


def test_bars_are_shares_of_the_largest_and_a_curve_fills_its_box():
    assert [(bar.name, bar.share) for bar in bars({"A": 1.0, "B": 4.0, "C": 0.0})] == [("B", 100.0), ("A", 25.0)]
    assert highest({"x": 1, "y": 1}, 1) == [("x", 1)]
    assert paths([1.0]) == ("", "")
    line, area = paths([0.0, 2.0, 1.0])
    assert line == "M0.0,50.0 L150.0,4.0 L300.0,27.0"
    assert area.endswith("L300,50 L0,50 Z")


def test_the_overview_shows_who_is_behind_first_and_how_old_the_look_is():
    clock, counters = ManualClock(datetime(2026, 11, 27, tzinfo=UTC)), Counters()
    counters.take(0, {"http://c": {(RECEIPTS, "accepted"): 0.0}})
    counters.take(4, {"http://c": {(RECEIPTS, "accepted"): 8.0}})
    lags = (Lag("g", "small", 1, 2, 9), Lag("g", "big", 1, 70, 9), Lag("g", "even", 1, 0, 9))
    down = Instance("collector", "http://c", answers=False, ready=False)
    seen = seen_of(Snapshot(clock.now(), (down,), lags, None), counters, clock, letters=3)
    clock.advance(timedelta(seconds=50))
    assert [lag.topic for lag in seen.behind] == ["big", "small"]
    assert [lag.topic for lag in seen.even] == ["even"]
    assert (seen.rate, seen.received, seen.letters) == (2.0, 8.0, 3)
    assert dict(seen.services)["collector"] == [down]
    assert dict(seen.services)["eraser"] == []
    assert (
        seen_of(Snapshot(clock.now(), (), None, None), counters, clock, 0).behind is None
    )  # Kafka is away: said, not hidden
