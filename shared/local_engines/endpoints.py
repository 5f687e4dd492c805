"""`endpoints.json`: where a running system is. Whoever drives or disturbs it from outside reads this file alone.

`{"kafka":{"bootstrap","security"?},"mongodb":{"uri","security"?},"services":{name:{"pid","url"}},"secrets_dir","deployment","engines":{name:pid}}`.
It is renamed into place, exists only while the system runs, and is written again whenever a process is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError

FILE = "endpoints.json"


@dataclass(frozen=True, slots=True)
class ServiceAt:
    """One running service."""

    pid: int
    url: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of a running system. `engines` holds the process ids of the engines we started ourselves."""

    kafka: str
    mongodb: str
    secrets_dir: Path
    deployment: str
    services: dict[str, ServiceAt] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    security: dict[str, str] = field(default_factory=dict)
    """How the operator connects to Kafka, as fields of the settings; empty where anyone may."""
    mongo_security: dict[str, str] = field(default_factory=dict)
    """The same for MongoDB."""

    def url(self, service: str) -> str:
        """Base address of a service. Raises ConfigurationError when it is not running here."""
        found = self.services.get(service)
        if found is None:
            raise ConfigurationError(f"service {service} is not among the running ones")
        return found.url

    def as_dict(self) -> dict[str, Any]:
        """The file's content."""
        return {
            "kafka": {"bootstrap": self.kafka, **({"security": self.security} if self.security else {})},
            "mongodb": {"uri": self.mongodb, **({"security": self.mongo_security} if self.mongo_security else {})},
            "services": {name: {"pid": at.pid, "url": at.url} for name, at in self.services.items()},
            "engines": dict(self.engines),
            "secrets_dir": str(self.secrets_dir),
            "deployment": self.deployment,
        }

    def write(self, data_dir: Path) -> None:
        """Rename the file into place."""
        temporary = data_dir / f"{FILE}.tmp"
        temporary.write_text(json.dumps(self.as_dict(), indent=1) + "\n")
        temporary.replace(data_dir / FILE)

    @classmethod
    def read(cls, data_dir: Path) -> Endpoints:
        """Read the file of a data directory. Raises ConfigurationError when nothing runs there."""
        path = data_dir / FILE
        try:
            document = json.loads(path.read_text())
            return cls(
                kafka=document["kafka"]["bootstrap"],
                mongodb=document["mongodb"]["uri"],
                secrets_dir=Path(document["secrets_dir"]),
                deployment=document["deployment"],
                services={name: ServiceAt(at["pid"], at["url"]) for name, at in document["services"].items()},
                engines=dict(document.get("engines", {})),
                security=dict(document["kafka"].get("security", {})),
                mongo_security=dict(document["mongodb"].get("security", {})),
            )
        except FileNotFoundError:
            raise ConfigurationError(
                f"nothing runs in {data_dir} ({FILE} is not there): start it with `opposable up`"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{path} cannot be read as addresses of a system") from error
