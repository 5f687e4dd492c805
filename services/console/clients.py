"""The read APIs of the other services, over HTTP with the operator's token. Nothing of an answer is kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from shared.auth import OPERATOR_TOKEN_FILE
from shared.errors import ConfigurationError, OpposableError, Unavailable

_PART, _PARTS = re.compile(r"[A-Za-z0-9._:-]{1,64}"), 4
TIMEOUT_S, LOOK_S = 15.0, 2.5
"""Of a page's question; of a look at health or metrics."""


class Refused(OpposableError):  # noqa: N818 - an answer, not a fault
    """A service answers no. `status` and `code` are the service's own, the text its title."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code = status, code


def place(name: str) -> str:
    """An id (`acme/0190…`, `request/acme/r-1`) as a part of a path of ours. Raises Refused for what can be no id.

    It comes from an address or a form: dots alone would climb to another route, which the operator's token opens too.
    """
    parts = name.split("/")
    if len(parts) > _PARTS or any(_PART.fullmatch(part) is None or not part.strip(".") for part in parts):
        raise Refused(404, "NOT-FOUND", "No id has this form")
    return quote(name)


class Services:
    """Every service by name. `transport` lets tests answer themselves."""

    def __init__(
        self,
        instances: Mapping[str, tuple[str, ...]],
        secrets_dir: Path,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.instances = instances
        token = read_token(secrets_dir)
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S, trust_env=False, transport=transport
        )

    async def stop(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def answer(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call, on the first instance that answers. Raises Refused for a 4xx, Unavailable where nobody answers or on a 5xx.

        `path` must be ours: what an operator typed is quoted by the caller.
        """
        if any(part and not part.strip(".") for part in path.split("/")):
            raise Refused(404, "NOT-FOUND", "No id has this form")  # a second wall behind `place`: dots climb
        for base in self.instances.get(service, ()):
            try:
                found = await self._client.request(method, f"{base}{path}", **options)
            except httpx.HTTPError:
                continue
            if found.is_client_error:
                problem = _problem(found)
                raise Refused(found.status_code, str(problem.get("code", "REFUSED")), _sentence(problem))
            if found.is_server_error:
                raise Unavailable(f"{service} answers {found.status_code}")
            return found
        raise Unavailable(f"{service} does not answer")

    async def get(self, service: str, path: str, **parameters: str) -> dict[str, Any]:
        """A JSON object. Raises as `answer`."""
        found = await self.answer(service, "GET", path, params=parameters or None)
        return _object(service, found)

    async def get_or_none(self, service: str, path: str) -> dict[str, Any] | None:
        """The same; None where it does not answer: the page shows the rest."""
        try:
            return await self.get(service, path)
        except (Unavailable, Refused):
            return None

    async def post(self, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON object for a JSON object. Raises as `answer`."""
        return _object(service, await self.answer(service, "POST", path, json=dict(body)))

    async def gathered(self, path: str, *services: str) -> dict[str, dict[str, Any] | None]:
        """One question to several services at once; None where one does not answer it."""
        asked = [service for service in services if service in self.instances]
        answers = await asyncio.gather(*(self.get_or_none(service, path) for service in asked))
        return dict(zip(asked, answers, strict=True))

    async def look(self, base: str, path: str) -> httpx.Response | None:
        """One short look at an instance; None where it does not answer in time."""
        try:
            return await self._client.get(f"{base}{path}", timeout=LOOK_S)
        except httpx.HTTPError:
            return None


def read_token(secrets_dir: Path) -> str:
    """The operator's token. Raises ConfigurationError."""
    try:
        return (secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    except OSError:
        raise ConfigurationError(f"secret file {OPERATOR_TOKEN_FILE!r} is missing in OPPOSABLE_SECRETS_DIR") from None


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(problem: Mapping[str, Any]) -> str:
    """The title, and what each problem says: never what was sent."""
    told = [str(one.get("message", "")) for one in problem.get("problems", ()) if isinstance(one, dict)]
    return " – ".join([str(problem.get("title", "")), *told])


def _object(service: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        raise Unavailable(f"{service} does not answer JSON") from None
    if not isinstance(found, dict):
        raise Unavailable(f"{service} does not answer an object")
    return found
