"""Settings of the webhook relay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

from services.webhook_relay.domain import Policy
from shared.settings import Settings

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class RelaySettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere. Delays are seconds."""

    webhook_retry_after: Annotated[tuple[float, ...], NoDecode] = (
        5.0, MINUTE, 5 * MINUTE, HOUR / 2, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, DAY,
    )  # fmt: skip
    """Delays between the attempts of one event, written `5,60,300`; the last one repeats. Each is shortened by up to a fifth."""
    webhook_give_up_after: float = 5 * DAY
    """After this an event is given up and named for a replay: within the seven days that receipts stay on their topic."""
    webhook_timeout: float = 15.0
    """How long an endpoint has to answer, connection included."""
    webhook_connect_timeout: float = 5.0
    webhook_concurrency: int = 8
    """Requests at once to one endpoint."""
    webhook_answer_bytes: int = 65_536
    """Longer answers are cut off: their status counts, their content does not."""
    webhook_backlog_most: int = 5_000
    """Events of one party waiting in the database; the others wait on its topics."""
    webhook_breaker_failures: int = 5
    """Failures in a row after which an endpoint is left alone for a while."""
    webhook_breaker_first: float = 2.0
    webhook_breaker_most: float = 300.0
    """How long it is left alone: doubled each time, up to the most."""
    webhook_keep_delivered: float = DAY
    """How long it is remembered that an event was delivered (never its content)."""
    webhook_sweep_every: float = 1.0
    """How often due events are looked for that no one in this process was told about."""
    webhook_lease: float = 10.0
    """How long an instance that died still holds its parties."""
    webhook_allow_loopback: bool = False
    """Whether an endpoint may be on this machine, in plain HTTP too: development only."""
    webhook_ca_file: Path | None = None
    """Certification authorities to trust instead of the system's."""

    @field_validator("webhook_retry_after", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(float(part) for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def policy(self) -> Policy:
        """What the domain decides from."""
        return Policy(
            retry_after=self.webhook_retry_after or (MINUTE,),
            give_up_after=self.webhook_give_up_after,
            breaker_failures=self.webhook_breaker_failures,
            breaker_first=self.webhook_breaker_first,
            breaker_most=self.webhook_breaker_most,
        )
