"""A mail as it leaves: plain text, no image, no tracked link, headers that mail systems expect of an automatic message.

RFC 5322 (message), RFC 2045 ff. (MIME), RFC 3834 (`Auto-Submitted`: no vacation reply comes back). The Message-ID derives from
the message's id, so that a mail sent twice is recognised as one. `EmailMessage` refuses line breaks in headers, and
`Content` cannot hold any: two walls against header injection (CWE-93).
"""

from __future__ import annotations

import base64
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from shared.contracts.person_messages import Content


def compose(content: Content, *, sender: str, deployment: str, at: datetime) -> EmailMessage:
    """The mail of a message. `at`: when it was ordered, so that every attempt is the same mail."""
    name, address = parseaddr(sender)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = Address(addr_spec=content.to)
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id(content.id, deployment)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = "fr"
    mail.set_content(content.text.rstrip("\n") + "\n", subtype="plain", charset="utf-8", cte="quoted-printable")
    for file in content.attachments:
        kind, _, subtype = file.media_type.partition("/")
        mail.add_attachment(base64.b64decode(file.content), maintype=kind, subtype=subtype, filename=file.name)
    return mail


def message_id(message: str, deployment: str) -> str:
    """`<id@deployment>`: what a bounce names the message by."""
    return f"<{message}@{deployment}>"
