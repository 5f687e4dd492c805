"""The way of a stop from its handler to the parties: six steps of the database, and what needs no other runs beside it."""

import asyncio

from services.rights_handler.fanout import FanOut
from services.rights_handler.persons import CONSENT_KIND, Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.teller import Teller
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey, seal
from shared.metrics import Metrics
from tests.fakes.rights import Direct
from tests.unit.rights.rights_world import RECORD, START, TIMES, TOKENS, FakeRegistry, make_grant, make_line, make_stop

KEY = RecordKey(b"k" * 32)
DOCUMENT = {"contacts": [{"type": "email", "value": "jeanne@exemple.example"}], "subject_ref": "lead-1"}


class Recorded(Direct):
    """Each call takes a turn of the loop, and writes down when it begins and when it ends."""

    def __init__(self):
        super().__init__()
        self.log = []

    def __getattr__(self, name):
        inner = super().__getattr__(name)

        async def call(*args):
            if name == "open_obligations" and not args[0]:
                return None  # nothing to write is no call
            self.log.append(("begin", name))
            for _ in range(3):
                await asyncio.sleep(0)
            result = await inner(*args)
            self.log.append(("end", name))
            return result

        return call

    async def send_all(self, messages):
        if messages:
            self.log.append(("begin", "publish"))
        await super().send_all(messages)


class Vault:
    def __init__(self, log):
        self.log = log

    async def read(self, record_ids):
        self.log.append(("begin", "vault"))
        for _ in range(3):
            await asyncio.sleep(0)
        self.log.append(("end", "vault"))
        return dict.fromkeys(record_ids, KEY)


async def test_a_stop_that_meets_a_consent():
    ports = Recorded()
    persons = Persons(Vault(ports.log), pepper=b"p" * 32, match_master=b"m" * 32)
    teller = Teller(
        outbox=ports, persons=persons, registry=FakeRegistry(), tokens=TOKENS, metrics=Metrics(), public_url="https://x",
        proof_url="https://x",
    )  # fmt: skip
    within = lambda _collector, _party: TIMES.repeat  # noqa: E731
    crossing = Crossing(ports, FanOut(ports, ports, teller, ManualClock(START), within, TIMES), teller)
    ports.world.put_grants([make_grant(make_line(), sealed=seal(KEY, CONSENT_KIND, RECORD, DOCUMENT))])
    await crossing.stops([make_stop()])
    begun = [name for what, name in ports.log if what == "begin"]
    assert begun[:3] == ["put_stops", "grants_about", "transfers_of"]
    assert set(begun[3:5]) == {"open_deliveries", "vault"}
    assert begun[5:] == ["publish", "mark_published"]
    opened = [entry for entry in ports.log if entry[1] in ("open_deliveries", "vault")]
    assert [what for what, _ in opened] == ["begin", "begin", "end", "end"]  # side by side
    orders = [m for m in ports.world.published if m.topic.endswith(".withdrawals")]
    assert {m.topic for m in orders} == {"out.canalvert.withdrawals", "out.acme.withdrawals"}
    assert all(b"m1." in m.value for m in orders)  # with the match keys of the person opened meanwhile
