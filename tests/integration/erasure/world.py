"""What the tests of erasure share: a person to erase, the command, waiting, and a search through everything that is kept."""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.crypto.sealing import unseal, unwrap
from shared.errors import IntegrityError
from shared.kafka.reading import find_partitions
from tests.e2e.partner import consent
from tests.waiting import until

INTERNAL = ("consents", "verdicts", "stops", "requests", "reports", "deliveries", "erasures", "messages")
KINDS = {"consents": "consent.recorded", "verdicts": "consent.recorded", "stops": "stop.recorded",
         "reports": "contact.attempted", "requests": "request.received"}  # fmt: skip
SYSTEM_DATABASES = ("local", "config", "admin")


def someone():
    tag = uuid.uuid4().int % 10**8
    return {"email": f"Effacee.{tag}@courriel.example", "phone": f"0199{tag % 10**6:06d}", "ref": f"lead-effacee-{tag}",
            "url": f"https://acme.example/page-{tag}"}  # fmt: skip


def call_line(days=300):
    return {"channel": "call", "purpose": "prospecting", "value": "granted", "recipients": ["canalvert"],
            "sector": "general", "object": "abonnements de télévision", "valid_until": day_in(days)}  # fmt: skip


def day_in(days):
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def data_of(person, **change):
    return consent(
        person["email"], person["phone"], subject_ref=person["ref"],
        context={"source_url": person["url"], "ip": "203.0.113.9", "user_agent": "x"}, **change,
    )  # fmt: skip


def command(at, *words):
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "fr", *words, "--data-dir", str(at.secrets_dir.parent)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def erased(rights, record, state="done"):
    return await until(
        lambda: rights.get(f"/v1/erasures/{record}"), lambda a: a.status_code == 200 and a.json()["state"] == state
    )


def needles(person):
    phone = person["phone"]
    return [person["email"].lower().encode(), person["email"].encode(), phone.encode(), f"+33{phone[1:]}".encode(),
            person["ref"].encode(), person["url"].encode()]  # fmt: skip


async def openable(at, mongo, records):
    """Every document that a key of the vault still opens, in topics or in the archive: (where, text)."""
    kek, keys, found = (at.secrets_dir / "kek").read_bytes(), {}, []
    async for row in mongo.vault["keys"].find({"key": {"$exists": True}}):
        keys[row["_id"]] = unwrap(kek, bytes(row["key"]))
    blobs = [
        (record.topic, KINDS[record.topic], base64.b64decode(sealed))
        for record in records
        if record.topic in KINDS and (sealed := json.loads(record.value).get("sealed"))
    ]
    rows = await mongo.archive.sealed.find().to_list()
    blobs += [("archive.sealed", row["kind"], bytes(row["blob"])) for row in rows]
    rows = await mongo.rights.grants.find({"sealed": {"$ne": None}}).to_list()
    blobs += [("rights.grants", "consent.recorded", bytes(row["sealed"])) for row in rows]
    for where, kind, blob in blobs:
        for name, key in keys.items():
            with contextlib.suppress(IntegrityError):
                found.append((where, json.dumps(unseal(key, kind, name, blob), ensure_ascii=False).encode()))
    return found


def leaks_in_topics(records, words):
    """Internal records that hold one of these words in clear."""
    return [
        (record.topic, record.partition, record.offset)
        for record in records
        if record.topic in INTERNAL
        and any(
            w in b"\n".join([record.key or b"", record.value or b"", *(v or b"" for _, v in record.headers)])
            for w in words
        )
    ]


async def leaks_in_databases(mongo, words):
    """Collections that hold one of these words in clear."""
    found = []
    for database in set(await mongo.list_database_names()) - set(SYSTEM_DATABASES):
        for collection in await mongo[database].list_collection_names():
            async for row in mongo[database][collection].find():
                found += [f"{database}.{collection}" for w in words if w in repr(row).encode()]
    return found


async def start_again(kafka, groups):
    """Put consumer groups, whose members are gone, back to the beginning of their topics."""
    for group, topic in groups.items():
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            parts = await find_partitions(kafka, [topic])
            consumer.assign(parts)
            async with asyncio.timeout(40):
                while True:
                    try:
                        await consumer.commit(dict.fromkeys(parts, 0))
                    except KafkaError:  # its members are not forgotten yet
                        await asyncio.sleep(0.5)
                    else:
                        break
        finally:
            await consumer.stop()


async def caught_up(kafka, groups):
    """Return once each group (by topic) has committed the present end of its topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await admin.start()
    await consumer.start()
    try:
        parts = {group: await find_partitions(kafka, [topic]) for group, topic in groups.items()}
        ends = {group: await consumer.end_offsets(of) for group, of in parts.items()}
        async with asyncio.timeout(60):
            for group, wanted in ends.items():
                while True:
                    there = await admin.list_consumer_group_offsets(group)
                    if all(end == 0 or (tp in there and there[tp].offset >= end) for tp, end in wanted.items()):
                        break
                    await asyncio.sleep(0.2)
    finally:
        await consumer.stop()
        await admin.close()
