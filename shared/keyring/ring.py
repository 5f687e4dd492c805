"""Versions of one secret as files of the secrets directory: `kek` is version 1, `kek.2` the next, and so on.

A process sees a new version as soon as its file is there (the directory is listed once a batch, some ten microseconds), so
that no restart is needed; and forgets a version whose file is gone.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from shared.errors import ConfigurationError, Unavailable
from shared.settings import SECRET_BYTES, read_secret


class Versions(Protocol):
    """Where the versions of one secret are asked for."""

    def newest(self) -> int:
        """The version to use for what is made now."""
        ...

    def get(self, version: int) -> bytes:
        """The 32 bytes of one version. Raises Unavailable while it is not here."""
        ...


class Fixed:
    """Versions given once (tests, tools)."""

    def __init__(self, versions: Mapping[int, bytes]) -> None:
        self._versions = dict(versions)

    def newest(self) -> int:
        """The highest."""
        return max(self._versions)

    def get(self, version: int) -> bytes:
        """One of them."""
        try:
            return self._versions[version]
        except KeyError:
            raise _absent("secret", version) from None


class Ring:
    """Versions read from files. Raises ConfigurationError at once when there is none: nothing could be done without."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self.name = directory, name
        self._known: dict[int, bytes] = {}
        self._look()
        if not self._known:
            read_secret(directory, name)  # says which file is missing, and what to do

    def newest(self) -> int:
        """The highest version whose file is here now."""
        self._look()
        if not self._known:
            raise _absent(self.name, 1)
        return max(self._known)

    def get(self, version: int) -> bytes:
        """One version, from memory where it was read before."""
        if version not in self._known:
            self._look()
        try:
            return self._known[version]
        except KeyError:
            raise _absent(self.name, version) from None

    def versions(self) -> dict[int, bytes]:
        """All that are here now."""
        self._look()
        return dict(self._known)

    def _look(self) -> None:
        present = versions_present(self._directory, self.name)
        for version in self._known.keys() - present:
            del self._known[version]
        for version in present - self._known.keys():
            self._known[version] = read_secret(self._directory, file_name(self.name, version))


def file_name(name: str, version: int) -> str:
    """`kek` for version 1, `kek.2` for the next."""
    return name if version == 1 else f"{name}.{version}"


def versions_present(directory: Path, name: str) -> set[int]:
    """The versions that have a file. None where the directory cannot be listed."""
    pattern = re.compile(re.escape(name) + r"(?:\.([1-9][0-9]{0,3}))?")
    try:
        found = [match for entry in os.listdir(directory) if (match := pattern.fullmatch(entry))]  # noqa: PTH208
    except OSError:
        return set()
    return {int(match[1] or 1) for match in found}


def create_version(directory: Path, name: str, version: int) -> bytes:
    """Make a new version, whole or not at all; one that is there already is kept. Returns its bytes."""
    path = directory / file_name(name, version)
    if not path.exists():
        write_secret(path, secrets.token_bytes(SECRET_BYTES))
    return read_secret(directory, path.name)


def write_secret(path: Path, content: bytes) -> None:
    """Write a secret file, readable by its owner alone, whole or absent, and on the disk when this returns."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    _sync(path.parent)


def destroy_version(directory: Path, name: str, version: int) -> None:
    """Overwrite a version and remove its file. Copies elsewhere (backups, escrow) are their keepers' to destroy."""
    path = directory / file_name(name, version)
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"secret file {path.name!r} cannot be destroyed ({error.strerror})") from None
    _sync(directory)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _absent(name: str, version: int) -> Unavailable:
    return Unavailable(
        f"version {version} of {name!r} is not in OPPOSABLE_SECRETS_DIR (yet): bring its file here, or restore it"
    )
