"""Settings of the console."""

from __future__ import annotations

from pydantic import Field

from shared.settings import Settings

WATCHED = (
    "collector", "consent_validator", "rights_handler", "proof_archive", "signer", "eraser", "notifier", "webhook_relay",
)  # fmt: skip
"""The services whose health and metrics are read, in the order data flows."""


class ConsoleSettings(Settings):
    """Environment prefix `OPPOSABLE_`. `…_URL`: base addresses of a service's instances, separated by commas; empty = not run."""

    collector_url: str = ""
    consent_validator_url: str = ""
    rights_handler_url: str = ""
    proof_archive_url: str = ""
    signer_url: str = ""
    eraser_url: str = ""
    notifier_url: str = ""
    webhook_relay_url: str = ""
    console_url: str = ""
    """Where browsers reach the console. Cookies are marked `Secure` unless it is plain http."""
    console_session_idle: float = Field(default=1800, gt=0)
    """Seconds without a request after which a session ends."""
    console_session_most: float = Field(default=36_000, gt=0)
    """Seconds after which a session ends in any case."""
    console_watch_every: float = Field(default=3, gt=0)
    """Seconds between two looks at health, metrics and lag."""
    console_tries_per_login: int = Field(default=6, ge=1)
    """Sign-ins with a wrong password, of one login, in a quarter of an hour."""
    console_tries_per_address: int = Field(default=40, ge=1)
    """The same from one network address."""

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies may travel over TLS only."""
        return not self.console_url.startswith("http://")

    def instances(self) -> dict[str, tuple[str, ...]]:
        """The base addresses of each watched service that runs."""
        found = {name: getattr(self, f"{name}_url") for name in WATCHED}
        return {
            name: tuple(url.strip().rstrip("/") for url in urls.split(",") if url.strip())
            for name, urls in found.items() if urls
        }  # fmt: skip
