"""Real Apache Kafka on this machine: one KRaft node from the published jars, formatted once, no container."""

from __future__ import annotations

import asyncio
import base64
import shutil
import uuid
from pathlib import Path

from shared.errors import ConfigurationError
from shared.keyring.ring import write_secret
from shared.local_engines import kafka_files
from shared.local_engines.engine import KAFKA, wait_port
from shared.local_engines.jars import VERSION
from shared.local_engines.java import Java
from shared.local_engines.kafka_secure import SecureFiles

FORMATTER = "kafka.tools.StorageTool"


class ApacheKafka:
    """The node of one data directory: `<home>/data` holds the records, `<home>/server.log` what it says."""

    name = KAFKA

    def __init__(
        self, *, java: Java, jars: Path, home: Path, port: int, controller_port: int,
        heap_mb: int = kafka_files.SMALL_HEAP_MB, secure: SecureFiles | None = None,
    ) -> None:  # fmt: skip
        self._java, self._jars, self._home = java, jars, home.resolve()
        self._port, self._controller_port, self._heap_mb = port, controller_port, heap_mb
        self._secure = secure
        self.address = f"127.0.0.1:{port}"
        self.sentence = (
            f"kafka: real Apache Kafka {VERSION} (KRaft, one node) on port {port}, because JDK {java.version} and its "
            f"jars are here{', with credentials asked of everyone' if secure else ''}"
        )
        if set(str(self._home)) & set(",\\\n"):
            raise ConfigurationError("Kafka cannot keep data in a directory whose path holds a comma or a backslash")

    def command(self) -> list[str]:
        """The server."""
        return kafka_files.server_command(self._java, self._jars, self._home, self._heap_mb)

    async def prepare(self) -> None:
        """Write the configuration with today's ports, and format the storage if it never was."""
        self._home.mkdir(parents=True, exist_ok=True)
        data = self._home / "data"
        (self._home / "log4j2.properties").write_text(kafka_files.LOG4J)
        if self._secure is not None:
            self._secure.prepare()
        write_secret(self._home / "server.properties", self._properties(data).encode())
        if not data.exists():
            await self._format(data)

    async def ready(self) -> None:
        """A combined node opens its client port only once it may serve: the port is the sign."""
        await wait_port(self.name, self._port)

    async def _format(self, data: Path) -> None:
        # Formatted beside and renamed: a formatting cut short is done again, never taken for done.
        fresh = self._home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        settings = self._home / "format.properties"
        write_secret(settings, self._properties(fresh).encode())
        process = await asyncio.create_subprocess_exec(
            *kafka_files.tool_command(
                self._java, self._jars, FORMATTER, "format", "--standalone",
                "--cluster-id", new_cluster_id(), "--config", str(settings),
                *(self._secure.format_options() if self._secure is not None else []),
            ),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode:
            raise ConfigurationError("Kafka cannot format its storage: " + output.decode(errors="replace")[-500:])
        settings.unlink()
        fresh.rename(data)

    def _properties(self, data: Path) -> str:
        security = self._secure.properties() if self._secure is not None else kafka_files.OPEN
        return kafka_files.properties(
            port=self._port, controller_port=self._controller_port, data=data, security=security
        )


def new_cluster_id() -> str:
    """A random Kafka cluster id: a UUID in 22 characters of base64url that a command line does not take for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
