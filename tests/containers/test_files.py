"""What the container files must keep saying, read without an engine: the same versions everywhere, and no power unasked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from shared.access.secret_table import READS
from tests.containers.stack import ROOT, SERVICES

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = (*SERVICES, "keys", "mongo-init", "provision", "operator")


def _locked(path: str) -> dict[str, str]:
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / path).read_text(), re.MULTILINE)
    return dict(pinned)


def test_the_image_has_the_versions_that_were_tested() -> None:
    image, tested = _locked("deploy/docker/requirements.lock"), _locked("requirements.lock")
    assert image
    assert {name: tested.get(name) for name in image} == image


def test_the_image_holds_no_tool_of_developers() -> None:
    assert not {"pytest", "mypy", "ruff", "faker", "testcontainers"} & set(_locked("deploy/docker/requirements.lock"))


@pytest.mark.parametrize("name", OURS)
def test_our_containers_ask_for_no_power(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "10001:10001"
    assert "privileged" not in service


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", ()))


def test_the_database_has_no_way_out() -> None:
    assert COMPOSE["services"]["mongo"]["networks"] == ["engines"]
    assert COMPOSE["networks"]["engines"]["internal"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_secrets_and_cannot_write_them(name: str) -> None:
    mounted = [v for v in COMPOSE["services"][name]["volumes"] if "/var/lib/opposable/keys" in v]
    assert mounted == [f"keys-{name}:/var/lib/opposable/keys:ro"], (
        "its own, which nobody else mounts but who deals them"
    )
    assert COMPOSE["services"][name]["environment"]["OPPOSABLE_KAFKA_USERNAME"] == f"svc.{name}"
    assert COMPOSE["services"][name]["environment"]["OPPOSABLE_MONGODB_USERNAME"] == f"svc.{name}"


def test_every_service_is_dealt_its_secrets_and_the_operator_alone_mounts_them_all() -> None:
    assert set(READS) == set(SERVICES)
    dealt = {v.split(":")[0] for v in COMPOSE["services"]["keys"]["volumes"]}
    assert dealt == {"keys", "kafka-config", *(f"keys-{name}" for name in SERVICES)}
    holders = {
        name
        for name, service in COMPOSE["services"].items()
        if any(str(v).startswith("keys:") for v in service.get("volumes", ()))
    }
    assert holders == {"keys", "mongo-init", "provision", "operator"}
    made = re.search(r"for name in ([a-z_ ]+); do", (ROOT / "deploy/docker/Dockerfile").read_text())
    assert made is not None
    assert set(made[1].split()) == set(SERVICES)


def test_the_container_host_brings_every_image_that_our_files_name() -> None:
    started = [
        service for service in COMPOSE["services"].values() if "profiles" not in service
    ]  # the rest is asked for
    named = {service["image"] for service in started if "OPPOSABLE" not in service["image"]}
    named |= set(re.findall(r"^FROM (\S+)", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE))
    named |= set(re.findall(r'Container\("([^"]+)"\)', (ROOT / "tests/containers/test_testcontainers.py").read_text()))
    brought = re.search(r"^images=\((.*)\)", (ROOT / "tests/container_host/up.sh").read_text(), re.MULTILINE)
    assert brought is not None
    assert named == set(brought[1].split())
