"""Reads one page through the browser, once at the width of a desktop form and once as a telephone shows it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from services.form_inspector.address import Address
from services.form_inspector.explore import explore
from services.form_inspector.facts import Narrow, Page, Screen
from services.form_inspector.measures import legible
from services.form_inspector.visit import Visit
from shared.forms.wording import normal

if TYPE_CHECKING:
    from playwright.async_api import Browser

MOST_LINKED = 3
_TELLS_MORE = re.compile(
    r"\bmentions?\b|\bdonnees personnelles\b|\bconfidentialite\b|\bvie privee\b|\bpartenaires?\b|\bdestinataires?\b|\bsocietes\b"
)
"""Links worth following: the information notice and the list of recipients."""


class Read(NamedTuple):
    """The facts, the page's bytes as served, and a picture of each screen by its path."""

    page: Page
    html: bytes
    pictures: dict[tuple[str, ...], bytes]


async def read(browser: Browser, address: Address) -> Read:
    """Open, look, open what is folded, look again; then at a telephone's width. Raises InputError when it does not load."""
    async with Visit(browser, address) as visit:
        html = await visit.open()
        screens, pictures, complete = await explore(visit)
        linked = {url: await visit.texts_of(url) for url in _worth_following(address, screens)}
        closed = await visit.closed_roots()
        blocked = dict(sorted(visit.blocked.items()))
        await visit.hold_like_a_phone()
        controls = (await visit.seen()).controls
    narrow = Narrow(
        shown=tuple(control.label for control in controls if control.shown and legible(control.paint)),
        missing={control.label: control.hidden or "illegible" for control in controls if not control.shown},
    )
    page = Page(
        source=address.shown, browser=f"Chromium {browser.version}",
        html_sha256=hashlib.sha256(html).hexdigest(), screenshot_sha256=hashlib.sha256(pictures[()]).hexdigest(),
        screens=tuple(screens), incomplete=not complete, narrow=narrow, blocked=blocked, closed_roots=closed,
        linked={url: texts for url, texts in linked.items() if texts},
    )  # fmt: skip
    return Read(page, html, pictures)


def _worth_following(address: Address, screens: list[Screen]) -> list[str]:
    here = address.url.partition("#")[0]
    found = {
        link.address.partition("#")[0]: None
        for screen in screens
        for block in screen.seen.blocks
        for link in block.links
        if _TELLS_MORE.search(normal(link.text)) and address.allows(link.address)
    }
    return [url for url in found if url and url != here and not url.startswith(("data:", "about:", "blob:"))][
        :MOST_LINKED
    ]
