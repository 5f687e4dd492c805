"""The one door for partners' events: who speaks, what it is, and whether it can be read (contracts.md, "Partner → platform").

Pure: the same bytes, registry and time of receipt always give the same answer. Problems: `shared.intake.problems`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from shared.contracts.envelope import Envelope
from shared.contracts.partner import CONSENT_COLLECTED
from shared.contracts.partner_rights import (
    CONTACT_ATTEMPTED,
    DATA_TRANSFERRED,
    NOTICE_GIVEN,
    ORDER_ACKNOWLEDGED,
    RIGHT_REQUESTED,
    STOP_REQUESTED,
)
from shared.errors import InputError, Problem
from shared.intake.accepted import Accepted
from shared.intake.consents import accept_consent
from shared.intake.reports import (
    accept_acknowledgement,
    accept_attempt,
    accept_notice,
    accept_request,
    accept_transfer,
)
from shared.intake.stops import accept_stop
from shared.registry.view import RegistryView
from shared.topics import PLATFORM_PARTY

__all__ = ["TYPES", "Accepted", "accept"]

Door = Callable[[Envelope, bytes, datetime, RegistryView], Accepted]

TYPES: Mapping[str, Door] = {
    CONSENT_COLLECTED: accept_consent,
    STOP_REQUESTED: accept_stop,
    RIGHT_REQUESTED: accept_request,
    ORDER_ACKNOWLEDGED: accept_acknowledgement,
    NOTICE_GIVEN: accept_notice,
    DATA_TRANSFERRED: accept_transfer,
    CONTACT_ATTEMPTED: accept_attempt,
}
"""Event types that are read, each by its function."""


def accept(envelope: Envelope, data: bytes, *, party: str, received_at: datetime, registry: RegistryView) -> Accepted:
    """The accepted input. Raises InputError with every problem found.

    `party`: whom the channel belongs to (its topic or key); the event's source must be the same, and registered. A
    registered company without the role `collector` is heard all the same: its evidence is assessed (PARTY-ROLE), not lost.
    `platform` is our own HTTP edges, which relay the rights of persons and no consent.
    """
    return door_of(envelope, party, registry)(envelope, data, received_at, registry)


def door_of(envelope: Envelope, party: str, registry: RegistryView) -> Door:
    """The function that reads this type from this party. Raises InputError where it may not speak, or not so."""
    if envelope.source != party:
        raise InputError([Problem("IDENTITY", "/source", "the source must be the party that this channel belongs to")])
    door = TYPES.get(envelope.type)
    if door is None:
        raise InputError([Problem("TYPE-UNKNOWN", "/type", "this type of event is not read: see the contracts")])
    ours = party == PLATFORM_PARTY and door is not accept_consent
    if not ours and registry.party(party) is None:
        raise InputError([Problem("IDENTITY-UNREGISTERED", "/source", "the source is no registered party")])
    return door
