"""Every secret of a secrets directory, in all its versions: what must be in escrow, and what a restore gives back.

What each is for, and what its loss costs: docs/keys.md. `operator-token` is text and may be made anew; the others are 32
random bytes that nothing can bring back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shared.errors import ConfigurationError, IntegrityError
from shared.keyring.escrow import SUFFIX, Key, Lock, Secret, lock, read_head, unlock
from shared.keyring.ring import file_name, versions_present, write_secret
from shared.local_engines.secret_files import RAW, TOKEN

NAMES = (*RAW, TOKEN)
PARTYS = re.compile(r"webhook\.[a-z0-9][a-z0-9-]{1,40}\.v[1-9][0-9]{0,5}")
"""Files that a deployment has more of, one for each version of a party's webhook secret."""


def names_in(directory: Path) -> tuple[str, ...]:
    """The names of every secret that this directory has or must have."""
    there = directory.iterdir() if directory.is_dir() else ()
    return (*NAMES, *sorted(path.name for path in there if PARTYS.fullmatch(path.name)))


def secrets_of(directory: Path, names: Sequence[str] | None = None) -> list[Secret]:
    """All that are there. Raises ConfigurationError where one cannot be read, or one has no file at all."""
    found = []
    for name in names_in(directory) if names is None else names:
        versions = sorted(versions_present(directory, name))
        if not versions:
            raise ConfigurationError(
                f"{name!r} is not in {directory}: an escrow without it would not bring the system back"
            )
        for version in versions:
            path = directory / file_name(name, version)
            try:
                found.append(Secret(name, version, path.read_bytes()))
            except OSError as error:
                raise ConfigurationError(f"secret file {path.name!r} cannot be read ({error.strerror})") from None
    return found


def escrow(directory: Path, output: Path, keeper: Lock, created_at: str) -> list[Secret]:
    """Write an escrow file for each. `output` must be new or empty: an escrow is one whole set."""
    secrets = secrets_of(directory)
    output.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(output.iterdir()):
        raise ConfigurationError(f"{output} is not empty: give each escrow a directory of its own")
    for secret in secrets:
        write_secret(output / (file_name(secret.name, secret.version) + SUFFIX), lock(secret, keeper, created_at))
    return secrets


def heads_of(source: Path) -> list[dict[str, object]]:
    """What the escrow files of a directory say in the clear."""
    return [read_head(path.read_bytes()) for path in _files(source)]


def opened(source: Path, key: Key) -> list[Secret]:
    """Every secret of an escrow directory, each proven by its check value. Raises IntegrityError at the first that is not."""
    return [unlock(path.read_bytes(), key) for path in _files(source)]


def restore(secrets: list[Secret], directory: Path) -> dict[str, str]:
    """Write those that are missing; by file, `restored` or `present`. One that is there and is another stops everything."""
    outcome: dict[str, str] = {}
    for secret in secrets:
        if (secret.name not in NAMES and not PARTYS.fullmatch(secret.name)) or secret.version < 1:
            raise IntegrityError(f"an escrow file names no secret of ours: {secret.name!r}")
        path = directory / file_name(secret.name, secret.version)
        if path.exists() and path.read_bytes() != secret.content:
            raise ConfigurationError(
                f"{path.name!r} is there and is another secret than the one in escrow (check value {secret.check}): "
                "move it away first if it is the wrong one"
            )
        outcome[path.name] = "present" if path.exists() else "restored"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for secret in secrets:
        path = directory / file_name(secret.name, secret.version)
        if outcome[path.name] == "restored":
            write_secret(path, secret.content)
    return outcome


def _files(source: Path) -> list[Path]:
    found = sorted(source.glob("*" + SUFFIX)) if source.is_dir() else []
    if not found:
        raise ConfigurationError(f"there are no escrow files (*{SUFFIX}) in {source}")
    return found
