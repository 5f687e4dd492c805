"""Settings of the rights handler."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

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
    rights_lag_most: float = 30.0
    """A permission check is refused when a stop older than this may still be unread."""

    @field_validator("rights_remind_after", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(float(part) for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def remind_after(self) -> tuple[timedelta, ...]:
        """The delays, shortest first."""
        return tuple(timedelta(seconds=s) for s in sorted(self.rights_remind_after))
