"""What the console's pages rest on, in a whole system: reviews decided, a party suspended, a breach from noticed to closed, volumes."""

import asyncio
import base64
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from browsing import add_account, seated

from shared.instants import format_instant
from shared.verdicts import said
from tests.e2e.partner import Partner, consent
from tests.waiting import operator_http, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def endpoints(system):
    return system.wait_ready()


@pytest.fixture
def partner(endpoints):
    return Partner(endpoints)


@pytest.fixture
async def rights(endpoints):
    async with operator_http(endpoints) as client:
        yield client


@pytest.fixture
async def validator(endpoints):
    async with operator_http(endpoints, "consent_validator") as client:
        yield client


@pytest.fixture
async def archive(endpoints):
    async with operator_http(endpoints, "proof_archive") as client:
        yield client


def someone():
    return f"lea.{uuid.uuid4().hex[:8]}@courriel.example"


def late(**change):
    """Evidence typed two days after the fact: it predates its page, and a person must look at it (EVIDENCE-LATE)."""
    return consent(someone(), at=datetime.now(UTC) - timedelta(days=2), **change)


async def in_review(rights, record):
    answer = await until(
        lambda: rights.get(f"/v1/reviews/records/{record}"), lambda a: a.status_code == 200 and a.json()["lines"]
    )
    return answer.json()


async def judged(rights, record, good):
    answer = await until(
        lambda: rights.get(f"/v1/reviews/records/{record}"), lambda a: a.status_code == 200 and good(a.json())
    )
    return answer.json()


def command(endpoints, *words):
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "fr", *words, "--data-dir", str(endpoints.secrets_dir.parent)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def test_a_line_in_review_is_let_through_by_a_reasoned_decision_that_is_archived(
    partner, rights, archive, endpoints
):
    record = await partner.consent(late())
    view = await in_review(rights, record)
    assert (view["owner"], view["cause"]) == ("operator", ["EVIDENCE-LATE"])
    assert view["since"] < view["due_at"]
    listed = (await rights.get("/v1/reviews?collector=acme&limit=200")).json()
    assert record in {one["record"] for one in listed["reviews"]}
    before = await partner.read("out.canalvert.permissions", lambda b: b["record"] == record)
    assert before[0]["reasons"] == ["EVIDENCE-LATE"]

    note = "Capture et journal du formulaire examinés ; horloge du collecteur en retard."
    body = {"record": record, "outcome": "accept", "reason": "evidence_checked", "note": note,
            "lines": [{n: view["lines"][0][n] for n in ("recipient", "channel", "purpose", "sector", "object")}]}  # fmt: skip
    only = view["lines"][0]["recipient"]
    refused = await rights.post("/v1/reviews/decisions", json={**body, "reason": "doubt_remains"})
    assert (refused.status_code, refused.json()["code"]) == (422, "REVIEW-REASON")
    made = await rights.post("/v1/reviews/decisions", json=body)
    assert made.status_code == 202, made.text
    after = await judged(rights, record, lambda v: v["decisions"] and v["decisions"][0]["verdict_at"])
    verdicts = {line["recipient"]: line["verdict"] for line in after["verdict"]}
    assert verdicts.pop(only) == "valid"
    assert set(verdicts.values()) == {"review"}, "a decision speaks of its own lines"
    assert after["decisions"][0]["note"] == note
    told = await partner.read(f"out.{only}.permissions", lambda b: b["record"] == record and "stop_url" in b)
    assert told[0]["channel"] == "email"
    facts = (await partner.read("deliveries", lambda b: b["facts"].get("kind") == "review.decided"))[0]["facts"]
    assert (facts["record"], facts["party"], facts["reason"], facts["author"]) == (
        record,
        only,
        "evidence_checked",
        "dpo",
    )
    assert "note" not in json.dumps(facts["lines"])
    assert facts["commitments"]["/note"], "the log commits to the words and does not hold them"
    owed = (await rights.get("/v1/obligations")).json()["obligations"]
    assert not [one for one in owed if one["kind"] == "review-decided" and one["refs"]["record"] == record]

    code, _, err = await asyncio.to_thread(
        command, endpoints, "review", "resolve", record, "--refuse", "--reason", "doubt_remains", "--json"
    )
    assert code == 0, err
    after = await judged(rights, record, lambda v: not v["lines"])
    verdicts = {line["recipient"]: (line["verdict"], line["reasons"][-1:]) for line in after["verdict"]}
    assert verdicts.pop(only) == ("valid", [])
    assert set(map(str, verdicts.values())) == {str(("invalid", ["REVIEW-REFUSED"]))}
    again = await rights.post("/v1/reviews/decisions", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "REVIEW-NOT-OPEN")

    begun = await archive.post("/v1/reassessments", json={"party": "acme", "id": f"again-{uuid.uuid4().hex[:8]}"})
    assert begun.status_code == 202
    latest = (await partner.read("verdicts", lambda b: b["facts"]["record"] == record, 4))[-1]
    assert len(latest["facts"]["decisions"]) == 3, "whatever is assessed again later rests on what was decided"
    assert sorted(one["verdict"] for one in said(latest)["lines"]) == ["invalid", "invalid", "valid"]


async def test_a_suspended_party_goes_to_review_no_decision_lets_it_through_and_it_comes_back(
    partner, rights, validator, archive, endpoints
):
    record = await partner.consent(consent(someone()))
    await partner.permissions("hibou", record)
    code, out, err = await asyncio.to_thread(
        command, endpoints, "party", "suspend", "hibou", "--reason", "contrôle CTRL-7", "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    assert (told["status"], told["reason"], told["changed"]) == ("suspended", "contrôle CTRL-7", True)
    await until(
        lambda: archive.get(f"/v1/reassessments/{told['reassessment']['id']}"),
        lambda a: a.status_code == 200 and a.json()["done_at"],
    )
    view = await in_review(rights, record)
    assert [(line["recipient"], line["reasons"]) for line in view["lines"]] == [("hibou", ["PARTY-SUSPENDED"])]
    (ended,) = await partner.read("out.hibou.permissions", lambda b: b["record"] == record and "reasons" in b)
    assert ended["reasons"] == ["PARTY-SUSPENDED"]
    body = {"record": record, "outcome": "accept", "reason": "evidence_checked"}
    refused = await rights.post("/v1/reviews/decisions", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "REVIEW-NOT-DECIDABLE")
    personal = await validator.post(
        "/v1/parties/hibou/standing", json={"status": "active", "reason": "voir 06 12 34 56 78"}
    )
    assert personal.status_code == 422
    code, _, err = await asyncio.to_thread(
        command, endpoints, "party", "reinstate", "hibou", "--reason", "preuves fournies, dossier 7"
    )
    assert code == 0, err
    after = await judged(rights, record, lambda v: not v["lines"])
    assert {line["verdict"] for line in after["verdict"]} == {"valid"}


async def test_a_breach_from_noticed_to_closed(partner, rights, endpoints):
    record = await partner.consent(consent(someone()))
    await partner.permissions("canalvert", record)
    identity = f"V-{uuid.uuid4().hex[:8]}"
    noticed = format_instant(datetime.now(UTC) - timedelta(hours=2))
    body = {"id": identity, "noticed_at": noticed, "natures": ["confidentiality"], "data": ["contacts"],
            "origin": "misconfiguration", "what": "Sauvegarde lisible par un tiers pendant deux heures."}  # fmt: skip
    wrong = await rights.post("/v1/breaches", json={**body, "what": "Jeanne, 06 12 34 56 78, a été touchée"})
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (422, "BREACH-PERSONAL")
    opened = await rights.post("/v1/breaches", json=body)
    assert opened.status_code == 201, opened.text
    assert (await rights.post("/v1/breaches", json=body)).json()["rev"] == opened.json()["rev"], (
        "the same again is once"
    )
    owed = [
        o for o in (await rights.get("/v1/obligations")).json()["obligations"] if o["refs"].get("breach") == identity
    ]
    assert [(o["kind"], o["owner"], o["due_at"]) for o in owed] == [
        ("breach-notification", "operator", format_instant(datetime.fromisoformat(noticed) + timedelta(hours=72)))
    ]
    code, _, err = await asyncio.to_thread(command, endpoints, "breach", "count", identity, "--recipient", "canalvert")
    assert code == 0, err

    async def now():
        return (await rights.get(f"/v1/breaches/{identity}")).json()

    counted = await until(now, lambda v: v["counted_at"])
    assert counted["by_party"]["canalvert"]["persons"] >= 1
    assert counted["persons"] <= counted["records"]
    assert counted["by_party"]["acme"]["records"] == counted["records"], "the collector holds them all"

    path = f"/v1/breaches/{identity}"
    assert (await rights.post(f"{path}/close", json={"ending": "remedied"})).json()["code"] == "BREACH-OPEN"
    assert (await rights.post(f"{path}/parties", json={"parties": ["canalvert"]})).status_code == 200
    (notice,) = await partner.read("out.canalvert.requests", lambda b: b.get("breach") == identity)
    assert notice["persons"] == counted["by_party"]["canalvert"]["persons"]
    assert "violation de données" in notice["text"]
    assert "hibou" not in notice["text"], "a party is told its own numbers, and no other's"
    assert (await rights.post(f"{path}/amend", json={"measures": "Accès fermé, clés changées."})).status_code == 200
    text = (await rights.get(f"{path}/notification")).text
    assert "72 heures" in text
    assert "Accès fermé" in text
    assert (await rights.post(f"{path}/authority", json={"reference": "CNIL-4411"})).json()["authority"][
        "late"
    ] is False
    assert (await rights.post(f"{path}/persons", json={"exempt": "risk_not_high"})).status_code == 200
    assert (await rights.post(f"{path}/close", json={"ending": "remedied"})).status_code == 409, (
        "a party has not answered"
    )
    assert (await rights.post(f"{path}/parties/canalvert/acknowledged")).status_code == 200
    closed = await rights.post(f"{path}/close", json={"ending": "remedied"})
    assert closed.json()["ending"] == "remedied"
    owed = (await rights.get("/v1/obligations")).json()["obligations"]
    assert not [o for o in owed if o["refs"].get("breach") == identity]
    acts = ["opened", "amended", "counted", "parties_told", "amended", "authority_notified", "persons_exempt",
            "party_acknowledged", "closed"]  # fmt: skip
    assert [entry["what"] for entry in closed.json()["history"]] == acts
    archived = await partner.read("deliveries", lambda b: b["facts"].get("breach") == identity, len(acts) + 1)
    assert [b["facts"]["kind"] for b in archived] == [f"breach.{act}" for act in ["opened", *acts]], (
        "asked twice, said twice"
    )
    assert archived[0] == archived[1]
    assert "Sauvegarde" not in json.dumps(archived, ensure_ascii=False), (
        "the log holds codes and counts, never the words"
    )
    pdf = await rights.get("/v1/breaches/register.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert (await rights.post(f"{path}/amend", json={"risk": "high"})).json()["code"] == "BREACH-CLOSED"


async def test_volumes_along_the_chain_and_how_soon_a_party_answers(partner, rights):
    async def volumes():
        edges = (await rights.get("/v1/chain?collector=acme&recipient=tisane")).json()["edges"]
        return sum(edge["consents"] for edge in edges if edge["list"] == "acme-partners:12")

    before = await volumes()
    records = [await partner.consent(consent(someone())) for _ in range(3)]
    for record in records:
        await partner.permissions("tisane", record)
    assert await until(volumes, lambda n: n >= before + 3) == before + 3
    email = someone()
    record = await partner.consent(consent(email))
    await partner.permissions("tisane", record)
    stop = {"stop_id": f"s-{uuid.uuid4().hex[:8]}", "contacts": [{"type": "email", "value": email}], "kind": "withdrawal",
            "via": "api", "at": format_instant(datetime.now(UTC))}  # fmt: skip
    await partner.stop(stop)
    (order,) = await partner.read("out.tisane.withdrawals", lambda b: stop["stop_id"] in b["stop_id"])
    answer = {"order_id": order["order_id"], "status": "applied", "applied_at": format_instant(datetime.now(UTC))}
    await partner.send("in.tisane.rights", "opposable.order.acknowledged.v1", answer)

    async def levels():
        return (await rights.get("/v1/parties/tisane/stops")).json()

    found = await until(levels, lambda v: v["answered"] >= 1)
    assert found["late"] == 0
    assert 0 < found["p50_s"] <= found["p99_s"] <= found["worst_s"]


def test_a_note_is_sealed_and_no_clear_text_of_it_is_stored(endpoints):
    """The words of the decision above: not one byte of them in the database of the rights handler."""
    from pymongo import MongoClient  # noqa: PLC0415 - this test alone

    with MongoClient(endpoints.mongodb) as client:
        rows = list(client["rights"]["decisions"].find())
    assert rows
    assert all(b"horloge" not in bytes(row["note"] or b"") for row in rows)
    assert all(base64.b64encode(bytes(row["note"])) for row in rows if row["note"])


@pytest.fixture(scope="module")
def accounts(endpoints, tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    for login, role in (("lise", "dpo"), ("marc", "operator"), ("vera", "viewer")):
        add_account(endpoints, login, role, folder)
    return endpoints


async def test_an_operator_suspends_a_party_from_its_page(partner, rights, accounts):
    record = await partner.consent(consent(someone()))
    await partner.permissions("tisane", record)
    async with seated(accounts, "marc") as seat:
        page = seat.page
        for path, name in (
            ("/parties", "parties"), ("/parties/lists/acme-partners", "list"), ("/rules?at=2026-08-11", "rules"),
            ("/disputes", "disputes"), ("/holds", "holds"),
        ):  # fmt: skip
            await seat.go(path)
            await seat.clean(name)
        await seat.go("/rules?at=2026-08-10")
        assert "PHONE-PERIOD" not in await page.inner_text("main")
        await seat.go("/rules?at=2026-08-11")
        assert "PHONE-PERIOD" in await page.inner_text("main"), "the consent to calls is law from that day on"
        await seat.go("/chain?collector=acme")
        assert "acme-partners:12" in await page.inner_text("table")
        assert await page.locator("svg a").count() >= 3
        await seat.go("/parties/tisane")
        await page.fill("[name=reason]", "contrôle CTRL-9")
        await seat.press("Suspendre")
        assert "suspendu depuis" in await page.inner_text("main")
        assert "contrôle CTRL-9" in await page.inner_text("main")
        await seat.clean("party-suspended")
        view = await in_review(rights, record)
        assert [line["reasons"] for line in view["lines"]] == [["PARTY-SUSPENDED"]]
        await seat.go("/chain")
        assert "prospecteur suspendu" in await page.inner_text("table")
        await seat.clean("chain-suspended")
        await seat.go("/parties/tisane")
        await page.fill("[name=reason]", "preuves fournies")
        await seat.press("Rétablir")
        await judged(rights, record, lambda v: not v["lines"])
        refused = await page.goto(f"{seat.base}/reviews/{record}")
        assert refused.ok
        assert await page.locator("text=Décider et archiver").count() == 0, "deciding is the DPO's"
    told = await partner.read("operations", lambda b: b["facts"].get("action") == "party.suspended")
    assert told[0]["facts"]["reason"] == "contrôle CTRL-9"


async def test_a_dpo_decides_a_line_and_sees_the_archived_decision(partner, rights, accounts):
    record = await partner.consent(late())
    await in_review(rights, record)
    async with seated(accounts, "lise") as seat:
        page = seat.page
        await seat.go("/reviews")
        await page.click(f"a:has-text('{record}')")
        await page.wait_for_url(f"**/reviews/{record}")
        await seat.clean("review")
        for box in (await page.locator("[name=line]").all())[1:]:
            await box.uncheck()
        await page.select_option("[name=outcome]", "accept")
        await page.select_option("[name=why]", "collector_explained")
        await page.fill("[name=note]", "Le collecteur a montré son journal ; envoi différé.")
        await seat.press("archiver")
        await judged(rights, record, lambda v: v["decisions"] and v["decisions"][0]["verdict_at"])
        await seat.go(f"/reviews/{record}")
        text = await page.inner_text("main")
        assert "laissée passer" in text
        assert "Le collecteur a montré son journal" in text
        assert "nouveau verdict le" in text
        await seat.clean("review-decided")
        await seat.go("/reviews?lang=en")
        assert "Latest decisions" in await page.inner_text("main")
        await seat.clean("reviews-en")
    kinds = await partner.read(
        "deliveries", lambda b: b["facts"].get("kind") == "review.decided" and b["facts"]["record"] == record
    )
    assert kinds[0]["facts"]["reason"] == "collector_explained"


async def test_a_dpo_opens_and_closes_a_breach(partner, accounts):
    identity = f"V-{uuid.uuid4().hex[:6]}"
    await partner.permissions("canalvert", await partner.consent(consent(someone())))
    async with seated(accounts, "lise") as seat:
        page = seat.page
        await seat.go("/breaches")
        await page.fill("[name=id]", identity)
        await page.fill("[name=what]", "Export déposé sur un espace partagé par erreur.")
        await seat.press("72 heures")
        assert "encore 3 d" in await page.inner_text("main")
        await seat.clean("breach")
        await page.select_option("[name=collector]", "acme")
        await seat.press("Compter")

        async def counted():
            await seat.go(f"/breaches/{identity}")
            return await page.locator("main button:has-text('Avertir tous')").count()

        await until(counted, bool)
        await seat.press("Avertir tous")
        await partner.read("out.canalvert.requests", lambda b: b.get("breach") == identity)
        while await page.locator("main button:has-text('Accusé reçu')").count():
            await seat.press("Accusé reçu")
        await page.fill("[name=reference]", "CNIL-77")
        await seat.press("Notification faite")
        await seat.press("Pas d’information")
        await seat.press("Clore la violation")
        text = await page.inner_text("main")
        assert "remédiée" in text
        assert "CNIL-77" in text
        await seat.clean("breach-closed")
        await seat.go("/breaches?closed=1")
        await seat.clean("breaches")
    assert await partner.read(
        "deliveries", lambda b: b["facts"].get("kind") == "breach.closed" and b["facts"]["breach"] == identity
    )


async def test_a_viewer_looks_and_changes_nothing(accounts):
    async with seated(accounts, "vera", language="en") as seat:
        for path in ("/parties/canalvert", "/reviews", "/breaches", "/chain", "/holds", "/disputes", "/rules"):
            await seat.go(path)
            assert await seat.page.locator("main form[method=post]").count() == 0, path
        token = await seat.page.locator("input[name=csrf]").first.input_value()
        refused = await seat.page.request.post(
            f"{seat.base}/parties/canalvert/standing", form={"csrf": token, "status": "suspended", "reason": "essai"}
        )
        assert refused.status == 403


async def test_a_dpo_concludes_a_dispute_and_keeps_a_record_under_a_hold(partner, rights, accounts):
    email, request = someone(), f"r-{uuid.uuid4().hex[:8]}"
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)
    await partner.send("in.acme.rights", "opposable.right.requested.v1", {
        "request_id": request, "right": "dispute", "received_at": format_instant(datetime.now(UTC)),
        "contacts": [{"type": "email", "value": email}], "identity": {"verified": True, "method": "code"},
        "details": "Je n’ai jamais coché cette case.",
    })  # fmt: skip
    await until(
        lambda: rights.get(f"/v1/requests/acme/{request}"), lambda a: a.status_code == 200 and a.json()["branches"]
    )
    async with seated(accounts, "lise") as seat:
        page = seat.page
        await seat.go("/disputes")
        await page.click(f"a:has-text('{request}')")
        await page.wait_for_url(f"**/disputes/acme/{request}")
        await seat.clean("dispute")
        await seat.press("Lire ce que la personne")
        assert "jamais coché" in await page.inner_text("main")
        await page.fill("[name=note]", "Le collecteur n’a pas prouvé votre accord : il est retiré.")
        await seat.press("Conclure et écrire")
        await until(lambda: rights.get(f"/v1/requests/acme/{request}"), lambda a: a.json()["outcome"] == "upheld")
        await seat.go("/holds")
        hold = f"dossier-{uuid.uuid4().hex[:6]}"
        for name, value in (("id", hold), ("value", record)):
            await page.fill(f"form.filters [name={name}]", value)
        await page.fill("form.filters [name=review]", "2030-06-30")
        await seat.press("Poser le gel")
        assert hold in await page.inner_text("table")
        await seat.clean("holds-on")
        await seat.press("Lever")
        assert hold not in await page.inner_text("main")
        await seat.go("/holds?released=1")
        assert "levé" in await page.inner_text("table")
