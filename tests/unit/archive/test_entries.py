"""An entry is a function of its record alone, and never fails on content."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.proof_archive.bundles.entries import read_entry
from services.proof_archive.domain import INLINE_MOST, entry_of, origin
from shared import canonical
from shared.kafka.record import StoredRecord
from tests.fakes.archive import stored

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_z", max_size=6), inner, max_size=4),
    max_leaves=20,
)


def raw(value, topic="consents", key=b"k"):
    return StoredRecord(topic, 3, 41, 1_790_000_000_123, key, value)


@given(st.dictionaries(st.text("abcdefghij_", min_size=1, max_size=8), JSON, max_size=6))
def test_the_bytes_are_the_canonical_object(facts):
    record = stored("verdicts", 7, facts, partition=2)
    expected = canonical.dumps(
        {"v": 1, "topic": "verdicts", "partition": 2, "offset": 7, "ts": record.timestamp, "facts": facts}
    )
    assert entry_of(record).data == expected


@given(
    st.none() | st.binary(max_size=200) | JSON.map(canonical.dumps),
    st.sampled_from(["consents", "registry", "erasures"]),
)
def test_whatever_the_value_there_is_one_entry_and_it_is_the_same_again(value, topic):
    first, again = entry_of(raw(value, topic)), entry_of(raw(value, topic))
    assert first == again
    assert len(first.data) <= 65_535
    assert canonical.loads(first.data)["offset"] == 41


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"facts":[]}',
        b'{"facts":{"x":1.5}}',
        b'{"facts":{"x":9007199254740992}}',
        b'{"facts":{"x":1e400}}',
        '{"facts":{"é":1}}'.encode(),
        b'{"facts":{"x":"\xff"}}',
        b'{"facts":{"x":' + b"[" * 300 + b"]" * 300 + b"}}",
        b'{"facts":' * 2000,
    ],
)
def test_facts_outside_the_public_profile_are_kept_by_their_hash(value):
    entry = entry_of(raw(value))
    assert entry.flaw == "UNREADABLE"
    assert canonical.loads(entry.data)["facts"] == {
        "kind": "unreadable",
        "sha256": hashlib.sha256(value or b"").hexdigest(),
        "bytes": len(value or b""),
    }
    assert entry.refs == ()


def test_the_key_and_the_sealed_part_change_no_byte():
    facts = {"kind": "consent.recorded", "record": "acme/1", "v": 1}
    plain = entry_of(stored("consents", 1, facts))
    sealed = entry_of(stored("consents", 1, facts, sealed=base64.b64encode(b"secret").decode(), key=None))
    assert plain.data == sealed.data
    assert plain.sealed is None
    assert (sealed.sealed.owner, sealed.sealed.kind, sealed.sealed.blob) == ("acme/1", "consent.recorded", b"secret")


@pytest.mark.parametrize(("size", "aside"), [(INLINE_MOST, False), (INLINE_MOST + 1, True)])
def test_long_facts_stand_beside_the_entry(size, aside):
    facts = {"kind": "k", "record": "acme/1", "x": ""}
    facts["x"] = "y" * (size - len(canonical.dumps(facts)))
    entry = entry_of(stored("verdicts", 1, facts))
    written = canonical.loads(entry.data)["facts"]
    assert len(entry.data) <= 65_535
    assert entry.refs == ("record:acme/1",)
    if aside:
        assert entry.body == canonical.dumps(facts)
        assert written == {"sha256": hashlib.sha256(entry.body).hexdigest(), "bytes": size}
        assert read_entry("o", 0, entry.data, entry.body).facts.record == "acme/1"
    else:
        assert entry.body is None
        assert written == facts


@pytest.mark.parametrize(
    ("topic", "facts", "owner"),
    [
        ("consents", {"kind": "consent.recorded", "record": "acme/1"}, "acme/1"),
        ("stops", {"kind": "stop.recorded", "stop": "acme/s1", "record": None}, "stop/acme/s1"),
        ("requests", {"kind": "request.received", "request": "acme/r1"}, "request/acme/r1"),
        ("verdicts", {"kind": "consent.assessed", "record": "acme/1"}, None),
        ("reports", {"kind": "contact.attempted", "record": "acme/1"}, None),
        ("consents", {"kind": "consent.recorded", "record": 3}, None),
        ("consents", {"kind": "consent.conflict", "record": "acme/1"}, None),
        ("stops", {"kind": "stop.conflict", "stop": "acme/s1"}, None),
    ],
)
def test_personal_data_is_kept_once_under_the_name_of_its_key(topic, facts, owner):
    sealed = entry_of(stored(topic, 1, facts, sealed=base64.b64encode(b"secret").decode())).sealed
    assert (sealed.owner if sealed else None) == owner


def test_a_sealed_part_that_is_no_base64_does_not_cost_the_facts():
    entry = entry_of(stored("consents", 1, {"kind": "consent.recorded", "record": "acme/1"}, sealed="%%%"))
    assert entry.flaw == "SEALED-UNREADABLE"
    assert entry.sealed is None
    assert entry.refs == ("record:acme/1",)


@pytest.mark.parametrize(
    ("topic", "facts", "refs"),
    [
        (
            "deliveries",
            {"order": "o1", "stop": "a/s", "record": "a/1", "party": "x"},
            {"order:o1", "stop:a/s", "record:a/1"},
        ),
        ("reports", {"order": "o1"}, {"order:o1"}),
        ("requests", {"request": "a/r"}, {"request:a/r"}),
        ("stops", {"stop": "a/s", "record": "a/1"}, {"stop:a/s", "record:a/1"}),
        ("stops", {"stop": "a/s" * 200, "record": ["a"]}, set()),
    ],
)
def test_references(topic, facts, refs):
    assert set(entry_of(stored(topic, 1, facts)).refs) == refs


def test_registry_objects_are_archived_without_keys_and_delivery():
    party = {
        "kind": "party",
        "id": "acme",
        "api_keys": [{"sha256": "x"}],
        "delivery": {"mode": "kafka"},
        "country": "FR",
    }
    entry = entry_of(raw(canonical.dumps(party), "registry", b"party:acme"))
    assert canonical.loads(entry.data)["facts"] == {"kind": "party", "id": "acme", "country": "FR"}
    assert entry.refs == ("registry:party:acme",)
    assert entry_of(raw(canonical.dumps(party), "registry", b"\xff\x00")).refs == ()
    assert entry_of(raw(canonical.dumps(party), "registry", None)).refs == ()


@pytest.mark.parametrize(
    ("kind", "erased", "restricted"),
    [("record.erased", True, False), ("erased", True, False), ("owner.shredded", True, False),
     ("record.restricted", False, True), ("key.destroyed", False, False), ("hold.added", False, False)],
)  # fmt: skip
def test_only_an_erasure_erases_and_only_a_restriction_restricts(kind, erased, restricted):
    facts = {"kind": kind, "record": "acme/1", "also": ["stop/acme/s-1", 7]}
    entry, owners = entry_of(stored("erasures", 1, facts)), ("acme/1", "stop/acme/s-1")
    assert entry.erased == (owners if erased else ())
    assert entry.restricted == (owners if restricted else ())
    elsewhere = entry_of(stored("reports", 1, facts))
    assert (elsewhere.erased, elsewhere.restricted) == ((), ())
    assert entry_of(stored("erasures", 1, {"kind": kind, "record": 3, "also": []})).erased == ()
    assert entry_of(stored("erasures", 1, {"kind": kind, "record": "a/b", "also": "x"})).erased == (("a/b",) * erased)


def test_origin_names_the_deployment_the_topic_its_incarnation_and_the_partition():
    assert (
        origin("opposable.local", "consents", "0123456789abcdef", 2) == "opposable.local/consents/0123456789abcdef/p02"
    )
    assert origin("d", "stops", "0" * 16, 112).endswith("/p112")
