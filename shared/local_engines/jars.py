"""Apache Kafka's jars, fetched once by Maven into a cache that every data directory shares.

The cache holds complete sets only: Maven copies into a neighbouring directory that is renamed when nothing is missing. A
file lock lets one process fetch while the others wait.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from shared.errors import ConfigurationError
from shared.local_engines.child import Child

VERSION = "4.3.1"
"""Of Apache Kafka; the same as in pom.xml (a test compares)."""
POM = Path(__file__).with_name("pom.xml")
MAIN_JAR = f"kafka_2.13-{VERSION}.jar"
APPROXIMATELY = "47 files, 44 MB"
SAY_EVERY = 15
"""Files between two lines of progress."""

Say = Callable[[str], None]
_ADDRESS = re.compile(r"https?://[^\s)]+")


def cache_dir() -> Path:
    """`OPPOSABLE_ENGINE_CACHE`, else `~/.cache/opposable` (XDG base directory specification)."""
    own = os.environ.get("OPPOSABLE_ENGINE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opposable"


def present(cache: Path) -> Path | None:
    """The directory of the jars when they are there already."""
    directory = cache / f"kafka-{VERSION}"
    return directory if (directory / MAIN_JAR).exists() else None


async def fetch(cache: Path, say: Say) -> Path:
    """The directory of the jars, fetching them when they are not there. Raises ConfigurationError with the reason."""
    found = present(cache)
    if found is not None:
        return found
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigurationError(f"the jars of Apache Kafka {VERSION} are not here and Maven is not installed")
    cache.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - one call, before anything else runs in this loop
    async with _alone(cache / f"kafka-{VERSION}.lock"):
        found = present(cache)  # another process may have fetched them while we waited
        return found if found is not None else await _fetch(maven, cache, say)


async def _fetch(maven: str, cache: Path, say: Say) -> Path:
    say(f"fetching Apache Kafka {VERSION} with Maven, once ({APPROXIMATELY}) …")
    with tempfile.TemporaryDirectory(prefix="kafka-", dir=cache) as work:
        jars = Path(work) / "lib"
        project = Path(work) / "pom.xml"  # a copy: Maven may write beside the project it runs
        shutil.copyfile(POM, project)
        counter = _Counter(say)
        process = await Child.start(
            "maven",
            [
                maven, "-B", "--strict-checksums", "-f", str(project), "dependency:copy-dependencies",
                "-DincludeScope=runtime", f"-DoutputDirectory={jars}",
            ],
            counter.read,
        )  # fmt: skip
        try:
            code = await process.wait()
        finally:
            await process.stop(grace_s=2.0)
        if code:
            raise ConfigurationError(f"Maven cannot bring the jars of Apache Kafka: {counter.reason()}")
        if not (jars / MAIN_JAR).exists():
            raise ConfigurationError(f"Maven ended well without bringing {MAIN_JAR}")
        final = cache / f"kafka-{VERSION}"
        shutil.rmtree(final, ignore_errors=True)  # incomplete, or `present` would have found it
        jars.rename(final)
    say(f"Apache Kafka {VERSION} is in the cache, {counter.fetched} files fetched")
    return final


class _Counter:
    """Reads what Maven says: counts the files, keeps the last errors. Never repeats an address."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.fetched = 0
        self._errors: deque[str] = deque(maxlen=2)

    def read(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if "Downloaded from" in text and ".jar" in text:
            self.fetched += 1
            if self.fetched % SAY_EVERY == 0:
                self._say(f"… {self.fetched} files")
        elif text.startswith("[ERROR]"):
            self._errors.append(_ADDRESS.sub("‹repository›", text.removeprefix("[ERROR]").strip()))

    def reason(self) -> str:
        return (self._errors[0] if self._errors else "it gives no reason")[:300]


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(0.2)
            else:
                break
        yield
