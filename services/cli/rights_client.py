"""Speaks HTTP to the rights handler (or another service) for the commands, as the operator or as a party."""

from __future__ import annotations

import os
from typing import Any

import httpx

from services.cli.language import tr
from shared.auth import OPERATOR_TOKEN_FILE
from shared.errors import ConfigurationError, Problem, Unavailable
from shared.local_engines.endpoints import Endpoints

KEY_VARIABLE = "OPPOSABLE_API_KEY"
"""A party's key; without it the operator's token of the system is used."""
TIMEOUT_S = 30.0


def ask(
    endpoints: Endpoints, method: str, path: str, body: dict[str, Any] | None = None, *, service: str = "rights_handler"
) -> httpx.Response:
    """One call. Raises Unavailable where nobody answers, ConfigurationError where the key does not open the door."""
    headers = {"Authorization": f"Bearer {_key(endpoints)}"}
    try:
        with httpx.Client(timeout=TIMEOUT_S, headers=headers, trust_env=False) as client:
            answer = client.request(method, f"{endpoints.url(service)}{path}", json=body)
    except httpx.HTTPError as error:
        raise Unavailable(
            tr(f"the service {service} does not answer", f"le service {service} ne répond pas")
            + f" ({type(error).__name__})"
        ) from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ConfigurationError(f"{answer.json().get('title')}; {KEY_VARIABLE}")
    if answer.is_server_error:
        raise Unavailable(str(answer.json().get("title")))
    return answer


def _key(endpoints: Endpoints) -> str:
    """The caller's key, else the operator's token of this system."""
    key = os.environ.get(KEY_VARIABLE)
    if key:
        return key.strip()
    try:
        return (endpoints.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    except OSError:
        raise ConfigurationError(f"set {KEY_VARIABLE}: no operator token is readable in this system") from None


def problems(answer: httpx.Response) -> list[Problem]:
    """Why it was refused."""
    document = answer.json()
    told = [Problem(p["code"], p["pointer"], p["message"]) for p in document.get("problems", ())]
    return told or [Problem(str(document.get("code")), "", str(document.get("title")))]
