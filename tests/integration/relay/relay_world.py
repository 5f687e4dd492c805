"""What the relay's tests share: parties that choose webhooks while the system runs, and events on their topics."""

import asyncio
import base64
import json
import secrets
import time

import yaml

from services.cli.target import settings_of
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.kafka.publisher import Outgoing, Publisher
from shared.registry.publish import publish
from tests.e2e.partner import REGISTRY
from tests.waiting import operator_http

ORDER = "opposable.stop.ordered.v1"


def party(name):
    documents = yaml.load_all((REGISTRY / "parties.yaml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    return next(json.loads(json.dumps(d)) for d in documents if d["id"] == name)


def plain(body):
    """`null` and lists as YAML meant them."""
    return {k: (None if v == "null" else v) for k, v in body.items()}


def new_secret(endpoints, name, version=1):
    text = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    (endpoints.secrets_dir / f"webhook.{name}.v{version}").write_text(text + "\n")
    return text


async def register(endpoints, *bodies):
    """Publish parties as they are now."""
    report = await publish(settings_of(endpoints), [(f"party:{b['id']}", b) for b in bodies])
    assert not report.refused


def with_webhook(name, url, **more):
    return plain(party(name)) | {"delivery": {"mode": "webhook", "url": url}, **more}


def order(number, at="2026-09-02T00:00:00.000Z", reminder=0, **more):
    return {"order_id": f"o{number}", "stop_id": "s", "consent_ids": ["00000000-0000-4000-8000-000000000001"],
            "match_keys": [], "recipients": "all", "channels": "all", "purposes": "all", "at": at, "kind": "withdrawal",
            "ack_due_at": "2099-01-01T00:00:00.000Z", "reminder": reminder, "source_refs": ["lead-007"], **more}  # fmt: skip


def told(name, data, event_id, kind=ORDER, topic="withdrawals"):
    key = data.get("order_id") or data.get("record") or event_id
    headers = tuple(to_headers(Envelope(event_id, "opposable/rights_handler", kind, None)))
    return Outgoing(f"out.{name}.{topic}", key.encode(), canonical.dumps(data), headers)


async def tell(endpoints, *messages):
    publisher = Publisher(settings_of(endpoints), "test")
    await publisher.start()
    try:
        await publisher.send_all(messages)
    finally:
        await publisher.stop()


async def until(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.05)


def operator(endpoints, service="webhook_relay"):
    return operator_http(endpoints, service)


async def obligations(endpoints, **query):
    async with operator(endpoints) as http:
        answer = await http.get("/v1/obligations", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["obligations"]
