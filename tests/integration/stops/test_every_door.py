"""Each way a stop comes in, from the person's gesture to the order on the topic of everyone concerned, on real engines."""

import httpx
import pytest

from tests.e2e.partner import consent, stop
from tests.integration.stops.conftest import branches, line, said, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
EVERYONE = {"canalvert", "hibou", "tisane", "acme"}


@pytest.fixture
async def known(partner, someone):
    """A person whose consent three prospecteurs were told of: e-mail, record, link."""
    email = f"claire.{someone}@courriel.example"
    record = await partner.consent(consent(email))
    (told,) = await partner.permissions("canalvert", record)
    return email, record, "/u/" + told["stop_url"].rpartition("/")[2]


async def reaches(http, partner, named, parties):
    view = await branches(http, named, lambda v: {b["party"] for b in v["branches"]} >= parties)
    assert {b["party"] for b in view["branches"]} == parties
    for party in parties:
        (order, *_) = await partner.orders(party, named)
        assert order["reminder"] == 0
    return view


async def test_a_party_s_topic(http, partner, known):
    email, _, _ = known
    named = await partner.stop(stop([("email", email)]), party="hibou")
    await reaches(http, partner, named, EVERYONE)


async def test_http_without_a_scope_means_everyone(http, partner, known):
    email, _, _ = known
    named = (await http.post("/v1/stops", json={"contacts": [{"type": "email", "value": email.upper()}]})).json()[
        "stop"
    ]
    view = await reaches(http, partner, named, EVERYONE)
    assert (view["recipients"], view["channels"], view["purposes"]) == ("all", "all", "all")


async def test_one_click_stops_its_sender_then_everyone(http, partner, known):
    _, record, link = known
    async with httpx.AsyncClient(base_url=http.base_url, timeout=30) as person:
        page = await person.post(link, data={"List-Unsubscribe": "One-Click"})
        assert "/all" in page.text
        named = (await partner.read("out.acme.withdrawals", lambda b: record.endswith(b["consent_ids"][0])))[0][
            "stop_id"
        ]
        view = await reaches(http, partner, named, {"canalvert", "acme"})
        assert (view["recipients"], view["channels"]) == (["canalvert"], "all")
        assert (await person.post(f"{link}/all")).status_code == 200
    found = await partner.read("out.hibou.withdrawals", lambda b: record.endswith(b["consent_ids"][0]))
    await reaches(http, partner, found[0]["stop_id"], EVERYONE)


async def test_an_sms_gateway_enters_a_stop_for_the_sender_addressed(http, partner, command, someone):
    phone = f"+3369900{int(someone, 16) % 10_000:04d}"
    record = await partner.consent(consent(f"sms.{someone}@courriel.example", phone))
    await partner.permissions("hibou", record)
    code, out, err = await command(
        "new", "--via", "sms", "--contact", f"phone:{phone}", "--recipient", "hibou", "--json"
    )
    assert code == 0, err
    view = await reaches(http, partner, line(out)["stop"], {"hibou", "acme"})
    assert (view["kind"], view["recipients"], view["channels"]) == ("stop_reply", ["hibou"], "all")


async def test_a_call_taken_down_by_an_operator(http, partner, known, command):
    email, _, _ = known
    words = ("new", "--via", "oral", "--contact", f"email:{email}")
    code, _, err = await command(*words)
    assert code == 2
    assert "REFERENCE-MISSING" in err
    code, out, err = await command(*words, "--operator-reference", "appel-2026-118", "--json")
    assert code == 0, err
    named = line(out)["stop"]
    await reaches(http, partner, named, EVERYONE)
    (recorded,) = await partner.read("stops", lambda b: b["facts"]["stop"] == named)
    assert recorded["facts"]["via"] == "oral"
    assert "/operator_reference" in recorded["facts"]["commitments"]
    assert "appel-2026-118" not in str(recorded)


async def test_the_portal_s_event(http, partner, known):
    """What the portal publishes: a stop on the platform's own topic."""
    email, _, _ = known
    await partner.send("in.platform.rights", "opposable.stop.requested.v1", {
        "stop_id": f"portal-{email[7:15]}", "contacts": [{"type": "email", "value": email}], "via": "portal",
        "kind": "withdrawal", "recipients": ["tisane"], "channels": ["email"],
    })  # fmt: skip
    view = await reaches(http, partner, f"platform/portal-{email[7:15]}", {"tisane", "acme"})
    assert (view["recipients"], view["channels"]) == (["tisane"], ["email"])


async def test_a_letter_matches_an_equal_address_and_asks_about_one_alike(http, partner, command, someone, tmp_path):
    number = int(someone, 16) % 9000 + 1
    block = f"Mme Jeanne Dupont\n{number} rue des Lilas\n75011 Paris"
    contacts = [{"type": "email", "value": f"post.{someone}@courriel.example"}, {"type": "post", "value": block}]
    record = await partner.consent(consent("x@courriel.example", contacts=contacts))
    await partner.permissions("hibou", record)
    letter = tmp_path / "adresse.txt"
    letter.write_text(f"Jeanne Dupond\n{number} R des Lilas\n75011 Paris\n")
    words = ("new", "--via", "letter", "--operator-reference", "RAR-1A", "--contact-file", letter, "--json")
    code, out, err = await command(*words)
    assert code == 0, err
    named = line(out)["stop"]

    async def questions():
        found = (await http.get("/v1/obligations?owner=operator")).json()["obligations"]
        return [o for o in found if o["id"] == f"near/{named}/{record}"]

    (question,) = await until(questions, len)
    assert question["kind"] == "postal-near-match"
    assert (await branches(http, named, lambda _: True))["state"] == "recorded"  # nothing was ordered
    code, _, err = await command("review", question["id"], "same")
    assert code == 0, err
    (order,) = await partner.read("out.hibou.withdrawals", lambda b: record.endswith(b["consent_ids"][0]))
    await reaches(http, partner, order["stop_id"], EVERYONE)
    assert await questions() == []
    letter.write_text(block.upper())
    code, out, err = await command(*words)
    assert code == 0, err
    await reaches(http, partner, line(out)["stop"], EVERYONE)


async def test_an_opposition_list_blocks_what_comes_after_it(http, partner, command, someone, tmp_path):
    addresses = [f"liste{n}.{someone}@courriel.example" for n in range(4)]
    early = [consent(address) for address in addresses]  # collected before the list, sent after it
    path = tmp_path / "oppositions.csv"
    path.write_bytes(
        ("Coordonnée;Source;Date;Destinataires\n" + "".join(
            f"{a};Salon d’été 2024;;{'' if a is not addresses[3] else 'hibou'}\n" for a in addresses) + "illisible;;;\n"
         ).encode("cp1252")
    )  # fmt: skip
    code, out, err = await command("import", path, "--json")
    assert code == 1, err
    told = line(out)
    assert (told["encoding"], told["queued"], told["rejected"]) == ("cp1252", 4, 1)
    taken = await partner.read("stops", lambda b: b["facts"]["stop_id"].startswith("import:"), 4)
    assert not any(someone in str(record) for record in taken)
    for _ in range(2):
        assert (await command("import", path, "--json"))[0] == 1  # again: no effect
    records = [await partner.consent(body) for body in early]
    assert await said(partner, "canalvert", records[0]) == [("refused", ["STOPPED"])]
    assert await said(partner, "canalvert", records[3]) == [("granted", [])]
    assert await said(partner, "hibou", records[3]) == [("refused", ["STOPPED"])]
    await partner.none("stops", _count_above("import:", 4), 1)
    late = await partner.consent(consent(addresses[1], confirmed=False))
    assert await said(partner, "canalvert", late) == [("refused", ["REOPEN-UNCONFIRMED"])]
    again = await partner.consent(consent(addresses[1], confirmed=True))
    assert await said(partner, "canalvert", again) == [("granted", [])]


def _count_above(prefix, most):
    seen = []

    def match(body):
        if body["facts"].get("stop_id", "").startswith(prefix):
            seen.append(body)
        return len(seen) > most

    return match
