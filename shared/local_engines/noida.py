"""The stand-in for Kafka where no JDK is: the `noida-db` wheel speaks the protocol and keeps its records in memory.

For demonstrations only. It writes what it holds to one file now and then, so a process killed hard may lose records that
it had acknowledged: none of the product's promises is made on it.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from shared.errors import ConfigurationError
from shared.local_engines.engine import KAFKA, wait_port

BINARY = "noida-db"


def find_binary() -> Path:
    """The server inside the wheel. Raises ConfigurationError when the wheel is not installed or cannot be run."""
    spec = importlib.util.find_spec("noida_db")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("the noida-db wheel is not installed (pip install 'opposable[local]')")
    binary = Path(spec.submodule_search_locations[0]) / BINARY
    if not binary.is_file():
        raise ConfigurationError("the noida-db wheel holds no server for this system")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)  # wheels do not always keep the executable bit
    return binary


class NoidaKafka:
    """The stand-in of one data directory."""

    name = KAFKA

    def __init__(self, *, binary: Path, home: Path, port: int, why: str) -> None:
        self._binary, self._home, self._port = binary, home.resolve(), port
        self.address = f"127.0.0.1:{port}"
        self.sentence = (
            f"kafka: the in-memory stand-in noida-db on port {port}, FOR DEMONSTRATIONS ONLY (a crash may lose records), "
            f"because {why}"
        )

    def command(self) -> list[str]:
        """The server, with its Kafka part alone."""
        return [
            str(self._binary), "start", "--data-dir", str(self._home), "--host", "127.0.0.1",
            "--only", "kafka", "--kafka-port", str(self._port),
        ]  # fmt: skip

    async def prepare(self) -> None:
        """Make its directory."""
        self._home.mkdir(parents=True, exist_ok=True)

    async def ready(self) -> None:
        """It listens at once."""
        await wait_port(self.name, self._port)
