"""A consent banner's TC string, through the command and a running system: granted by party, withdrawn, erasure asked for."""

import base64
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime

import pytest

from shared.instants import format_instant
from tests.e2e.partner import Partner
from tests.unit.trackers.test_banner_choices import banner
from tests.unit.trackers.test_tcf_strings import KNOWN

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
DECISECONDS_A_DAY = 864_000
CREATED, UPDATED, PURPOSES = 6, 42, 152
"""Bit offsets in the core segment (IAB TCF 2.2)."""


def string_of_today(purposes=None):
    """A string that a banner would write today: vendor 755 consented to. `purposes`: the 24 bits, else those of KNOWN."""
    core, *rest = KNOWN.split(".")
    raw = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4))
    bits = f"{int.from_bytes(raw):0{8 * len(raw)}b}"
    day = int(datetime.now(UTC).timestamp()) // 86_400 * DECISECONDS_A_DAY
    bits = f"{bits[:CREATED]}{day:036b}{day:036b}{bits[UPDATED + 36 :]}"
    if purposes is not None:
        bits = bits[:PURPOSES] + purposes + bits[PURPOSES + 24 :]
    changed = base64.urlsafe_b64encode(int(bits, 2).to_bytes(len(raw))).decode().rstrip("=")
    return ".".join([changed, *rest])


@pytest.fixture
def partner(example_system):
    return Partner(example_system.wait_ready())


@pytest.fixture
def tcf(tmp_path):
    """`opposable tcf` on one choice made now: its events."""
    vendors = tmp_path / "vendors.yaml"
    vendors.write_text(json.dumps(banner()))

    def run(text, browser, *options):
        line = {"tc_string": text, "browser": browser, "at": format_instant(datetime.now(UTC))}
        (tmp_path / "choices.jsonl").write_text(json.dumps(line))
        words = [
            sys.executable,
            "-m",
            "services.cli.main",
            "tcf",
            str(tmp_path / "choices.jsonl"),
            "--vendors",
            str(vendors),
        ]
        done = subprocess.run([*words, *options], capture_output=True, text=True, env={**os.environ}, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(row) for row in done.stdout.splitlines()]

    return run


async def test_a_choice_is_granted_by_party_then_withdrawn_and_erased(partner, tcf):
    browser = f"b-{uuid.uuid4().hex}"
    (consent,) = tcf(string_of_today(), browser)
    record = await partner.consent(consent["data"], party="carte-coing")
    (granted,) = await partner.permissions("canalvert", record)
    assert (granted.get("basis"), granted["channel"], granted["purpose"]) == ("consent", "tracker", "ad_tracking")
    assert [key["type"] for key in granted["match_keys"]] == ["browser"]
    (refused,) = await partner.permissions("marmotte", record)
    assert refused["reasons"] == ["REFUSED"]

    stop, erasure = tcf(string_of_today("0" * 24), browser, "--withdrawals", "--erasure")
    named = await partner.stop(stop["data"], party="carte-coing")
    (order,) = await partner.orders("canalvert", named)
    assert order["channels"] == ["tracker"]
    assert order["match_keys"] == granted["match_keys"]

    event = await partner.send("in.carte-coing.rights", erasure["ce"]["type"], erasure["data"])
    (receipt,) = await partner.read("out.carte-coing.receipts", lambda b: b["event_id"] == event)
    assert receipt["status"] == "accepted", receipt
    kept = await partner.read(
        "requests", lambda b: b["facts"].get("request", "").endswith(erasure["data"]["request_id"])
    )
    assert kept[0]["facts"]["right"] == "erasure"
