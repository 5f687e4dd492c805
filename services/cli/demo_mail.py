"""A mail server for the demonstration, on this machine: takes every mail, keeps it in memory, delivers to nobody.

As much of SMTP (RFC 5321) as a client needs to hand over one message; it listens on the loopback address only.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default

from shared.local_engines.loop_thread import LoopThread

LONGEST = 4 * 1024 * 1024
"""Bytes of a line, far above any: the reader would otherwise give up at 64 KiB."""


@dataclass(slots=True)
class Mailbox:
    """Every mail taken, with the moment (monotonic seconds). `port`: where the server listens."""

    port: int = 0
    mails: list[tuple[float, EmailMessage]] = field(default_factory=list)

    def to(self, address: str) -> list[tuple[float, EmailMessage]]:
        """The mails to one address."""
        return [(at, mail) for at, mail in self.mails if str(mail["To"]).lower() == address.lower()]


def by_mail(mailbox: Mailbox) -> dict[str, str]:
    """The settings of a notifier that hands its mails over here."""
    return {
        "OPPOSABLE_NOTIFIER_SMTP_HOST": "127.0.0.1",
        "OPPOSABLE_NOTIFIER_SMTP_PORT": str(mailbox.port),
        "OPPOSABLE_NOTIFIER_SMTP_TLS": "none",
    }


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mailbox whose server runs until the block ends, in a thread of its own."""
    mailbox, thread = Mailbox(), LoopThread("demo mail")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _converse(reader, writer, mailbox)
        writer.close()

    try:
        server = thread.run(_listen(serve))
        mailbox.port = server.sockets[0].getsockname()[1]
        yield mailbox
        thread.call(server.close)
    finally:
        thread.close()


async def _listen(serve: object) -> asyncio.Server:
    return await asyncio.start_server(serve, "127.0.0.1", 0, limit=LONGEST)  # type: ignore[arg-type]


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mailbox: Mailbox) -> None:
    writer.write(b"220 demonstration\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            body = await reader.readuntil(b"\r\n.\r\n")
            mail = email.message_from_bytes(body[:-3].replace(b"\r\n..", b"\r\n."), policy=default)
            mailbox.mails.append((time.monotonic(), mail))
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
        await writer.drain()
        if verb == b"QUIT":
            return
