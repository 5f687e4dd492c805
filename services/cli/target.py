"""Which running system a command speaks to, and how it says that it cannot be reached.

`--data-dir D` (or OPPOSABLE_DATA_DIR) reads `D/endpoints.json`; else the environment (KAFKA_BOOTSTRAP_SERVERS and the
variables of the services); else `./.opposable` where something runs there.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from shared.errors import ConfigurationError, Unavailable
from shared.local_engines.choose import KAFKA_VARIABLE, MONGODB_VARIABLE
from shared.local_engines.endpoints import FILE, Endpoints, ServiceAt
from shared.settings import Settings
from shared.topics import SERVICES

DEFAULT_DATA_DIR = Path(".opposable")
NEGATIVE, UNUSABLE = 1, 2
"""Exit codes: the answer is no; the input or the system cannot be used. 0 = done."""

T = TypeVar("T")

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar="OPPOSABLE_DATA_DIR", help="Data directory of a system run by `opposable up`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def url_variable(service: str) -> str:
    """The variable that names a service's address: `OPPOSABLE_COLLECTOR_URL`."""
    return f"OPPOSABLE_{service.upper()}_URL"


def resolve(data_dir: Path | None = None) -> Endpoints:
    """Addresses of the system to speak to. Raises ConfigurationError saying what to give."""
    if data_dir is not None:
        return Endpoints.read(data_dir)
    kafka = os.environ.get(KAFKA_VARIABLE)
    if kafka:
        settings = Settings()
        urls = {name: os.environ.get(url_variable(name)) for name in SERVICES}
        return Endpoints(
            kafka=kafka,
            mongodb=os.environ.get(MONGODB_VARIABLE, ""),
            secrets_dir=settings.secrets_dir,
            deployment=settings.deployment,
            services={name: ServiceAt(0, url.rstrip("/")) for name, url in urls.items() if url},
        )
    if (DEFAULT_DATA_DIR / FILE).exists():
        return Endpoints.read(DEFAULT_DATA_DIR)
    raise ConfigurationError(
        f"which system? Give --data-dir (a directory where `opposable up` runs), or set {KAFKA_VARIABLE}"
    )


def settings_of(endpoints: Endpoints) -> Settings:
    """Settings of a client of that system; credentials come from the environment, as for services."""
    values: dict[str, Any] = {
        **endpoints.security, **endpoints.mongo_security, KAFKA_VARIABLE: endpoints.kafka, "secrets_dir": endpoints.secrets_dir, "deployment": endpoints.deployment,
    }  # fmt: skip
    if endpoints.mongodb:
        values[MONGODB_VARIABLE] = endpoints.mongodb
    return Settings(**values)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine. Raises Unavailable where Kafka does not answer (network or authentication)."""
    try:
        return asyncio.run(work)
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise Unavailable(
            f"Kafka does not answer (network or authentication: {type(error).__name__}); is the system running?"
        ) from None


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
