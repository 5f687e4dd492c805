"""Who may read, and how one proves it: the same answer for everyone, once, in time, not too often; stopping needs none of it."""

import re
from datetime import timedelta

import pytest
from portal_bench import JEANNE, PHONE, RECORD

from services.rights_handler.portal.access import Limits

pytestmark = pytest.mark.engines
LINK = re.compile(r"https://mes-donnees\.example/me/([A-Za-z0-9_-]{43})\b")


async def asked(bench, browser, contact=JEANNE):
    answer = await browser.post("/me", data={"contact": contact})
    await bench.inviting.sweep()
    return answer


async def test_known_and_unknown_contacts_get_the_same_page_and_only_the_known_a_message(bench):
    await bench.collected()
    async with bench.browser() as browser:
        known, unknown = await asked(bench, browser), await asked(bench, browser, "personne@courriel.example")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text) == (200, known.text)
    names = ("content-security-policy", "referrer-policy", "cache-control")
    assert [known.headers[name] for name in names] == [unknown.headers[name] for name in names]
    assert [message.to for message in bench.messages()] == [JEANNE]
    async with bench.browser() as browser:
        known, unknown = await asked(bench, browser, "06 12 34 56 78"), await asked(bench, browser, "06 99 99 99 99")
    shape = re.compile(r"/me/code/[A-Za-z0-9_-]{43}")
    assert shape.sub("", known.text) == shape.sub("", unknown.text)
    assert [message.to for message in bench.messages()] == [JEANNE, PHONE]


async def test_nobody_is_looked_up_while_the_person_waits(bench):
    await bench.collected()
    looked = []
    before = bench.ports.world.grants_about
    bench.ports.world.grants_about = lambda stops: looked.append(1) or before(stops)
    async with bench.browser() as browser:
        await browser.post("/me", data={"contact": JEANNE})
    assert looked == []
    await bench.inviting.sweep()
    assert looked == [1]


async def test_a_link_opens_once_and_looking_at_it_does_not_use_it(bench):
    await bench.collected()
    async with bench.browser() as browser:
        await asked(bench, browser)
        (mail,) = bench.messages()
        path = "/me/" + LINK.search(mail.text)[1]
        for _ in range(3):  # a mail system that follows links
            assert "Voir mes données" in (await browser.get(path)).text
        opened = await browser.post(path)
        assert (opened.status_code, "Canal Vert" in opened.text) == (200, True)
        again = await browser.post(path)
        assert (again.status_code, "ne peut plus servir" in again.text) == (410, True)
        assert (await browser.get(path)).status_code == 410
        assert (await browser.get(opened.url)).status_code == 200  # the session goes on


async def test_links_and_sessions_end_by_the_clock(bench):
    await bench.collected()
    async with bench.browser() as browser:
        await asked(bench, browser)
        path = "/me/" + LINK.search(bench.messages()[0].text)[1]
        bench.clock.advance(timedelta(minutes=14, seconds=59))
        assert (await browser.get(path)).status_code == 200
        bench.clock.advance(timedelta(seconds=1))
        assert (await browser.post(path)).status_code == 410
        session = (await bench.inside(browser)).url
        bench.clock.advance(timedelta(minutes=29))
        assert (await browser.get(session)).status_code == 200
        bench.clock.advance(timedelta(minutes=1))
        for url in (session, f"{session}/suivi", f"{session}/droits", f"{session}/preuve/{RECORD}.zip"):
            assert (await browser.get(url)).status_code == 410
        assert (await browser.post(f"{session}/retrait", data={"tout": "1"})).status_code == 410
        assert bench.events() == []


async def test_leaving_ends_the_session_at_once(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        await browser.post(f"{session}/fin", data={"x": "1"})
        assert (await browser.get(session)).status_code == 410


async def test_a_code_has_five_tries_then_is_worth_nothing(bench):
    await bench.collected()
    async with bench.browser() as browser:
        answer = await asked(bench, browser, PHONE)
        code = re.search(r"\b\d{6}\b", bench.messages()[0].text)[0]
        path = re.search(r'action="(/me/code/[^"]+)"', answer.text)[1]
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        for _ in range(4):
            bad = await browser.post(path, data={"code": wrong})
            assert bad.status_code == 422
            assert 'aria-describedby="code-erreur"' in bad.text
        good = await browser.post(path, data={"code": f"{code[:3]} {code[3:]}"})
        assert "Ce qui est su de +33 • •• •• •• 78" in good.text
        assert (await browser.post(path, data={"code": code})).status_code == 422  # used
        answer = await asked(bench, browser, PHONE)
        code = re.search(r"\b\d{6}\b", bench.messages()[1].text)[0]
        path = re.search(r'action="(/me/code/[^"]+)"', answer.text)[1]
        for _ in range(5):
            await browser.post(path, data={"code": f"{(int(code) + 1) % 10**6:06d}"})
        assert (await browser.post(path, data={"code": code})).status_code == 422


async def test_what_a_page_shows_opens_nothing_by_itself(bench):
    await bench.collected()
    async with bench.browser() as browser:
        answer = await asked(bench, browser, PHONE)
        handle = re.search(r"/me/code/([^\"]+)", answer.text)[1]
        assert (await browser.post(f"/me/{handle}")).status_code == 410
        mail = await asked(bench, browser)
        token = LINK.search(bench.messages()[-1].text)[1]
        assert token not in mail.text
        assert (await browser.post(f"/me/code/{token}", data={"code": ""})).status_code == 422


async def test_one_contact_is_not_written_to_more_than_agreed_and_nobody_sees_it(make_bench):
    bench = await make_bench(limits=Limits(2, 100, 100))
    await bench.collected()
    async with bench.browser() as browser:
        pages = {(await asked(bench, browser)).text for _ in range(5)}
    assert len(pages) == 1
    assert len(bench.messages()) == 2
    bench.clock.advance(timedelta(hours=1))
    async with bench.browser() as browser:
        await asked(bench, browser)
    assert len(bench.messages()) == 3


async def test_one_network_address_may_not_ask_for_ever_and_is_not_stored(make_bench):
    bench = await make_bench(limits=Limits(100, 3, 2))
    async with bench.browser("2001:db8:1:2::7") as browser:
        codes = [(await asked(bench, browser, f"a{n}@courriel.example")).status_code for n in range(4)]
        stops = [
            (await browser.post("/me/arret", data={"contact": f"a{n}@courriel.example"})).status_code for n in range(3)
        ]
    assert codes == [200, 200, 200, 429]
    assert stops == [200, 200, 429]
    async with bench.browser("2001:db8:1:2:ffff::1") as neighbour:  # the same subscriber
        assert (await asked(bench, neighbour)).status_code == 429
    async with bench.browser("2001:db8:9:9::1") as other:
        assert (await asked(bench, other)).status_code == 200
    stored = [row for name in ("portal_limits", "portal_passes") for row in await bench.rows[name].find().to_list()]
    assert stored
    text = str(stored)
    for clear in ("2001:db8", "courriel.example", "a1@"):
        assert clear not in text


async def test_the_database_holds_no_token_no_code_and_no_contact(bench):
    await bench.collected()
    async with bench.browser() as browser:
        await asked(bench, browser, PHONE)
        code = re.search(r"\b\d{6}\b", bench.messages()[0].text)[0]
        session = (await bench.inside(browser)).url
    token = LINK.search(bench.messages()[-1].text)[1]
    for name in ("portal_passes", "portal_sessions", "portal_limits"):
        text = str([row async for row in bench.rows[name].find()])
        for clear in (token, code, JEANNE, PHONE[3:], session.path.rpartition("/")[2]):
            assert clear not in text, name


async def test_stopping_needs_no_proof_and_reaches_every_channel(bench):
    async with bench.browser() as browser:
        answer = await browser.post("/me/arret", data={"contact": " Jeanne.Martin@Courriel.example "})
        twice = await browser.post("/me/arret", data={"contact": JEANNE})
    assert (answer.status_code, twice.status_code) == (200, 200)
    one, two = bench.events()
    assert one == two  # one stop, whatever the number of clicks
    assert one["contacts"] == [{"type": "email", "value": JEANNE}]
    assert (one["kind"], one["via"], one["recipients"], one["channels"]) == ("withdrawal", "portal", "all", "all")
    assert JEANNE not in answer.text


@pytest.mark.parametrize("path", ["/me", "/me/arret"])
@pytest.mark.parametrize(
    "contact", ["", "personne", "a@b", "12", "x" * 5000, "a@b.example\nBcc: c@d.example", "<script>@x"]
)
async def test_what_is_no_contact_is_said_beside_its_field(bench, path, contact):
    async with bench.browser() as browser:
        answer = await browser.post(path, data={"contact": contact})
    assert answer.status_code == 422
    name = "voir" if path == "/me" else "arret"
    assert f'id="{name}-erreur"' in answer.text
    assert re.search(rf'aria-describedby="{name}-erreur[ "]', answer.text)
    assert "<script>@x" not in answer.text
    assert bench.messages() == bench.events() == []


async def test_other_sites_and_other_bodies_are_refused(bench):
    async with bench.browser() as browser:
        cross = await browser.post("/me/arret", data={"contact": JEANNE}, headers={"Sec-Fetch-Site": "cross-site"})
        odd = await browser.post("/me/arret", json={"contact": JEANNE})
        long = await browser.post("/me/arret", data={"contact": "a" * 40_000})
    assert [cross.status_code, odd.status_code, long.status_code] == [403, 415, 413]
    assert bench.events() == []


async def test_every_page_forbids_scripts_caches_and_referers_and_sets_no_cookie(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        for path in ("/me", "/me/inconnu", str(session), f"{session}/suivi", f"{session}/droits"):
            answer = await browser.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "set-cookie" not in answer.headers
            assert "<script" not in answer.text
            assert "style=" not in answer.text
            assert not re.search(r'(?:src|href)="(?!/|#|https://www\.cnil\.fr/|https://[a-z-]+\.example/)', answer.text)


POSTAL = "Mme Jeanne Martin\n12 rue de la Paix\n75002 Paris"
LETTER_CODE = re.compile(r"\b[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}\b")


async def test_a_letter_carries_a_code_that_opens_once_within_three_weeks(bench):
    await bench.collected(contacts=(("post", POSTAL.upper()),))
    async with bench.browser() as browser:
        known = await browser.post("/me/lettre", data={"adresse": POSTAL.replace("\n", "\r\n  "), "quoi": "lettre"})
        unknown = await browser.post("/me/lettre", data={"adresse": POSTAL + "\nFRANCE", "quoi": "lettre"})
        assert (known.status_code, known.text) == (200, unknown.text)
        await bench.inviting.sweep()
        (letter,) = bench.messages()
        assert (letter.channel, letter.to) == ("letter", POSTAL.upper())
        code = LETTER_CODE.search(letter.text)[0]
        assert (await browser.post("/me/lettre/code", data={"code": "ABCD-EFGH-JKMN"})).status_code == 422
        bench.clock.advance(timedelta(days=20))
        opened = await browser.post("/me/lettre/code", data={"code": code.lower().replace("-", " ")})
        assert "Ce qui est su de votre adresse postale" in opened.text
        assert (await browser.post("/me/lettre/code", data={"code": code})).status_code == 422
        assert code not in str(await bench.rows["portal_passes"].find().to_list())


async def test_letters_are_few_and_their_codes_end(bench):
    await bench.collected(contacts=(("post", POSTAL.upper()),))
    async with bench.browser() as browser:
        answers = [
            (await browser.post("/me/lettre", data={"adresse": POSTAL, "quoi": "lettre"})).status_code for _ in range(4)
        ]
        await bench.inviting.sweep()
        assert answers == [200, 200, 200, 429]
        (letter,) = bench.messages()  # one a day to one address, whoever asks
        bench.clock.advance(timedelta(days=21))
        code = LETTER_CODE.search(letter.text)[0]
        assert (await browser.post("/me/lettre/code", data={"code": code})).status_code == 422


async def test_a_postal_address_is_stopped_at_once(bench):
    async with bench.browser() as browser:
        answer = await browser.post("/me/lettre", data={"adresse": POSTAL, "quoi": "arret"})
        wrong = await browser.post("/me/lettre", data={"adresse": "Paris", "quoi": "arret"})
    assert (answer.status_code, "cette adresse" in answer.text) == (200, True)
    assert (wrong.status_code, 'id="adresse-erreur"' in wrong.text) == (422, True)
    (stop,) = bench.events()
    assert (stop["contacts"], stop["channels"]) == ([{"type": "post", "value": POSTAL.upper()}], "all")
