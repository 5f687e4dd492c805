"""Where the tests' Kafka and MongoDB come from, decided once a run and printed in pytest's header.

The environment (KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI), else containers where an engine answers and runs them, else real
Apache Kafka and mongod on this machine, else the tests that need them are skipped with the reason. Nothing is ever tested
on the in-memory stand-in. `OPPOSABLE_REQUIRE_KAFKA=real` turns a skip into a failure.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import OpposableError
from shared.local_engines import jars
from shared.local_engines.choose import KAFKA_VARIABLE, MONGODB_VARIABLE, REQUIRE_VARIABLE, Wishes
from shared.local_engines.engine import KAFKA, MONGODB
from shared.local_engines.java import find_java
from shared.local_engines.mongo import find_mongod
from shared.local_engines.plan import Plan
from shared.local_engines.supervisor import Supervisor

KAFKA_IMAGE, MONGO_IMAGE = "confluentinc/cp-kafka:7.6.0", "mongo:7"
OWN = Wishes(real_kafka=True, use_environment=False)
"""Engines of our own, whatever the environment names."""


def container_engine_answers() -> bool:
    """Whether a docker client finds its engine, and the images are there or can be pulled."""
    client = shutil.which("docker")
    if client is None:
        return False
    try:
        return all(
            subprocess.run([client, *question], capture_output=True, timeout=60, check=False).returncode == 0
            for question in (["info"], ["image", "inspect", KAFKA_IMAGE], ["image", "inspect", MONGO_IMAGE])
        )
    except (OSError, subprocess.SubprocessError):
        return False


def local_kafka_sentence() -> str:
    """Which real Kafka this machine can run. Raises ConfigurationError saying why none."""
    java = find_java()
    if jars.present(jars.cache_dir()) is None and shutil.which("mvn") is None:
        raise OpposableError("its jars are not in the cache and Maven is not installed")
    return f"real Apache Kafka {jars.VERSION} on JDK {java.version}"


def describe() -> dict[str, str]:
    """For the header: the source of each engine."""
    in_containers = container_engine_answers()
    local = {KAFKA: local_kafka_sentence, MONGODB: lambda: f"mongod {find_mongod()[1]}"}
    sentences = {}
    for engine, variable in ((KAFKA, KAFKA_VARIABLE), (MONGODB, MONGODB_VARIABLE)):
        if os.environ.get(variable):
            sentences[engine] = f"the one named by {variable}"
        elif in_containers:
            sentences[engine] = "a container (an engine answers and has the image)"
        else:
            try:
                sentences[engine] = f"{local[engine]()}, on this machine (no container engine with the images answers)"
            except OpposableError as error:
                sentences[engine] = f"none, its tests are skipped: {error}"
    return sentences


@contextlib.contextmanager
def running(engine: str, variable: str, folder: Path) -> Iterator[str]:
    """The address of an engine for the session."""
    given = os.environ.get(variable)
    if given:
        yield given
    elif container_engine_answers():
        with _container(engine) as address:
            yield address
    else:
        with own_engines(folder, engine) as system:
            at = system.endpoints()
            yield at.kafka if engine == KAFKA else at.mongodb


@contextlib.contextmanager
def own_engines(folder: Path, *engines: str) -> Iterator[Supervisor]:
    """Engines of our own under `folder`. Skips, or fails where real Kafka is required, when they cannot run."""
    system = Supervisor(Plan(data_dir=folder, engines=engines, wishes=OWN))
    try:
        system.start()
    except OpposableError as error:
        if os.environ.get(REQUIRE_VARIABLE) == "real":
            pytest.fail(f"{REQUIRE_VARIABLE}=real: {error}")
        pytest.skip(str(error))
    try:
        yield system
    finally:
        system.stop()
        forget_data(folder)


def forget_data(folder: Path) -> None:
    """Delete what takes room; the logs stay for whoever looks into a failure."""
    for name in ("kafka", "mongo"):
        shutil.rmtree(folder / name, ignore_errors=True)


@contextlib.contextmanager
def _container(engine: str) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of testcontainers and docker themselves, not of this project
        if engine == KAFKA:
            from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 - only where containers run

            with KafkaContainer(KAFKA_IMAGE).with_kraft() as kafka:
                yield kafka.get_bootstrap_server()
        else:
            yield from _mongo_container()


def _mongo_container() -> Iterator[str]:
    from pymongo import MongoClient  # noqa: PLC0415
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    command = "--replSet rs0 --bind_ip_all"
    with DockerContainer(MONGO_IMAGE).with_command(command).with_exposed_ports(27017) as container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(27017)
        # A direct connection: the set's one member is known to itself by its address inside the container.
        uri = f"mongodb://{host}:{port}/?directConnection=true&w=majority&journal=true"
        with MongoClient(uri, serverSelectionTimeoutMS=60_000) as client:
            client.admin.command("ping")
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "localhost:27017"}]})
            while not client.admin.command("hello").get("isWritablePrimary"):
                pass  # each call waits for the server's answer; an election of one takes under a second
        yield uri
