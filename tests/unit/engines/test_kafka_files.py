import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from shared.errors import ConfigurationError
from shared.local_engines import jars
from shared.local_engines.java import Java
from shared.local_engines.kafka import ApacheKafka, new_cluster_id
from shared.local_engines.kafka_files import java_flags, properties

MAVEN = "{http://maven.apache.org/POM/4.0.0}"


def test_the_pom_brings_the_version_that_the_code_expects():
    project = ET.parse(jars.POM).getroot()  # noqa: S314 - our own file
    assert project.findtext(f"{MAVEN}properties/{MAVEN}kafka.version") == jars.VERSION
    artifacts = {node.findtext(f"{MAVEN}artifactId") for node in project.iter(f"{MAVEN}dependency")}
    assert artifacts == {"kafka_2.13", "kafka-tools", "log4j-slf4j-impl"}


def test_properties_name_the_ports_and_let_no_topic_appear_by_itself():
    text = properties(port=1001, controller_port=1002, data=Path("/d"))
    lines = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines["listeners"] == "CLIENT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002"
    assert lines["advertised.listeners"] == "CLIENT://127.0.0.1:1001"
    assert lines["auto.create.topics.enable"] == "false"
    assert lines["log.dirs"] == "/d"


def test_a_large_heap_gets_the_collector_for_it():
    assert "-XX:+UseSerialGC" in java_flags(256)
    assert {"-Xmx512m", "-XX:+UseG1GC"} <= set(java_flags(512))


def test_cluster_ids_are_what_kafka_takes():
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", one) for one in ids)


def test_a_directory_kafka_would_split_in_two_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="comma"):
        ApacheKafka(java=Java("java", 17), jars=tmp_path, home=tmp_path / "a,b", port=1, controller_port=2)
