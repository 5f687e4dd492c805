"""Readiness that means something: assigned and progressing, engines reachable, nothing halted in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.metrics import Metrics

Check = Callable[[], Awaitable[list[str]]]
"""Returns what is wrong, in sentences; an empty list is healthy."""
CHECK_SECONDS = 3.0


def mount(app: FastAPI, service: str, metrics: Metrics, checks: list[Check]) -> None:
    """Add `/health/live`, `/health/ready` and `/metrics`."""

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"service": service, "status": "alive"}

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> JSONResponse:
        problems: list[str] = []
        for check in checks:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    problems += await check()
            except TimeoutError:
                problems.append("a dependency does not answer")
        body = {"service": service, "status": "waiting" if problems else "ready", "problems": problems}
        return JSONResponse(body, status_code=503 if problems else 200)

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
