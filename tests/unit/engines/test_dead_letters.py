import pytest

from services.cli.dead import printable
from shared.errors import ConfigurationError, InputError
from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.letters import letters_of, pick, replay_of, resolution_of
from shared.kafka.record import StoredRecord

HEADERS = (("ce_id", b"1"), ("empty", None), ("odd", b"\xff"), ("opposable-topic", b"forged"))


def stored(outgoing, offset, partition=0, timestamp=1000):
    return StoredRecord("dead", partition, offset, timestamp, outgoing.key, outgoing.value, outgoing.headers)


def letter(offset, *, topic="in.acme.consents", code="SCHEMA", key=b"k\x00", partition=0, timestamp=1000):
    bad = StoredRecord(topic, 2, 40 + offset, 5, key, b"\x00bytes", HEADERS)
    return stored(to_outgoing(DeadLetter(bad, code, "a sentence", 3)), offset, partition, timestamp)


def test_a_letter_comes_back_as_its_sender_wrote_it():
    (found,) = letters_of([letter(7)])
    again = replay_of(found)
    assert (again.topic, again.partition) == ("in.acme.consents", 2)
    assert (again.key, again.value, again.headers) == (b"k\x00", b"\x00bytes", HEADERS[:3])
    assert (found.id, found.code, found.attempts, found.source_offset) == ("0/7", "SCHEMA", 3, 47)


def test_a_record_without_key_is_replayed_without_key():
    (found,) = letters_of([letter(0, key=None)])
    assert replay_of(found).key is None


def test_a_resolution_settles_its_letter_alone():
    records = [letter(0), letter(1), letter(0, partition=1)]
    first = letters_of(records)[0]
    records.append(stored(resolution_of(first, "dropped", "spam"), 2))
    found = {one.id: one.resolution for one in letters_of(records)}
    assert found == {"0/0": "dropped", "0/1": None, "1/0": None}
    assert resolution_of(first, "replayed", "r").partition == 0


def test_letters_stand_oldest_first():
    records = [letter(0, timestamp=9), letter(0, partition=1, timestamp=3), letter(1, timestamp=9)]
    assert [one.id for one in letters_of(records)] == ["1/0", "0/0", "0/1"]


def test_picking_takes_what_is_named_and_nothing_by_accident():
    letters = letters_of([letter(0), letter(1, code="JSON"), letter(2, topic="in.acme.rights")])
    assert [one.id for one in pick(letters, ["0/1"], code=None, topic=None, everything=False)] == ["0/1"]
    assert [one.id for one in pick(letters, [], code="SCHEMA", topic=None, everything=False)] == ["0/0", "0/2"]
    assert [one.id for one in pick(letters, [], code="SCHEMA", topic="in.acme.rights", everything=False)] == ["0/2"]
    assert len(pick(letters, [], code=None, topic=None, everything=True)) == 3
    with pytest.raises(InputError, match="DEAD-WHICH"):
        pick(letters, [], code=None, topic=None, everything=False)
    with pytest.raises(InputError, match="DEAD-UNKNOWN at 0/9"):
        pick(letters, ["0/0", "0/9"], code=None, topic=None, everything=False)


def test_a_resolved_letter_cannot_be_replayed_again():
    first = letter(0)
    letters = letters_of([first, stored(resolution_of(letters_of([first])[0], "replayed", "r"), 1)])
    with pytest.raises(InputError, match="DEAD-UNKNOWN"):
        pick(letters, ["0/0"], code=None, topic=None, everything=False)
    assert pick(letters, [], code=None, topic=None, everything=True) == []


def test_a_letter_without_origin_is_not_replayed():
    (found,) = letters_of([StoredRecord("dead", 0, 0, 1, None, b"x", ())])
    with pytest.raises(ConfigurationError, match="0/0"):
        replay_of(found)


def test_nothing_printed_can_drive_a_terminal():
    shown = printable(b"caf\xc3\xa9 \x1b[2J\x00\xff\n\xe2\x80\xae")
    assert shown == "café \\x1b[2J\\x00\\xff\\n\\u202e"
    assert shown.isprintable()
