"""After the consent and the stop are erased, keys destroyed, the same person is still not solicited: the suppression stays."""

import asyncio
import subprocess
import sys

import httpx
import pytest
from pymongo import AsyncMongoClient

from tests.e2e.partner import consent
from tests.integration.stops.conftest import said

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
KEYED = {"_id", "source", "kind", "at", "cks", "recipients", "channels", "purposes", "record", "pvs"}


async def erase(at, record):
    words = ["erase", "--record", record, "--yes", "--data-dir", str(at.secrets_dir.parent)]
    command = [sys.executable, "-m", "services.cli.main", *words]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_later_consent_of_an_erased_person_is_withheld(at, http, partner, someone):
    email, phone = f"lea.{someone}@courriel.example", f"+3369901{int(someone, 16) % 10_000:04d}"
    before = consent(f"autre.{someone}@courriel.example", phone)  # collected before the stop, sent after the erasure
    record = await partner.consent(consent(email, phone))
    (told,) = await partner.permissions("canalvert", record)
    async with httpx.AsyncClient(base_url=http.base_url, timeout=30) as person:
        assert (await person.post("/u/" + told["stop_url"].rpartition("/")[2])).status_code == 200
    (order,) = await partner.read("out.canalvert.withdrawals", lambda b: record.endswith(b["consent_ids"][0]))
    await erase(at, record)

    client = AsyncMongoClient(at.mongodb)
    try:
        gone = await client.vault["keys"].find_one({"_id": record})
        assert gone is None or "erased" in gone
        rows = [row async for row in client.rights.stops.find({"record": record})]
    finally:
        await client.close()
    assert order["stop_id"] in {row["_id"] for row in rows}
    for row in rows:
        assert set(row) <= KEYED
        assert len(row["cks"]) == 2  # both contacts of the record it named, as keyed hashes
        assert not any(word in str(row) for word in (email, phone, someone))

    assert await said(partner, "canalvert", await partner.consent(before)) == [("refused", ["STOPPED"])]
    fresh = await partner.consent(consent(email, confirmed=False))
    assert await said(partner, "canalvert", fresh) == [("refused", ["REOPEN-UNCONFIRMED"])]
