"""The files a one-node Apache Kafka starts from: KRaft, broker and controller in one process, small. Pure texts."""

from __future__ import annotations

from pathlib import Path

from shared.local_engines.java import Java

SMALL_HEAP_MB = 256
FAST_HEAP_MB = 512
"""From here on the heap is worth a concurrent collector and the optimising compiler (loads, benchmarks)."""

LOG4J = """status=error
appender.file.type=RollingFile
appender.file.name=FILE
appender.file.fileName=${sys:opposable.kafka.log}
appender.file.filePattern=${sys:opposable.kafka.log}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %c{1} - %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=16MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=1
rootLogger.level=info
rootLogger.appenderRef.file.ref=FILE
"""

_PROPERTIES = """process.roles=broker,controller
node.id=1
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port}
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
log.dirs={data}
# One node: every internal topic has one copy.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Topics come from the one table only.
auto.create.topics.enable=false
# A topic's own limit decides (4 MiB for dead letters), not the fetch or socket defaults.
replica.fetch.max.bytes=5242880
# Small.
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
offsets.topic.num.partitions=5
transaction.state.log.num.partitions=5
share.coordinator.state.topic.num.partitions=1
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.io.buffer.size=262144
# Index files are allocated whole: at the default of 10 MiB, the first index entry of fifty topics, all at once when each holds
# its first 4 KiB, keeps the broker silent for 2 s on a slow file system. 256 KiB rolls a segment at about 80 MiB.
log.index.size.max.bytes=262144
group.initial.rebalance.delay.ms=0
# After a kill -9 the restart waits for the old session: 5 s so, 12 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


OPEN = "listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"


def properties(*, port: int, controller_port: int, data: Path, security: str = OPEN) -> str:
    """`server.properties` of the one node. `security`: the lines that say who may connect, and how."""
    return _PROPERTIES.format(port=port, controller_port=controller_port, data=data) + security


def java_flags(heap_mb: int) -> list[str]:
    """Flags of the Java machine for a heap of this size: 155–171 MB resident at 256."""
    flags = ["-Xms64m", f"-Xmx{heap_mb}m", "-Xss512k", "-XX:-UsePerfData"]
    if heap_mb < FAST_HEAP_MB:
        return [*flags, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [*flags, "-XX:+UseG1GC"]


def server_command(java: Java, jars: Path, home: Path, heap_mb: int) -> list[str]:
    """The server as it is started."""
    return [
        java.command, *java_flags(heap_mb),
        f"-Dopposable.kafka.log={home / 'server.log'}",
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
        "-cp", f"{jars}/*", "kafka.Kafka", str(home / "server.properties"),
    ]  # fmt: skip


def tool_command(java: Java, jars: Path, tool: str, *arguments: str) -> list[str]:
    """One of Kafka's own command-line tools, by class name."""
    return [
        java.command,
        "-Xmx128m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{jars}/*",
        tool,
        *arguments,
    ]
