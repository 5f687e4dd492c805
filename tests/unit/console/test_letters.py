"""The list of dead letters: places and reasons in memory, never contents; gone with their seven days, bounded, resolved once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from services.console import letters as module
from services.console.letters import Letters
from shared.clock import ManualClock
from shared.errors import ConfigurationError, InputError
from shared.instants import to_millis
from shared.kafka.letters import Letter, letters_of, resolution_of, resolutions_of

NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)
LETTER = Letter(0, 4, to_millis(NOW), "SCHEMA", "no such form", "in.acme.consents", 0, 10, 1, b"k", b"jeanne@courriel.example",
                (("ce_id", b"e-1"),))  # fmt: skip


class Outbox:
    def __init__(self):
        self.sent = []

    async def send_all(self, messages):
        self.sent.append(list(messages))


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def letters(clock):
    return Letters(SimpleNamespace(), Outbox(), clock, None)


def test_what_a_letter_holds_is_not_remembered(letters):
    letters._take([LETTER], {})
    (kept,) = letters.waiting()
    assert (kept.id, kept.code, kept.topic) == ("0/4", "SCHEMA", "in.acme.consents")
    assert (kept.key, kept.value, kept.headers) == (None, None, ())
    assert "jeanne" not in repr(vars(letters))


def test_a_resolved_letter_waits_no_more_whoever_resolved_it_and_an_old_one_is_gone(letters, clock):
    letters._take([LETTER, replace(LETTER, offset=5)], {})
    sent = resolution_of(LETTER, "dropped", "essai")
    record = SimpleNamespace(
        partition=0, offset=9, timestamp=1, key=None, value=None, headers=sent.headers, topic="dead"
    )
    assert letters_of([record]) == []
    letters._take([], resolutions_of([record]))  # the command did it
    assert [one.id for one in letters.waiting()] == ["0/5"]
    assert letters.resolution("0/4") == "dropped"
    clock.advance(timedelta(days=7))
    assert letters.waiting() == []


def test_a_flood_is_bounded_and_the_newest_stay(letters, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    letters._take([replace(LETTER, offset=n, timestamp=LETTER.timestamp + n) for n in range(25)], {"0/3": "replayed"})
    assert [one.offset for one in letters.waiting()] == list(range(24, 14, -1))
    assert letters.resolution("0/3") is None


async def test_a_replay_goes_where_it_came_from_before_it_is_called_resolved(letters):
    await letters.resolve(LETTER, "replayed", "dossier 14")
    (again,), (resolved,) = letters._publisher.sent
    assert (again.topic, again.partition, again.key, again.value, again.headers) == (
        "in.acme.consents", 0, b"k", LETTER.value, LETTER.headers,
    )  # fmt: skip
    assert (resolved.topic, dict(resolved.headers)["opposable-of"]) == ("dead", b"0/4")
    with pytest.raises(InputError):
        await letters.resolve(replace(LETTER, resolution="replayed"), "dropped", "encore")


@pytest.mark.parametrize("topic", ["verdicts", "stops", "out.acme.receipts", "erasures", ""])
async def test_facts_are_never_written_from_the_console(letters, topic):
    with pytest.raises(ConfigurationError):
        await letters.resolve(replace(LETTER, topic=topic), "replayed", "dossier 14")
    assert letters._publisher.sent == []
    await letters.resolve(replace(LETTER, topic=topic), "dropped", "dossier 14")  # giving up is allowed
    assert len(letters._publisher.sent) == 1
