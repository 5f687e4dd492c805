"""The signer's memory: durable before it is believed, refused when damaged, one holder at a time."""

import os

import pytest

from services.proof_archive.checkpoints.memory import FILE, Memory
from services.proof_archive.signer import only_one, rest_of
from shared.crypto.checkpoint import Checkpoint
from shared.errors import ConfigurationError

ORIGIN = "d/consents/0123456789abcdef/p00"


def test_it_comes_back_after_a_restart(tmp_path):
    memory = Memory(tmp_path / "state")
    assert memory.get(ORIGIN) is None
    assert not memory.existed
    memory.remember({ORIGIN: Checkpoint(ORIGIN, 5, b"r" * 32)})
    memory.remember({"d/stops/0123456789abcdef/p01": Checkpoint("d/stops/0123456789abcdef/p01", 9, b"s" * 32)})
    again = Memory(tmp_path / "state")
    assert again.existed
    assert again.get(ORIGIN) == Checkpoint(ORIGIN, 5, b"r" * 32)
    assert len(again.origins()) == 2


def test_nothing_is_believed_that_the_disk_refused(tmp_path, monkeypatch):
    memory = Memory(tmp_path)
    memory.remember({ORIGIN: Checkpoint(ORIGIN, 5, b"r" * 32)})

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        memory.remember({ORIGIN: Checkpoint(ORIGIN, 6, b"t" * 32)})
    assert memory.get(ORIGIN).size == 5
    monkeypatch.undo()
    assert Memory(tmp_path).get(ORIGIN).size == 5


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"logs":{"o":{"size":"x","root":""}}}', '{"logs":{"o":{"size":1,"root":"?"}}}']
)
def test_a_damaged_memory_is_not_replaced_in_silence(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        Memory(tmp_path)


def test_one_signer_a_memory(tmp_path):
    handle = only_one(tmp_path)
    try:
        with pytest.raises(ConfigurationError, match="another signer"):
            only_one(tmp_path)
    finally:
        os.close(handle)
    os.close(only_one(tmp_path))


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.25), (0.1, 0.15), (0.2, 0.05), (0.25, 0.05), (3.0, 0.05)])
def test_rounds_begin_an_interval_apart_and_leave_a_rest(took, rest):
    assert rest_of(0.25, took) == pytest.approx(rest)
