"""Runs a witness: binds, says where it listens and what to write into trust files, serves until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import uvicorn

from services.witness.app import Witness, make_app
from services.witness.domain import Logs
from services.witness.key_file import read_key
from services.witness.ledger import Ledger
from shared.clock import SystemClock
from shared.crypto.note import Verifier
from shared.errors import ConfigurationError, IntegrityError


def serve(key: Path, logs: Sequence[str], listen: str, state: Path, ready: Callable[[str, str, Ledger], None]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is told the address, the witness's vkey and its memory once both stand.

    Raises ConfigurationError where key, logs, address or state file cannot be used.
    """
    cosigner = read_key(key)
    try:
        followed = Logs([Verifier.parse(vkey) for vkey in logs])
    except IntegrityError as error:
        raise ConfigurationError(f"a log to follow is given by its vkey: {error}") from error
    vkey = cosigner.verifier.vkey()
    with closing(_bind(listen)) as bound, closing(Ledger(state, vkey)) as ledger:
        app = make_app(Witness(cosigner, followed, ledger, SystemClock()))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        host, port = bound.getsockname()[:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}", vkey, ledger)
        server.run(sockets=[bound])


def _bind(listen: str) -> socket.socket:
    """A listening socket at `HOST:PORT` (port 0: a free one)."""
    host, _, port = listen.rpartition(":")
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]") or None, int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=128)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot listen on {listen!r} (HOST:PORT): {error}") from error
