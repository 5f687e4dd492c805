"""A real SMTP server that keeps what it is given (aiosmtpd), with replies of the test's choosing, TLS and authentication."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email
import ssl
import threading
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class MailSink:
    """The mails taken, and what to answer: `replies` by recipient, `data_reply` to every mail."""

    def __init__(self):
        self.mails, self.envelopes, self.replies, self.data_replies, self.encrypted = [], [], {}, [], []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        reply = self.replies.get(address)
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        if self.data_replies:
            return self.data_replies.pop(0)
        self.encrypted.append(session.ssl is not None)
        self.envelopes.append(envelope)
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=default))
        return "250 taken"

    def to(self, address):
        return [mail for mail in self.mails if mail["To"] == address]


@contextlib.contextmanager
def mail_sink(**options):
    """(sink, port) of a server on this machine."""
    sink, loop = MailSink(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def on_loop(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=20)

    async def listen():
        return await loop.create_server(lambda: SMTP(sink, loop=loop, hostname="sink", **options), "127.0.0.1", 0)

    async def leave():
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = on_loop(listen())
    try:
        yield sink, server.sockets[0].getsockname()[1]
    finally:
        on_loop(leave())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def authenticator(user, password):
    """What aiosmtpd asks of a login."""

    def check(_server, _session, _envelope, mechanism, data):
        good = mechanism in ("LOGIN", "PLAIN") and (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=good)  # not handled: the server answers 535

    return check


def certificate(folder):
    """A self-signed certificate of 127.0.0.1 and localhost: (server context, path of the authority)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file
