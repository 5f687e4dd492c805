"""What the rules look at: one event with the registry documents it cites, and one line of it.

Built once per event; every attribute is read-only for the rules. Instants are aware UTC datetimes, days are days in Paris.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.consent_validator.rules.days import add_months, paris_day
from services.consent_validator.rules.model import Basis, Effect, RuleSettings
from services.consent_validator.rules.page import Page, Place, page_of
from shared.contracts.types import instant
from shared.instants import format_instant
from shared.registry.models import Agreement, Party
from shared.registry.shown import Box, Form, Notice, RecipientList
from shared.registry.view import RegistryView

Fired = tuple[int, str, Effect]
"""A rule that fired: its place in the catalogue, its code, its effect."""


class Case:
    """One event under assessment at one instant. `live`: in the running system, where lateness of arrival counts."""

    __slots__ = (
        "at", "collected", "collected_day", "collector", "default_state", "displayed", "facts", "fired", "form", "list_",
        "list_reference", "live", "notice", "notice_key", "page", "party", "received", "registry", "relationship",
        "retention_ends", "settings", "texts", "used_day", "words",
    )  # fmt: skip

    def __init__(
        self, facts: Mapping[str, Any], registry: RegistryView, at: datetime, settings: RuleSettings, *, live: bool
    ) -> None:
        self.facts, self.registry, self.at, self.settings, self.live = facts, registry, at, settings, live
        self.collected: datetime = instant(facts["collected_at"])
        self.received: datetime = instant(facts["received_at"])
        self.collected_day: date = paris_day(self.collected)
        self.used_day: date = paris_day(at)
        self.collector: str = facts["collector"]
        self.default_state: str | None = facts["action"]["default_state"]
        self.words = (facts["audience"], self.default_state, *facts["contact_types"])
        """Closed words that rules of a place read."""
        self.page: Page = page_of(registry, facts, self.collected_day)
        self.party: Party | None = self.page.party
        self.form: Form | None = self.page.form
        self.list_: RecipientList | None = self.page.list_
        self.list_reference: Mapping[str, Any] | None = facts["recipient_list"]
        self.displayed: datetime | None = None
        if self.list_reference is not None and self.list_reference["displayed_at"] is not None:
            self.displayed = instant(self.list_reference["displayed_at"])
        self.notice_key = notice_key(facts, self.form)
        self.notice: Notice | None = registry.notice(*self.notice_key) if self.notice_key is not None else None
        self.relationship: Mapping[str, Any] | None = facts["relationship"]
        self.retention_ends: datetime = add_months(self.collected, settings.retention_months)
        self.fired: list[Fired] | None = None
        self.texts: dict[datetime, str] = {}

    def text_of(self, moment: datetime) -> str:
        """The wire form of an instant; the lines of one event share most of theirs."""
        text = self.texts.get(moment)
        if text is None:
            text = self.texts[moment] = format_instant(moment)
        return text

    def contract_in_course(self, recipient: str | None) -> bool:
        """Whether the person had, and still has when used, a contract with the recipient that this is linked to."""
        relation = self.relationship
        if relation is None or relation["kind"] != "contract_in_course" or relation["with"] != recipient:
            return False
        since, until = relation["since"], relation["until"]
        begun = since is None or instant(since) <= self.collected
        ended = until is not None and instant(until) <= max(self.collected, self.at)
        return relation["analogous"] is True and begun and not ended


def notice_key(facts: Mapping[str, Any], form: Form | None) -> tuple[str, str] | None:
    """Id and version of the notice given: as the event says, else as the form version says; None where neither does."""
    said = facts["notice"]
    if said is None:
        return None
    registered = form.notice if form is not None else None
    notice_id = said["id"] or (registered.id if registered else None)
    version = said["version"] or (registered.version if registered else None)
    return (notice_id, version) if notice_id and version else None


class Line:
    """One recipient × channel × purpose (× sector × object) of an event."""

    __slots__ = (
        "agreements", "basis", "boxes", "case", "channel", "covering", "decision", "party", "place", "purpose", "recipient",
        "sector", "third_party", "valid_until", "value",
    )  # fmt: skip

    def __init__(self, case: Case, recipient: str | None, decision: Mapping[str, Any]) -> None:
        self.case, self.recipient, self.decision = case, recipient, decision
        self.channel: str = decision["channel"]
        self.purpose: str = decision["purpose"]
        self.value: str = decision["value"]
        self.sector: str = decision["sector"] or "general"
        place = case.page.place(recipient, self.channel, self.purpose)
        self.place: Place = place
        self.third_party: bool = place.third_party
        self.party: Party | None = place.party
        self.boxes: tuple[Box, ...] = place.boxes
        self.agreements: Sequence[Agreement] = place.agreements
        self.covering: Sequence[Agreement] = place.covering
        self.basis: Basis = "consent"
        self.valid_until: datetime = case.collected
