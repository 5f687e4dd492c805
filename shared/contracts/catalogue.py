"""Every event that crosses the boundary: its type, its model, where it travels. The published contracts are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts import partner, partner_rights, platform
from shared.contracts.types import Contract
from shared.topics import (
    IN_CONSENTS,
    IN_RIGHTS,
    OUT_PERMISSIONS,
    OUT_RECEIPTS,
    OUT_REQUESTS,
    OUT_WITHDRAWALS,
    TopicRow,
)


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event. On `in.*` topics a party sends it, on `out.*` topics it receives it."""

    name: str
    model: type[Contract]
    topic: TopicRow

    @property
    def is_sent_by_party(self) -> bool:
        """Whether a party sends it."""
        return self.topic.name.startswith("in.")


CATALOGUE: tuple[EventType, ...] = (
    EventType(partner.CONSENT_COLLECTED, partner.ConsentCollected, IN_CONSENTS),
    EventType(partner_rights.STOP_REQUESTED, partner_rights.StopRequested, IN_RIGHTS),
    EventType(partner_rights.RIGHT_REQUESTED, partner_rights.RightRequested, IN_RIGHTS),
    EventType(partner_rights.ORDER_ACKNOWLEDGED, partner_rights.OrderAcknowledged, IN_RIGHTS),
    EventType(partner_rights.NOTICE_GIVEN, partner_rights.NoticeGiven, IN_RIGHTS),
    EventType(partner_rights.DATA_TRANSFERRED, partner_rights.DataTransferred, IN_RIGHTS),
    EventType(partner_rights.CONTACT_ATTEMPTED, partner_rights.ContactAttempted, IN_RIGHTS),
    EventType(platform.RECEIPT, platform.Receipt, OUT_RECEIPTS),
    EventType(platform.PERMISSION_GRANTED, platform.PermissionGranted, OUT_PERMISSIONS),
    EventType(platform.PERMISSION_REFUSED, platform.PermissionRefused, OUT_PERMISSIONS),
    EventType(platform.PERMISSION_ENDED, platform.PermissionEnded, OUT_PERMISSIONS),
    EventType(platform.STOP_ORDERED, platform.StopOrdered, OUT_WITHDRAWALS),
    EventType(platform.RIGHT_ORDERED, platform.RightOrdered, OUT_REQUESTS),
    EventType(platform.LIST_CHANGED, platform.ListChanged, OUT_REQUESTS),
    EventType(platform.AGREEMENT_EXPIRING, platform.AgreementExpiring, OUT_REQUESTS),
    EventType(platform.SUBPROCESSOR_CHANGING, platform.SubProcessorChanging, OUT_REQUESTS),
    EventType(platform.REGISTRY_DECIDED, platform.RegistryDecided, OUT_REQUESTS),
    EventType(platform.BREACH_NOTIFIED, platform.BreachNotified, OUT_REQUESTS),
)
