"""The compose file under a project name and ports of its own, so that a test never touches another system."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "opposable:under-test"
SERVICES = (
    "collector",
    "consent_validator",
    "rights_handler",
    "proof_archive",
    "signer",
    "eraser",
    "notifier",
    "webhook_relay",
    "console",
)
PARTIES = ("ruisseau-devis", "hibou", "tisane")
BUILD_S, UP_S, COMMAND_S = 600, 240, 120

HANDED_OVER = """
import json, pathlib
files = pathlib.Path("/var/lib/opposable/keys/secrets/kafka").iterdir()
print(json.dumps({path.name: path.read_text() for path in files}))
"""

INSIDE = """
import json, os, pathlib
def writes(path):
    try:
        pathlib.Path(path, "trace").write_text("x")
        return True
    except OSError as error:
        return error.strerror
status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/1/status").read_text().splitlines() if ":\\t" in line)
print(json.dumps({"uids": sorted(set(status["Uid"].split())), "capabilities": int(status["CapEff"], 16),
    "no_new_privileges": status["NoNewPrivs"].strip(), "root": writes("/"), "program": writes("/opt/opposable"),
    "temporary": writes("/tmp"), "secrets": writes(os.environ["OPPOSABLE_SECRETS_DIR"])}))
"""
"""What the first process of a container may do, told by a process beside it."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Stack:
    """The system of docker-compose.yml. `kafka` is the bootstrap address as the host sees it."""

    def __init__(self, docker: str, project: str) -> None:
        self._docker, self._project = docker, project
        kafka, *ports = free_ports(1 + len(SERVICES))
        self.kafka = f"127.0.0.1:{kafka}"
        self.ports = dict(zip(SERVICES, ports, strict=True))
        variables = {f"OPPOSABLE_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self._environment = {**os.environ, **variables, "OPPOSABLE_KAFKA_PORT": str(kafka), "OPPOSABLE_IMAGE": IMAGE}

    def build(self) -> None:
        """Make the image with the engine's own builder (Compose would ask for another one)."""
        command = [self._docker, "build", "-q", "-f", "deploy/docker/Dockerfile", "-t", IMAGE, "."]
        self._run(command, BUILD_S, {"DOCKER_BUILDKIT": "1"})

    def up(self) -> None:
        """Start everything and wait until every service is healthy. The failure holds what the containers said."""
        try:
            self.compose("up", "-d", "--no-build", "--wait", "--wait-timeout", str(UP_S - 20), seconds=UP_S)
        except AssertionError as error:
            state, said = self.compose("ps", "-a"), self.compose("logs", "--no-color", "--tail", "12")
            raise AssertionError(f"{error}\n{state}\n{said}") from None

    def down(self, *, volumes: bool) -> None:
        """Remove the containers, and with `volumes` all that they stored."""
        self.compose("down", "--timeout", "20", *(["-v"] if volumes else []))

    def operator(self, *command: str) -> str:
        """What a command of the operator prints."""
        return self.compose("run", "--rm", "-T", "operator", *command)

    def credentials(self) -> dict[str, dict[str, Any]]:
        """How the parties connect from here: user → options of its clients. The operator hands them over."""
        files = json.loads(self.operator("python", "-c", HANDED_OVER))
        return {
            party: {
                "bootstrap_servers": self.kafka, "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": party, "sasl_plain_password": files[f"{party}.password"].strip(),
                "ssl_context": ssl.create_default_context(cadata=files["ca.pem"]),
            }
            for party in PARTIES
        }  # fmt: skip

    def inside(self, service: str, *command: str) -> str:
        """What a command prints inside a service's container."""
        return self.compose("exec", "-T", service, *command)

    def powers(self, service: str) -> dict[str, object]:
        """See INSIDE."""
        found: dict[str, object] = json.loads(self.inside(service, "python", "-c", INSIDE))
        return found

    def compose(self, *arguments: str, seconds: float = COMMAND_S) -> str:
        """Run one `docker compose` command and return what it prints."""
        command = [self._docker, "compose", "--progress", "quiet", "-p", self._project, *arguments]
        return self._run(command, seconds, self._environment)

    def _run(self, command: Sequence[str], seconds: float, environment: dict[str, str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command[1:7])} ended with {done.returncode}: {done.stderr[-4000:]}"
        return done.stdout
