"""Whatever an entry says, the writer refuses it by name or makes a bundle that verifies: nothing else can happen."""

import copy
from typing import Any

from bundle_world import POLICY, RECORD, World, consent_facts, line, verdict_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from services.proof_archive.verifying.verify import verify_bundle
from shared.errors import IntegrityError

STOP = {"kind": "stop.recorded", "stop": "x/1", "source": "x", "stop_kind": "objection", "record": RECORD,
        "at": "2026-10-02T17:05:00.000Z", "recipients": ["a"], "channels": "all", "purposes": "all"}  # fmt: skip
ORDER = {"kind": "delivery.acknowledged", "order": "o" * 40, "stop": "x/1", "party": "a", "record": RECORD,
         "ack_due_at": "2026-10-03T17:05:00.000Z", "reminder": 0, "status": "applied", "closed": True}  # fmt: skip
REPORT = {"kind": "notice.given", "record": RECORD, "source": "a", "at": "2026-10-03T17:05:00.000Z"}
ERASED = {"kind": "record.erased", "record": RECORD}

oddities = st.sampled_from(
    [None, True, 0, -1, 2**53 - 1, "", "all", "x" * 600, "\x00", "\u202e", "9999-12-31T23:59:59.999Z", [], {}, [None], [[]],
     {"id": 1}, {"id": "f", "version": -1, "sha256": "a" * 64}, "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z",
     "2026-10-02T17:05:00Z", "2026-10-02T17:05:00.123456789+02:00", "0999-01-01T00:00:00.000Z", [RECORD], {"/x": "y"}, {"/x": 1},
     [line("a", "email")], [{"recipient": None, "channel": "email", "purpose": "p", "verdict": "odd"}]]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_odd_facts_are_refused_by_name_or_proven(data):
    written: list[tuple[str, dict[str, Any]]] = [
        ("consents", consent_facts()), ("verdicts", verdict_facts([])), ("stops", STOP), ("deliveries", ORDER),
        ("reports", REPORT), ("erasures", ERASED),
    ]  # fmt: skip
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(written) - 1))
        topic, facts = written[at][0], copy.deepcopy(written[at][1])
        name = data.draw(st.sampled_from([*sorted(facts), "record", "stop", "order", "request", "commitments", "more"]))
        facts[name] = data.draw(oddities)
        written[at] = (topic, facts)
    world = World()
    for topic, facts in written:
        world.facts(topic, facts)
    try:
        bundle = world.bundle()
    except IntegrityError:
        return
    verification = verify_bundle(bundle, POLICY)
    assert verification.problems == ()
    assert verification.as_dict()["valid"]


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data):
    assert not verify_bundle(data, POLICY).valid
    assert not verify_bundle(b"PK\x03\x04" + data, POLICY).valid


@given(st.text(max_size=200))
def test_any_trust_file_is_refused_by_name_or_read(text):
    try:
        verify_bundle(b"", text)
    except IntegrityError as error:
        assert "trust file" in str(error)  # noqa: PT017
