"""The whole path on real engines and a real mail server: consent, link by mail, read, withdraw, orders, acknowledgements."""

import asyncio
import json
import re
import subprocess
import sys
import uuid

import httpx
import pytest

from tests.e2e.partner import Partner, consent
from tests.fakes.mail_sink import mail_sink
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
PARTIES = {"canalvert", "hibou", "tisane", "acme"}


@pytest.fixture(scope="module")
def sink():
    with mail_sink() as (sink, port):
        sink.port = port
        yield sink


@pytest.fixture(scope="module")
def endpoints(make_system, sink):
    return make_system(
        environment={
            "OPPOSABLE_NOTIFIER_SMTP_HOST": "127.0.0.1",
            "OPPOSABLE_NOTIFIER_SMTP_PORT": str(sink.port),
            "OPPOSABLE_NOTIFIER_SMTP_TLS": "none",
            "OPPOSABLE_NOTIFIER_SWEEP_EVERY": "0.2",
            "OPPOSABLE_PORTAL_ASKS_PER_ADDRESS": "12",
        },
    ).wait_ready()


@pytest.fixture
def partner(endpoints):
    return Partner(endpoints)


@pytest.fixture
async def person(endpoints):
    async with httpx.AsyncClient(base_url=endpoints.url("rights_handler"), timeout=30, follow_redirects=True) as client:
        yield client


async def mail_to(sink, address):
    async def look():
        return sink.to(address)

    return (await until(look, bool))[-1]


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text).replace("&nbsp;", " "))


async def test_a_person_sees_withdraws_and_follows_it_to_every_company(partner, person, sink, endpoints, tmp_path):
    email = f"claire.{uuid.uuid4().hex[:8]}@courriel.example"
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)

    known = await person.post("/me", data={"contact": email.upper()})
    unknown = await person.post("/me", data={"contact": f"x{email}"})
    assert known.text == unknown.text
    mail = await mail_to(sink, email)
    assert mail.get_content_type() == "text/plain"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    links = re.findall(r"https?://\S+", text)
    assert len(links) == 1  # one address, ours; nothing else that could be fetched
    assert links[0].startswith(f"{endpoints.url('rights_handler')}/me/")
    path = links[0].removeprefix(endpoints.url("rights_handler"))

    assert "Voir mes données" in (await person.get(path)).text
    page = await person.post(path)
    text = text_of(page)
    for said in (
        "Par ACME Jeux SAS",
        "formulaire « jeu-rentree », version 7",
        "Canal Vert SA",
        "Peut vous contacter par courriel",
    ):
        assert said in text, said
    assert (await person.post(path)).status_code == 410  # once only

    session = str(page.url)
    for form, start in (("zip", b"PK"), ("pdf", b"%PDF")):
        proof = await until(lambda f=form: person.get(f"{session}/preuve/{record}.{f}"), lambda a: a.status_code == 200)
        assert proof.content.startswith(start)
        (tmp_path / f"proof.{form}").write_bytes(proof.content)
    command = [sys.executable, "-m", "services.cli.main", "verify", str(tmp_path / "proof.zip"), "--json"]
    policy = ["--policy", str(endpoints.secrets_dir.parent / "policy")]
    verified = await asyncio.to_thread(subprocess.run, [*command, *policy], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr

    follow = await person.post(f"{session}/retrait", data={"tout": "1"})
    assert follow.status_code == 200
    shown = await until(lambda: person.get(f"{session}/suivi"), lambda a: "sur 4" in text_of(a))
    assert "0 sur 4" in text_of(shown)
    for party in sorted(PARTIES):
        (order,) = await partner.read(f"out.{party}.withdrawals", lambda b: record.endswith(b["consent_ids"][0]))
        assert order["kind"] == "withdrawal"
        await partner.send(
            f"in.{party}.rights", "opposable.order.acknowledged.v1",
            {"order_id": order["order_id"], "status": "applied", "applied_at": order["at"]},
        )  # fmt: skip
    done = await until(lambda: person.get(f"{session}/suivi"), lambda a: "4 sur 4" in text_of(a))
    assert text_of(done).count("Cette société confirme avoir cessé.") == 4
    after = await until(lambda: person.get(session), lambda a: "Peut vous contacter" not in text_of(a))
    assert "vous l’avez retiré" in text_of(after)
    assert sink.to(f"x{email}") == []  # nothing is written to who is not known
    assert len(sink.to(email)) == 1  # once


async def test_a_right_asked_here_comes_through_with_its_proof_of_identity(partner, person, sink):
    email = f"hugo.{uuid.uuid4().hex[:8]}@courriel.example"
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)
    await person.post("/me", data={"contact": email})
    link = re.search(r"/me/\S+", (await mail_to(sink, email)).get_content())[0]
    session = str((await person.post(link)).url)
    answer = await person.post(f"{session}/droits", data={"droit": "access"})
    assert "Votre demande est enregistrée" in answer.text
    (request,) = await partner.read(
        "requests", lambda b: b["facts"]["kind"] == "request.received" and b["facts"]["right"] == "access"
    )
    assert request["facts"]["identity"] == {"verified": True, "method": "portal"}
    assert email not in json.dumps(request)


async def test_stopping_by_typing_a_contact_closes_every_channel_at_once(partner, person):
    email, phone = f"lea.{uuid.uuid4().hex[:8]}@courriel.example", "+33199" + str(uuid.uuid4().int)[:6]
    record = await partner.consent(consent(email, phone))
    await partner.permissions("canalvert", record)
    assert (await person.post("/me/arret", data={"contact": phone})).status_code == 200
    orders = [
        (await partner.read(f"out.{party}.withdrawals", lambda b: record.endswith(b["consent_ids"][0])))[0]
        for party in sorted(PARTIES)
    ]
    assert {order["channels"] for order in orders} == {"all"}


async def test_the_operator_sees_and_settles_a_refused_mail_by_the_command(partner, person, sink, endpoints):
    email = f"refusee.{uuid.uuid4().hex[:8]}@courriel.example"
    sink.replies[email] = "550 5.1.1 inconnue"
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)
    await person.post("/me", data={"contact": email})

    async def command(*words):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services.cli.main", "message", *words, "--data-dir", str(endpoints.secrets_dir.parent), "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    _, out = await until(lambda: command("list"), lambda answer: answer[0] == 1)
    (owed,) = json.loads(out)
    assert (owed["owner"], owed["code"]) == ("operator", "SMTP-550 5.1.1")
    assert email not in out
    del sink.replies[email]
    assert (await command("retry", owed["refs"]["message"]))[0] == 0
    await mail_to(sink, email)
    assert (await until(lambda: command("list"), lambda answer: answer[0] == 0))[1].strip() == "[]"
    assert (await command("close", owed["refs"]["message"]))[0] == 1  # it was sent: nothing to settle


async def test_one_machine_cannot_ask_for_ever(person):
    answers = [(await person.post("/me", data={"contact": f"n{n}@courriel.example"})).status_code for n in range(14)]
    assert answers[-1] == 429
    assert "Trop de demandes" in (await person.post("/me", data={"contact": "n@courriel.example"})).text
