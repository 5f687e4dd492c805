"""Mails by SMTP, encrypted and authenticated. Only reply codes are kept: a server's text often repeats the address."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from email.utils import parseaddr

import aiosmtplib

from services.notifier.domain import Failed, Outcome, Row, Sent
from services.notifier.transports.mail import compose
from shared.contracts.person_messages import Content
from shared.instants import parse_instant

PERMANENT = 500
"""Replies from here on refuse for good (RFC 5321 4.2.1)."""
_ENHANCED = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Smtp:
    """One connection a message: few messages, and no state to heal."""

    host: str
    port: int
    tls: str
    username: str | None
    password: str | None
    sender: str
    bounces: str
    deployment: str
    timeout: float
    context: ssl.SSLContext | None = None

    async def send(self, row: Row, content: Content) -> Outcome:
        """Hand over one mail."""
        try:
            mail = compose(
                content, sender=self.sender, deployment=self.deployment, at=parse_instant(row.ordered_at)
            )  # fmt: skip
        except ValueError:
            return Failed("MAIL-FORM", permanent=True)
        try:
            await aiosmtplib.send(
                mail, sender=self.bounces or parseaddr(self.sender)[1], recipients=[content.to], hostname=self.host,
                port=self.port, username=self.username, password=self.password, use_tls=self.tls == "tls",
                start_tls=self.tls == "starttls", tls_context=self.context, timeout=self.timeout,
            )  # fmt: skip
        except aiosmtplib.SMTPException as error:
            return failure(error)
        except (OSError, ssl.SSLError):
            return Failed("SMTP-UNREACHABLE", permanent=False)
        return Sent()


def failure(error: aiosmtplib.SMTPException) -> Failed:
    """What a fault means. Only a refusal of this recipient or of this mail is final; the rest is between the server and us."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError):
        return Failed(_code(error), permanent=error.code >= PERMANENT)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Failed("SMTP-AUTH", permanent=False)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Failed("SMTP-UNSUPPORTED", permanent=False)  # no STARTTLS, or no SMTPUTF8: the operator's to settle
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Failed(_code(error), permanent=False)
    return Failed("SMTP-UNREACHABLE", permanent=False)


def _code(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"SMTP-{error.code}" + (f" {enhanced[0]}" if enhanced else "")
