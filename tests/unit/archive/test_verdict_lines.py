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


def line(recipient, channel="email", verdict="valid", value="granted", references=()):
    return {"recipient": recipient, "channel": channel, "purpose": "prospecting", "value": value, "verdict": verdict,
            "reasons": [], "references": list(references)}  # fmt: skip


def reference(key, offset):
    return {"key": key, "offset": offset, "archived_at": "2026-09-01T00:00:00.000Z"}


COMMON = [reference("list:acme-partners:12", 1), reference("party:acme", 4)]
MINE, VOLTIS = reference("agreement:acme-canalvert:3", 2), reference("agreement:acme-voltis:1", 3)
LINES = [line("canalvert", references=[MINE]), line("voltis", "sms", "invalid", references=[VOLTIS]), line("canalvert", "call"),
         line(None)]  # fmt: skip
FACTS = {**FACTS, "references": COMMON}
EVENT = event_of(FACTS, Opened(SECRET, LINES))


def stored(event):
    return StoredRecord("verdicts", 0, 7, 1_790_000_000_000, b"acme/1", canonical.dumps(event))


def test_the_log_holds_no_line_and_no_name():
    entry = entry_of(stored(EVENT))
    assert entry.flaw is None
    assert entry.refs == ("record:acme/1",)
    for name in (b"canalvert", b"voltis", b"agreement:", b"email", b64(SECRET).encode()):
        assert name not in entry.data
        assert name in entry.aside
    facts = json.loads(entry.data)["facts"]
    assert (len(facts["line_commitments"]), facts["references"]) == (4, COMMON)
    assert Opened.parse(entry.aside) == Opened(SECRET, LINES)


def test_a_line_is_committed_to_as_documented():
    salt = hmac.new(SECRET, b"verdict\x00/lines/1", hashlib.sha256).digest()
    message = b"/lines/1\x00" + json.dumps(LINES[1], sort_keys=True, separators=(",", ":")).encode()
    expected = b64url(hmac.new(salt, message, hashlib.sha256).digest())
    assert EVENT["facts"]["line_commitments"][1] == expected
    verify_commitment(expected, salt, "/lines/1", LINES[1])


def test_the_salt_of_one_line_tells_nothing_of_the_others():
    """Recipients come from a public list: whoever could test a guess would know every line."""
    opened = Opened(SECRET, LINES)
    mine = opened.salt("/lines/0")
    for index, value in list(enumerate(LINES))[1:]:
        pointer, commitment = f"/lines/{index}", EVENT["facts"]["line_commitments"][index]
        verify_commitment(commitment, opened.salt(pointer), pointer, value)  # the guess is right
        with pytest.raises(IntegrityError):
            verify_commitment(commitment, mine, pointer, value)
    assert len({opened.salt(f"/lines/{index}") for index in range(4)}) == 4
    twins = Opened(SECRET, [LINES[0], LINES[0]]).commitments()
    assert twins[0] != twins[1], "equal lines are not seen to be equal"


def test_consumers_read_both_versions():
    all_of_it = [*COMMON, MINE, VOLTIS]
    plain = [{name: value for name, value in one.items() if name != "references"} for one in LINES]
    old = {"facts": {**FACTS, "v": 1, "lines": plain, "references": all_of_it}}
    for event, lines in ((EVENT, LINES), (old, plain)):
        facts = said(event)
        assert (facts["lines"], facts["references"]) == (lines, all_of_it)
        assert read(canonical.dumps(event)).facts["lines"] == lines
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
        lambda e: e["opened"]["lines"][0]["references"].clear(),
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
        opened_of(event["facts"], event.get("opened"))


@pytest.mark.parametrize("opened", [None, {}, {"lines": LINES}, {"secret": b64(SECRET), "lines": [1]}])
def test_a_verdict_without_its_lines_is_put_aside_by_who_acts_on_it(opened):
    event = {**EVENT, "opened": opened}
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


VERDICT = Item("o", "verdicts", 1, 0, 0, b"", EVENT["facts"], covered=True, opened=Opened(SECRET, LINES))
ALL = {"/lines/0", "/lines/1", "/lines/2", "/lines/3"}


@pytest.mark.parametrize(
    ("scope", "party", "shown"),
    [
        ("prospector", "canalvert", {"/lines/0", "/lines/2"}), ("prospector", "voltis", {"/lines/1"}), ("prospector", "hibou", set()),
        ("person", None, ALL), ("collector", "acme", ALL), ("auditor", "cabinet", ALL), ("operator", None, ALL),
    ],
)  # fmt: skip
def test_who_is_shown_which_lines(scope, party, shown):
    assert lines_shown(Audience(scope=scope, party=party), VERDICT) == shown
    old = Item("o", "verdicts", 1, 0, 0, b"", {**EVENT["facts"], "lines": LINES}, covered=True)
    assert lines_shown(Audience(scope=scope, party=party), old) == set(), "a leaf that holds them shows them itself"


def test_whom_a_verdict_names_is_read_from_what_stands_beside_it():
    assert named_in([VERDICT]) == {"canalvert", "voltis"}
    refused = Item(
        "o",
        "verdicts",
        1,
        0,
        0,
        b"",
        EVENT["facts"],
        covered=True,
        opened=Opened(SECRET, [line("voltis", value="refused")]),
    )
    assert named_in([refused]) == set()
    assert VERDICT.references == [*COMMON, MINE, VOLTIS]
