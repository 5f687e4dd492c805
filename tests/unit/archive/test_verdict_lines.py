"""Lines of verdicts: committed to one by one in the log, kept beside it, shown each to whom it concerns (docs/decisions/0025)."""

import copy
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.proof_archive.bundles.dossier import Item
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.domain import LINES_LOST, entry_of
from services.proof_archive.entitlement import lines_shown, named_in
from services.rights_handler.decoding import read
from shared import canonical
from shared.crypto.encoding import b64, b64url
from shared.crypto.sealing import verify_commitment
from shared.errors import InputError, IntegrityError
from shared.kafka.record import StoredRecord
from shared.verdicts import Opened, event_of, is_committed, opened_of, said

SECRET = bytes(range(32))
FACTS = {"kind": "consent.assessed", "record": "acme/1", "collector": "acme", "ruleset_seq": 1}


def line(recipient, channel="email", verdict="valid", value="granted"):
    return {"recipient": recipient, "channel": channel, "purpose": "prospecting", "value": value, "verdict": verdict,
            "reasons": []}  # fmt: skip


def reference(key, offset):
    return {"key": key, "offset": offset, "archived_at": "2026-09-01T00:00:00.000Z"}


LINES = [line("canalvert"), line("voltis", "sms", "invalid"), line("canalvert", "call"), line(None)]
REFERENCES = [
    reference("list:acme-partners:12", 1), reference("agreement:acme-canalvert:3", 2), reference("agreement:acme-voltis:1", 3),
    reference("party:acme", 4), reference("party:canalvert", 5), reference("party:voltis", 6), reference("agreement:gone:1", 9),
]  # fmt: skip
EVENT = event_of(FACTS, Opened(SECRET, LINES, REFERENCES))


def stored(event):
    return StoredRecord("verdicts", 0, 7, 1_790_000_000_000, b"acme/1", canonical.dumps(event))


def test_the_log_holds_no_line_and_no_name():
    entry = entry_of(stored(EVENT))
    assert entry.flaw is None
    assert entry.refs == ("record:acme/1",)
    for name in (b"canalvert", b"voltis", b"list:", b"email", b64(SECRET).encode()):
        assert name not in entry.data
        assert name in entry.aside
    facts = json.loads(entry.data)["facts"]
    assert (len(facts["line_commitments"]), len(facts["reference_commitments"])) == (4, 7)
    assert Opened.parse(entry.aside) == Opened(SECRET, LINES, REFERENCES)


def test_a_line_is_committed_to_as_documented():
    salt = hmac.new(SECRET, b"verdict\x00/lines/1", hashlib.sha256).digest()
    message = b"/lines/1\x00" + json.dumps(LINES[1], sort_keys=True, separators=(",", ":")).encode()
    expected = b64url(hmac.new(salt, message, hashlib.sha256).digest())
    assert EVENT["facts"]["line_commitments"][1] == expected
    verify_commitment(expected, salt, "/lines/1", LINES[1])


def test_the_salt_of_one_line_tells_nothing_of_the_others():
    """Recipients come from a public list: whoever could test a guess would know every line."""
    opened = Opened(SECRET, LINES, REFERENCES)
    mine = opened.salt("/lines/0")
    for pointer, value in list(opened.values())[1:]:
        fact = "line_commitments" if "lines" in pointer else "reference_commitments"
        commitment = EVENT["facts"][fact][int(pointer.rpartition("/")[2])]
        verify_commitment(commitment, opened.salt(pointer), pointer, value)  # the guess is right
        with pytest.raises(IntegrityError):
            verify_commitment(commitment, mine, pointer, value)
    salts = {opened.salt(pointer) for pointer, _ in opened.values()}
    assert len(salts) == 11
    twins = Opened(SECRET, [LINES[0], LINES[0]], []).commitments()["line_commitments"]
    assert twins[0] != twins[1], "equal lines are not seen to be equal"


def test_consumers_read_both_versions():
    old = {"facts": {**FACTS, "v": 1, "lines": LINES, "references": REFERENCES}}
    for event in (EVENT, old):
        facts = said(event)
        assert (facts["lines"], facts["references"]) == (LINES, REFERENCES)
        assert read(canonical.dumps(event)).facts["lines"] == LINES
    assert entry_of(stored(old)).aside is None
    assert b"canalvert" in entry_of(stored(old)).data, "what an entry of version 1 still shows"
    assert said({"facts": {"kind": "stop.recorded"}}) == {"kind": "stop.recorded"}


def altered(change):
    event = copy.deepcopy(EVENT)
    change(event)
    return event


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.pop("opened"),
        lambda e: e["opened"].pop("secret"),
        lambda e: e["opened"].update(more=1),
        lambda e: e["opened"].update(secret=b64(bytes(31))),
        lambda e: e["opened"].update(secret="é"),
        lambda e: e["opened"].update(secret=None),
        lambda e: e["opened"].update(lines={}),
        lambda e: e["opened"].update(lines=[1]),
        lambda e: e["opened"]["lines"].reverse(),
        lambda e: e["opened"]["lines"].pop(),
        lambda e: e["opened"]["lines"].append(line("hibou")),
        lambda e: e["opened"]["lines"][1].update(verdict="valid"),
        lambda e: e["opened"]["references"][0].update(offset=2),
        lambda e: e["facts"]["line_commitments"].append("x"),
        lambda e: e["facts"].update(line_commitments=None),
    ],
)
def test_lines_that_are_not_those_committed_to_are_nobodys(change):
    event = altered(change)
    entry = entry_of(stored(event))
    assert (entry.flaw, entry.aside) == (LINES_LOST, None)
    assert json.loads(entry.data)["facts"] == event["facts"], "archived all the same, exactly"
    with pytest.raises(IntegrityError):
        said(event)
    with pytest.raises(InputError):
        read(canonical.dumps(event))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_content_stops_the_archive(value):
    event = {**EVENT, "opened": value}
    try:
        record = stored(event)
    except TypeError:  # a text or a number that no JSON of ours holds
        return
    assert entry_of(record).flaw == LINES_LOST
    with pytest.raises(IntegrityError):
        opened_of(EVENT["facts"], value)


def test_of_the_version_only_two_is_committed():
    assert is_committed(EVENT["facts"])
    for version in (1, 3, "2", None):
        assert not is_committed({**EVENT["facts"], "v": version})
    assert not is_committed({**EVENT["facts"], "kind": "consent.recorded"})


VERDICT = Item("o", "verdicts", 1, 0, 0, b"", EVENT["facts"], covered=True, opened=Opened(SECRET, LINES, REFERENCES))
REGISTRY = [
    Item("o", "registry", 2, n, offset, b"", {"kind": "agreement", "prospector": party}, covered=True)
    for n, (offset, party) in enumerate([(2, "canalvert"), (3, "voltis")])
]
ALL = {pointer for pointer, _ in VERDICT.opened.values()}


@pytest.mark.parametrize(
    ("scope", "party", "shown"),
    [
        (
            "prospector",
            "canalvert",
            {"/lines/0", "/lines/2", "/references/0", "/references/1", "/references/3", "/references/4"},
        ),
        ("prospector", "voltis", {"/lines/1", "/references/0", "/references/2", "/references/3", "/references/5"}),
        ("prospector", "hibou", {"/references/0", "/references/3"}),
        ("person", None, {p for p in ALL if p not in {"/references/1", "/references/2", "/references/6"}}),
        ("collector", "acme", ALL),
        ("auditor", "cabinet", ALL),
        ("operator", None, ALL),
    ],
)
def test_who_is_shown_which_lines(scope, party, shown):
    assert lines_shown(Audience(scope=scope, party=party), VERDICT, REGISTRY) == shown


def test_whom_a_verdict_names_is_read_from_what_stands_beside_it():
    assert named_in([VERDICT]) == {"canalvert", "voltis"}
    refused = Item("o", "verdicts", 1, 0, 0, b"", EVENT["facts"], covered=True,
                   opened=Opened(SECRET, [line("voltis", value="refused")], []))  # fmt: skip
    assert named_in([refused]) == set()
