"""What the tests of commands share: a registry to write, and plain ways into and out of Kafka."""

import yaml
from aiokafka import AIOKafkaConsumer

from services.cli.target import settings_of
from shared.kafka.publisher import Publisher

PARTY = {
    "kind": "party", "id": "canalvert", "legal_name": "Canal Vert SA", "siren": "999000029", "country": "FR",
    "roles": ["prospector"], "contact_dpo": "dpo@canalvert.example", "privacy_url": "https://canalvert.example/",
}  # fmt: skip
NOTICE = {"kind": "notice", "id": "mentions", "version": "1", "sha256": "a" * 64, "languages": ["fr"],
          "items": ["controller"]}  # fmt: skip


def write_registry(path, *documents):
    path.mkdir(exist_ok=True)
    (path / "all.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))
    return str(path)


async def publish(endpoints, *outgoing):
    publisher = Publisher(settings_of(endpoints), "test")
    await publisher.start()
    await publisher.send_all(outgoing)
    await publisher.stop()


async def read(endpoints, topic):
    async with AIOKafkaConsumer(topic, bootstrap_servers=endpoints.kafka, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        records = []
        while len(records) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += batch
        return records
