"""What a banner's choice becomes: a browser's consent by party, its withdrawal, its erasure; never joined to a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.dry_run import assess_line
from shared.contracts.envelope import Envelope
from shared.contracts.partner import CONSENT_COLLECTED
from shared.contracts.partner_rights import RIGHT_REQUESTED, STOP_REQUESTED
from shared.errors import InputError
from shared.intake.accept import accept
from shared.registry.load import load_dir, view_of
from shared.trackers.adapter import BannerChoice, VendorMap, consent_event, moment, unknown_vendors, withdrawal_events
from shared.trackers.tcf import decode
from tests.unit.trackers.test_tcf_strings import KNOWN

REGISTRY = Path(__file__).parents[3] / "deploy" / "example" / "registry"
VIEW = view_of(load_dir(REGISTRY))
DAY = datetime(2026, 11, 24, tzinfo=UTC)


def banner(**change):
    form, listed = VIEW.form("bandeau", 2), VIEW.list_("coing-traceurs", 1)
    body = {
        "collector": "carte-coing", "form": {"id": "bandeau", "version": 2, "sha256": form.html_sha256},
        "recipient_list": {"id": "coing-traceurs", "version": 1, "sha256": listed.sha256},
        "vendors": {"755": "canalvert", "756": "marmotte"},
    }  # fmt: skip
    return {**body, **change}


def mapped(**change):
    return VendorMap.model_validate_json(json.dumps(banner(**change)))


def choice(**change):
    return BannerChoice.model_validate_json(json.dumps({"tc_string": KNOWN, "browser": "b-1", **change}))


def test_a_choice_is_a_browsers_consent_by_party():
    event = consent_event(choice(), decode(KNOWN), mapped())
    assert event["ce"]["type"] == CONSENT_COLLECTED
    data = event["data"]
    assert data["contacts"] == [{"type": "browser", "value": "b-1"}]
    assert data["decisions"] == [
        {"channel": "tracker", "purpose": "ad_tracking", "value": "granted", "recipients": ["canalvert"]},
        {"channel": "tracker", "purpose": "ad_tracking", "value": "refused", "recipients": ["marmotte"]},
    ]
    assert consent_event(choice(), decode(KNOWN), mapped()) == event, "the same choice is the same consent"
    other = consent_event(choice(browser="b-2"), decode(KNOWN), mapped())
    assert other["data"]["consent_id"] != data["consent_id"]


def test_the_event_is_accepted_and_assessed_like_any_evidence():
    event = {**consent_event(choice(), decode(KNOWN), mapped()), "received_at": "2026-11-24T00:00:01.000Z"}
    answer = assess_line(event, VIEW)
    assert answer["status"] == "accepted", answer["problems"]
    assert {(line["recipient"], line["verdict"], tuple(line["reasons"])) for line in answer["lines"]} == {
        ("canalvert", "valid", ()), ("marmotte", "invalid", ("REFUSED",)),
    }  # fmt: skip


def test_legitimate_interest_and_unmapped_vendors_are_no_consent():
    core = decode(KNOWN)
    everywhere = mapped(vendors={"755": "canalvert"}, purposes={"ad_tracking": [9]})
    assert consent_event(choice(), core, everywhere)["data"]["decisions"][0]["value"] == "refused"
    assert unknown_vendors(core, mapped(vendors={"755": "canalvert"})) == 2


def test_a_party_behind_two_vendors_needs_both():
    event = consent_event(choice(), decode(KNOWN), mapped(vendors={"755": "canalvert", "757": "canalvert"}))
    assert [d["value"] for d in event["data"]["decisions"]] == ["refused"]


def test_a_refusal_withdraws_and_asks_for_erasure():
    events = withdrawal_events(choice(), decode(KNOWN), mapped(), erasure=True)
    assert [event["ce"]["type"] for event in events] == [STOP_REQUESTED, RIGHT_REQUESTED]
    stop, right = (event["data"] for event in events)
    assert (stop["recipients"], stop["purposes"], stop["channels"]) == (["marmotte"], ["ad_tracking"], ["tracker"])
    assert right["right"] == "erasure"
    assert stop["contacts"] == right["contacts"] == [{"type": "browser", "value": "b-1"}]

    for event in events:
        envelope = Envelope(event["ce"]["id"], "carte-coing", event["ce"]["type"])
        taken = accept(
            envelope, json.dumps(event["data"]).encode(), party="carte-coing", received_at=DAY, registry=VIEW
        )
        assert taken.facts["contact_types"] == ["browser"]
    everyone = mapped(vendors={"755": "canalvert"})
    assert withdrawal_events(choice(), decode(KNOWN), everyone, erasure=True) == []


def test_the_instant_of_the_banner_lies_on_the_day_of_the_string():
    core = decode(KNOWN)
    assert moment(choice(), core) == DAY
    assert moment(choice(at="2026-11-24T17:00:00Z"), core) == DAY + timedelta(hours=17)
    for outside in ("2026-11-23T23:59:59Z", "2026-11-25T00:05:00Z"):
        with pytest.raises(InputError):
            moment(choice(at=outside), core)


@pytest.fixture
def vendors(tmp_path):
    file = tmp_path / "vendors.yaml"
    file.write_text(json.dumps(banner()))
    return str(file)


def run(*words):
    return CliRunner().invoke(build(["tcf"]), ["tcf", *words], catch_exceptions=False)


def test_the_command_reads_a_file_and_a_string(vendors, tmp_path):
    file = tmp_path / "choices.jsonl"
    lines = [
        {"tc_string": KNOWN, "browser": "b-1"}, {"tc_string": "nonsense", "browser": "b-2"},
        {"tc_string": KNOWN, "browser": "b-3", "email": "jeanne@courriel.example"},
    ]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n{\n")
    result = run(str(file), "--vendors", vendors)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert "TCF-JOINED /email" in result.stderr
    assert "jeanne" not in result.stderr + result.stdout
    one = run(KNOWN, "--browser", "b-1", "--vendors", vendors)
    assert one.exit_code == 0
    assert json.loads(one.stdout)["data"] == json.loads(result.stdout)["data"]
    stops = run(KNOWN, "--browser", "b-1", "--vendors", vendors, "--withdrawals", "--erasure")
    assert len(stops.stdout.splitlines()) == 2
    with pytest.raises(InputError):
        run(KNOWN, "--vendors", vendors)


@pytest.mark.parametrize("broken", ["{", "[]", "collector: x", json.dumps(banner(vendors={"x": "canalvert"}))])
def test_a_map_that_cannot_be_read_is_said_so(broken, tmp_path):
    file = tmp_path / "vendors.yaml"
    file.write_text(broken)
    with pytest.raises(InputError):
        run(KNOWN, "--browser", "b", "--vendors", str(file))
