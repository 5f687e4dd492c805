"""The console on a whole running system, in a real Chromium, by keyboard where that is how operators work."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.main import build
from services.form_inspector.browser import chromium
from shared.errors import InputError
from tests.browsing import required_browser
from tests.e2e.partner import Partner, consent, stop
from tests.waiting import operator_http, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]
AXE = Path(__file__).parents[2] / "vectors" / "axe" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
WHAT_CHANGES = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]},
                "resultTypes": ["violations"]}  # fmt: skip
LOOKS = ((1280, 800, "light", RULES), (400, 800, "dark", WHAT_CHANGES))
PASSWORD = "cheval agrafe correcte"
PICTURES = os.environ.get("OPPOSABLE_CONSOLE_PICTURES")
MOST_BYTES = 200_000


@pytest.fixture(scope="module")
def endpoints(make_system):
    required_browser()
    at = make_system(environment={"OPPOSABLE_RIGHTS_SWEEP_EVERY": "0.5"}).wait_ready()
    for role in ("viewer", "operator", "dpo"):
        made = opposable(at, "console", "user", "add", role, "--role", role, "--password-stdin", said=PASSWORD)
        assert made.returncode == 0, made.stdout
    return at


def opposable(at, *words, said=""):
    """The command in this process: its standard output; the code 2 where it refuses what it is given."""
    given = [*words, "--data-dir", str(at.secrets_dir.parent)]
    done = CliRunner().invoke(build(words), given, input=said)
    assert done.exception is None or isinstance(done.exception, InputError | SystemExit), done.exception
    return SimpleNamespace(
        returncode=2 if isinstance(done.exception, InputError) else done.exit_code, stdout=done.stdout
    )


@pytest.fixture
async def browser():
    async with chromium(hosts=["127.0.0.1"]) as browser:
        yield browser


class Operator:
    """A browser signed in; remembers what the browser complained of."""

    def __init__(self, context, page):
        self.context, self.page, self.complaints, self.bytes = context, page, [], 0
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def sign_in(self, login):
        await self.page.goto("/login")
        await self.page.get_by_label("Identifiant").fill(login)
        await self.page.get_by_label("Mot de passe").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("navigation").wait_for()


@pytest.fixture
def enter(browser, endpoints):
    async def make(login, **options):
        context = await browser.new_context(base_url=endpoints.url("console"), accept_downloads=True, **options)
        operator = Operator(context, await context.new_page())
        await operator.sign_in(login)
        return operator

    return make


@pytest.fixture(scope="module")
def life(endpoints):
    """A person with a consent, a withdrawal that one of four parties has applied, and a record that nobody can use."""

    async def live():
        partner, email = Partner(endpoints), f"jeanne.{uuid.uuid4().hex[:8]}@courriel.example"
        record = await partner.consent(consent(email))
        await partner.permissions("canalvert", record)
        stopped = await partner.stop(stop([("email", email)]))
        (order,) = await partner.orders("canalvert", stopped)
        await partner.send("in.canalvert.rights", "opposable.order.acknowledged.v1",
                           {"order_id": order["order_id"], "status": "applied", "applied_at": order["at"]})  # fmt: skip
        bad = {"contacts": [{"type": "email", "value": f"x{email}"}]}
        await partner.send("in.acme.consents", "opposable.consent.collected.v1", bad)
        return email, record, stopped, bad

    return asyncio.run(live())


async def test_from_signing_in_to_a_bundle_that_verifies_offline(enter, life, endpoints, tmp_path):
    email, record, stopped, _ = life
    operator = await enter("operator")
    page = operator.page
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "find"
    await page.keyboard.type(f" {email.upper()} ")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Pour ce contact").wait_for()
    assert page.url.endswith("/search")  # never in an address
    assert email not in (await page.content()).lower()
    await page.get_by_role("link", name=record).press("Enter")
    await page.get_by_role("heading", name="Histoire").wait_for()
    for said in ("déclare avoir recueilli un choix", "Contrôles selon les règles", "Retrait du consentement reçu par acme",
                 "Ordre de cesser adressé à canalvert", "Canal Vert SA", "retrait de la personne"):  # fmt: skip
        assert said in await page.inner_text("main"), said

    async def answered():
        await page.reload()
        return await page.inner_text("main")

    await until(answered, lambda text: "Réponse de canalvert : appliqué" in text and "pas encore signé" not in text)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Dossier vérifiable").click()
    await (await waiting.value).save_as(tmp_path / "proof.zip")
    policy = str(endpoints.secrets_dir.parent / "policy")
    verified = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "services.cli.main", "verify", str(tmp_path / "proof.zip"), "--policy", policy, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert record in verified.stdout

    await page.goto(f"/stops/{stopped}")
    assert "appliqué" in await page.inner_text("main")
    await page.goto("/audit")
    rows = await page.locator("tbody tr").all_inner_texts()
    for said in ("preuve téléchargée", "accord consulté", "recherche", "connexion"):
        assert any(said in row for row in rows), said
    assert email not in await page.content()
    assert operator.complaints == []
    await in_the_log(endpoints, email, record)


async def in_the_log(endpoints, email, record):
    """What was done lies in the transparency log under a signed checkpoint, without a contact."""
    partner = Partner(endpoints)
    sent = await partner.read("operations", lambda b: b["facts"]["action"] == "bundle.downloaded")
    facts = sent[0]["facts"]
    assert (facts["object"], facts["role"]) == (record, "operator")
    (searched,) = await partner.read("operations", lambda b: b["facts"]["action"] == "search.done")
    assert "object" not in searched["facts"]
    assert len(searched["facts"]["commitment"]) == 43
    assert email not in json.dumps(searched)
    async with operator_http(endpoints, "proof_archive") as archive:
        entry = await until(
            lambda: archive.get(f"/v1/operations/{facts['operation']}"),
            lambda answer: answer.status_code == 200 and answer.json()["covered"],
        )
    assert entry.json()["facts"]["action"] == "bundle.downloaded"


async def test_a_dead_letter_is_opened_and_replayed_byte_for_byte(enter, life, endpoints):
    bad = life[3]
    operator = await enter("operator")
    page = operator.page
    await page.goto("/dead")

    async def listed():
        await page.goto("/dead")
        return await page.locator("tbody a").all_inner_texts()

    (letter,) = await until(listed, bool)
    await page.get_by_role("link", name=letter).click()
    assert bad["contacts"][0]["value"] in await page.inner_text("pre")
    await page.get_by_label("Motif").fill("dossier 2026-14, corrigé")
    await page.get_by_role("button", name="Rejouer").click()
    await page.get_by_text("Cette lettre a été rejouée.").wait_for()
    again = await Partner(endpoints).read("in.acme.consents", lambda b: b == bad, count=2)
    assert again == [bad, bad]
    (new,) = await until(
        listed, lambda names: names != [letter] and len(names) == 1
    )  # it failed again: a letter of its own
    assert new != letter
    await page.goto(f"/dead/{letter}")
    assert await page.get_by_role("button", name="Rejouer").count() == 0
    shown = json.loads((await asyncio.to_thread(opposable, endpoints, "dead", "list", "--json")).stdout)
    assert [one["id"] for one in shown] == [new]  # the command sees the same
    assert operator.complaints == []


async def test_a_forged_form_and_a_viewer_are_refused(enter, life):
    record = life[1]
    operator = await enter("operator")
    posted = (
        "([path, body]) => fetch(path, {method: 'POST', body: new URLSearchParams(body)}).then(answer => answer.status)"
    )
    for path, body in (("/search", {"wanted": record}), (f"/proofs/{record}", {"form": "zip", "csrf": "0" * 64})):
        assert await operator.page.evaluate(posted, [path, body]) == 403
    viewer = await enter("viewer")
    assert await viewer.page.locator("#find").count() == 0
    for path in (f"/records/{record}", "/dead", "/audit", "/search"):
        assert (await viewer.page.goto(path)).status == 403, path
    token = await viewer.page.get_attribute("input[name=csrf]", "value")
    assert await viewer.page.evaluate(posted, [f"/proofs/{record}", {"form": "zip", "csrf": token}]) == 403


async def test_the_overview_is_alive_and_knows_every_service(enter):
    operator = await enter("viewer")
    page = operator.page
    await until(lambda: page.inner_text("#live"), lambda text: "Retard par groupe" in text)
    async with page.expect_response("**/overview/live") as answered:
        pass
    assert (await answered.value).status == 200
    await until(lambda: page.inner_text("#live"), lambda text: text.count("prêt") >= 8)
    text = await page.inner_text("#live")
    for said in ("collector", "webhook_relay", "valables", "proof_archive ← consents"):
        assert said in text, said
    assert operator.complaints == []


def test_accounts_are_changed_by_the_command_and_their_sessions_end(endpoints):
    added = opposable(
        endpoints, "console", "user", "add", "Paul", "--password-stdin", "--json", said="une phrase assez longue"
    )
    assert json.loads(added.stdout)["login"] == "paul"
    assert (
        opposable(
            endpoints, "console", "user", "add", "paul", "--password-stdin", said="une phrase assez longue"
        ).returncode
        == 2
    )
    assert opposable(endpoints, "console", "user", "password", "paul", "--password-stdin", said="court").returncode == 2
    role = opposable(endpoints, "console", "user", "role", "paul", "--role", "dpo", "--json")
    assert json.loads(role.stdout)["role"] == "dpo"
    assert opposable(endpoints, "console", "user", "disable", "paul").returncode == 0
    listed = json.loads(opposable(endpoints, "console", "user", "list", "--json").stdout)
    assert {one["login"]: one["disabled"] for one in listed} == {
        "dpo": False,
        "operator": False,
        "paul": True,
        "viewer": False,
    }
    assert "hash" not in listed[0]
    assert opposable(endpoints, "console", "user", "disable", "nobody").returncode == 2


async def test_no_page_has_an_accessibility_violation_or_weighs_too_much(enter, life):
    _, record, stopped, _ = life
    for width, height, scheme, rules in LOOKS:
        operator = await enter("operator", viewport={"width": width, "height": height}, color_scheme=scheme)
        page = operator.page
        page.on("response", lambda answer, mine=operator: asyncio.ensure_future(weigh(mine, answer)))
        letter = None
        for path in (
            "/",
            "/search",
            f"/records/{record}",
            f"/stops/{stopped}",
            "/stuck",
            "/dead",
            "/dead/letter",
            "/audit",
        ):
            if path == "/dead/letter":
                path = letter  # noqa: PLW2901
            operator.bytes = 0
            await page.goto(path)
            if path == "/":
                await until(lambda page=page: page.inner_text("#live"), lambda text: "Retard par groupe" in text)
            if path == "/dead":
                letter = await page.locator("tbody a").first.get_attribute("href")
            assert operator.bytes < MOST_BYTES, (path, operator.bytes)
            await clean(page, f"{path}-{width}", rules)
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (path, width, wide)
        await operator.context.clear_cookies()
        await page.goto("/login")
        await clean(page, f"login-{width}", rules)
        await operator.context.close()


async def weigh(operator, answer):
    operator.bytes += len(await answer.body()) if answer.status == 200 else 0


async def clean(page, name, rules):
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name.replace('/', '_')}.png", full_page=True)
    # The page forbids all script but its own: the checker is put in through the debugger, which the policy does not bind.
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("options => axe.run(document, options)", rules)
    told = [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]
    assert told == [], (name, told)
    assert found["passes"], name


async def test_what_the_console_asks_is_the_operators_alone_and_names_nobody(endpoints, life):
    email, record, stopped, _ = life
    asked = (
        ("rights_handler", "POST", "/v1/lookups"), ("rights_handler", "GET", f"/v1/records/{record}"),
        ("rights_handler", "GET", "/v1/standing"), ("proof_archive", "GET", f"/v1/dossiers/{record}"),
        ("proof_archive", "GET", "/v1/operations/op-1"),
    )  # fmt: skip
    for service, method, path in asked:
        async with httpx.AsyncClient(base_url=endpoints.url(service)) as nobody:
            answer = await nobody.request(method, path, json={"contact": email} if method == "POST" else None)
        assert answer.status_code == 401, path
    async with operator_http(endpoints) as rights, operator_http(endpoints, "proof_archive") as archive:
        found = await rights.post("/v1/lookups", json={"contact": f" {email.upper()}"})
        assert found.json()["key"].startswith("p1.")
        assert [one["record"] for one in found.json()["records"]] == [record]
        assert [one["stop"] for one in found.json()["stops"]] == [stopped]
        assert email not in found.text
        nobody_known = (await rights.post("/v1/lookups", json={"contact": "personne@courriel.example"})).json()
        assert (nobody_known["records"], nobody_known["stops"]) == ([], [])
        for wrong in ({"contact": "12"}, {"contact": ""}, {"contact": "une ligne\n"}, {}):
            assert (await rights.post("/v1/lookups", json=wrong)).status_code == 422, wrong
        standing = (await rights.get(f"/v1/records/{record.split('/')[1]}")).json()  # by its id alone
        assert standing["record"] == record
        assert {line["granted"] for line in standing["lines"]} == {False}
        assert {branch["record"] for one in standing["stops"] for branch in one["branches"]} == {record}
        assert (await rights.get("/v1/records/acme/nothing")).status_code == 404
        counts = (await rights.get("/v1/standing")).json()
        assert (counts["stops_open"], counts["orders_open"], counts["orders_late"]) == (1, 3, 0)
        dossier = await archive.get(f"/v1/dossiers/{record}")
        assert {"consent.recorded", "consent.assessed", "stop.recorded"} <= {
            one["kind"] for one in dossier.json()["entries"]
        }
        assert email not in dossier.text
        assert "commitments" not in dossier.text
        assert (await archive.get("/v1/dossiers/acme/nothing")).status_code == 404
        assert (await archive.get("/v1/operations/op-1")).status_code == 404


async def test_the_first_key_leads_past_the_menu_and_the_language_is_kept(enter):
    operator = await enter("dpo")
    page = operator.page
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.get_by_role("link", name="English").click()
    await page.goto("/stuck")
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert "Everything that waits" in await page.inner_text("h1")
