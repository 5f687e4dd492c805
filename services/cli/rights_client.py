"""Speaks HTTP to the rights handler (or another service) for the commands, as the operator or as a party."""

from __future__ import annotations

import os
import time
from typing import Any

import httpx
import typer

from services.cli.language import tr
from services.cli.target import NEGATIVE
from shared.auth import OPERATOR_TOKEN_FILE
from shared.errors import ConfigurationError, InputError, Problem, Unavailable
from shared.local_engines.endpoints import Endpoints

KEY_VARIABLE = "OPPOSABLE_API_KEY"
"""A party's key; without it the operator's token of the system is used."""
TIMEOUT_S = 30.0
AGAIN_S = 0.2
SEEN_S = 10.0
"""How long a thing accepted a moment ago is waited for."""


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


def answered(
    endpoints: Endpoints, method: str, path: str, body: dict[str, Any] | None = None, *, service: str = "rights_handler"
) -> httpx.Response:
    """The same, where anything but success is refused: raises InputError with the problems told."""
    answer = ask(endpoints, method, path, body, service=service)
    if not answer.is_success:
        raise InputError(problems(answer))
    return answer


def view_of(endpoints: Endpoints, path: str, missing: str) -> dict[str, Any]:
    """What a path shows, waiting a little for what was accepted a moment ago. Exits 1 with the sentence `missing`."""
    until = time.monotonic() + SEEN_S
    while (answer := ask(endpoints, "GET", path)).status_code == httpx.codes.NOT_FOUND:
        if time.monotonic() > until:
            typer.echo(missing, err=True)
            raise typer.Exit(NEGATIVE)
        time.sleep(AGAIN_S)
    if answer.status_code != httpx.codes.OK:
        raise InputError(problems(answer))
    view: dict[str, Any] = answer.json()
    return view


def minute(instant: str | None) -> str:
    """An instant to the minute."""
    return "—" if instant is None else f"{instant[:10]} {instant[11:16]}Z"


def contact_of(text: str) -> dict[str, str]:
    """`type:value` as a contact. Raises InputError."""
    kind, colon, value = text.partition(":")
    if not colon or not value:
        raise InputError([Problem("CONTACT", "", "write a contact as type:value, e.g. email:jeanne@exemple.example")])
    return {"type": kind.strip(), "value": value.strip()}
