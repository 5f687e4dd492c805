"""What a supervisor is asked to run: engines, services, and what stands between the two."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import shared
from shared.access.plan import service_principal
from shared.local_engines.choose import KAFKA_VARIABLE, MONGODB_VARIABLE, Wishes, mongo_secure_dir, secure_dir
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.engine import KAFKA, MONGODB
from shared.local_engines.kafka_secure import SecureFiles
from shared.local_engines.mongo_secure import MongoFiles

ROOT = Path(shared.__file__).resolve().parents[1]
"""Where the packages `shared` and `services` are found, whatever directory the command is given in."""
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service: its name, and the command that serves HTTP on OPPOSABLE_HTTP_PORT with `/health/ready`."""

    name: str
    command: tuple[str, ...]
    single: bool = False
    """One process only, however many instances of the others run (it owns something that has one owner)."""


async def nothing(_endpoints: Endpoints) -> None:
    """No preparation between engines and services."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a supervisor needs to know. Services are started in order, and stopped in the reverse order."""

    data_dir: Path
    services: tuple[ServiceSpec, ...] = ()
    prepare: Callable[[Endpoints], Awaitable[None]] = nothing
    """Awaited once the engines answer, before any service starts (topics, registry)."""
    engines: tuple[str, ...] = (KAFKA, MONGODB)
    wishes: Wishes = field(default_factory=Wishes)
    http_port: int | None = None
    """First of the services' ports (see `http_order`); None = free ones, remembered."""
    instances: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    """More variables for every service."""
    deployment: str = "opposable.local"
    public: str = "rights_handler"
    """The service whose address is given to persons (one-click withdrawal)."""
    proofs: str = "proof_archive"
    """The service whose address is given to prospecteurs (links to proofs)."""

    @property
    def secrets_dir(self) -> Path:
        """Where the secrets are."""
        return self.data_dir / "secrets"

    def processes(self) -> list[tuple[str, ServiceSpec]]:
        """Each process to run by its name: `collector`, `collector-2`, and so on."""
        return [
            (spec.name if number == 1 else f"{spec.name}-{number}", spec)
            for spec in self.services
            for number in range(1, 1 + (1 if spec.single else self.instances))
        ]

    def http_order(self) -> list[str]:
        """The processes in the order of their HTTP ports: the service where inputs enter comes first."""
        rank = {spec.name: number for number, spec in enumerate(reversed(self.services))}
        return [name for name, _ in sorted(self.processes(), key=lambda process: rank[process[1].name])]

    @property
    def secure(self) -> SecureFiles | None:
        """The credentials of our own Kafka, where it asks for some."""
        return SecureFiles(secure_dir(self.data_dir)) if self.wishes.secured else None

    @property
    def mongo_secure(self) -> MongoFiles | None:
        """The credentials of our own MongoDB, where it asks for some; one that the environment names has its own keeper."""
        ours = not (self.wishes.use_environment and os.environ.get(MONGODB_VARIABLE))
        return MongoFiles(mongo_secure_dir(self.data_dir)) if self.wishes.secured and ours else None

    def environment_of(
        self, name: str, service: str, port: int, *, public_port: int, proof_port: int, kafka: str, mongodb: str,
        ports: Mapping[str, int] | None = None,
    ) -> dict[str, str]:  # fmt: skip
        """The variables of one service process: ours first, then ours for it, then the caller's."""
        path = os.environ.get("PYTHONPATH")
        return {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT),
            "PYTHONUNBUFFERED": "1",
            KAFKA_VARIABLE: kafka,
            MONGODB_VARIABLE: mongodb,
            "OPPOSABLE_DEPLOYMENT": self.deployment,
            "OPPOSABLE_SECRETS_DIR": str(self.secrets_dir),
            "OPPOSABLE_STATE_DIR": str(self.data_dir / "state" / name),
            "OPPOSABLE_HTTP_HOST": HOST,
            "OPPOSABLE_HTTP_PORT": str(port),
            "OPPOSABLE_PUBLIC_URL": f"http://{HOST}:{public_port}",
            "OPPOSABLE_PROOF_URL": f"http://{HOST}:{proof_port}",
            **self._addresses(ports or {}),
            **(self.secure.environment(service_principal(service)) if self.secure is not None else {}),
            **(self.mongo_secure.environment(service_principal(service)) if self.mongo_secure is not None else {}),
            **self.environment,
        }

    def _addresses(self, ports: Mapping[str, int]) -> dict[str, str]:
        """`OPPOSABLE_<SERVICE>_URL` of every service: its instances, separated by commas."""
        found: dict[str, list[str]] = {}
        for name, spec in self.processes():
            if name in ports:
                found.setdefault(f"OPPOSABLE_{spec.name.upper()}_URL", []).append(f"http://{HOST}:{ports[name]}")
        return {variable: ",".join(urls) for variable, urls in found.items()}
