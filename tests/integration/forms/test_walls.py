"""The inspected page is only read: no other host, no redirect to one, no POST, nothing outside its folder, no way out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.form_inspector.browser import chromium, find_browser
from services.form_inspector.document import Identity
from services.form_inspector.inspection import Inspection
from shared.errors import ConfigurationError, InputError
from tests.integration.forms.conftest import Driver

PAGE = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>Murs</title>
<link rel="stylesheet" href="/style.css">
<h1>Murs</h1><img alt="" src="http://{other}/pixel.gif"><iframe src="http://{other}/frame"></iframe>
<form method="post" action="/submit"><label>E-mail <input type="email"></label>
<label><input type="checkbox" name="b"> J'accepte de recevoir par e-mail les offres de Mur SA.</label>
<button>Paramétrer</button> <a href="/away">Voir plus de détails</a>
<button class="c">J'accepte</button> <button class="c">Je refuse</button></form>
<script>
fetch("/beacon", {{method: "POST", body: "x"}}).catch(() => 0);
navigator.sendBeacon("http://{other}/beacon", "x");
new WebSocket("ws://{other}/socket").onerror = () => 0;
window.open("http://{other}/popup");
document.querySelectorAll("*")[0].dataset.tampered = "1";
window.getComputedStyle = () => ({{}});
</script></html>"""


class Site:
    """A web server that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, tuple[int, str, str]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                site.asked.append(f"{self.command} {self.path}")
                status, kind, text = site.pages.get(self.path, (404, "text/plain", ""))
                self.send_response(status)
                self.send_header("Location" if status == 302 else "Content-Type", text if status == 302 else kind)
                body = b"" if status == 302 else text.encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    own, other = Site(), Site()
    yield own, other
    own.close()
    other.close()


def look(driver: Driver, page: str) -> Inspection:
    return driver.inspect(page, Identity("murs", 1, "acme"))


def test_a_web_page_reaches_its_own_host_only_and_is_never_sent(driver, sites) -> None:
    own, other = sites
    own.pages = {
        "/": (200, "text/html; charset=utf-8", PAGE.format(other=other.host)),
        "/style.css": (200, "text/css", ".c{width:150px;height:40px;padding:0;border:0;background:#000;color:#fff}"),
        "/away": (200, "text/html", "gone"),
    }
    found = look(driver, f"http://{own.host}/")
    assert other.asked == []
    assert {line.split()[0] for line in own.asked} == {"GET"}
    assert {line.split()[1] for line in own.asked} <= {"/", "/style.css", "/favicon.ico"}
    assert found.document["refusal"]["width_px"] == 150
    assert found.document["refusal"]["contrast"] == 21.0
    assert found.evidence.unread
    assert found.read.html.decode() == PAGE.format(other=other.host)
    assert found.read.page.source == f"http://{own.host}/"


def test_a_page_that_leads_elsewhere_is_refused(driver, sites) -> None:
    own, other = sites
    other.pages = {"/x": (200, "text/html", "<button>J'accepte</button>")}
    own.pages = {"/": (302, "", f"http://{other.host}/x"), "/lost": (404, "text/html", "no")}
    with pytest.raises(InputError):
        look(driver, f"http://{own.host}/")
    with pytest.raises(InputError, match="PAGE"):
        look(driver, f"http://{own.host}/lost")


def test_names_of_other_hosts_do_not_even_resolve(driver, sites) -> None:
    own, other = sites
    port = other.host.rpartition(":")[2]
    own.pages = {"/": (302, "", f"http://localhost:{port}/x")}
    with pytest.raises(InputError, match="PAGE"):
        look(driver, f"http://{own.host}/")
    assert other.asked == []


def test_a_file_reads_its_folder_only(driver, tmp_path, sites) -> None:
    _, other = sites
    (tmp_path / "secret.txt").write_text("Aucun retrait")
    page = tmp_path / "pages" / "p.html"
    page.parent.mkdir()
    (page.parent / "style.css").write_text(".c{width:150px;height:40px;padding:0;border:0;background:#000;color:#fff}")
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="style.css"><iframe src="../secret.txt"></iframe>'
        f'<img src="http://{other.host}/p.gif"><form><button class="c">J\'accepte</button> <button class="c">Je refuse</button></form>'
    )
    found = look(driver, str(page))
    assert other.asked == []
    assert found.document["refusal"]["width_px"] == 150
    assert found.read.page.blocked == {"document": 1, "image": 1}


def test_the_page_s_own_code_cannot_change_what_is_measured(driver, tmp_path) -> None:
    page = tmp_path / "p.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><form><button>J\'accepte</button> '
        '<button style="font-size:7px;color:#ddd;background:#fff">Je refuse</button></form>'
        "<script>window.getComputedStyle = () => ({fontSize: '30px', color: 'rgb(0, 0, 0)'});"
        "Element.prototype.getClientRects = () => []; Element.prototype.closest = null; Array.prototype.map = null;</script>"
    )
    refusal = look(driver, str(page)).document["refusal"]
    assert (refusal["font_px"], refusal["contrast"]) == (7, 1.4)


def test_missing_browsers_say_what_to_install(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("OPPOSABLE_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="apt-get install chromium"):
        find_browser()
    with pytest.raises(ConfigurationError, match="not a browser"):
        find_browser(tmp_path / "nothing")


def test_a_browser_that_does_not_start_is_named(browser_path, tmp_path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)

    async def start() -> None:
        async with chromium(fake):
            pass

    with pytest.raises(ConfigurationError, match="does not start"):
        asyncio.run(start())
