"""A real headless Chromium, the system's own: found, never downloaded; able to reach the inspected host and no other.

Two walls keep the page inside: names resolve for the allowed hosts only (the browser's own resolver rules, redirects
included), and every request passes the gate of `visit.py`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from playwright.async_api import Browser

VARIABLE = "OPPOSABLE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync", "--disable-extensions",
    "--disable-component-update", "--disable-default-apps", "--no-proxy-server", "--mute-audio", "--force-color-profile=srgb",
)  # fmt: skip
WITHOUT_SANDBOX = "--no-sandbox"
"""Chromium's sandbox cannot be set up by root; everyone else keeps it."""


def find_browser(named: Path | None = None) -> Path:
    """The browser's path: `--browser`, else OPPOSABLE_BROWSER, else the system's. Raises ConfigurationError."""
    chosen = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if chosen is not None:
        if not (chosen.is_file() and os.access(chosen, os.X_OK)):
            raise ConfigurationError(f"{chosen} is not a browser that can be run; see --browser and {VARIABLE}")
        return chosen
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ConfigurationError(
        f"no Chromium is installed: apt-get install chromium, or give its path with --browser or {VARIABLE}"
    )


@asynccontextmanager
async def chromium(named: Path | None = None, *, hosts: Iterable[str] = ()) -> AsyncIterator[Browser]:
    """A running browser that can resolve these hosts only. Raises ConfigurationError when it cannot start."""
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an extra that few commands need
    except ImportError:
        raise ConfigurationError("inspecting forms needs Playwright: pip install 'opposable[forms]'") from None
    path = find_browser(named)
    rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(set(hosts)))])
    flags = [*FLAGS, f"--host-resolver-rules={rules}", *([WITHOUT_SANDBOX] if os.geteuid() == 0 else [])]
    async with async_playwright() as driver:
        try:
            browser = await driver.chromium.launch(executable_path=path, args=flags, headless=True)
        except Error as error:
            raise ConfigurationError(f"{path} does not start: {error.message.splitlines()[0]}") from None
        try:
            yield browser
        finally:
            await browser.close()
