import json
from pathlib import Path

import pytest

from services.cli.up import SERVICES
from shared.errors import ConfigurationError
from shared.local_engines.endpoints import Endpoints, ServiceAt
from shared.local_engines.lock import DirectoryLock
from shared.local_engines.plan import Plan, ServiceSpec

TWO = (ServiceSpec("signer", ("s",), single=True), ServiceSpec("collector", ("c",)))


def test_instances_get_names_of_their_own_and_one_owner_stays_alone():
    plan = Plan(data_dir=Path("/d"), services=TWO, instances=3)
    assert [name for name, _ in plan.processes()] == ["signer", "collector", "collector-2", "collector-3"]
    assert plan.http_order() == ["collector", "collector-2", "collector-3", "signer"]


def test_services_are_told_where_everything_is(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "other:1")
    plan = Plan(data_dir=Path("/d"), services=TWO, environment={"OPPOSABLE_LOG_LEVEL": "DEBUG"})
    told = plan.environment_of(
        "collector", "collector", 8100, public_port=8101, proof_port=8102, kafka="k:1", mongodb="mongodb://m/"
    )
    assert told["KAFKA_BOOTSTRAP_SERVERS"] == "k:1"
    assert told["MONGODB_URI"] == "mongodb://m/"
    assert told["OPPOSABLE_HTTP_PORT"] == "8100"
    assert told["OPPOSABLE_PUBLIC_URL"] == "http://127.0.0.1:8101"
    assert told["OPPOSABLE_STATE_DIR"] == "/d/state/collector"
    assert told["OPPOSABLE_SECRETS_DIR"] == "/d/secrets"
    assert told["OPPOSABLE_LOG_LEVEL"] == "DEBUG"


def test_every_service_of_the_product_is_in_the_table_and_one_signer_signs():
    assert [spec.name for spec in SERVICES if spec.single] == ["signer"]
    assert {spec.name for spec in SERVICES} == {
        "console",
        "collector", "consent_validator", "rights_handler", "proof_archive", "signer", "eraser", "webhook_relay",
        "notifier",
    }  # fmt: skip


def test_endpoints_come_back_as_written(tmp_path):
    at = Endpoints("k:1", "mongodb://m", Path("/s"), "d", {"collector": ServiceAt(7, "http://x")}, {"kafka": 8})
    at.write(tmp_path)
    assert Endpoints.read(tmp_path) == at
    document = json.loads((tmp_path / "endpoints.json").read_text())
    assert document["kafka"] == {"bootstrap": "k:1"}
    assert document["mongodb"] == {"uri": "mongodb://m"}
    assert document["services"] == {"collector": {"pid": 7, "url": "http://x"}}
    assert [path.name for path in tmp_path.iterdir()] == ["endpoints.json"]
    assert at.url("collector") == "http://x"
    with pytest.raises(ConfigurationError, match="signer"):
        at.url("signer")


def test_a_directory_where_nothing_runs_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="nothing runs"):
        Endpoints.read(tmp_path)
    (tmp_path / "endpoints.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Endpoints.read(tmp_path)


def test_one_holder_of_a_directory(tmp_path):
    first, second = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    first.acquire()
    with pytest.raises(ConfigurationError, match="another `opposable up`"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
