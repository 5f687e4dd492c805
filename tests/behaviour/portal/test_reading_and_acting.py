"""What a person reads, withdraws, follows and asks for, once a contact is proven; and what nobody else can."""

import re

import pytest
from portal_bench import JEANNE, PHONE, RECORD, UUID, line

from shared.keyring.ring import Fixed
from shared.tickets import Tickets

pytestmark = pytest.mark.engines
OTHER = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a12"


def text_of(page):
    """The page as it is read: without markup, spaces evened out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text).replace("&nbsp;", " "))


async def test_the_page_says_what_when_where_who_and_why_in_plain_words(bench):
    await bench.collected(
        line("canalvert"), line("hibou", "sms", value="refused", verdict="invalid", reasons=("REFUSED",)),
        line("tisane", "call", verdict="invalid", reasons=("LIST-NOT-NAMED", "PHONE-PERIOD")),
    )  # fmt: skip
    async with bench.browser() as browser:
        page = await bench.inside(browser)
    text = text_of(page)
    for said in (
        "Ce qui est su de j•••@c•••.example", "Par ACME Jeux SAS", "lundi 14 septembre 2026 à 10 h 31 (heure de Paris)",
        "formulaire « jeu-rentree », version 7", "adresse électronique : j•••@c•••.example",
        "numéro de téléphone : +33 • •• •• •• 78", "votre adresse IP", "Canal Vert SA", "accord valable , jusqu’au lundi 13 septembre 2027",
        "cette société n’était pas nommée dans la liste qui vous a été montrée", "les règles du démarchage par téléphone",
        "vous avez dit non",
    ):  # fmt: skip
        assert said in text, said
    assert "LIST-NOT-NAMED" not in text
    for clear in (JEANNE, PHONE, "203.0.113.9"):
        assert clear not in page.text
    told = text[text.index("Qui a vos données") : text.index("Ne retirer")]
    assert "Tisane" in told
    assert "Hibou" not in told  # the person said no to it: it was never meant to have the data


async def test_only_records_with_the_proven_contact_are_read(bench):
    await bench.collected()
    await bench.collected(contacts=(("email", "paul@courriel.example"), ("phone", PHONE)), record=OTHER)
    await bench.collected(contacts=(("email", "autre@courriel.example"),), record=OTHER[:-1] + "3")
    async with bench.browser() as browser:
        page = await bench.inside(browser)
        assert page.text.count("<article") == 1
        session = page.url
        for path in (f"{session}/preuve/{OTHER}.zip", f"{session}/page/{OTHER}"):
            assert (await browser.get(path)).status_code == 404


async def test_an_erased_record_is_said_to_be_erased(bench):
    await bench.collected()
    await bench.collected(record=OTHER)
    async with bench.browser() as browser:
        page = await bench.inside(browser)
        del bench.keys.known[RECORD]
        assert "Vos données ont été effacées." in (await browser.get(page.url)).text


async def test_all_is_withdrawn_in_one_step_with_erasure_where_ticked(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        follow = await browser.post(f"{session}/retrait", data={"tout": "1", "effacer": "1", "societe": "canalvert"})
    assert follow.url == f"{session}/suivi"
    assert "Demande en cours d’envoi" in follow.text
    stop, request = bench.events()
    assert (stop["recipients"], stop["channels"], stop["via"]) == ("all", "all", "portal")
    assert stop["contacts"] == request["contacts"] == [{"type": "email", "value": JEANNE}]
    assert (request["right"], request["identity"]) == ("erasure", {"verified": True, "method": "portal"})


async def test_one_company_or_one_means_may_be_withdrawn_apart(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        await browser.post(f"{session}/retrait", data={"societe": ["canalvert", "inconnue"], "moyen": ["sms", "fumée"]})
        await browser.post(f"{session}/retrait", data={"societe": "inconnue", "moyen": "sms"})
        await browser.post(f"{session}/retrait", data={"societe": "hibou", "moyen": "fumée"})
        none = await browser.post(f"{session}/retrait", data={"societe": "inconnue", "moyen": "fumée"})
    (stop,) = bench.events()
    assert (stop["recipients"], stop["channels"]) == (["canalvert"], ["sms"])
    assert none.status_code == 422  # what was not understood is never taken for everything, nor for nothing
    assert 'id="choix-erreur"' in none.text


async def test_a_withdrawal_is_followed_party_by_party(bench):
    grant = await bench.collected()
    one, two, _ = await bench.stopped(grant, ["canalvert", "hibou", "acme"])
    await bench.applied(one)
    await bench.applied(two, "refused")
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        page = await browser.get(f"{session}/suivi")
    text = text_of(page)
    assert "1 sur 3 a répondu" in text
    assert re.search(r"Canal Vert SA Appliqué Cette société confirme avoir cessé", text)
    assert re.search(r"Hibou SAS Refusé", text) or re.search(r"Hibou[^.]* Refusé", text)
    assert "En attente de sa réponse, due avant lundi 21 septembre 2026" in text
    assert "Arrêt demandé pour toutes les sociétés, par tous les moyens." in text
    assert "Ne doit pas vous contacter" in text_of(await _again(bench, session))


async def _again(bench, session):
    async with bench.browser() as browser:
        return await browser.get(session)


@pytest.mark.parametrize("right", ["access", "portability", "restriction", "dispute", "erasure"])
async def test_a_right_is_asked_for_without_further_proof(bench, right):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        page = await browser.post(
            f"{session}/droits", data={"droit": right, "precisions": "Tout, <b>s’il vous plaît</b>"}
        )
    assert "Votre demande est enregistrée" in page.text
    (request,) = bench.events()
    assert (request["right"], request["details"]) == (right, "Tout, <b>s’il vous plaît</b>")
    assert request["identity"] == {"verified": True, "method": "portal"}


async def test_errors_of_the_form_stand_beside_their_fields_and_keep_what_was_typed(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        none = await browser.post(f"{session}/droits", data={"precisions": "<i>bonjour"})
        empty = await browser.post(f"{session}/droits", data={"droit": "rectification"})
    assert 'id="droit-erreur"' in none.text
    assert "&lt;i&gt;bonjour" in none.text
    assert 'aria-describedby="precisions-erreur"' in empty.text
    assert bench.events() == []


async def test_what_parties_wrote_about_themselves_cannot_become_markup(bench):
    party = bench.registry.view.party("canalvert")
    bench.registry.view._parties["canalvert"] = party.model_copy(
        update={"legal_name": '<img src=x onerror="alert(1)">'}
    )
    await bench.collected()
    async with bench.browser() as browser:
        page = await bench.inside(browser)
    assert "<img" not in page.text
    assert "&lt;img src=x" in page.text


async def test_kafka_away_is_said_and_nothing_is_claimed(bench):
    await bench.collected()
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url

        async def away(_messages):
            from shared.errors import Unavailable  # noqa: PLC0415

            raise Unavailable("away")

        bench.ports.send_all = away
        for path, data in ((f"{session}/retrait", {"tout": "1"}), ("/me/arret", {"contact": JEANNE})):
            answer = await browser.post(path, data=data)
            assert answer.status_code == 503
            assert "enregistré" not in answer.text
        assert "Vous n’avez encore rien demandé" in (await browser.get(f"{session}/suivi")).text


async def test_proofs_are_fetched_for_ones_own_records_only(make_bench, monkeypatch):
    bench = await make_bench(offered=True)
    await bench.collected()
    asked = []

    async def get(self, path, headers):
        asked.append((path, headers))
        return _Answer(b"PK\x03\x04" if "persons" in path else b"\x89PNG\r\n\x1a\nx")

    monkeypatch.setattr("services.rights_handler.portal.proofs.Proofs._get", get)
    async with bench.browser() as browser:
        session = (await bench.inside(browser)).url
        proof = await browser.get(f"{session}/preuve/{RECORD}.zip")
        picture = await browser.get(f"{session}/page/{RECORD}")
        assert (await browser.get(f"{session}/preuve/{OTHER}.zip")).status_code == 404
        assert (await browser.get(f"{session}/preuve/{RECORD}.exe")).status_code == 404
    assert (proof.headers["content-type"], proof.content) == ("application/zip", b"PK\x03\x04")
    assert proof.headers["content-disposition"] == f'attachment; filename="preuve-{UUID}.zip"'
    assert picture.headers["content-type"] == "image/png"
    ticket = asked[0][0].removeprefix("/v1/persons/").removesuffix(".zip")
    assert await Tickets(Fixed({1: b"t" * 32}), bench.clock).record_of(ticket) == RECORD
    assert asked[0][1] == {}  # as the person, never as the operator
    assert len(asked) == 2


class _Answer:
    status_code = 200

    def __init__(self, content):
        self.content = content
