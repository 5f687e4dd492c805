"""A whole system on a Kafka that asks everyone for credentials: it works, and nobody gets in where he does not belong (P6)."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from services.cli.target import settings_of
from shared.access.cluster import access_admin
from shared.access.plan import Entry, Operation, Pattern, Resource
from shared.access.provision import apply_access, plan_access
from shared.local_engines.choose import Wishes
from shared.local_engines.kafka_secure import SecureFiles
from shared.registry.publish import registered_parties
from tests.e2e.partner import consent, stop
from tests.integration.access.client import Client

pytestmark = [
    pytest.mark.engines, pytest.mark.timeout(240),
    # aiokafka forgets a connection that was refused at authentication.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]  # fmt: skip
DENIED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)


@pytest.fixture(scope="module")
def system(make_system):
    return make_system(wishes=Wishes(real_kafka=True, use_environment=False, secured=True))


@pytest.fixture
def at(system):
    return system.endpoints()


@pytest.fixture(autouse=True)
def _collected():
    """Refused connections are forgotten within the test that was refused."""
    yield
    gc.collect()


async def test_the_main_job_works_and_each_party_reads_its_own(at):
    acme, canalvert = Client(at, "acme"), Client(at, "canalvert")
    email = f"{uuid.uuid4().hex}@courriel.example"
    body = consent(email)
    await acme.write("in.acme.consents", "opposable.consent.collected.v1", body)
    granted = await canalvert.read("out.canalvert.permissions", lambda b: b["consent_id"] == body["consent_id"])
    assert granted["basis"] == "consent"
    withdrawal = stop([("email", email)])
    await acme.write("in.acme.rights", "opposable.stop.requested.v1", withdrawal)
    order = await canalvert.read("out.canalvert.withdrawals", lambda b: b["stop_id"].endswith(withdrawal["stop_id"]))
    assert order["match_keys"] == granted["match_keys"]


async def refused(work):
    """What Kafka refused it with."""
    with pytest.raises((*DENIED, KafkaError, TimeoutError)) as caught:
        async with asyncio.timeout(20):
            await work
    return caught.value


async def consume(client, topic, group):
    consumer = AIOKafkaConsumer(topic, **client.options, group_id=group, auto_offset_reset="earliest")
    async with consumer:
        return await consumer.getone()


async def test_a_party_cannot_write_anothers_topic_nor_an_internal_one(at):
    acme = Client(at, "acme")
    for topic in (
        "in.canalvert.consents",
        "in.canalvert.rights",
        "in.platform.rights",
        "consents",
        "verdicts",
        "registry",
        "out.acme.permissions",
    ):
        assert isinstance(
            await refused(acme.write(topic, "opposable.stop.requested.v1", stop([("email", "x@y.example")]))), DENIED
        ), topic


async def test_a_party_cannot_read_anothers_topic_nor_an_internal_one(at):
    acme = Client(at, "acme")
    for topic in (
        "out.canalvert.permissions",
        "out.canalvert.withdrawals",
        "in.canalvert.rights",
        "consents",
        "dead",
        "registry",
    ):
        consumer = AIOKafkaConsumer(**acme.options)
        async with consumer:
            assert topic not in await consumer.topics(), f"{topic} is even hidden"
        assert isinstance(await refused(consume(acme, topic, "acme.spy")), DENIED), topic


async def test_a_party_cannot_use_a_group_of_a_service_or_of_another(at):
    acme = Client(at, "acme")
    for group in ("collector.consents", "canalvert.crm", "acme"):
        assert isinstance(await refused(consume(acme, "out.acme.permissions", group)), GroupAuthorizationFailedError), (
            group
        )


async def test_a_party_creates_no_topic_and_gives_itself_nothing(at):
    acme = Client(at, "acme")
    admin = AIOKafkaAdminClient(**acme.options)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("in.acme.more", 1, 1), NewTopic("mine", 1, 1)])
        assert {code for _, code, *_ in answer.topic_errors} == {29}, "TOPIC_AUTHORIZATION_FAILED"
    finally:
        await admin.close()
    settings = settings_of(at)
    files = SecureFiles(at.secrets_dir / "kafka")
    as_acme = settings.model_copy(update={"kafka_username": "acme", "kafka_password_file": files.password_file("acme")})
    wish = Entry("acme", Resource.TOPIC, Pattern.LITERAL, "verdicts", Operation.READ)
    async with access_admin(as_acme) as mine:
        assert "ClusterAuthorizationFailed" in str(await raised(mine.add([wish])))
        assert "ClusterAuthorizationFailed" in str(await raised(mine.credentials({"canalvert": "mine-now"})))


async def raised(work):
    with pytest.raises(Exception) as caught:  # noqa: B017, PT011 - looked at by the caller
        await work
    return caught.value


async def test_nobody_connects_with_a_wrong_or_a_former_password(at):
    with pytest.raises((AuthenticationFailedError, KafkaError)):
        await Client(at, "acme", "guess").write("in.acme.rights", "x", {})
    files = SecureFiles(at.secrets_dir / "kafka")
    former = files.password("marmotte")
    async with access_admin(settings_of(at)) as admin:
        await admin.credentials({"marmotte": "a-new-one-entirely"})
        with pytest.raises((AuthenticationFailedError, KafkaError)):
            await Client(at, "marmotte", former).write("in.marmotte.rights", "x", {})
        await Client(at, "marmotte", "a-new-one-entirely").write("in.marmotte.rights", "opposable.unknown", {})
        await admin.forget(["marmotte", "nobody-at-all"])
    with pytest.raises((AuthenticationFailedError, KafkaError)):
        await Client(at, "marmotte", "a-new-one-entirely").write("in.marmotte.rights", "x", {})


async def test_a_plain_client_does_not_get_in(at):
    with pytest.raises((KafkaError, TimeoutError)):
        async with (
            asyncio.timeout(15),
            AIOKafkaProducer(bootstrap_servers=at.kafka, request_timeout_ms=3000) as producer,
        ):
            await producer.send_and_wait("in.acme.consents", b"{}")


async def test_apply_restores_what_was_changed_by_hand_and_leaves_strangers(at):
    settings = settings_of(at)
    parties = await registered_parties(settings)
    assert not await plan_access(settings, parties)
    stray = Entry("acme", Resource.TOPIC, Pattern.LITERAL, "verdicts", Operation.READ)
    foreign = Entry("grafana", Resource.TOPIC, Pattern.LITERAL, "verdicts", Operation.READ)
    lost = Entry("canalvert", Resource.TOPIC, Pattern.LITERAL, "out.canalvert.requests", Operation.READ)
    async with access_admin(settings) as admin:
        await admin.add([stray, foreign])
        await admin.remove([lost])
    difference = await apply_access(settings, parties)
    assert (difference.missing, difference.stray) == ({lost}, {stray})
    assert not await plan_access(settings, parties)
    async with access_admin(settings) as admin:
        assert foreign in await admin.entries()


async def test_services_saw_no_denied_topic(system, at):
    logs = "".join(path.read_text() for path in (system.plan.data_dir / "logs").glob("*.log"))
    assert "not authorized" not in logs
    assert "AuthorizationFailed" not in logs
    consumer = AIOKafkaConsumer(**Client(at, "operator").options)
    async with consumer:
        dead = TopicPartition("dead", 0)
        consumer.assign([dead])
        assert (await consumer.end_offsets([dead]))[dead] >= 0


@pytest.fixture
def opposable(system):
    """The command, as the operator runs it beside this system."""

    def run(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", *words, "--data-dir", str(system.plan.data_dir)], capture_output=True,
            text=True, timeout=120, env={**os.environ, "OPPOSABLE_LANG": "en"}, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    return run


async def test_plan_shows_what_apply_then_makes_right(at, opposable):
    settings = settings_of(at)
    lost = Entry("canalvert", Resource.TOPIC, Pattern.LITERAL, "out.canalvert.requests", Operation.READ)
    async with access_admin(settings) as admin:
        await admin.remove([lost])
    shown = json.loads(opposable("topics", "plan", "--json", code=1))
    assert [(one["kind"], one["what"]) for one in shown] == [
        ("access-missing", "canalvert READ topic out.canalvert.requests")
    ]
    assert "access: 1 entries added, 0 removed" in opposable("topics", "apply")
    assert "as the table says" in opposable("topics", "plan")


async def test_a_party_is_onboarded_rotated_and_offboarded_in_one_command_each(at, opposable, tmp_path):
    body = stop([("email", f"{uuid.uuid4().hex}@courriel.example")])
    file = tmp_path / "isobelette.password"
    opposable("party", "onboard", "isobelette", "--output", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text().strip()
    await Client(at, "isobelette", first).write("in.isobelette.rights", "opposable.stop.requested.v1", body)
    second = json.loads(opposable("party", "rotate", "isobelette", "--json"))["password"]
    with pytest.raises((AuthenticationFailedError, KafkaError)):
        await Client(at, "isobelette", first).write("in.isobelette.rights", "x", {})
    client = Client(at, "isobelette", second)
    receipt = await client.read("out.isobelette.receipts", lambda _body: True)
    assert receipt["status"] == "accepted"
    opposable("party", "offboard", "isobelette")
    with pytest.raises((AuthenticationFailedError, KafkaError)):
        await client.write("in.isobelette.rights", "x", {})
    assert json.loads(opposable("topics", "plan", "--json", code=1)), "its entries are missing: it is registered still"
    opposable("party", "onboard", "isobelette")
    assert opposable("party", "onboard", "nobody", code=2) == ""
