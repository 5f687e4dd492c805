"""The database of a benchmark: the one that MONGODB_URI names, else one of our own, thrown away at the end."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shared.local_engines.choose import MONGODB_VARIABLE, Wishes
from shared.local_engines.engine import MONGODB
from shared.local_engines.plan import Plan
from shared.local_engines.supervisor import Supervisor

CACHE_GB = 1.0
"""Of our own database: what a small server of its own has."""


@contextlib.contextmanager
def database_of_its_own(cache_gb: float = CACHE_GB) -> Iterator[bool]:
    """A database that `Settings` finds. True where it is our own: then nothing needs to be removed from it."""
    if os.environ.get(MONGODB_VARIABLE):
        yield False
        return
    wishes = Wishes(use_environment=False, mongo_cache_gb=cache_gb)
    with (
        tempfile.TemporaryDirectory(prefix="opposable-bench-") as folder,
        Supervisor(Plan(data_dir=Path(folder), engines=(MONGODB,), wishes=wishes)) as system,
    ):
        print(f"mongod of its own, {cache_gb} GB of cache", file=sys.stderr, flush=True)
        os.environ[MONGODB_VARIABLE] = system.endpoints().mongodb
        try:
            yield True
        finally:
            del os.environ[MONGODB_VARIABLE]
