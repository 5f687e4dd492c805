"""What other parts of this service call to erase: one function. Whoever answers a person's request needs nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from services.rights_handler.erasing.model import Cause, Planned


class Erases(Protocol):
    """Erases records, object first."""

    async def erase(
        self, records: Collection[str], *, cause: Cause, also: Mapping[str, Sequence[str]] | None = None
    ) -> list[Planned]:
        """Begin the erasure of these records (`<collector>/<consent id>`); returns what becomes of each, in order.

        Returns once every erasure is stored: from then on it goes on by itself, through any crash (a stop to every party
        unless one covers the record already, `permission.ended`, the entry on `erasures`, index, sealed data, at last the
        key). Asked again it changes nothing. `also`: names in the vault of keys that go with a record, such as
        `request/<source>/<request id>` of a request that is answered; the person's stops and reports are found here.
        `records` may hold such a name itself: its key alone goes, nobody has to be told. A record that is not in the vault raises InputError (`RECORD-UNKNOWN`), before anything is begun.
        """
        ...

    async def plan(self, records: Collection[str], *, cause: Cause) -> list[Planned]:
        """The same answer without doing anything."""
        ...
