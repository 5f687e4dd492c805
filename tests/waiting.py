"""Waiting for a running system, and speaking to it as its operator."""

import asyncio

import httpx


async def until(ask, good, seconds=40, every=0.2):
    """What `ask` gives once it is good. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not good(answer := await ask()):
            await asyncio.sleep(every)
    return answer


def operator_http(endpoints, service="rights_handler", seconds=30):
    """A client of one service with the operator's token; to be entered."""
    token = (endpoints.secrets_dir / "operator-token").read_text().strip()
    return httpx.AsyncClient(
        base_url=endpoints.url(service), headers={"Authorization": f"Bearer {token}"}, timeout=seconds
    )
