"""Whom the relay may contact: an endpoint's address is checked after it is resolved, and that very address is connected to.

A party names its endpoint; without this it could make us speak to our own network (SSRF). https only; no user, no
fragment; every address the name resolves to must be a public unicast one; redirects are not followed (the client has none).
`allow_loopback` is for development: then, and only for addresses of this machine, plain http too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import OpposableError

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → every address, as texts. Raises OSError."""

METADATA = frozenset({
    ipaddress.ip_address("169.254.169.254"), ipaddress.ip_address("168.63.129.16"),
    ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("192.0.0.192"),
    ipaddress.ip_address("fd00:ec2::254"),
})  # fmt: skip
"""Where clouds answer questions about the machine itself; one of them is a public address."""
CARRIERS = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"))
"""IPv6 that only carries an IPv4 address (NAT64, Teredo, 6to4): what it leads to cannot be told from here."""
HTTPS, HTTP = 443, 80


class EndpointRefused(OpposableError):  # noqa: N818 - an answer, not a fault
    """An endpoint is not contacted. `fault` is a cause of the domain."""

    code = "WEBHOOK-ENDPOINT"

    def __init__(self, fault: str, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed endpoint. `authority` is the Host header."""

    host: str
    port: int
    path: str
    tls: bool
    authority: str


def parse(url: str, *, allow_loopback: bool) -> Target:
    """The target of an address. Raises EndpointRefused."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode() if not _literal(parts.hostname) else str(parts.hostname)
        port = parts.port
    except (ValueError, UnicodeError):
        raise EndpointRefused("URL-REFUSED", "not an address") from None
    schemes = {"https", "http"} if allow_loopback else {"https"}
    written = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in schemes or not host or "@" in parts.netloc or parts.fragment or not written or port == 0:
        raise EndpointRefused("URL-REFUSED", "an endpoint is https://host[:port]/path, without a user or a fragment")
    tls = parts.scheme == "https"
    usual = HTTPS if tls else HTTP
    shown = f"[{host}]" if ":" in host else host
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or usual, path, tls, shown if port in (None, usual) else f"{shown}:{port}")


def _literal(host: str | None) -> bool:
    return host is not None and ":" in host


def reason_against(address: str, *, allow_loopback: bool) -> str | None:
    """Why an address is refused; None where it may be contacted."""
    try:
        found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback:
        return None if allow_loopback else "loopback"
    if found in METADATA:
        return "metadata"
    if isinstance(found, ipaddress.IPv6Address) and any(found in carrier for carrier in CARRIERS):
        return "carries another address"
    for reason in ("multicast", "link_local", "unspecified", "reserved", "private"):
        if getattr(found, f"is_{reason}"):
            return reason
    return None if found.is_global else "not public"


async def addresses(target: Target, resolve: Resolve, *, allow_loopback: bool) -> list[str]:
    """Every address of a target, all of them checked. Raises EndpointRefused."""
    try:
        found = await resolve(target.host, target.port)
    except (OSError, UnicodeError):
        raise EndpointRefused("NAME", "the name cannot be resolved") from None
    if not found:
        raise EndpointRefused("NAME", "the name has no address")
    for address in found:
        reason = reason_against(address, allow_loopback=allow_loopback)
        if reason is not None:
            raise EndpointRefused("ADDRESS-REFUSED", f"an address of the endpoint is refused: {reason}")
        if not target.tls and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            raise EndpointRefused("URL-REFUSED", "plain http is for this machine only")
    return found


async def system_resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
