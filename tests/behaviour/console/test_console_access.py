"""Signing in, sessions that end, roles, forms bound to their session; on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from console_bench import LETTER, PASSWORD, RECORD, URL, answers, csrf

from services.console.roles import Role

pytestmark = pytest.mark.engines


async def test_signing_in_gives_a_session_the_database_cannot_open(bench):
    await bench.account("jeanne")
    async with bench.browser() as browser:
        answer = await bench.sign_in(browser, " Jeanne ")
        assert answer.url.path == "/"
        token = browser.cookies["opposable-console"]
    rows = [row async for row in bench.database.sessions.find()]
    assert len(rows) == 1
    assert token not in str(rows)
    account = await bench.database.accounts.find_one()
    assert account["hash"].startswith("$argon2id$")
    assert PASSWORD not in str(account)


async def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(bench):
    await bench.account("jeanne")
    async with bench.browser() as browser:
        browser.follow_redirects = False
        answer = await bench.sign_in(browser, "jeanne")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("opposable-console="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie  # plain http, on this machine


async def test_over_tls_the_cookie_is_bound_to_the_host(make_bench):
    bench = await make_bench()
    object.__setattr__(
        bench.console, "settings", bench.settings.model_copy(update={"console_url": "https://console.example"})
    )
    await bench.account("jeanne")
    async with bench.browser() as browser:
        browser.follow_redirects = False
        form = await browser.get("/login")
        browser.headers["cookie"] = (
            f"opposable-console-form={form.headers['set-cookie'].split('=', 1)[1].split(';')[0]}"
        )
        answer = await browser.post("/login", data={"login": "jeanne", "password": PASSWORD, "csrf": csrf(form)})
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-opposable-console="))
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_wrong_unknown_and_disabled_are_told_the_same(bench):
    account = await bench.account("jeanne")
    texts = set()
    async with bench.browser() as browser:
        for login, password in (("jeanne", "pas le bon mot"), ("personne", PASSWORD)):
            answer = await bench.sign_in(browser, login, password)
            assert answer.status_code == 401
            texts.add(answer.text.replace(csrf(answer), "").replace(login, ""))
        await bench.console.accounts.change(account, disabled=True)
        answer = await bench.sign_in(browser, "jeanne")
        texts.add(answer.text.replace(csrf(answer), "").replace("jeanne", ""))
    assert len(texts) == 1
    refused = [(row["action"], row["account"]) for row in await bench.operations()]
    assert refused == [("login.refused", account.id), ("login.refused", "ac-unknown"), ("login.refused", account.id)]


async def test_guessing_is_slowed_by_login_and_the_right_password_does_not_help_then(make_bench):
    bench = await make_bench(console_tries_per_login=3)
    await bench.account("jeanne")
    async with bench.browser() as browser:
        codes = [(await bench.sign_in(browser, "jeanne", "mauvais essai")).status_code for _ in range(3)]
        assert codes == [401, 401, 401]
        assert (await bench.sign_in(browser, "JEANNE")).status_code == 429
        bench.clock.advance(timedelta(minutes=15))
        assert (await bench.sign_in(browser, "jeanne")).status_code == 200


async def test_guessing_is_slowed_by_network_address_too(make_bench):
    bench = await make_bench(console_tries_per_address=2)
    async with bench.browser() as browser:
        codes = [(await bench.sign_in(browser, f"qui{n}", "mauvais essai")).status_code for n in range(3)]
    assert codes == [401, 401, 429]
    assert "203.0.113.7" not in str([row async for row in bench.database.tries.find()])


async def test_a_sign_in_form_is_bound_to_the_browser_that_asked_for_it(bench):
    await bench.account("jeanne")
    async with bench.browser() as one, bench.browser() as other:
        form = await one.get("/login")
        await other.get("/login")
        answer = await other.post("/login", data={"login": "jeanne", "password": PASSWORD, "csrf": csrf(form)})
        assert answer.status_code == 403
        assert (await other.get("/")).url.path == "/login"


async def test_a_session_ends_when_idle_and_in_any_case(bench):
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        for _ in range(20):  # ten hours at most, however busy
            bench.clock.advance(timedelta(minutes=29))
            assert (await browser.get("/stuck")).url.path == "/stuck"
        bench.clock.advance(timedelta(minutes=29))
        assert (await browser.get("/stuck")).url.path == "/login"
        await bench.sign_in(browser, "operator")
        bench.clock.advance(timedelta(minutes=31))
        assert (await browser.get("/stuck")).url.path == "/login"


async def test_a_page_that_polls_keeps_no_session_alive_and_is_sent_to_sign_in(bench):
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        for _ in range(3):
            bench.clock.advance(timedelta(minutes=11))
            answer = await browser.get("/overview/live", headers={"HX-Request": "true"})
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"] == "/login"


async def test_signing_out_ends_the_session_on_the_server(bench):
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        kept = browser.cookies["opposable-console"]
        await browser.post("/logout", data={"csrf": token})
        browser.cookies.set("opposable-console", kept)
        assert (await browser.get("/")).url.path == "/login"
    assert [row["action"] for row in await bench.operations()] == ["login.done", "logout.done"]


@pytest.mark.parametrize("forged", ["", "0" * 64, "é"])
async def test_a_form_without_the_sessions_token_does_nothing(bench, forged):
    bench.answers = answers()
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        fields = {"how": "dropped", "reason": "test message", "csrf": forged}
        for path in (f"/dead/{LETTER.id}", "/search", f"/proofs/{RECORD}", "/logout"):
            answer = await browser.post(path, data=fields)
            assert answer.status_code == 403, path
    assert bench.console.letters.done == {}
    assert bench.asked == []
    assert [row["action"] for row in await bench.operations()] == ["login.done"]


async def test_another_site_cannot_post_even_with_the_token(bench):
    async with bench.browser() as browser:
        token = await bench.signed_in(browser)
        fields = {"how": "dropped", "reason": "test message", "csrf": token}
        answer = await browser.post(f"/dead/{LETTER.id}", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert bench.console.letters.done == {}


async def test_a_viewer_sees_the_system_and_no_person_and_the_attempt_is_written_down(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser, Role.VIEWER)
        assert (await browser.get("/")).status_code == 200
        page = await browser.get("/stuck")
        assert page.status_code == 200
        assert f"/records/{RECORD}" not in page.text  # not even a link
        for path in ("/search", f"/records/{RECORD}", "/dead", f"/dead/{LETTER.id}", "/audit"):
            assert (await browser.get(path)).status_code == 403, path
        fields = {"how": "replayed", "reason": "test message", "csrf": token}
        assert (await browser.post(f"/dead/{LETTER.id}", data=fields)).status_code == 403
        assert (await browser.post(f"/proofs/{RECORD}", data={"form": "zip", "csrf": token})).status_code == 403
    assert bench.console.letters.done == {}
    assert [row["action"] for row in await bench.operations()][1:] == ["access.refused"] * 7


async def test_a_dpo_reads_persons_and_the_log_and_touches_no_letter(bench):
    bench.answers = answers()
    async with bench.browser() as browser:
        token = await bench.signed_in(browser, Role.DPO)
        assert (await browser.get(f"/records/{RECORD}")).status_code == 200
        assert (await browser.get("/audit")).status_code == 200
        assert (await browser.get(f"/dead/{LETTER.id}")).status_code == 403
        answer = await browser.post(f"/dead/{LETTER.id}", data={"how": "dropped", "reason": "non merci", "csrf": token})
        assert answer.status_code == 403


async def test_a_changed_role_and_a_disabled_account_count_at_once(bench):
    async with bench.browser() as browser:
        await bench.signed_in(browser, Role.OPERATOR)
        account = await bench.console.accounts.of_login("operator")
        await bench.console.accounts.change(account, role=Role.VIEWER)
        assert (await browser.get("/dead")).status_code == 403
        await bench.console.accounts.change(account, disabled=True)
        assert (await browser.get("/")).url.path == "/login"


async def test_every_answer_forbids_inline_and_foreign_script_and_is_kept_nowhere(bench):
    async with bench.browser() as browser:
        await bench.signed_in(browser)
        for path in ("/", "/login", "/stuck", "/no/such/page/../", "/dead/9/9"):
            answer = await browser.get(path)
            if answer.status_code == 404 and not answer.headers.get("content-type", "").startswith("text/html"):
                continue  # no page of ours
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
        script = await browser.get("/static/console.js")
        assert script.headers["content-type"].startswith("text/javascript")
        assert (await browser.get("/static/../render.py")).status_code == 404
        assert (await browser.get("/static/nothing.js")).status_code == 404
    assert URL.startswith("http://")
