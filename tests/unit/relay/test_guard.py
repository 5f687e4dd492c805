"""Whom the relay contacts: a table of addresses that must never be, and the address checked is the address connected to."""

import asyncio
import ssl

import pytest

from services.webhook_relay import guard
from services.webhook_relay.client import Client
from services.webhook_relay.guard import EndpointRefused, addresses, parse, reason_against
from shared.registry.check import check
from shared.registry.load import Document

REFUSED = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1", "169.254.1.1",  # noqa: S104
    "169.254.169.254", "168.63.129.16", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "2002:7f00:1::", "2002:808:808::1", "2001:0:53aa::1", "not an address",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_never_contacted(address):
    assert reason_against(address, allow_loopback=False) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be(address):
    assert reason_against(address, allow_loopback=False) is None


@pytest.mark.parametrize("address", [a for a in REFUSED if "127" not in a and a != "::1"])
def test_development_opens_this_machine_only(address):
    assert reason_against(address, allow_loopback=True) is not None
    assert reason_against("127.0.0.1", allow_loopback=True) is None
    assert reason_against("::1", allow_loopback=True) is None


@pytest.mark.parametrize("url", [
    "http://hooks.example/", "ftp://hooks.example/", "https://", "https://user@hooks.example/", "https://u:p@hooks.example/",
    "https://hooks.example/#part", "https://hooks.example:0/", "https://hooks.example:99999/", "https://hooks.example:x/",
    "https://hooks.example/a b", "https://hooks.example/\r\nhost: other", "https://hooks.example/é", "//hooks.example/",
    "https://[::1", "file:///etc/passwd", "",
])  # fmt: skip
def test_addresses_that_are_no_endpoint(url):
    with pytest.raises(EndpointRefused) as refused:
        parse(url, allow_loopback=False)
    assert refused.value.fault == "URL-REFUSED"


def test_what_is_asked_of_the_endpoint():
    target = parse("https://Hooks.Example:8443/a/b?c=d", allow_loopback=False)
    assert (target.host, target.port, target.path, target.authority) == (
        "hooks.example",
        8443,
        "/a/b?c=d",
        "hooks.example:8443",
    )
    assert parse("https://hooks.example", allow_loopback=False).authority == "hooks.example"
    assert parse("https://[2606:4700::1]:444/", allow_loopback=False).authority == "[2606:4700::1]:444"


def resolver(*answers):
    asked = iter(answers)

    async def resolve(_host, _port):
        return list(next(asked))

    return resolve


@pytest.mark.parametrize("found", [["8.8.8.8", "127.0.0.1"], ["10.0.0.1"], ["::ffff:192.168.0.1"], ["169.254.169.254"]])
async def test_one_bad_address_of_a_name_is_enough(found):
    target = parse("https://hooks.example/", allow_loopback=False)
    with pytest.raises(EndpointRefused) as refused:
        await addresses(target, resolver(found), allow_loopback=False)
    assert refused.value.fault == "ADDRESS-REFUSED"


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost", "127.0.0.1"])
async def test_other_spellings_of_this_machine_are_resolved_then_refused(host):
    target = parse(f"https://{host}/", allow_loopback=False)
    with pytest.raises(EndpointRefused) as refused:
        await addresses(target, guard.system_resolve, allow_loopback=False)
    assert refused.value.fault == "ADDRESS-REFUSED"


async def test_plain_http_is_for_this_machine_even_in_development():
    target = parse("http://hooks.example/", allow_loopback=True)
    with pytest.raises(EndpointRefused) as refused:
        await addresses(target, resolver(["8.8.8.8"]), allow_loopback=True)
    assert refused.value.fault == "URL-REFUSED"


async def test_the_address_checked_is_the_one_connected_to(monkeypatch):
    """A name that answers something else the second time (DNS rebinding) is never asked a second time."""
    connected = []
    loop = asyncio.get_running_loop()

    async def create_connection(_factory, host, port, **more):
        connected.append((host, port, more["server_hostname"]))
        raise ConnectionRefusedError

    monkeypatch.setattr(loop, "create_connection", create_connection)
    client = Client(
        "https://hooks.example/", timeout=5, connect_timeout=5, answer_bytes=100, allow_loopback=False,
        tls=ssl.create_default_context(), resolve=resolver(["8.8.8.8"], ["127.0.0.1"]),
    )  # fmt: skip
    assert (await client.post({}, b"")).fault == "CONNECT"
    assert connected == [("8.8.8.8", 443, "hooks.example")]
    assert (await client.post({}, b"")).fault == "ADDRESS-REFUSED"
    assert len(connected) == 1


@pytest.mark.parametrize(("url", "codes"), [
    ("https://hooks.example/", []), ("http://127.0.0.1:9000/hook", []), ("http://[::1]:9000/", []),
    ("http://hooks.example/", ["REGISTRY-WEBHOOK"]), ("http://127.0.0.1.hooks.example/", ["REGISTRY-WEBHOOK"]),
    (None, ["REGISTRY-REFERENCE"]),
])  # fmt: skip
def test_the_registry_refuses_what_the_relay_would(url, codes):
    body = {"kind": "party", "id": "acme", "legal_name": "A", "foreign_id": "x", "country": "FR", "roles": ["collector"],
            "delivery": {"mode": "webhook", "url": url}}  # fmt: skip
    found = check([Document("party:acme", body, "here")])
    assert [one.problem.code for one in found] == codes
