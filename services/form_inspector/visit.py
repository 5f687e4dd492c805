"""One page open in the browser: loads it, shuts the gate, reads what is on screen, opens what a click opens.

The page is only ever read: other hosts, anything but GET, and leaving the page once it is loaded are refused, so that no
click of ours sends a form. The scripts of `in_page/` run in an isolated world that the page's own code cannot reach.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from services.form_inspector.address import Address
from services.form_inspector.facts import Seen
from shared.errors import InputError, Problem

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Response, Route

WIDTH, HEIGHT = 680, 900
PHONE_WIDTH, PHONE_HEIGHT = 390, 844
LOAD_MS = 20_000
"""How long a page may take to load."""
STEP_S, QUIET_STEPS, SCRIPTED_STEPS, MOST_STEPS = 0.1, 2, 12, 40
"""A page is still when it has not changed for two looks; one with scripts is watched for 1.2 s at least, 4 s at most."""

_OPEN_ROOTS = """{
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) { return attach.call(this, { ...options, mode: "open" }); };
}"""
"""Run before the page's scripts: closed shadow roots are made readable; nothing else of the page is changed."""
_PRINT = "[document.documentElement.outerHTML.length, document.documentElement.scrollHeight, document.scripts.length]"


@cache
def _scripts() -> str:
    folder = files("services.form_inspector") / "in_page"
    return "\n".join((folder / name).read_text("utf-8") for name in ("tree.js", "paint.js", "text.js", "collect.js"))


class Visit:
    """A page of its own, 680 px wide at first. Use as an async context manager; not for concurrent use."""

    def __init__(self, browser: Browser, address: Address) -> None:
        self.address = address
        self.blocked: Counter[str] = Counter()
        self._browser = browser
        self._loading = False
        self._world = 0
        self._scripted = True
        self._context: BrowserContext
        self._page: Page
        self._cdp: CDPSession

    async def __aenter__(self) -> Self:
        self._context = await self._browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, locale="fr-FR", timezone_id="Europe/Paris",
            service_workers="block", accept_downloads=False, reduced_motion="reduce",
        )  # fmt: skip
        await self._context.add_init_script(_OPEN_ROOTS)
        await self._context.route("**/*", self._gate)
        await self._context.route_web_socket("**/*", lambda socket: socket.close())
        self._page = await self._context.new_page()
        self._cdp = await self._context.new_cdp_session(self._page)
        agent = (await self._cdp.send("Browser.getVersion"))["userAgent"].replace("HeadlessChrome", "Chrome")
        await self._cdp.send("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": "fr-FR,fr"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._context.close()

    async def hold_like_a_phone(self) -> None:
        """Lay the page out as a telephone does (one without a viewport of its own is 980 px wide there).

        A page with scripts is opened again: it may decide by the width it finds. One without is only laid out anew.
        """
        size = {"width": PHONE_WIDTH, "height": PHONE_HEIGHT, "deviceScaleFactor": 1, "mobile": True}
        await self._cdp.send("Emulation.setDeviceMetricsOverride", size)
        if self._scripted:
            await self.open()
        else:
            await self._still()

    async def open(self) -> bytes:
        """Load the page, wait until it is still. Gives its bytes as served. Raises InputError."""
        response = await self._goto(self.address.url)
        if response is None or not self.address.allows(self._page.url):
            raise InputError([Problem("PAGE", "PAGE", "the page did not load, or leads to another host")])
        if response.status >= 400:  # noqa: PLR2004 - the HTTP classes of failure
            raise InputError([Problem("PAGE", "PAGE", f"the server answered {response.status}")])
        own = self.address.bytes()
        return own if own is not None else await response.body()

    async def seen(self) -> Seen:
        """What is on screen now."""
        return Seen.model_validate(await self._run("collect()"))

    async def click(self, key: int) -> bool:
        """Click what `seen` called `key`, as a person does; False where there is nothing to aim at."""
        aim = await self._run(f"aim({key:d})")
        if aim is None:
            return False
        await self._page.mouse.click(aim["x"], aim["y"])
        await self._still()
        await self._run("scrollTo(0, 0)")
        return True

    async def screenshot(self) -> bytes:
        """The whole page as PNG, as it stands."""
        return await self._page.screenshot(full_page=True, animations="disabled")

    async def closed_roots(self) -> int:
        """Shadow trees that stay closed (declared so in the markup): their content cannot be read."""
        tree = await self._cdp.send("DOM.getDocument", {"depth": -1, "pierce": True})
        return json.dumps(tree).count('"shadowRootType": "closed"')

    async def texts_of(self, url: str) -> tuple[str, ...]:
        """The texts of another page of the same host, in a tab of its own; empty where it does not load."""
        self._page, main = await self._context.new_page(), self._page
        self._cdp, session = await self._context.new_cdp_session(self._page), self._cdp
        try:
            response = await self._goto(url)
            return tuple(block.text for block in (await self.seen()).blocks) if response and response.ok else ()
        except InputError:
            return ()
        finally:
            await self._page.close()
            self._page, self._cdp = main, session

    async def _goto(self, url: str) -> Response | None:
        from playwright.async_api import Error  # noqa: PLC0415 - an extra that few commands need

        self._loading, self._world = True, 0
        try:
            response = await self._page.goto(url, wait_until="load", timeout=LOAD_MS)
            await self._still()
        except Error as error:
            reason = error.message.splitlines()[0].partition(" at ")[0].removeprefix("Page.goto: ")
            raise InputError([Problem("PAGE", "PAGE", f"the page does not load: {reason}")]) from None
        finally:
            self._loading = False
        return response

    async def _still(self) -> None:
        quiet, last = 0, None
        for step in range(MOST_STEPS):
            now = await self._run(_PRINT)
            quiet = quiet + 1 if now == last else 0
            last = now
            self._scripted = now[2] > 0
            if quiet >= QUIET_STEPS and (now[2] == 0 or step >= SCRIPTED_STEPS):
                return
            await asyncio.sleep(STEP_S if now[2] else STEP_S / 4)

    async def _gate(self, route: Route) -> None:
        request = route.request
        leaves = request.is_navigation_request() and request.frame.parent_frame is None and not self._loading
        if leaves or request.method not in {"GET", "HEAD"} or not self.address.allows(request.url):
            if not leaves:
                self.blocked[request.resource_type] += 1
            await route.abort()
        else:
            await route.continue_()

    async def _run(self, expression: str) -> Any:
        """Evaluate in our isolated world, made anew where a reload took it away. Raises InputError."""
        from playwright.async_api import Error  # noqa: PLC0415 - an extra that few commands need

        for attempt in range(3):
            try:
                if not self._world:
                    await self._make_world()
                asked = {"expression": expression, "contextId": self._world, "returnByValue": True}
                answer = await self._cdp.send("Runtime.evaluate", asked)
                break
            except Error:
                self._world = 0
                if attempt == 2:  # noqa: PLR2004 - the last attempt
                    raise InputError([Problem("PAGE", "PAGE", "the page keeps reloading itself")]) from None
                await asyncio.sleep(STEP_S)
        if "exceptionDetails" in answer:
            detail = answer["exceptionDetails"].get("exception", {}).get("description", "unknown")
            raise InputError([Problem("PAGE", "PAGE", f"the page cannot be read: {detail.splitlines()[0]}")])
        return answer["result"].get("value")

    async def _make_world(self) -> None:
        frame = (await self._cdp.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await self._cdp.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "opposable"})
        self._world = world["executionContextId"]
        await self._cdp.send("Runtime.evaluate", {"expression": _scripts(), "contextId": self._world})
