"""Renders pages: Jinja2 with escaping always on, strict about names; headers under which no foreign or inline script runs."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from services.console import showing
from shared.errors import ConfigurationError
from shared.pages import security, templates

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
MEDIA = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
SECURITY = security(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {**SECURITY, "Cache-Control": "no-store"}
"""Nothing is kept by caches: pages show persons' histories."""


@cache
def environment() -> Environment:
    """The templates, with the filters of `showing`."""
    made = templates(TEMPLATES)
    made.filters.update(showing.FILTERS)
    made.globals["static"] = address_of
    return made


def html(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page or part of one: `overview` is `templates/overview.html.jinja`."""
    text = environment().get_template(f"{template}.html.jinja").render(**values)
    return HTMLResponse(text, status_code=status, headers=HEADERS)


@cache
def _file(name: str) -> tuple[bytes, str]:
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in MEDIA or not path.is_file():
        raise ConfigurationError(f"no static file {name!r}")
    data = path.read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def address_of(name: str) -> str:
    """The address of a static file, which changes with its content. Raises ConfigurationError where there is none."""
    return f"/static/{name}?v={_file(name)[1]}"


def static(name: str) -> Response:
    """A static file, which may be kept for a year: its address changes with its content."""
    try:
        data, _ = _file(name)
    except ConfigurationError:
        return Response("", status_code=404, headers=SECURITY)
    headers = {**SECURITY, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(data, media_type=MEDIA[Path(name).suffix], headers=headers)
