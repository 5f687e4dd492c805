"""The eraser: which keys an entry asks for, and that none goes before the log and the index are done with it."""

import orjson
import pytest

from services.eraser.confirmations import ARCHIVE, INDEX, KafkaConfirmations
from services.eraser.domain import Order, destroyed, order_of, settled, waiting_for
from services.eraser.handlers import Destroying
from shared.clock import ManualClock
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import Signer, sign
from shared.errors import IntegrityError, Unavailable
from shared.instants import parse_instant
from shared.kafka.record import StoredRecord
from shared.local_engines.trust import policy_text
from shared.logging import configure
from shared.settings import Settings
from shared.vault import Gone

AT = "2026-11-27T10:00:00.000Z"
A, B = "acme/a", "acme/b"
LOG = configure("test", "CRITICAL")


def entry(kind, record=A, offset=0, partition=0, **more):
    value = orjson.dumps({"facts": {"kind": kind, "v": 1, "record": record, **more}})
    return StoredRecord("erasures", partition, offset, 0, record.encode(), value)


class Vault:
    """Names and what became of their keys, and the order of what was done."""

    def __init__(self):
        self.gone, self.log = {}, []

    async def restrict(self, names, until):
        self.log.append(("restrict", sorted(names), until))
        self.gone.update({name: Gone.RESTRICTED for name in names if self.gone.get(name) is not Gone.ERASED})

    async def erase(self, names, _at):
        self.log.append(("erase", sorted(names)))
        fresh = [name for name in names if self.gone.get(name) is not Gone.ERASED]
        self.gone.update(dict.fromkeys(names, Gone.ERASED))
        return len(fresh)

    async def erased_at(self, names):
        return {name: AT for name in names if self.gone.get(name) is Gone.ERASED}


class Confirmations:
    def __init__(self, signed, committed):
        self.answers = [{ARCHIVE: {0: signed}, INDEX: {0: committed}}]

    async def passed(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Publisher:
    def __init__(self):
        self.sent = []

    async def send_all(self, messages):
        self.sent += messages


def eraser(confirmations, vault=None, publisher=None):
    return Destroying(
        vault=vault or Vault(), confirmations=confirmations, publisher=publisher or Publisher(),
        clock=ManualClock(parse_instant(AT)), wait_s=0.15, log=LOG,
    )  # fmt: skip


def test_an_entry_names_its_record_and_what_goes_with_it():
    assert order_of(entry("record.erased", also=["stop/acme/s", A])) == Order(A, (A, "stop/acme/s"), destroys=True)
    assert order_of(entry("owner.shredded", "stop/acme/s")) == Order("stop/acme/s", ("stop/acme/s",), destroys=True)
    assert order_of(entry("record.restricted", until=AT)) == Order(A, (A,), destroys=False, until=AT)
    for kind in ("key.destroyed", "hold.added", "proof.opened", "something.else"):
        assert order_of(entry(kind)) is None


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b'{"facts":{}}', b'{"facts":{"kind":"record.erased"}}', b'{"facts":{"kind":"record.erased","record":7}}',
     b'{"facts":{"kind":"record.erased","record":"a/b","also":["x"]}}', b'{"facts":{"kind":"record.erased","record":"a/b","also":7}}',
     b'{"facts":{"kind":"record.restricted","record":"a/b","until":7}}'],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_touches_no_key_and_stops_everything(value):
    with pytest.raises(IntegrityError, match="no key is touched"):
        order_of(StoredRecord("erasures", 0, 0, 0, None, value))


def test_of_one_key_restricted_and_destroyed_in_one_batch_it_is_destroyed():
    orders = [Order(A, (A, "stop/s/1"), destroys=False, until=AT), Order(B, (B, "stop/s/1"), destroys=True)]
    assert settled(orders) == ({AT: [A]}, [B, "stop/s/1"])


def test_who_is_waited_for_is_named_with_where_it_stands():
    passed = {ARCHIVE: {0: 5, 1: 2}, INDEX: {0: 9}}
    assert waiting_for({0: 4}, passed) == []
    assert waiting_for({0: 5}, passed) == [f"{ARCHIVE} stands at 5 of partition 0, 6 is needed"]
    assert waiting_for({1: 1}, passed) == [f"{INDEX} stands at 0 of partition 1, 2 is needed"]


async def test_no_key_goes_before_both_have_passed_the_entry():
    for signed, committed in ((7, 8), (8, 7), (0, 0)):
        vault = Vault()
        with pytest.raises(Unavailable, match="no key is destroyed before"):
            await eraser(Confirmations(signed, committed), vault).process([entry("record.erased", offset=7)])
        assert vault.log == []


async def test_once_both_have_passed_the_key_goes_and_it_is_said_once_and_the_same():
    vault, publisher, confirmations = Vault(), Publisher(), Confirmations(8, 8)
    confirmations.answers.insert(0, {ARCHIVE: {0: 2}, INDEX: {0: 8}})
    batch = [
        entry("record.restricted", B, 5, until=AT),
        entry("key.destroyed", B, 6),
        entry("record.erased", A, 7, also=["stop/a/s"]),
    ]
    one = eraser(confirmations, vault, publisher)
    await one.process(batch)
    assert vault.log == [("restrict", [B], AT), ("erase", [A, "stop/a/s"])]
    (said,) = publisher.sent
    assert orjson.loads(said.value)["facts"] == {"kind": "key.destroyed", "v": 1, "record": A, "names": 2, "at": AT}
    await one.process(batch)  # a crash before the offset was committed
    assert publisher.sent == [said, said]
    assert vault.gone == {A: Gone.ERASED, "stop/a/s": Gone.ERASED, B: Gone.RESTRICTED}


def test_what_is_said_of_a_key_holds_no_more_than_its_record():
    said = destroyed(Order(A, (A, "report/canalvert/e"), destroys=True), AT)
    assert (said.topic, said.key) == ("erasures", A.encode())
    assert b"canalvert" not in said.value


class Registry:
    class view:  # noqa: N801
        @staticmethod
        def topic(_name):
            return type("Topic", (), {"incarnation": "0123456789abcdef"})


def test_only_checkpoints_signed_by_the_log_of_this_incarnation_count(tmp_path):
    key, other = Signer("test.local", b"s" * 32), Signer("test.local", b"o" * 32)
    (tmp_path / "policy").write_text(policy_text("test.local", b"s" * 32, b"b" * 32))
    watch = KafkaConfirmations(Settings(deployment="test.local"), tmp_path / "policy", Registry(), LOG)
    keys = watch._keys()

    def note(signer, size, topic="erasures", incarnation="0123456789abcdef", deployment="test.local"):
        origin = f"{deployment}/{topic}/{incarnation}/p02"
        watch._take(sign(Checkpoint(origin, size, b"r" * 32).marshal(), [signer]), keys)

    note(key, 4)
    note(other, 9)
    note(Signer("test.local/bundle", b"b" * 32), 9)
    note(key, 9, topic="consents")
    note(key, 9, incarnation="f" * 16)
    note(key, 9, deployment="other.local")
    watch._take(b"garbage", keys)
    assert watch._signed() == {2: 4}
    note(key, 3)  # an older one never takes back
    note(key, 6)
    assert watch._signed() == {2: 6}
