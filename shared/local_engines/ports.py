"""Local ports, remembered in the data directory so that a second start finds the first one's addresses.

New ports are drawn below the range that the kernel gives to outgoing connections: a client that retries a dead broker
could otherwise be given the broker's own port, connect to itself and keep the broker from coming back.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from shared.errors import ConfigurationError

LOW, HIGH = 15_000, 32_000
"""Where ports are drawn when the kernel does not tell its own range."""
TRIES = 200
RELEASE_S = 5.0
"""How long a remembered port may stay taken: processes of a supervisor just killed are still ending."""
_KERNEL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the engines do: TIME_WAIT is no obstacle
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def draw(avoid: Iterable[int] = ()) -> int:
    """A free port outside the range of outgoing connections."""
    taken = set(avoid)
    high = _ephemeral_start()
    for _ in range(TRIES):
        port = random.randrange(min(LOW, high - 1_000), high)
        if port not in taken and is_free(port):
            return port
    raise ConfigurationError(f"no free port found below {high} on 127.0.0.1")


def _ephemeral_start() -> int:
    try:
        return max(2_048, min(HIGH, int(_KERNEL_RANGE.read_text().split()[0])))
    except (OSError, ValueError, IndexError):
        return HIGH


class PortBook:
    """The ports of one data directory, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ports: dict[str, int] = {}
        if path.exists():
            try:
                self._ports = {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
            except (ValueError, AttributeError) as error:
                raise ConfigurationError(f"{path} is not a table of ports: delete it to draw new ones") from error

    def port(self, name: str, asked: int | None = None) -> int:
        """The port of `name`: the one asked for, else the one of last time if it is free, else a new one.

        Raises ConfigurationError when the port asked for is taken by another program.
        """
        remembered = self._ports.get(name)
        if asked is not None:
            if not _becomes_free(asked, RELEASE_S if asked == remembered else 0.0):
                raise ConfigurationError(f"port {asked}, asked for {name}, is taken: stop what uses it or give another")
            port = asked
        elif remembered is not None and _becomes_free(remembered, RELEASE_S):
            port = remembered
        else:
            port = draw(avoid=self._ports.values())
        self._ports[name] = port
        self._save()
        return port

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._ports, indent=1, sort_keys=True) + "\n")
        temporary.replace(self._path)


def _becomes_free(port: int, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not is_free(port):
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
    return True
