"""Settings of the rights handler."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.rights_handler.sending.model import SendingSettings
from shared.settings import Settings

HOUR = 3600.0


class RightsSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere. Delays are seconds, so that demonstrations need not wait hours."""

    rights_remind_after: Annotated[tuple[float, ...], NoDecode] = (6 * HOUR, 12 * HOUR, 18 * HOUR)
    """Delays of the reminders of an unanswered order, written `21600,43200`; those past its due time are not used."""
    rights_ack_within: float | None = None
    """How long a party has to answer an order. Unset: the `stop_sla` of its agreement, or `rights_default_sla`."""
    rights_default_sla: float = 24 * HOUR
    """For parties without an agreement that says it: the collector itself, intermediaries, parties of a transfer."""
    rights_repeat_every: float = 24 * HOUR
    """How often an escalated order is still published again."""
    rights_sweep_every: float = 1.0
    """How often due reminders are looked for."""
    rights_notices_every: float = 600.0
    """Seconds between two looks at who has not given the information of RGPD 14 in time."""
    rights_review_within_hours: float = Field(default=72.0, gt=0)
    """How long a line may wait in review before it is overdue (an obligation of the operator)."""
    rights_lag_most: float = 30.0
    """A permission check is refused when a stop or a report older than this may still be unread."""

    checks_per_second: float = 200.0
    """Contacts that one party may ask about each second, on average, of each instance."""
    checks_at_once: int = 50_000
    """And at once; more are refused with 429 and the time to wait."""

    sending_automated_call_hours: bool = True
    """Whether automated calls keep the hours and the number of calls of C. conso. D.223-9."""
    sending_alsace_moselle: bool = False
    """Whether Good Friday and 26 December count as holidays."""
    sending_appointment_minutes: float = 30.0
    """How far from an appointment expressly given a call may fall, outside the hours."""

    portal_link_minutes: int = 15
    """How long a link or code of the portal can be used."""
    portal_session_minutes: int = 30
    """How long the pages behind it stay open."""
    portal_asks_per_contact: int = 5
    """Links or codes sent to one contact in an hour; asked more often, nothing more is sent."""
    portal_asks_per_address: int = 30
    """Links or codes asked for from one network address in an hour."""
    portal_stops_per_address: int = 30
    """Withdrawals without proof from one network address in an hour."""
    portal_sweep_every: float = 0.5
    """Seconds between two looks at the links and codes to send."""

    rights_erasing_every: float = 0.3
    """Seconds between two looks at erasures under way."""
    rights_retention_every: float = 60.0
    """Seconds between two looks at records whose retention may have ended."""
    rights_retention_years: int = Field(default=3, ge=0, le=30)
    """How long a record is kept after its last line ended, where no text says how long (`erasing.table`)."""

    @field_validator("rights_remind_after", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(float(part) for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def sending(self) -> SendingSettings:
        """What the law of the sending phase leaves open."""
        tolerance = timedelta(minutes=self.sending_appointment_minutes)
        return SendingSettings(self.sending_automated_call_hours, self.sending_alsace_moselle, tolerance)

    @property
    def remind_after(self) -> tuple[timedelta, ...]:
        """The delays, shortest first."""
        return tuple(timedelta(seconds=s) for s in sorted(self.rights_remind_after))
