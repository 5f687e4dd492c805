"""A process of the archive that kills itself at the step that a file names (`python -m tests.faults.archive.crashing signer`).

The file (`OPPOSABLE_TEST_CRASH_FILE`) is removed first, so that it dies once. Everything else is the service itself.
"""

import os
import signal
import sys
from pathlib import Path

from services.proof_archive import app, signer
from services.proof_archive.checkpoints.memory import Memory
from services.proof_archive.checkpoints.signing import Signing
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store


def reach(step: str) -> None:
    """Die here, if it is here."""
    path = Path(os.environ["OPPOSABLE_TEST_CRASH_FILE"])
    try:
        wanted = path.read_text()
    except FileNotFoundError:
        return
    if wanted == step:
        path.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def told_of_steps(owner: type) -> None:
    """Have `after` told of each step done."""
    made = owner.__init__

    def make(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        made(self, *args, **{**kwargs, "after": reach})

    owner.__init__ = make  # type: ignore[misc]


def dies_before(owner: type, method: str, step: str) -> None:
    """A step that is done when this method is about to be called."""
    real = getattr(owner, method)

    def call(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        reach(step)
        return real(self, *args, **kwargs)

    setattr(owner, method, call)


if __name__ == "__main__":
    told_of_steps(Sequencer)
    told_of_steps(Signing)
    dies_before(Store, "write_entries", "built")
    dies_before(Memory, "remember", "proven")
    {"proof_archive": app.main, "signer": signer.main}[sys.argv[1]]()
