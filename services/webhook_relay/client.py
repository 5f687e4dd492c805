"""HTTP/1.1 to one endpoint: POST, a bounded answer, a few connections kept open. No redirects, no proxies, no cookies.

Own code because of two things a general client does not give: it connects to the very address that was checked
(`guard`), with the endpoint's name in TLS and Host; and an answer never costs more memory than the bound. llhttp parses.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from typing import Any

import httptools

from services.webhook_relay import guard
from services.webhook_relay.domain import Answer

HEADERS_MOST = 16_384
"""Bytes of an answer's header lines."""
IDLE_S = 20.0
"""A connection unused for longer is closed: most servers close theirs after a minute or less."""
FAULTS: tuple[tuple[type[OSError], str], ...] = (
    (TimeoutError, "TIMEOUT"), (ssl.SSLError, "TLS"), (ConnectionRefusedError, "CONNECT"), (ConnectionError, "BROKEN"),
    (OSError, "CONNECT"),
)  # fmt: skip
"""What each error of the network is called, the first that fits."""
FIRST_REAL_STATUS = 200
"""1xx answers announce, and are passed over."""


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.transport: Any = None
        self.closed = False
        self.idle_since = 0.0
        self.touched = False
        self._answer: asyncio.Future[Answer] | None = None
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._headers, self._framed, self._complete = bytearray(), 0, False, False
        self._retry_after: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def request(self, head: bytes, body: bytes) -> asyncio.Future[Answer]:
        """Send; the future fails with ConnectionError where no whole answer comes."""
        self._begin()
        self.touched = False
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(head + body)
        return self._answer

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # bytes that nobody asked for
            return
        self.touched = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()
        except httptools.HttpParserUpgrade:
            self._fail()

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp: one header."""
        self._headers += len(name) + len(value)
        if self._headers > HEADERS_MOST:
            raise ValueError("too many header bytes")
        lowered = name.lower()
        if lowered in (b"content-length", b"transfer-encoding"):
            self._framed = True
        elif lowered == b"retry-after" and value.isdigit() and len(value) < 7:  # noqa: PLR2004 - under twelve days
            self._retry_after = float(value)

    def on_body(self, body: bytes) -> None:
        """llhttp: a piece of the body."""
        self._body += body
        if len(self._body) > self._most:
            self._finish(b"")  # its status counts; what it says does not
            self.close()

    def on_message_complete(self) -> None:
        """llhttp: the answer is whole."""
        if self._parser.get_status_code() < FIRST_REAL_STATUS:
            self._body, self._headers = bytearray(), 0
            return
        keep = self._parser.should_keep_alive()
        self._finish(bytes(self._body))
        if not keep:
            self.close()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._answer is not None and not self._answer.done():
            status = self._status()
            if exc is None and status is not None and not self._framed:
                self._finish(bytes(self._body))  # an answer that ends with its connection (RFC 9112 §6.3)
            else:
                self._fail()

    def _status(self) -> int | None:
        status = self._parser.get_status_code()
        return status if self._headers and status >= FIRST_REAL_STATUS else None

    def _finish(self, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), None, body, self._retry_after))

    def _fail(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("no whole answer"))
        self.close()

    def close(self) -> None:
        """Drop it."""
        self.closed = True
        if self.transport is not None:
            self.transport.abort()


class Client:
    """Speaks to one endpoint at a time; whoever changes the address makes a new one."""

    def __init__(
        self, url: str, *, timeout: float, connect_timeout: float, answer_bytes: int, allow_loopback: bool,
        tls: ssl.SSLContext, resolve: guard.Resolve = guard.system_resolve,
    ) -> None:  # fmt: skip
        self.url = url
        self._timeout, self._connect_timeout, self._most = timeout, connect_timeout, answer_bytes
        self._loopback, self._tls, self._resolve = allow_loopback, tls, resolve
        self._idle: deque[_Connection] = deque()

    async def post(self, headers: dict[str, str], body: bytes) -> Answer:
        """One attempt. Never raises but for cancellation: every failure is an answer with its fault."""
        try:
            target = guard.parse(self.url, allow_loopback=self._loopback)
            async with asyncio.timeout(self._timeout):
                return await self._post(target, _head(target, headers, body), body)
        except guard.EndpointRefused as refused:
            return Answer(None, refused.fault)
        except OSError as error:  # TimeoutError, ssl.SSLError and ConnectionError are among them
            return Answer(None, next(fault for kind, fault in FAULTS if isinstance(error, kind)))

    async def _post(self, target: guard.Target, head: bytes, body: bytes) -> Answer:
        kept = self._take()
        if kept is not None:
            try:
                return await self._exchange(kept, head, body)
            except ConnectionError:
                if kept.touched:
                    raise
                # The server had closed it meanwhile and read nothing: once more, on a new one.
        return await self._exchange(await self._connect(target), head, body)

    async def _exchange(self, connection: _Connection, head: bytes, body: bytes) -> Answer:
        try:
            answer = await connection.request(head, body)
        except BaseException:
            connection.close()
            raise
        if not connection.closed:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        return answer

    def _take(self) -> _Connection | None:
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, target: guard.Target) -> _Connection:
        found = await guard.addresses(target, self._resolve, allow_loopback=self._loopback)
        loop = asyncio.get_running_loop()
        failure: OSError = ConnectionRefusedError("no address")
        for address in found:
            try:
                async with asyncio.timeout(self._connect_timeout):
                    _, connection = await loop.create_connection(
                        lambda: _Connection(self._most), address, target.port,
                        ssl=self._tls if target.tls else None, server_hostname=target.host if target.tls else None,
                    )  # fmt: skip
            except ssl.SSLError:
                raise
            except OSError as error:  # includes the time-out: the next address may do
                failure = error
            else:
                return connection
        raise failure

    def close(self) -> None:
        """Drop the idle connections."""
        while self._idle:
            self._idle.pop().close()


def _head(target: guard.Target, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"host: {target.authority}",
        "user-agent: opposable-webhooks/1",
        "accept: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Certificates and names are checked, TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with contextlib.suppress(NotImplementedError):
        context.set_alpn_protocols(["http/1.1"])
    return context
