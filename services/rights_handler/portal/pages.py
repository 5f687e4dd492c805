"""Renders the portal's pages: Jinja2 with escaping always on, strict about names, nothing loaded from anywhere else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from shared.pages import security, templates

FOLDER = Path(__file__).with_name("templates")
CNIL = "https://www.cnil.fr/fr/plaintes"
SECURITY = security(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {**SECURITY, "Cache-Control": "no-store"}
"""No script at all may run, no address (they hold tokens) leaves by `Referer`, nothing is kept by caches."""


@cache
def _environment() -> Environment:
    return templates(FOLDER)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page."""
    html = _environment().get_template(f"{template}.html.jinja").render(cnil=CNIL, **values)
    return HTMLResponse(html, status_code=status, headers=HEADERS)


def style() -> Response:
    """The one style sheet; it may be kept for a day."""
    css = (FOLDER / "portal.css").read_bytes()
    return Response(css, media_type="text/css", headers={**SECURITY, "Cache-Control": "public, max-age=86400"})
