"""`topics`, `registry`, `dead` and `party` as processes, against a real Kafka that holds nothing but what they put there."""

import asyncio
import base64
import os
import subprocess
import sys

import pytest

from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.record import StoredRecord
from shared.local_engines.plan import ROOT
from tests.integration.engines.command_world import NOTICE, PARTY, publish, read, write_registry

pytestmark = pytest.mark.engines


def test_topics_from_nothing_to_as_the_table_says(opposable, tmp_path):
    assert "opposable topics apply" in opposable("dead", "list", code=2, as_json=False)
    assert "opposable topics apply" in opposable("party", "list", code=2, as_json=False)
    registry = write_registry(tmp_path / "registry", PARTY | {"id": "acme"})
    missing = {
        one["topic"] for one in opposable("topics", "plan", "--registry", registry, code=1) if one["kind"] == "missing"
    }
    assert {"consents", "registry", "dead", "in.acme.consents", "out.acme.receipts"} <= missing
    created = opposable("topics", "apply", "--registry", registry)["created"]
    assert set(created) == missing
    assert opposable("topics", "plan") == []
    assert "as the table says" in opposable("topics", "plan", as_json=False)
    wrong = opposable("topics", "plan", "--partitions", "5", code=1)
    assert {one["kind"] for one in wrong} == {"partitions"}


def test_registry_publishes_what_changed_and_never_rewrites_a_version(opposable, tmp_path):
    folder = tmp_path / "registry"
    write_registry(folder, PARTY, NOTICE)
    first = opposable("registry", "apply", str(folder))
    assert set(first["published"]) <= {"party:canalvert", "notice:mentions:1"}
    assert opposable("registry", "diff", str(folder))["would_publish"] == []
    write_registry(folder, PARTY | {"legal_name": "Canal Vert Holding"}, NOTICE)
    said = opposable("registry", "apply", str(folder), as_json=False)
    assert "~ party:canalvert  (/legal_name)" in said
    write_registry(folder, PARTY | {"legal_name": "Other"}, NOTICE | {"sha256": "b" * 64})
    refused = opposable("registry", "apply", str(folder), code=1)
    assert refused["refused"] == [{"key": "notice:mentions:1", "changed": ["/sha256"]}]
    assert [one["legal_name"] for one in opposable("party", "list") if one["id"] == "canalvert"] == [
        "Canal Vert Holding"
    ]
    said = opposable("registry", "apply", str(folder), code=1, as_json=False)
    assert "give the documents marked ! a new version" in said


@pytest.mark.usefixtures("provisioned")
async def test_dead_letters_are_listed_shown_replayed_byte_for_byte_and_given_up(opposable, endpoints, tmp_path):
    value, headers = b"\x00\x1b[31m{broken \xff", (("ce_id", b"\xfe"), ("null", None))
    bad = [StoredRecord("in.canalvert.rights", 0, n, 1, b"k\x00%d" % n, value + b"%d" % n, headers) for n in range(3)]
    await publish(endpoints, *(to_outgoing(DeadLetter(one, "JSON", "not JSON")) for one in bad))

    def call(*words, **options):
        return asyncio.to_thread(opposable, "dead", *words, **options)

    letters = await call("list")
    assert {(one["code"], one["topic"], one["offset"], one["bytes"]) for one in letters} == {
        ("JSON", "in.canalvert.rights", n, len(value) + 1) for n in range(3)
    }
    by_offset = {one["offset"]: one["id"] for one in letters}
    shown = await call("show", by_offset[0], "--raw", str(tmp_path / "raw"))
    assert (tmp_path / "raw").read_bytes() == bad[0].value
    assert shown["headers"] == [["ce_id", "\\xfe"], ["null", None]]
    assert shown["value"].isprintable()
    assert "\x1b" not in await call("show", by_offset[0], as_json=False)

    assert await call("replay", by_offset[0]) == {"replayed": [by_offset[0]], "left": 0}
    assert await call("drop", by_offset[1], "--reason", "a test") == {"dropped": [by_offset[1]], "left": 0}
    assert "DEAD-UNKNOWN" in await call("replay", by_offset[0], code=2, as_json=False)
    assert "DEAD-WHICH" in await call("replay", code=2, as_json=False)
    assert [one["offset"] for one in await call("list")] == [2]
    assert {one["resolution"] for one in await call("list", "--resolved")} == {"replayed", "dropped", None}
    (again,) = await read(endpoints, "in.canalvert.rights")
    assert (again.key, again.value, again.headers) == (bad[0].key, bad[0].value, headers)
    settled = [dict(one.headers) for one in await read(endpoints, "dead") if one.value is None]
    assert {one["opposable-reason"] for one in settled} == {b"replayed by the operator", b"a test"}
    assert base64.b64encode(bad[2].key) in {
        dict(one.headers).get("opposable-key") for one in await read(endpoints, "dead")
    }

    await publish(endpoints, *(to_outgoing(DeadLetter(one, "FLOOD", "many")) for one in bad))
    capped = await call("drop", "--code", "FLOOD", "--max", "2", "--reason", "flood")
    assert (len(capped["dropped"]), capped["left"]) == (2, 1)


@pytest.mark.usefixtures("provisioned")
def test_simulate_prints_what_the_party_knows_and_refuses_a_stranger(opposable):
    said = opposable("party", "simulate", "canalvert", "--silent", "--for", "2", as_json=False)
    assert said.startswith("canalvert: ")
    assert "stop orders" in said
    assert "is nobody a registered party?" in opposable(
        "party", "simulate", "nobody", "--for", "5", code=2, as_json=False
    )


def test_a_kafka_that_does_not_answer_is_said():
    environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "OPPOSABLE_DATA_DIR": ""}
    done = subprocess.run([sys.executable, "-m", "services.cli.main", "dead", "list"], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "Kafka does not answer" in done.stderr or "Kafka ne répond pas" in done.stderr
    assert "Traceback" not in done.stderr
