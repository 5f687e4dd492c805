"""Every page in a real Chromium: no accessibility violation (axe-core), no sideways scrolling at 360 px, usable without script.

`OPPOSABLE_PORTAL_PICTURES=<folder>` also writes a picture of every page, at 360 and 1280 px.
"""

from __future__ import annotations

import itertools
import os
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from portal_bench import JEANNE, PHONE, line

from services.form_inspector.browser import chromium
from services.rights_handler.portal.access import Limits
from tests.browsing import required_browser

pytestmark = pytest.mark.engines
HOST = "mes-donnees.example"
AXE = Path(__file__).parents[2] / "vectors" / "axe" / "axe.min.js"
PICTURES = os.environ.get("OPPOSABLE_PORTAL_PICTURES")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
WHAT_CHANGES = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block"]},
                "resultTypes": ["violations"]}  # fmt: skip
LOOKS = ((360, 740, "light", ALL), (360, 740, "dark", WHAT_CHANGES), (1280, 900, "light", WHAT_CHANGES))
TELLING = ("start", "stop-error", "letter-error", "dossier", "follow", "rights-error")
"""Every page is looked at once, by all rules; those that hold every element, in the other looks too, by what these can change."""


@pytest.fixture
async def browser():
    required_browser()
    async with chromium(hosts=[HOST]) as browser:
        yield browser


class Visitor:
    """Browser contexts whose every request is answered by the application, as a server would."""

    def __init__(self, browser, bench):
        self._browser, self._bench = browser, bench
        self.asked = []

    async def open(self, **options):
        context = await self._browser.new_context(base_url=f"https://{HOST}", **options)
        await context.route("**/*", self._answer)
        return context

    async def _answer(self, route):
        request = route.request
        self.asked.append(request.url)
        transport = httpx.ASGITransport(self._bench.app, client=("203.0.113.7", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            answer = await client.request(
                request.method, request.url, content=request.post_data_buffer, headers=await request.all_headers()
            )
        while answer.is_redirect:  # the browser cannot be redirected from here: it is sent on by hand
            async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
                answer = await client.get(answer.headers["location"])
        await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


async def a_life(bench):
    """A person with two consents, one of them long, and withdrawals in every state."""
    grant = await bench.collected(
        line("canalvert"), line("hibou", "sms"), line("hibou", "call", value="refused", verdict="invalid", reasons=("REFUSED",)),
        line("tisane", "call", verdict="invalid", reasons=("LIST-NOT-NAMED", "PHONE-PERIOD")),
    )  # fmt: skip
    await bench.collected(line("canalvert", "post"), line(None, "email", verdict="invalid", reasons=("LIST-CATEGORIES",)),
                          record="voyages/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a15")  # fmt: skip
    one, two, *_ = await bench.stopped(grant, ["canalvert", "hibou", "tisane", "acme"])
    await bench.applied(one)
    await bench.applied(two, "refused")


async def every_page(bench):
    """(name, method, path, fields) of each page; the session is real."""
    async with bench.browser() as client:
        session = (await bench.inside(client)).url.path
        bench.clock.advance(timedelta(seconds=61))
        await client.post("/me", data={"contact": JEANNE})
        await bench.inviting.sweep()
        link = re.search(r"https://[^/]+(/me/\S+)", bench.messages()[-1].text)[1]
    return [
        ("start", "GET", "/me", {}), ("start-error", "POST", "/me", {"contact": "<jeanne>"}),
        ("stop-error", "POST", "/me/arret", {"contact": ""}), ("sent", "POST", "/me", {"contact": JEANNE}),
        ("code", "POST", "/me", {"contact": PHONE}), ("code-error", "POST", "/me/code/inconnu", {"code": "1"}),
        ("stopped", "POST", "/me/arret", {"contact": PHONE}), ("letter", "GET", "/me/lettre", {}),
        ("letter-error", "POST", "/me/lettre", {"adresse": "Paris", "quoi": "lettre"}),
        ("letter-code-error", "POST", "/me/lettre/code", {"code": "1"}),
        ("enter", "GET", link, {}), ("unusable", "GET", "/me/inconnu", {}),
        ("dossier", "GET", session, {}), ("dossier-error", "POST", f"{session}/retrait", {"x": "1"}),
        ("follow", "GET", f"{session}/suivi", {}), ("rights", "GET", f"{session}/droits", {}),
        ("rights-error", "POST", f"{session}/droits", {"droit": "rectification"}),
        ("claimed", "POST", f"{session}/droits", {"droit": "access"}),
        ("no-picture", "GET", f"{session}/page/acme/x", {}), ("left", "POST", f"{session}/fin", {"x": "1"}),
    ]  # fmt: skip


async def go(page, method, path, fields):
    """Open a page, by a form where it is a POST."""
    if method == "GET":
        await page.goto(path)
        return
    await page.goto("/me")
    await page.evaluate(
        """([path, fields]) => {
          const form = document.createElement('form');
          form.method = 'post'; form.action = path;
          for (const [name, value] of Object.entries(fields)) {
            const input = document.createElement('input'); input.type = 'hidden'; input.name = name; input.value = value; form.append(input);
          }
          document.body.append(form); form.submit();
        }""",
        [path, fields],
    )
    await page.wait_for_function("path => location.pathname === path && document.readyState === 'complete'", arg=path)


@pytest.mark.timeout(240)
async def test_no_page_has_an_accessibility_violation_at_any_size_or_scheme(make_bench, browser):
    bench = await make_bench(offered=True, limits=Limits(100, 1000, 1000))
    await a_life(bench)
    visitor, axe = Visitor(browser, bench), AXE.read_text()
    for width, height, scheme, options in LOOKS:
        context = await visitor.open(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = await context.new_page()
        for name, method, path, fields in await every_page(bench):
            if options is WHAT_CHANGES and name not in TELLING and not PICTURES:
                continue
            await go(page, method, path, fields)
            assert ("ne peut plus servir" in await page.title()) == (name == "unusable"), name
            await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            if PICTURES:
                await page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
            await page.evaluate(axe)
            found = await page.evaluate("options => axe.run(document, options)", options)
            told = [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]
            assert told == [], (name, width, scheme, told)
            assert found["passes"], name  # it did look
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, width, wide)
        await context.close()
    assert {httpx.URL(url).host for url in visitor.asked} == {HOST}  # nothing is loaded from anywhere else


async def test_a_person_does_everything_by_keyboard_without_script(bench, browser):
    await a_life(bench)
    context = await Visitor(browser, bench).open(java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/me")
    await page.get_by_label("Votre adresse électronique ou votre numéro de téléphone").fill(JEANNE)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Regardez vos courriels").wait_for()
    await bench.inviting.sweep()
    await page.goto(re.search(r"https://[^/]+(/me/\S+)", bench.messages()[-1].text)[1])
    await page.get_by_role("button", name="Voir mes données").press("Enter")
    await page.get_by_role("heading", name=re.compile("Ce qui est su de")).wait_for()
    everything = page.locator("section", has=page.get_by_role("heading", name="Tout retirer, en une fois"))
    await everything.get_by_label("Demander aussi l’effacement de mes données").press("Space")
    await everything.get_by_role("button", name="Tout retirer").press("Enter")
    await page.get_by_role("heading", name="Suivre mes demandes").wait_for()
    stop, request = bench.events()
    assert (stop["recipients"], request["right"]) == ("all", "erasure")
    assert await context.cookies() == []
    await context.close()


async def test_the_first_thing_the_keyboard_meets_leads_past_the_header(bench, browser):
    context = await Visitor(browser, bench).open(viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto("/me")
    await page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert await skip.evaluate("one => one === document.activeElement")
    box = await skip.bounding_box()
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "contenu"
    assert box["x"] >= 0
    await context.close()


SPACED = """
const sheet = new CSSStyleSheet();
sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
  p { margin-bottom: 2em !important; }`);
document.adoptedStyleSheets = [sheet];
"""
"""The text spacing of WCAG 1.4.12."""
OUTLINE = """() => ({
  levels: [...document.querySelectorAll('h1,h2,h3,h4')].map(one => Number(one.tagName[1])),
  titles: document.title, lang: document.documentElement.lang,
  stops: [...document.querySelectorAll('a[href],button,input:not([type=hidden]),textarea,summary')]
    .filter(one => getComputedStyle(one).display !== 'inline')
    .map(one => { const box = one.getBoundingClientRect(); return [one.outerHTML.slice(0, 80), box.width, box.height]; }),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  cut: [...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).overflow !== 'visible' && !one.matches('.hidden, textarea, input')).map(one => one.outerHTML.slice(0, 80)),
})"""


@pytest.mark.timeout(120)
async def test_pages_reflow_at_400_percent_with_wide_spacing_and_keep_their_outline(make_bench, browser):
    bench = await make_bench(offered=True, limits=Limits(100, 1000, 1000))
    await a_life(bench)
    context = await Visitor(browser, bench).open(viewport={"width": 320, "height": 256})  # 1280 x 1024 at 400 %
    page = await context.new_page()
    titles = set()
    for name, method, path, fields in await every_page(bench):
        await go(page, method, path, fields)
        assert ("ne peut plus servir" in await page.title()) == (name == "unusable"), name
        await page.evaluate(SPACED)
        seen = await page.evaluate(OUTLINE)
        assert seen["wide"] <= 0, name
        assert seen["cut"] == [], name
        assert seen["lang"] == "fr"
        levels = seen["levels"]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (name, levels)
        assert name.endswith("error") == seen["titles"].startswith("Erreur"), name
        titles.add(seen["titles"])
        small = [what for what in seen["stops"] if what[1] > 0 and (what[1] < 24 or what[2] < 24)]
        assert small == [], name  # WCAG 2.5.8: 24 px; links within a sentence are exempt
    assert len(titles) >= 12  # each page says which it is
    await context.close()
