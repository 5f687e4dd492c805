"""A party by Kafka. pip install aiokafka

python kafka_partner.py consent consent.json EMAIL     publish a consent, wait for its receipt
python kafka_partner.py withdraw EMAIL                 publish a withdrawal
python kafka_partner.py follow [N]                     take in permissions and orders, acknowledge; stop after N orders
Environment: OPPOSABLE_KAFKA, OPPOSABLE_PARTY, OPPOSABLE_PASSWORD_FILE and OPPOSABLE_CA_FILE (neither: no credentials),
OPPOSABLE_STATE (where `follow` keeps what it was told; default: PARTY.fold.json).
"""

import asyncio
import hashlib
import json
import os
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.helpers import create_ssl_context
from fold import Fold

PARTY = os.environ["OPPOSABLE_PARTY"]


def connection():
    """Options of every client."""
    options = {"bootstrap_servers": os.environ["OPPOSABLE_KAFKA"]}
    if "OPPOSABLE_PASSWORD_FILE" in os.environ:
        options |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": PARTY,
            "sasl_plain_password": Path(os.environ["OPPOSABLE_PASSWORD_FILE"]).read_text().strip(),
            "ssl_context": create_ssl_context(cafile=os.environ.get("OPPOSABLE_CA_FILE")),
        }
    return options


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def publish(producer, topic, kind, data, event_id):
    """One event in binary mode. The same id with the same content counts once, so a retry is harmless."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", PARTY.encode()),
        ("ce_type", kind.encode()),
        ("content-type", b"application/json"),
    ]
    await producer.send_and_wait(
        f"in.{PARTY}.{topic}", json.dumps(data).encode(), key=event_id.encode(), headers=headers
    )


def consumer(group, *feeds):
    """Offsets are committed by hand, after the events were acted upon. Your groups are called `<party>.…`."""
    topics = [f"out.{PARTY}.{feed}" for feed in feeds]
    return AIOKafkaConsumer(
        *topics, **connection(), group_id=f"{PARTY}.{group}", auto_offset_reset="earliest", enable_auto_commit=False
    )


async def consent(template, email):
    consent_id = str(uuid.uuid4())
    data = json.loads(template) | {
        "consent_id": consent_id,
        "collected_at": now(),
        "contacts": [{"type": "email", "value": email}],
    }
    async with AIOKafkaProducer(**connection(), acks="all", enable_idempotence=True) as producer:
        await publish(producer, "consents", "opposable.consent.collected.v1", data, f"c-{consent_id}")
    async with consumer(f"receipt-{consent_id[:8]}", "receipts") as receipts:
        async for record in receipts:
            receipt = json.loads(record.value)
            if receipt["event_id"] == f"c-{consent_id}":
                print(receipt["status"], consent_id, receipt["problems"], flush=True)
                return


async def withdraw(email):
    stop = {
        "stop_id": f"w-{uuid.uuid4()}",
        "at": now(),
        "kind": "withdrawal",
        "contacts": [{"type": "email", "value": email}],
    }
    async with AIOKafkaProducer(**connection(), acks="all", enable_idempotence=True) as producer:
        await publish(producer, "rights", "opposable.stop.requested.v1", stop, stop["stop_id"])
    print("withdrawn", stop["stop_id"], flush=True)


async def follow(orders=0):
    """Each event: act, acknowledge, then commit. A crash repeats the last ones; they change nothing."""
    fold, acknowledged = Fold(Path(os.environ.get("OPPOSABLE_STATE", f"{PARTY}.fold.json"))), 0
    async with (
        AIOKafkaProducer(**connection(), acks="all", enable_idempotence=True) as producer,
        consumer("crm", "permissions", "withdrawals") as told,
    ):
        async for record in told:
            kind, data = dict(record.headers)["ce_type"].decode(), json.loads(record.value)
            fold.take(kind, data)
            fold.save()  # in your system: a transaction of your database
            if kind == "opposable.stop.ordered.v1":
                status = "applied" if fold.knows(data) else "unknown_person"
                answer = {"order_id": data["order_id"], "status": status}
                if status == "applied":
                    answer["applied_at"] = now()
                name = hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:40]  # an id never has two contents
                await publish(producer, "rights", "opposable.order.acknowledged.v1", answer, f"ack-{name}")
                acknowledged += 1
                print(status, data["order_id"], data["stop_id"], flush=True)
            else:
                allowed = fold.may(data["channel"], data["purpose"], consent_id=data["consent_id"])
                print("may" if allowed else "may not", data["channel"], data["consent_id"], flush=True)
            await told.commit()
            if orders and acknowledged == orders:
                return


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    asyncio.run(
        {
            "consent": lambda file, email: consent(Path(file).read_text(), email),
            "withdraw": withdraw,
            "follow": lambda n=0: follow(int(n)),
        }[command](*rest)
    )
