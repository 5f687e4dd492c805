"""What waits for people is counted: messages that need the operator, files that somebody must post."""

import os

import structlog

from services.notifier.watching import Watch, waiting_files
from shared.metrics import Metrics


class Owed:
    def __init__(self):
        self.counts = {"failed": 0, "bounced": 2, "stuck": 1}

    async def owed_counts(self):
        return self.counts


def written(folder, name, age, now=1_000_000.0):
    path = folder / name
    path.write_bytes(b"x")
    os.utime(path, (now - age, now - age))


def test_files_are_counted_by_kind_with_their_age_and_an_annex_is_part_of_its_letter(tmp_path):
    written(tmp_path, "a.pdf", 90_000)
    written(tmp_path, "a.annexe-1.pdf", 90_000)
    written(tmp_path, "b.pdf", 10)
    written(tmp_path, "c.eml", 5)
    written(tmp_path, "d.sms.json", -3)
    found = waiting_files(tmp_path, 1_000_000.0)
    assert sorted(found["letter"]) == [10.0, 90_000.0]
    assert found["mail"] == [5.0]
    assert found["sms"] == [0.0]
    assert waiting_files(tmp_path / "missing", 0.0) == {"letter": [], "mail": [], "sms": []}


async def test_the_gauges_follow_what_is_there(tmp_path):
    metrics, owed = Metrics(), Owed()
    watch = Watch(owed, tmp_path, metrics, structlog.get_logger())
    (tmp_path / "a.pdf").write_bytes(b"x")
    await watch.look()

    def value(name, **labels):
        return metrics.registry.get_sample_value(f"opposable_{name}", labels)

    assert value("messages_owed", state="bounced") == 2
    assert value("messages_owed", state="stuck") == 1
    assert value("message_files", kind="letter") == 1
    assert value("message_files_oldest_seconds", kind="letter") < 60
    (tmp_path / "a.pdf").unlink()
    owed.counts = {"failed": 0, "bounced": 0, "stuck": 0}
    await watch.look()
    assert value("messages_owed", state="bounced") == 0
    assert value("message_files", kind="letter") == 0
    assert value("message_files_oldest_seconds", kind="letter") == 0
