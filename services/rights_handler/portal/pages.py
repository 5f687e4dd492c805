"""Renders the portal's pages: Jinja2 with escaping always on, strict about names, nothing loaded from anywhere else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).with_name("templates")
CNIL = "https://www.cnil.fr/fr/plaintes"
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "X-Robots-Tag": "noindex",
}
HEADERS = {**SECURITY, "Cache-Control": "no-store"}
"""No script at all may run, no address (they hold tokens) leaves by `Referer`, nothing is kept by caches."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page."""
    html = _environment().get_template(f"{template}.html.jinja").render(cnil=CNIL, **values)
    return HTMLResponse(html, status_code=status, headers=HEADERS)


def style() -> Response:
    """The one style sheet; it may be kept for a day."""
    css = (FOLDER / "portal.css").read_bytes()
    return Response(css, media_type="text/css", headers={**SECURITY, "Cache-Control": "public, max-age=86400"})
