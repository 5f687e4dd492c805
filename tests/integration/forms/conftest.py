"""One real Chromium for all pages of these tests, read once for the session.

Where no browser is there the tests are skipped with that sentence; with OPPOSABLE_REQUIRE_BROWSER=1 they fail with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

from services.form_inspector.address import address_of
from services.form_inspector.browser import chromium
from services.form_inspector.document import Identity
from services.form_inspector.inspection import Inspection, inspect
from shared.registry.load import load_dir
from shared.registry.models import parse
from shared.registry.shown import Form, Notice, RecipientList
from tests.browsing import required_browser

T = TypeVar("T")

TESTS = Path(__file__).resolve().parents[2]
CASES, MADE = TESTS / "cases", TESTS / "forms_pages"
DOCUMENTS = [document.body for document in load_dir(CASES / "registry")]
BODIES = {(body["id"], body.get("version")): body for body in DOCUMENTS if body["kind"] == "form"}
REGISTRY = [parse(body) for body in DOCUMENTS]
FORMS = [entry for entry in REGISTRY if isinstance(entry, Form)]
NOTICES = [entry for entry in REGISTRY if isinstance(entry, Notice)]
LISTS = [entry for entry in REGISTRY if isinstance(entry, RecipientList)]
AT_ONCE = 4
"""Pages read at the same time."""


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The system's Chromium."""
    return required_browser()


class Driver:
    """A browser that stays open on a loop of its own, in a thread: tests hand it work and wait for the answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = contextlib.AsyncExitStack()
        self.browser: Any = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.browser = self.run(self._stack.enter_async_context(chromium(self._path, hosts=["127.0.0.1"])))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=280)

    def inspect(self, page: str, identity: Identity) -> Inspection:
        return self.run(inspect(self.browser, address_of(page), identity))


@pytest.fixture(scope="session")
def driver(browser_path: Path) -> Iterator[Driver]:
    """The one browser of these tests; it resolves 127.0.0.1 and nothing else."""
    with Driver(browser_path) as made:
        yield made


@pytest.fixture(scope="session")
def inspections(driver: Driver) -> dict[str, Inspection]:
    """Every page with what it shows, by `<id>-v<version>` (the 33 registered ones) or by file name (those made for this)."""
    return driver.run(_inspect_all(driver.browser))


async def _inspect_all(browser: Any) -> dict[str, Inspection]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(page: Path, identity: Identity, lists: list[RecipientList]) -> tuple[str, Inspection]:
        async with turn:
            return page.stem, await inspect(browser, address_of(str(page)), identity, lists)

    made = [one(page, Identity(page.stem, 1, "acme"), []) for page in sorted(MADE.glob("*.html"))]
    registered = [
        one(
            CASES / "forms" / f"{form.id}-v{form.version}.html",
            Identity(form.id, form.version, form.collector, NOTICES),
            LISTS,
        )
        for form in FORMS
    ]
    return dict(await asyncio.gather(*made, *registered))
