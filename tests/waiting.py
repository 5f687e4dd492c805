"""Waiting for a running system, and speaking to it as its operator."""

import asyncio

import httpx


async def until(ask, good, seconds=40, every=0.2):
    """What `ask` gives once it is good. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not good(answer := await ask()):
            await asyncio.sleep(every)
    return answer


def operator_token(endpoints):
    """What the operator shows to every service of this system."""
    return (endpoints.secrets_dir / "operator-token").read_text().strip()


def operator_headers(endpoints):
    """The same, as headers of a call."""
    return {"Authorization": f"Bearer {operator_token(endpoints)}"}


def operator_http(endpoints, service="rights_handler", seconds=30):
    """A client of one service with the operator's token; to be entered."""
    return httpx.AsyncClient(
        base_url=endpoints.url(service), headers=operator_headers(endpoints), timeout=seconds, trust_env=False
    )
