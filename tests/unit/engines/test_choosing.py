import stat

import pytest

from shared.errors import ConfigurationError
from shared.local_engines import choose, jars, mongo
from shared.local_engines.choose import Wishes, choose_kafka, choose_mongodb
from shared.local_engines.engine import External
from shared.local_engines.java import Java
from shared.local_engines.kafka import ApacheKafka
from shared.local_engines.mongo import Mongod
from shared.local_engines.noida import NoidaKafka
from shared.local_engines.ports import PortBook


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "OPPOSABLE_REQUIRE_KAFKA", "OPPOSABLE_KAFKA_HEAP_MB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with jars in it, and a Java."""
    folder = tmp_path / "cache" / f"kafka-{jars.VERSION}"
    folder.mkdir(parents=True)
    (folder / jars.MAIN_JAR).touch()
    monkeypatch.setenv("OPPOSABLE_ENGINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choose, "find_java", lambda: Java("java", 21))
    return folder


@pytest.fixture
def no_java(monkeypatch):
    def find():
        raise ConfigurationError("no Java is installed")

    monkeypatch.setattr(choose, "find_java", find)


async def pick(tmp_path, **wishes):
    return await choose_kafka(tmp_path / "d", PortBook(tmp_path / "d" / "ports.json"), Wishes(**wishes), print)


@pytest.mark.usefixtures("cache")
async def test_the_environment_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "k:1")
    found = await pick(tmp_path)
    assert isinstance(found, External)
    assert (found.address, found.command()) == ("k:1", None)
    assert isinstance(await pick(tmp_path, use_environment=False), ApacheKafka)


async def test_real_kafka_where_java_and_jars_are(tmp_path, cache):
    found = await pick(tmp_path, kafka_heap_mb=512)
    assert isinstance(found, ApacheKafka)
    assert "JDK 21" in found.sentence
    assert {"-Xmx512m", f"{cache}/*", "kafka.Kafka"} <= set(found.command())


@pytest.mark.usefixtures("no_java")
async def test_the_stand_in_says_what_it_is_and_why(tmp_path):
    found = await pick(tmp_path)
    assert isinstance(found, NoidaKafka)
    assert "DEMONSTRATIONS ONLY" in found.sentence
    assert "no Java is installed" in found.sentence


@pytest.mark.usefixtures("no_java")
async def test_the_stand_in_is_refused_where_real_kafka_is_required(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="no Java is installed"):
        await pick(tmp_path, real_kafka=True)
    monkeypatch.setenv("OPPOSABLE_REQUIRE_KAFKA", "real")
    with pytest.raises(ConfigurationError, match="required"):
        await pick(tmp_path)


@pytest.mark.usefixtures("cache")
async def test_a_data_directory_keeps_its_kind_of_kafka(tmp_path):
    (tmp_path / "d" / "kafka" / "memory").mkdir(parents=True)
    assert isinstance(await pick(tmp_path), NoidaKafka)


@pytest.mark.usefixtures("no_java")
async def test_real_data_is_never_left_for_the_stand_in(tmp_path):
    (tmp_path / "d" / "kafka" / "data").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="holds the data of real Apache Kafka"):
        await pick(tmp_path)


async def test_no_jars_and_no_maven_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="Maven is not installed"):
        await jars.fetch(tmp_path / "empty", print)


async def test_maven_that_fails_leaves_no_half_cache_and_names_no_address(tmp_path, monkeypatch):
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho '[ERROR] cannot reach https://user:pw@maven.example/x now'\nexit 1\n")
    maven.chmod(maven.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ConfigurationError, match="cannot reach ‹repository› now") as failure:
        await jars.fetch(tmp_path / "cache", print)
    assert "example" not in str(failure.value)
    assert jars.present(tmp_path / "cache") is None
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"kafka-{jars.VERSION}.lock"]


async def test_maven_that_brings_the_jars_fills_the_cache_in_one_move(tmp_path, monkeypatch):
    maven = tmp_path / "mvn"
    maven.write_text(
        '#!/bin/sh\nfor a in "$@"; do case "$a" in -DoutputDirectory=*) d="${a#*=}";; esac; done\n'
        f'mkdir -p "$d"; touch "$d/{jars.MAIN_JAR}"\nfor i in $(seq 31); do echo "Downloaded from x: y/$i.jar (1 kB)"; done\n'
    )
    maven.chmod(maven.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said = []
    found = await jars.fetch(tmp_path / "cache", said.append)
    assert (found / jars.MAIN_JAR).exists()
    assert [one for one in said if one.startswith("…")] == ["… 15 files", "… 30 files"]
    monkeypatch.setenv("PATH", "")
    assert await jars.fetch(tmp_path / "cache", said.append) == found


def fake_mongod(folder, text):
    folder.mkdir()
    binary = folder / "mongod"
    binary.write_text(f"#!/bin/sh\n{text}\n")
    binary.chmod(0o755)
    return folder


def test_mongod_on_path_comes_before_the_wheel(tmp_path, monkeypatch):
    folder = fake_mongod(tmp_path / "bin", "echo 'db version v7.0.2'")
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    found = choose_mongodb(tmp_path, PortBook(tmp_path / "ports.json"), Wishes(mongo_port=None))
    assert isinstance(found, Mongod)
    assert "mongod 7.0.2" in found.sentence
    assert "on PATH" in found.sentence
    assert "w=majority&journal=true" in found.address


def test_a_mongod_that_does_not_run_here_is_passed_over_and_named_when_it_was_the_last(tmp_path, monkeypatch):
    folder = fake_mongod(tmp_path / "bin", "exit 127")
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr(mongo, "candidates", lambda: iter([(folder / "mongod", "it is on PATH")]))
    with pytest.raises(ConfigurationError, match="does not run on this system"):
        mongo.find_mongod()
