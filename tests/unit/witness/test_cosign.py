"""The signer's side: what is asked of a witness, what is kept of its answers, and that it never stands in signing's way."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from witness_world import LOG, ORIGIN, WITNESS, GrowingLog

from services.proof_archive.checkpoints import cosign
from services.proof_archive.checkpoints.cosign import (
    CosignatureCollector,
    Declined,
    Offered,
    WitnessAt,
    parse_witnesses,
)
from services.proof_archive.checkpoints.standing import Standing
from services.proof_archive.log.reader import SignedCheckpoint
from services.witness.app import Witness, make_app
from services.witness.domain import Logs
from services.witness.ledger import Ledger
from shared.clock import ManualClock, SystemClock
from shared.crypto.cosignature import Cosigner
from shared.crypto.note import open_note
from shared.errors import ConfigurationError, IntegrityError, Unavailable
from shared.logging import configure

URL = "http://witness.test"


class Signer:
    """What a signer holds of one log and of its collector."""

    def __init__(self, handler):
        self.log, self.kept, self.told, self.asked = GrowingLog(), [], [], []
        self.transport = handler if isinstance(handler, httpx.AsyncBaseTransport) else httpx.MockTransport(handler)
        self.collector = CosignatureCollector(
            WitnessAt(WITNESS.verifier, URL),
            prove=self.prove,
            keep=self.keep,
            tell=self.tell,
            log=configure("test", "CRITICAL"),
        )

    def offered(self, size):
        return Offered(ORIGIN, 1, size, self.log.note(size))

    async def prove(self, offered, old):
        self.asked.append((old, offered.size))
        return self.log.proof(old, offered.size)

    async def keep(self, offered, signature):
        self.kept.append((offered.size, signature))

    async def tell(self, cause):
        self.told.append(cause)

    async def cosign(self, size):
        async with httpx.AsyncClient(transport=self.transport) as client:
            return await self.collector.cosign(client, self.offered(size))

    async def running(self, until):
        """Run the collector until a condition holds."""
        async with httpx.AsyncClient(transport=self.transport) as client:
            task = asyncio.create_task(self.collector.run(client))
            try:
                async with asyncio.timeout(20):
                    while not until():  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
            finally:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task


@pytest.fixture
def witness(tmp_path):
    ledger = Ledger(tmp_path / "state", WITNESS.verifier.vkey())
    yield httpx.ASGITransport(make_app(Witness(WITNESS, Logs([LOG.verifier]), ledger, SystemClock())))
    ledger.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(cosign, "FIRST_DELAY_S", 0.02)


async def test_a_growing_log_is_cosigned_from_one_size_to_the_next(witness):
    signer = Signer(witness)
    for size in (1, 5, 5, 64, 300):
        line = (await signer.cosign(size)).line().encode()
        opened = open_note(signer.log.note(size) + line, [LOG.verifier, WITNESS.verifier])
        assert [signature.name for signature in opened.verified] == [LOG.name, WITNESS.name]
    assert signer.asked == [(1, 5), (5, 64), (64, 300)]


async def test_after_a_restart_the_witness_says_where_to_start(witness):
    await Signer(witness).cosign(40)
    again = Signer(witness)
    await again.cosign(90)
    assert again.asked == [(40, 90)]
    with pytest.raises(Declined, match="holds 90 entries, more than"):
        await again.cosign(50)
    with pytest.raises(Declined, match="holds 90 entries, more than"):
        await Signer(witness).cosign(50)


async def test_a_fork_is_named(witness):
    await Signer(witness).cosign(40)
    other = Signer(witness)
    other.log = GrowingLog(fork="x")
    with pytest.raises(Declined, match="one of the two is a fork"):
        await other.cosign(40)
    with pytest.raises(Declined, match="422: the consistency proof does not verify"):
        await other.cosign(60)


def answers(*responses):
    left = list(responses)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (httpx.Response(404, text="this log is not followed\n"), "404: this log is not followed"),
        (httpx.Response(403, text="\x1b[31mno"), "403: \ufffd\\[31mno"),
        (httpx.Response(500), "500"),
        (httpx.Response(302, headers={"location": "http://elsewhere.test"}), "302"),
        (httpx.Response(200, text=""), "no cosignature"),
        (httpx.Response(200, text="— someone AAAAAAA=\n"), "no cosignature by its key"),
        (httpx.Response(200, text="no line at all"), "is no cosignature"),
        (httpx.Response(200, content=bytes(1 << 17)), "too long"),
        (httpx.Response(409, text="not a number\n"), "without its size"),
        (httpx.Response(409, text="0\n"), "another tree of 0 entries"),
    ],
)
async def test_answers_that_are_no_cosignature(response, said):
    with pytest.raises(Declined, match=said):
        await Signer(answers(response)).cosign(5)


async def test_a_cosignature_of_something_else_is_not_kept():
    log = GrowingLog()
    text, other = log.checkpoint(5).marshal(), log.checkpoint(6).marshal()
    stranger = Cosigner(WITNESS.name, b"s" * 32)
    with pytest.raises(Declined, match="is wrong"):
        await Signer(answers(httpx.Response(200, text=WITNESS.cosign(other, 1).line()))).cosign(5)
    with pytest.raises(Declined, match="by its key"):
        await Signer(answers(httpx.Response(200, text=stranger.cosign(text, 1).line()))).cosign(5)
    both = stranger.cosign(text, 1).line() + WITNESS.cosign(text, 1).line()
    assert await Signer(answers(httpx.Response(200, text=both))).cosign(5) == WITNESS.cosign(text, 1)


async def test_a_witness_that_moves_is_not_chased_for_ever():
    numbers = iter(range(1, 100))
    signer = Signer(lambda _: httpx.Response(409, text=f"{next(numbers)}\n"))
    with pytest.raises(Declined, match="faster"):
        await signer.cosign(50)


async def test_a_dead_witness_never_delays_whoever_offers():
    def dead(_request):
        raise httpx.ConnectError("refused")

    signer = Signer(dead)
    offers = [[signer.offered(size)] for size in range(1, 200)]
    begin = time.perf_counter()
    for offer in offers:
        signer.collector.offer(offer)
    assert time.perf_counter() - begin < 0.05
    await signer.running(lambda: signer.told)
    assert signer.kept == []
    assert signer.told == ["refused"]


async def test_what_waits_is_asked_again_and_only_the_newest_of_a_log():
    texts = []

    def late(request):
        texts.append(request.content)
        if len(texts) < 3:
            raise httpx.ReadTimeout("")
        return httpx.Response(200, text=WITNESS.cosign(signer.log.checkpoint(9).marshal(), 1).line())

    signer = Signer(late)
    signer.collector.offer([signer.offered(5)])
    await signer.running(lambda: len(texts) == 1 and signer.told)
    signer.collector.offer([signer.offered(9)])
    await signer.running(lambda: signer.kept and len(signer.told) > 1)
    assert [size for size, _ in signer.kept] == [9]
    assert all(b"\n9\n" in text for text in texts[1:])
    assert signer.told == ["ReadTimeout", None]
    asked = len(texts)
    await asyncio.sleep(0.1)
    assert len(texts) == asked  # nothing waits any more


async def test_one_log_that_is_refused_does_not_hold_up_the_others(witness):
    signer = Signer(witness)
    refused = Offered(
        "unknown.test/stops/00112233445566ff/p00", 2, 3, GrowingLog("unknown.test/stops/00112233445566ff/p00").note(3)
    )
    signer.collector.offer([refused, signer.offered(5)])
    await signer.running(lambda: signer.kept and signer.told)
    begin = time.perf_counter()
    for size in range(6, 30):
        signer.collector.offer([signer.offered(size)])
        await signer.running(lambda size=size: signer.kept[-1][0] == size)
    assert time.perf_counter() - begin < 10
    assert "404" in signer.told[0]


async def test_a_store_that_is_away_is_waited_for(witness):
    signer = Signer(witness)
    failures = [Unavailable("away"), IntegrityError("a tile is missing")]

    async def keep(offered, signature):
        if failures:
            raise failures.pop()
        signer.kept.append((offered.size, signature))

    signer.collector._keep = keep
    signer.collector.offer([signer.offered(5)])
    await signer.running(lambda: signer.kept)


def test_the_setting():
    other = Cosigner("w2", b"2" * 32)
    text = f" {WITNESS.verifier.vkey()} http://127.0.0.1:8200/ ;{other.verifier.vkey()} https://w2.test/witness;"
    assert [(at.key, at.url) for at in parse_witnesses(text)] == [
        (WITNESS.verifier, "http://127.0.0.1:8200"), (other.verifier, "https://w2.test/witness"),
    ]  # fmt: skip
    assert parse_witnesses("") == ()
    for bad in (
        "x",
        f"{LOG.verifier.vkey()} http://x",
        f"{WITNESS.verifier.vkey()}",
        f"{WITNESS.verifier.vkey()} ftp://x",
        "a+b http://x",
    ):
        with pytest.raises(ConfigurationError, match="OPPOSABLE_SIGNER_WITNESSES"):
            parse_witnesses(bad)


NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Notes:
    """A reader's checkpoints of one log: the newest, and those before."""

    def __init__(self, sizes, seen, at):
        log = GrowingLog()
        self.notes = [
            SignedCheckpoint(
                7,
                size,
                log.note(size)
                + (WITNESS.cosign(log.checkpoint(size).marshal(), 1).line().encode() if size in seen else b""),
                at,
            )
            for size in sizes
        ]

    async def latest(self):
        return {7: self.notes[-1]}

    async def newest(self, log, most):
        assert log == 7
        return self.notes[::-1][:most]


@pytest.mark.parametrize(
    ("sizes", "seen", "age", "expected"),
    [
        ([1, 2, 3], {3}, 0, 3),
        ([1, 2, 3], {1, 2}, 0, 2),  # the newest is not cosigned yet: the one before stands
        ([1, 2, 3], {1, 2}, 60, 3),  # the witness stays away: say what there is
        ([1, 2, 3], set(), 0, None),  # all just signed: promised
        ([1, 2, 3], set(), 60, 3),
        (list(range(1, 40)), {1}, 0, 39),  # a log that goes on growing while the witness stays away
    ],
)
async def test_the_checkpoint_a_proof_stands_on(tmp_path, sizes, seen, age, expected):
    trust = tmp_path / "policy"
    quorum = f"log {LOG.verifier.vkey()}\nwitness w {WITNESS.verifier.vkey()}\nquorum w\n"
    trust.write_text(quorum)
    notes = Notes(sizes, seen, NOW)
    standing = Standing(notes, trust, ManualClock(NOW + timedelta(seconds=age)), 5)
    chosen = (await standing.latest()).get(7)
    assert (chosen.size if chosen else None) == expected
    for nothing_wanted in (quorum.replace("quorum w", "quorum none"), "unusable"):
        trust.write_text(nothing_wanted)
        assert (await standing.latest())[7].size == sizes[-1]
    trust.unlink()
    assert (await standing.latest())[7].size == sizes[-1]
