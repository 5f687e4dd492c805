"""A service does not start on another secret than the one its data was made under: check values are noted once, then compared.

Without it a lost pepper that was silently made anew would name everyone anew, and no stop would find its person.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pymongo.errors import DuplicateKeyError

from shared.errors import ConfigurationError
from shared.keyring.checks import check_value
from shared.keyring.ring import Ring
from shared.mongo import Database


async def confirm_known(database: Database, name: str, versions: Mapping[int, bytes]) -> None:
    """Note the check values of versions that are new here. Raises ConfigurationError where one is another than noted."""
    rows = database["secret_checks"]
    for version, secret in sorted(versions.items()):
        check = check_value(name, version, secret)
        try:
            await rows.insert_one({"_id": f"{name} {version}", "check": check})
        except DuplicateKeyError:
            noted = await rows.find_one({"_id": f"{name} {version}"})
            if noted is not None and noted["check"] != check:
                raise ConfigurationError(
                    f"version {version} of {name!r} has check value {check}; this database was made under {noted['check']}: "
                    "restore that one (`opposable keys restore`)"
                ) from None


def secrets_known(database: Database, *rings: Ring) -> Callable[[], Awaitable[None]]:
    """What a service awaits at its start: each version of these secrets is the one noted."""

    async def confirm() -> None:
        for ring in rings:
            await confirm_known(database, ring.name, ring.versions())

    return confirm
