"""Settings of the notifier."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from shared.settings import Settings

DAY = 86_400.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class NotifierSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere. Without a server or a gateway, messages become files (local use)."""

    notifier_from: str = ""
    """Sender of mails, `Name <address>` or an address. Empty: `no-reply@<deployment>`."""
    notifier_bounces: str = ""
    """Envelope sender, where bounces come back. Empty: the address of `notifier_from`."""
    notifier_smtp_host: str | None = None
    notifier_smtp_port: int = 587
    notifier_smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    """`starttls` and `tls` refuse a server without a valid certificate; `none` is for a server on this machine."""
    notifier_smtp_username: str | None = None
    """Its password is the secret file `smtp-password`."""
    notifier_smtp_ca_file: Path | None = None
    """Certificate authority of the server, where the system's do not know it."""
    notifier_sms_url: str | None = None
    """Where SMS are posted (README). Its bearer token is the secret file `sms-token`."""
    notifier_files_dir: Path | None = None
    """Where letters are put for printing, and mails and SMS that no server is set for. Unset: `<state>/messages`."""
    notifier_return_address: str = ""
    """Lines of the sender's postal address on letters, separated by `|`."""
    notifier_sweep_every: float = 1.0
    """Seconds between two looks at what is due."""
    notifier_retry_first: float = 15.0
    """Seconds before the second attempt; doubled each time, with jitter, up to one hour."""
    notifier_give_up_after: float = 3 * DAY
    """Seconds after the order: then the message has failed, and an operator owns it."""
    notifier_send_timeout: float = 45.0

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        clear = self.notifier_smtp_tls == "none"
        if self.notifier_smtp_host and clear and self.notifier_smtp_host not in LOOPBACK:
            raise ValueError("OPPOSABLE_NOTIFIER_SMTP_TLS=none is only for a mail server on this machine")
        return self

    @property
    def sender(self) -> str:
        """The `From` of mails."""
        return self.notifier_from or f"no-reply@{self.deployment}"

    @property
    def files_dir(self) -> Path:
        """Where files are put."""
        return self.notifier_files_dir or self.state_dir / "messages"
