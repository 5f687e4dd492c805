"""The signer: its own process, one per deployment (`python -m services.proof_archive.signer`); wiring and its timer.

The only holder of the logs' signing key. The sequencer appends, the signer only states what it has proven consistent with
everything it stated before.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path

from services.proof_archive.checkpoints.cosign import parse_witnesses
from services.proof_archive.checkpoints.cosigning import Cosigning
from services.proof_archive.checkpoints.memory import Memory
from services.proof_archive.checkpoints.published import latest_notes
from services.proof_archive.checkpoints.signing import Signing
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.store import Store
from services.proof_archive.settings import SignerSettings
from services.proof_archive.timestamps.authority import Authority
from services.proof_archive.timestamps.kept import KeptStamps
from services.proof_archive.timestamps.stamping import Stamping
from shared.crypto.note import Signer
from shared.errors import ConfigurationError
from shared.kafka.batch import BACKOFF_MOST_S, INFRASTRUCTURE
from shared.service import Context, run_service
from shared.settings import read_secret

LOCK = "signer.lock"


async def build(context: Context) -> None:
    """Wire the signer into a context."""
    settings = context.settings
    assert isinstance(settings, SignerSettings)  # noqa: S101 - wiring, not input
    only_one(settings.state_dir)
    store, reader = Store(context.mongo), Reader(context.mongo)
    cosigning = Cosigning(context, parse_witnesses(settings.signer_witnesses), reader, store)
    halts = Halts("signer", store, context.clock, context.metrics, context.log)
    signing = Signing(
        Signer(settings.deployment, read_secret(settings.secrets_dir, "log.seed")),
        Memory(settings.state_dir),
        reader=reader,
        store=store,
        publisher=context.publisher,
        halts=halts,
        metrics=context.metrics,
        log=context.log,
        offer=cosigning.offer,
    )
    state: dict[str, bool] = {"recovered": False}

    async def rounds() -> None:
        if not state["recovered"]:
            signing.recover(await latest_notes(settings))
            state["recovered"] = True
        interval = delay = settings.signer_interval_s
        while True:
            began = time.monotonic()
            try:
                await signing.round()
                delay = rest_of(interval, time.monotonic() - began)
            except INFRASTRUCTURE as error:
                delay = min(max(BACKOFF_MOST_S, interval), max(interval, delay) * 2)
                context.log.warning("round of signing put off: an engine is away", seconds=delay, exc_info=error)
            await asyncio.sleep(delay)

    async def ready() -> list[str]:
        waiting = [] if state["recovered"] else ["the signer has not read what was published before"]
        return waiting + signing.problems()

    context.checks.append(ready)
    if settings.tsa_url:
        kept = KeptStamps(context.mongo, settings.deployment)
        stamping = Stamping(
            Authority.of(settings.tsa_url, settings.tsa_ca_file), kept, reader=reader, store=store,
            deployment=settings.deployment, interval_s=settings.tsa_interval_s, clock=context.clock, log=context.log,
        )  # fmt: skip
        context.on_start(kept.prepare)
        context.background("timestamp", stamping.run)
    context.background("sign", rounds)


def rest_of(interval: float, took: float) -> float:
    """Seconds to wait after a round: from its beginning to that of the next an interval passes, a fifth of it at rest at least.

    A round that an engine slows down must not be followed at once by another: it would slow the engine down more.
    """
    return max(interval / 5, interval - took)


def only_one(directory: Path) -> int:
    """A lock held while this process lives: two signers on one memory could each sign a different future."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigurationError(
            "another signer runs on this OPPOSABLE_STATE_DIR: a deployment has one signer"
        ) from None
    return handle


def main() -> None:
    """Run the signer."""
    run_service("signer", SignerSettings(), build)


if __name__ == "__main__":
    main()
