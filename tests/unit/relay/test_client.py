"""The HTTP client against servers that are right, slow, greedy, broken or false: it never raises, never follows, never swells."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.webhook_relay.client import Client, tls_context


@contextlib.asynccontextmanager
async def served(*answers, tls=None, stay=True):
    """A server that gives these bytes to requests in turn; yields (port, requests, connections)."""
    requests, connections, given = [], [], iter(answers)

    async def handle(reader, writer):
        connections.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                requests.append((head, await reader.readexactly(length)))
                answer = next(given)
                if answer is None:
                    await asyncio.sleep(30)
                writer.write(answer)
                await writer.drain()
                if not stay:
                    break
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], requests, connections
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()


def client(port, *, most=1000, timeout=5.0, scheme="http", host="127.0.0.1", tls=None):
    return Client(
        f"{scheme}://{host}:{port}/hook?a=b", timeout=timeout, connect_timeout=2, answer_bytes=most, allow_loopback=True,
        tls=tls or ssl.create_default_context(),
    )  # fmt: skip


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


async def test_what_is_sent_and_that_connections_are_kept():
    async with served(OK, OK) as (port, requests, connections):
        one = client(port)
        for number in range(2):
            answer = await one.post({"webhook-id": f"m{number}"}, b"body")
            assert (answer.status, answer.fault, answer.body) == (200, None, b"{}")
        one.close()
    assert len(connections) == 1
    head, body = requests[1]
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook?a=b HTTP/1.1"
    assert f"host: 127.0.0.1:{port}" in lines
    assert "webhook-id: m1" in lines
    assert body == b"body"


@pytest.mark.parametrize(("answer", "status", "body"), [
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
    (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx", 201, b"x"),
    (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    (b"HTTP/1.0 200 OK\r\nserver: old\r\n\r\nends with the connection", 200, b"ends with the connection"),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000, 200, b""),
])  # fmt: skip
async def test_answers_of_every_framing(answer, status, body):
    async with served(answer, stay=False) as (port, requests, _):
        found = await client(port).post({}, b"")
    assert (found.status, found.fault, found.body) == (status, None, body)
    assert len(requests) == 1, "nothing is followed"


@pytest.mark.parametrize(("answer", "fault"), [
    (b"", "BROKEN"), (b"SSH-2.0-OpenSSH_9.6\r\n", "BROKEN"), (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "BROKEN"),
    (b"HTTP/1.1 200 OK\r\n" + b"a: " + b"b" * 20_000 + b"\r\n\r\n", "BROKEN"), (None, "TIMEOUT"),
])  # fmt: skip
async def test_what_is_no_answer(answer, fault):
    async with served(answer, stay=False) as (port, _, _):
        found = await client(port, timeout=1.0).post({}, b"")
    assert (found.status, found.fault) == (None, fault)


async def test_nobody_there():
    async with served() as (port, _, _):
        pass
    assert (await client(port).post({}, b"")).fault == "CONNECT"


async def test_a_greedy_answer_is_cut_off():
    endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n"
    async with served(endless + b"400\r\n" + b"x" * 1024 + b"\r\n") as (port, _, _):
        found = await client(port, most=1500).post({}, b"")
    assert (found.status, found.body) == (200, b"")


async def test_a_connection_closed_meanwhile_is_replaced_once():
    async with served(OK, OK) as (port, requests, connections):
        one = client(port)
        assert (await one.post({}, b"1")).status == 200
        connections[0].close()
        await asyncio.sleep(0.05)
        assert (await one.post({}, b"2")).status == 200
    assert [body for _, body in requests] == [b"1", b"2"]
    assert len(connections) == 2


async def test_retry_after_is_read():
    busy = b"HTTP/1.1 429 Too Many\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n"
    other = b"HTTP/1.1 503 Away\r\nretry-after: Fri, 27 Nov 2026 08:00:00 GMT\r\ncontent-length: 0\r\n\r\n"
    async with served(busy, other) as (port, _, _):
        one = client(port)
        assert (await one.post({}, b"")).retry_after == 120
        assert (await one.post({}, b"")).retry_after is None


def certificate(folder, name):
    """A certificate of its own authority, for a name or for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


@pytest.mark.parametrize(("name", "trusted", "fault"), [
    ("localhost", True, None), ("other.example", True, "TLS"), ("localhost", False, "TLS"),
])  # fmt: skip
async def test_certificates_and_names_are_checked(tmp_path, name, trusted, fault):
    context, authority = certificate(tmp_path, name)
    async with served(OK, tls=context) as (port, requests, _):
        one = client(port, scheme="https", host="localhost", tls=tls_context(authority if trusted else None))
        assert (await one.post({}, b"x")).fault == fault
        one.close()
    assert len(requests) == (0 if fault else 1)
