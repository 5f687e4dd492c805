"""What pages for a browser have in common: headers under which nothing foreign runs or is told, templates that always escape."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def security(policy: str) -> dict[str, str]:
    """Headers of every answer. `policy`: the content security policy of these pages.

    Addresses may hold tokens: none leaves by `Referer`.
    """
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        "X-Robots-Tag": "noindex",
    }


def templates(folder: Path) -> Environment:
    """Jinja2 with escaping always on, strict about names."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
