"""What a witness answers to each request, and that nothing makes it cosign two histories."""

import asyncio
import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from witness_world import LOG, ORIGIN, OTHER_LOG, WITNESS, GrowingLog, body

from services.witness.app import Witness, make_app
from services.witness.domain import MAX_REQUEST, Declined, Logs, Outcome
from services.witness.ledger import Ledger
from shared.clock import ManualClock
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.merkle import EMPTY_ROOT
from shared.crypto.note import ED25519, Signer, Verifier, open_note
from shared.errors import ConfigurationError, IntegrityError

VECTORS = Path(__file__).parents[2] / "vectors" / "witness" / "litewitness_add_checkpoint.json"
SIGSUM_KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
"""The key of the log of these vectors: its origin holds the SHA-256 of it."""
START = datetime(2026, 11, 24, tzinfo=UTC)


class Post:
    """A witness in this process, asked over HTTP."""

    def __init__(self, folder, keys=(LOG.verifier,), name="state"):
        self.clock = ManualClock(START)
        self.ledger = Ledger(folder / name, WITNESS.verifier.vkey())
        self.witness = Witness(WITNESS, Logs(keys), self.ledger, self.clock)
        self.transport = httpx.ASGITransport(make_app(self.witness))

    def __call__(self, data, method="POST", path="/add-checkpoint"):
        async def ask():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://witness") as client:
                return await client.request(method, path, content=data)

        return asyncio.run(ask())

    def status(self, data):
        return self(data).status_code


@pytest.fixture
def post(tmp_path):
    one = Post(tmp_path)
    yield one
    one.ledger.close()


def test_published_requests_in_order(tmp_path):
    """litewitness's own test: an unknown log was 403 when it was written, and is 404 in tlog-witness 1.0."""
    cases = json.loads(VECTORS.read_text())
    origin = cases[0]["body"].split("\n")[2]
    post = Post(tmp_path, [Verifier(origin, ED25519, SIGSUM_KEY)])
    for case in cases:
        expected = 404 if "unknown log" in (case["asserts"] or "") else case["http_status"]
        answer = post(case["body"].encode())
        assert answer.status_code == expected, case
        if expected == 200:
            assert answer.text.startswith("— witness.test/w1 ")
        elif 'body == "3' in (case["asserts"] or ""):
            assert answer.text == "3\n"
    assert post.ledger.seen(origin).size == 5
    post.ledger.close()


def test_a_cosignature_is_verifiable_and_dated(post):
    log = GrowingLog()
    answer = post(log.request(0, 5))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    opened = open_note(log.note(5) + answer.content, [LOG.verifier, WITNESS.verifier])
    assert [signature.time for signature in opened.verified] == [None, int(START.timestamp())]
    post.clock.advance(timedelta(seconds=90))
    again = post(log.request(5, 5))  # the same checkpoint later: seen again, and dated so
    assert open_note(log.note(5) + again.content, [WITNESS.verifier]).verified[0].time == int(START.timestamp()) + 90


def test_each_refusal(post):
    log = GrowingLog()
    fork = GrowingLog(fork="x")
    stranger = GrowingLog(origin="other.test/consents/00112233445566ff/p00", signer=OTHER_LOG)
    forged = GrowingLog(signer=Signer("opposable.test", b"f" * 32))
    assert post.status(stranger.request(0, 5)) == 404
    assert post.status(forged.request(0, 5)) == 403
    assert post.status(body(0, [], log.note(5)[:-2] + b"\n")) == 403
    assert post.status(log.request(0, 5)) == 200
    behind = post(log.request(3, 8))
    assert (behind.status_code, behind.text, behind.headers["content-type"]) == (409, "5\n", "text/x.tlog.size")
    assert post(log.request(0, 8)).text == "5\n"
    assert post.status(log.request(5, 8, proof=[])) == 422
    assert post.status(log.request(5, 8, proof=log.proof(5, 8)[::-1])) == 422
    assert post.status(body(5, log.proof(5, 8), fork.note(8))) == 422
    assert post.status(body(5, fork.proof(5, 8), fork.note(8))) == 422
    assert post.status(log.request(9, 8)) == 400
    assert post.ledger.seen(ORIGIN).size == 5
    assert post.status(log.request(5, 8)) == 200
    assert post.ledger.evidence() == []


def test_two_trees_of_one_size_are_refused_and_kept_as_evidence(post):
    log, fork = GrowingLog(), GrowingLog(fork="x")
    post(log.request(0, 5))
    for old in (5, 0):
        answer = post(body(old, [], fork.note(5)))
        assert (answer.status_code, answer.text) == (409, "5\n")
    assert post.ledger.evidence() == [(ORIGIN, 5, log.note(5), fork.note(5))]
    one, two = (Checkpoint.parse(open_note(n, [LOG.verifier]).text) for n in post.ledger.evidence()[0][2:])
    assert (one.size, one.origin) == (two.size, two.origin)
    assert one.root != two.root
    assert post.status(log.request(5, 6)) == 200  # the history that was seen goes on


def test_an_empty_log(post):
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT).marshal()
    assert post.status(body(0, [], note.sign(empty, [LOG]))) == 200
    wrong = Checkpoint(ORIGIN, 0, bytes(32)).marshal()
    assert post.status(body(0, [], note.sign(wrong, [LOG]))) == 409
    assert post.status(GrowingLog().request(0, 4, proof=[bytes(32)])) == 422
    assert post.status(GrowingLog().request(0, 4)) == 200


HASH_LINE = b"A" * 43 + b"=\n"
CHANGES = [
    (b"old 0", b"old"), (b"old 0", b"old 00"), (b"old 0", b"old -1"), (b"old 0", b"OLD 0"), (b"old 0", b"old  0"), (b"old 0\n", b""),
    (b"old 0\n\n", b"old 0\n"), (b"\n", b"\r\n"), (b"old 0\n", b"old 0\nAAAA!\n"), (b"old 0\n", b"old 0\n" + HASH_LINE * 64),
    (b"old 0\n", b"old 0\n" + HASH_LINE[:-3] + b"\n"), (b"\n5\n", b"\n05\n"), (b"\n5\n", b"\nfive\n"), (b"old 0", b"\xffold 0"),
    (b"old 0", b"old " + str(2**63).encode()), (b"\n5\n", b"\n5\n\xff"), (b"\n5\n", b"\n5\n\n"),
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_malformed_requests_are_400(post, change):
    data = GrowingLog().request(0, 5)
    mutant = data.replace(*change)
    assert mutant != data
    assert post.status(mutant) == 400
    for cut in (b"", b"\n\n", data.rpartition(b"\n\n")[0]):
        assert post.status(cut) == 400
    assert post.ledger.seen(ORIGIN).size == 0


def test_signatures_that_cannot_be_read_are_no_signatures(post):
    data = GrowingLog().request(0, 5)
    dash = "— ".encode()
    for mutant in (
        data[:-1],
        data + b"\xff\n",
        data.replace(dash, b"- "),
        data.replace(dash, dash + b"\xff"),
        data + dash + b"x\n",
    ):
        assert post.status(mutant) == 403
    assert post.ledger.seen(ORIGIN).size == 0


def test_a_hash_that_is_not_32_bytes_is_no_proof(post):
    log = GrowingLog()
    post(log.request(0, 5))
    assert post.status(log.request(5, 8, proof=[bytes(31)] * len(log.proof(5, 8)))) == 422


def test_what_is_not_the_call(post):
    assert post(bytes(MAX_REQUEST + 1)).status_code == 413
    assert post(b"", method="GET").status_code == 405
    assert post(b"", path="/other").status_code == 404


def test_which_logs_a_key_signs():
    logs = Logs([LOG.verifier, OTHER_LOG.verifier])
    assert logs.keys_of(ORIGIN) == [LOG.verifier]
    assert logs.keys_of("other.test") == [OTHER_LOG.verifier]
    for origin in (
        "opposable.test/x",
        "opposable.test.evil/consents/00112233445566ff/p00",
        "x/opposable.test",
        "opposable.tes",
    ):
        assert logs.keys_of(origin) == []
    for key in (Signer("opposable.test/bundle", b"b" * 32).verifier, WITNESS.verifier):
        with pytest.raises(IntegrityError):
            Logs([key])


def test_any_order_of_requests_cosigns_one_history(tmp_path):
    """Requests of two histories, drawn at random: every pair of checkpoints ever cosigned is consistent."""
    for seed in range(40):
        draw = random.Random(seed)
        post = Post(tmp_path, name=f"state-{seed}")
        histories = [GrowingLog(), GrowingLog(fork="x")]
        cosigned = []
        for _ in range(60):
            log, size = draw.choice(histories), draw.randrange(1, 12)
            old = draw.choice([post.ledger.seen(ORIGIN).size, draw.randrange(0, 12)])
            if old > size:
                continue
            try:
                post.witness.add_checkpoint(log.request(old, size))
            except Declined:
                continue
            cosigned.append((histories.index(log), size))
        assert cosigned
        assert len({history for history, _ in cosigned}) == 1
        sizes = [size for _, size in cosigned]
        assert sizes == sorted(sizes)
        post.ledger.close()


def test_racing_requests_never_roll_back(tmp_path):
    """Many threads, each with its own connection to one state file, all from the same old size."""
    first = Post(tmp_path)
    log = GrowingLog().grow(40)
    first(log.request(0, 1))
    others = [Post(tmp_path) for _ in range(4)]
    requests = [log.request(old, size) for old in range(1, 20) for size in range(old, 40, 3)]
    random.Random(1).shuffle(requests)

    def ask(number):
        try:
            others[number % 4].witness.add_checkpoint(requests[number])
        except Declined as declined:
            return declined.outcome
        return Checkpoint.parse(requests[number].partition(b"\n\n")[2].decode().partition("\n\n")[0] + "\n").size

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(len(requests))))
    sizes = [answer for answer in answers if not isinstance(answer, Outcome)]
    assert set(answers) - set(sizes) == {Outcome.CONFLICT}
    assert first.ledger.seen(ORIGIN).size == max(sizes)
    for one in (first, *others):
        one.ledger.close()


def test_the_memory_outlives_the_process_and_belongs_to_one_key(tmp_path):
    post = Post(tmp_path)
    post(GrowingLog().request(0, 5))
    post.ledger.close()
    again = Post(tmp_path)
    assert again(GrowingLog().request(0, 5)).text == "5\n"
    assert not again.ledger.is_new
    again.ledger.close()
    with pytest.raises(ConfigurationError, match="another witness"):
        Ledger(tmp_path / "state", Cosigner("w2", b"2" * 32).verifier.vkey())
    (tmp_path / "junk").write_bytes(b"no database at all, of some length" * 100)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Ledger(tmp_path / "junk", "x")


def test_nothing_is_cosigned_before_it_is_kept(tmp_path, monkeypatch):
    """The disk refuses: no cosignature leaves, and the witness goes on from what it kept."""
    post = Post(tmp_path)
    post(GrowingLog().request(0, 5))
    monkeypatch.setattr(post.witness._cosigner.__class__, "cosign", lambda *_: pytest.fail("cosigned"))
    post.ledger._db.execute("PRAGMA query_only = 1")
    with pytest.raises(Exception, match="readonly"):
        post.witness.add_checkpoint(GrowingLog().request(5, 8))
    assert post.ledger.seen(ORIGIN).size == 5
    post.ledger.close()
