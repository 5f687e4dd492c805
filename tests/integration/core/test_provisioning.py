"""Provisioning on a real Kafka: idempotent, incarnations drawn once, published versions immutable."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.errors import ConfigurationError
from shared.provisioning import provision
from shared.registry.publish import stored_bodies
from shared.settings import Settings
from shared.topics import ARCHIVED

pytestmark = pytest.mark.engines
NAME = "provtest"


def party(name, legal="X SAS"):
    return f"party:{name}", {"kind": "party", "id": name, "legal_name": legal}


def notice(sha, version="1"):
    return f"notice:{NAME}:{version}", {"kind": "notice", "id": NAME, "version": version, "sha256": sha}


@pytest.fixture
def settings(kafka, tmp_path):
    return Settings(KAFKA_BOOTSTRAP_SERVERS=kafka, secrets_dir=tmp_path, state_dir=tmp_path)


async def test_idempotent_and_immutable(settings):
    await provision(settings, registry_documents=[party(NAME), notice("aa")])
    before = await stored_bodies(settings)
    incarnations = {row.name: before[f"topic:{row.name}"]["incarnation"] for row in ARCHIVED}
    assert len(set(incarnations.values())) == len(ARCHIVED)
    again = await provision(settings, registry_documents=[party(NAME, "Y SAS"), notice("aa")])
    assert again.created == []
    assert again.registry.published == [f"party:{NAME}"]
    assert again.registry.unchanged == [f"notice:{NAME}:1"]
    after = await stored_bodies(settings)
    assert {row.name: after[f"topic:{row.name}"]["incarnation"] for row in ARCHIVED} == incarnations
    assert after[f"party:{NAME}"]["legal_name"] == "Y SAS"
    with pytest.raises(ConfigurationError, match=f"notice:{NAME}:1"):
        await provision(settings, registry_documents=[notice("bb"), notice("cc", "2")])
    assert f"notice:{NAME}:2" not in await stored_bodies(settings)  # nothing is published when one is refused


async def test_topics_carry_broker_time_and_the_tables_sizes(settings):
    await provision(settings, registry_documents=[party(NAME)])
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, f"in.{NAME}.rights")])
    finally:
        await admin.close()
    found = {entry[0]: entry[1] for entry in response.resources[0][4]}
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["max.message.bytes"] == str(3 * 1_048_576)
    assert found["retention.ms"] == str(7 * 86_400_000)


async def test_no_party_may_take_the_platforms_name(settings):
    with pytest.raises(ConfigurationError, match="platform"):
        await provision(settings, registry_documents=[party("platform")])
