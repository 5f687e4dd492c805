"""The console in a real Chromium, against a running system: signing in, axe-core, the weight of pages, pictures.

`OPPOSABLE_CONSOLE_PICTURES=<folder>` writes a picture of every page that is looked at.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from services.form_inspector.browser import chromium

AXE = Path(__file__).parents[2] / "vectors" / "axe" / "axe.min.js"
PICTURES = os.environ.get("OPPOSABLE_CONSOLE_PICTURES")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PASSWORD = "Lune-de-papier-42-escalier"  # noqa: S105 - of a system that lives a minute
HEAVIEST = 200_000
"""Bytes of a page with everything it loads."""


def add_account(endpoints, login, role, folder):
    """An account, by the operator's command."""
    file = folder / f"{login}.txt"
    file.write_text(PASSWORD)
    words = ["console", "user", "add", login, "--role", role, "--password-file", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", *words, "--data-dir", str(endpoints.secrets_dir.parent)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


class Seat:
    """One account's browser."""

    def __init__(self, page, base):
        self.page, self.base = page, base

    async def go(self, path):
        answer = await self.page.goto(self.base + path)
        assert answer.ok, (path, answer.status, await self.page.inner_text("main"))

    async def press(self, words):
        """Press the first button of the page with these words; returns on the page that follows."""
        async with self.page.expect_navigation():
            await self.page.locator(f"main button:has-text('{words}')").first.click()
        assert await self.page.locator("main .error").count() == 0, await self.page.inner_text("main")

    async def clean(self, name):
        """No violation of accessibility, light enough, and a picture where one is asked for."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(
            "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
        )
        told = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found["violations"]]
        assert told == [], (name, told)
        html = len((await self.page.content()).encode())
        assets = await self.page.evaluate(
            "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.decodedBodySize, 0)"
        )
        assert html + assets < HEAVIEST, (name, html, assets)
        narrow = await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert narrow, (name, "scrolls sideways")
        if PICTURES:
            await self.page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@contextlib.asynccontextmanager
async def seated(endpoints, login, *, language="fr"):
    """A browser that is signed in."""
    base = endpoints.url("console")
    async with chromium(hosts=["127.0.0.1"]) as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        seat = Seat(page, base)
        await seat.go(f"/login?lang={language}")
        await page.fill("[name=login]", login)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_url(f"{base}/")
        yield seat
        await context.close()
