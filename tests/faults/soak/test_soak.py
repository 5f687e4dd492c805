"""Random grants, stops, duplicates, delays, kills and rebalances; an independent reader folds as the parties do.

Zero orders missed, none that nobody asked for, zero usable permissions after a stop. `OPPOSABLE_SOAK_S=600` runs ten minutes;
`OPPOSABLE_SOAK_SEED=…` runs a plan again; `-k "not soak"` leaves it out.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
import time
from pathlib import Path

import pytest

from tests.faults.soak import plan as planning
from tests.faults.soak.oracle import Truth
from tests.faults.soak.running import Soak

SECONDS = float(os.environ.get("OPPOSABLE_SOAK_S", "20"))
PER_SECOND = float(os.environ.get("OPPOSABLE_SOAK_RATE", "25"))
SETTLE_S = 120 + SECONDS
STILL_S = 3.0
"""Nothing new for so long: whatever would come has come (orders that nobody asked for included)."""
pytestmark = [pytest.mark.engines, pytest.mark.timeout(int(4 * SECONDS + 400))]
if SECONDS > 60:
    pytestmark.append(pytest.mark.slow)


@contextlib.asynccontextmanager
async def independent_reader(kafka, path):
    script = Path(__file__).with_name("reader.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), kafka, str(path), "soak-")
    try:
        yield
        assert process.returncode is None, "the reader died"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def snapshot(path):
    with contextlib.suppress(OSError):
        read = json.loads(path.read_text())
        return {name: {tuple(entry) for entry in entries} for name, entries in read.items()}
    return {"orders": set(), "told": set(), "usable": set()}


async def settled(path, wanted, told):
    """What the reader knows once it holds all that must come and nothing has come for a while, or when time is up."""
    deadline, before, still = time.monotonic() + SETTLE_S, None, time.monotonic()
    while time.monotonic() < deadline:
        seen = snapshot(path)
        complete = wanted <= seen["orders"] and told <= seen["told"]
        if seen != before or not complete:
            before, still = seen, time.monotonic()
        elif time.monotonic() - still > STILL_S:
            break
        await asyncio.sleep(0.3)
    return snapshot(path)


async def test_soak(bench_system, tmp_path, capsys):
    await asyncio.to_thread(bench_system.wait_ready)
    seed = int(os.environ.get("OPPOSABLE_SOAK_SEED") or random.SystemRandom().randrange(10**6))
    plan = planning.make(seed, SECONDS, PER_SECOND)
    told_how = f"replay with OPPOSABLE_SOAK_SEED={seed} OPPOSABLE_SOAK_S={SECONDS:g} OPPOSABLE_SOAK_RATE={PER_SECOND:g}"
    with capsys.disabled():
        sys.stdout.write(
            f"\n[soak] seed {seed}: {len(plan.steps)} steps in {SECONDS:g} s, {len(plan.faults)} faults; {told_how}\n"
        )
    soak, path = Soak(bench_system, plan), tmp_path / "seen.json"
    async with independent_reader(bench_system.endpoints().kafka, path):
        await soak.run()
        await asyncio.to_thread(bench_system.wait_ready)
        truth = Truth(soak.givens.values(), soak.saids.values())
        wanted = truth.orders()
        told = {(p, g.record, channel) for g in truth.givens for p, channel, _ in g.lines}
        seen = await settled(path, wanted, told)
    ours = {g.record for g in truth.givens}
    usable = {(party, record, channel) for party, record, channel in seen["usable"] if record in ours}
    with capsys.disabled():
        sys.stdout.write(
            f"[soak] {len(soak.givens)} consents, {len(soak.saids)} stops, {soak.kills} kills, {soak.joins} rebalances: "
            f"{len(wanted)} orders, {len(told)} lines told, {len(usable)} usable\n"
        )
    missed, beyond = wanted - seen["orders"], seen["orders"] - wanted
    assert not missed, f"{len(missed)} orders missed, such as {sorted(missed)[:3]}; {told_how}"
    assert not told - seen["told"], f"{len(told - seen['told'])} lines never told; {told_how}"
    assert not beyond, f"{len(beyond)} orders of what nobody stopped, such as {sorted(beyond)[:3]}; {told_how}"
    wrong = {line: why for line in usable if (why := truth.forbidden(line[1], line[0], line[2])) is not None}
    assert not wrong, f"{len(wrong)} permissions usable after a stop, such as {list(wrong.items())[:3]}; {told_how}"
    assert usable, "some permission must remain, or this test shows nothing"
    assert len(wanted) > len(soak.saids) / 2, "most stops must concern someone, or this test shows little"
