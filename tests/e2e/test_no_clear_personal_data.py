"""Planted contacts are found in `in.*`, `dead` and entitled answers, and nowhere else: topics, collections, logs, metrics."""

import uuid

import httpx
import pytest

from services.cli.target import settings_of
from shared.mongo import connect
from tests.e2e.partner import Partner, consent, stop
from tests.reading import every_record

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]


def planted():
    tag = uuid.uuid4().int % 10**8
    phone = f"0199{tag % 10**6:06d}"
    return {
        "email": f"Plantee.{tag}@courriel.example", "phone": phone, "ref": f"lead-planted-{tag}",
        "ip": f"203.0.113.{tag % 200 + 10}", "url": f"https://acme.example/page-{tag}",
    }  # fmt: skip


def needles(person):
    """Every form in which a planted value could leak. The bare IP is too common a text: it is looked for in quotes."""
    phone = person["phone"]
    return [
        person["email"].lower().encode(), person["email"].encode(), phone.encode(), f"+33{phone[1:]}".encode(),
        person["ref"].encode(), f'"{person["ip"]}"'.encode(), person["url"].encode(),
    ]  # fmt: skip


async def test_planted_contacts_stay_where_they_may(example_system):
    at = example_system.wait_ready()
    partner, person = Partner(at), planted()
    data = consent(
        person["email"], person["phone"], subject_ref=person["ref"],
        context={"source_url": person["url"], "ip": person["ip"], "user_agent": "x"},
    )  # fmt: skip
    record = await partner.consent(data)
    await partner.permissions("canalvert", record)
    named = await partner.stop(
        stop([("email", person["email"]), ("phone", person["phone"])], subject_ref=person["ref"])
    )
    await partner.orders("canalvert", named)
    await partner.send("in.acme.consents", "opposable.consent.collected.v1", {**data, "surprise": person["email"]})
    await partner.read("out.acme.receipts", lambda b: b["status"] == "rejected")

    async with httpx.AsyncClient(base_url=at.url("rights_handler")) as browser:
        assert (await browser.post("/me", data={"contact": person["email"]})).status_code == 200
    await partner.read("messages", lambda b: b["facts"]["owner"] == record)

    hits: dict[str, int] = {}
    topics = set()
    async for record in every_record(settings_of(at)):
        topics.add(record.topic)
        text = b"\n".join([record.key or b"", record.value or b"", *(v or b"" for _, v in record.headers)])
        if any(n in text for n in needles(person)):
            hits[record.topic] = hits.get(record.topic, 0) + 1
    source_ref_told = {f"out.{p}.permissions" for p in ("canalvert", "hibou", "tisane")} | {
        f"out.{p}.withdrawals" for p in ("canalvert", "hibou", "tisane", "acme")
    }  # the collector's own reference of the lead is what the entitled parties know it by
    assert {"in.acme.consents", "in.acme.rights", "dead"} <= set(hits)
    assert set(hits) - source_ref_told == {"in.acme.consents", "in.acme.rights", "dead"}
    assert {"consents", "verdicts", "stops", "deliveries", "checkpoints", "messages"} <= topics

    client = connect(settings_of(at), "test")
    try:
        found = []
        for name in ("vault", "rights", "archive", "notifier", "console"):
            for collection in await client[name].list_collection_names():
                async for document in client[name][collection].find():
                    text = repr(document).encode()
                    found += [f"{name}.{collection}" for n in needles(person) if n in text]
        assert found == []
    finally:
        await client.close()

    logs = list((example_system.plan.data_dir / "logs").rglob("*"))
    assert [p for p in logs if p.is_file() and any(n in p.read_bytes() for n in needles(person))] == []
    assert any(p.is_file() and p.stat().st_size for p in logs)
    async with httpx.AsyncClient() as http:
        for service in at.services.values():
            text = (await http.get(f"{service.url}/metrics")).content
            assert not any(n in text for n in needles(person))
