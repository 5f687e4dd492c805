"""A verdict and a request that suspends, in every order of their steps, with a crash and a replay: the last word on a line is its
end, and everyone is ordered. The search and the world are those of the stops' own proof.
"""

import orjson
from rights_world import PERSON, RECORD, make_crossing, make_grant, make_line, make_stop
from test_p3_interleavings import Durable, Quick, Search

from services.rights_handler.protocol import Crossing

GRANT = make_grant(make_line("canalvert"), make_line("assurbrelle", "sms"))
REQUEST = make_stop("request/acme/r1", kind="restriction", source="acme")


class LastWord(Durable):
    """Remembers, of permissions, the last word on each line: what a party that folds its topic goes by."""

    def __init__(self, **values):
        self.last = values.pop("last", {})
        super().__init__(**values)

    def copy(self):
        return LastWord(**{name: value.copy() for name, value in vars(self).items()})

    def key(self):
        return super().key(), frozenset(self.last.items())

    def send(self, message):
        super().send(message)
        if message.topic.endswith(".permissions"):
            body = orjson.loads(message.value)
            self.last[message.topic, body["channel"]] = dict(message.headers)["ce_type"].decode().split(".")[2]

    def send_many(self, messages):
        for message in messages:
            self.send(message)


def promise(world):
    for line, word in sorted(world.last.items()):
        yield word == "granted" and f"still told that it may: {line}"
    told = {topic.split(".")[1] for topic, kind in world.published if kind == "right.ordered.v1"}
    yield told != {"acme", "canalvert", "assurbrelle"} and f"not ordered of everyone: {sorted(told)}"


def handlers(crossing=Crossing):
    protocol = make_crossing(Quick(), crossing=crossing)
    return [lambda: protocol.verdicts([GRANT], {RECORD: PERSON}), lambda: protocol.stops([REQUEST])]


def test_whatever_the_order_a_suspended_line_ends_with_its_end():
    states, finals, broken = Search(handlers()).explore(crashes=1, promise=promise, world=LastWord)
    assert not broken, broken[:3]
    assert finals > 5
    assert states > 500


class SaidOnce(Crossing):
    """Broken: does not look again after it has told that one may."""

    async def _suspended_meanwhile(self, granted, known):
        pass


def test_saying_the_end_once_only_is_caught():
    _, _, broken = Search(handlers(SaidOnce)).explore(crashes=0, promise=promise, world=LastWord, first_only=True)
    assert broken
