"""Fixtures that every suite may use: engines for the session, names of its own for each test, whole systems."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pymongo import MongoClient

from shared.local_engines.choose import KAFKA_VARIABLE, MONGODB_VARIABLE
from shared.local_engines.engine import KAFKA, MONGODB
from shared.local_engines.supervisor import Supervisor
from tests import package_scope
from tests.engine_source import OWN, describe, forget_data, running
from tests.sharing_out import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]

# A busy machine is no fault of an example; in CI the same examples are tried each time, at a desk new ones.
hypothesis.settings.register_profile(
    "opposable",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("opposable")

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE_REGISTRY = ROOT / "deploy" / "example" / "registry"
MakeSystem = Callable[..., Supervisor]


def pytest_configure(config: pytest.Config) -> None:
    """Hooks of a conftest are not asked about fixtures of the session: these are registered for all."""
    config.pluginmanager.register(package_scope)


def pytest_report_header() -> list[str]:
    """Say which engines the tests will use."""
    return [f"{engine}: {sentence}" for engine, sentence in describe().items()]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Kafka, shared by the session: give your topics and groups names of your own."""
    with running(KAFKA, KAFKA_VARIABLE, tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a real replica set, shared by the session: use a database of your own."""
    with running(MONGODB, MONGODB_VARIABLE, tmp_path_factory.mktemp("mongo")) as address:
        yield address


@pytest.fixture
def unique() -> str:
    """A name no other test has (`t-3f9c21ab`): prefix of topics, groups, parties."""
    return f"t-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def database_name(mongo_uri: str, unique: str) -> Iterator[str]:
    """The name of a database of this test alone, dropped afterwards."""
    yield unique
    with MongoClient(mongo_uri) as client:
        client.drop_database(unique)


@pytest.fixture(scope="module")
def make_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSystem]:
    """Starts whole systems on engines of their own: `make_system(instances=2, environment={…})`; stopped after the module.

    Keywords are those of `services.cli.up.system_plan`; `registry` defaults to the example's.
    """
    from services.cli.up import system_plan  # noqa: PLC0415 - imports much, needed by few

    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Supervisor:
            folder = tmp_path_factory.mktemp("system")
            plan = system_plan(folder, **{"registry": EXAMPLE_REGISTRY, "wishes": OWN, **options})
            stack.callback(forget_data, folder)
            system = stack.enter_context(Supervisor(plan))
            system.wait_ready()
            return system

        yield make


@pytest.fixture(scope="module")
def system(make_system: MakeSystem) -> Supervisor:
    """One whole system with the example registry, ready, for the tests of one module."""
    return make_system()
