"""Make the secrets of a deployment of docker-compose.yml where there are none, and hand each container its own, and no other.

Run by the one-shot `keys` service before anything else starts; doing it again changes nothing that is there, and brings to the
services what was rotated since. Directories: `/var/lib/opposable/keys` holds everything (the operator's), below
`/var/lib/opposable/deal` lies one volume for each service (`secrets/`, `policy`, `kafka.password`, `kafka-ca.pem`,
`mongodb.password`) and Kafka's (`server.properties` with its users, `server.pem`).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from shared.access.plan import OPERATOR, service_principal
from shared.access.secret_table import READS, reads
from shared.errors import OpposableError
from shared.keyring.ring import write_secret
from shared.local_engines.certificates import AUTHORITY, SERVER
from shared.local_engines.kafka_secure import CONTROLLER, SecureFiles
from shared.local_engines.mongo_secure import MongoFiles
from shared.local_engines.secret_files import ensure_secrets
from shared.local_engines.trust import write_policy
from shared.settings import Settings

UNUSABLE = 2
DEAL = Path("/var/lib/opposable/deal")
KAFKA = "kafka"
HOSTS = ("localhost", "kafka")
"""Names by which Kafka is reached: of its certificate."""

PROPERTIES = """\
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.internal.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.local.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.admin.sasl.enabled.mechanisms=PLAIN
listener.name.admin.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="{operator}" password="{operator_password}" user_{operator}="{operator_password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="{controller}" password="{controller_password}" user_{controller}="{controller_password}";
ssl.keystore.type=PEM
ssl.keystore.location=/mnt/shared/config/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=/mnt/shared/config/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{operator};User:{controller}
allow.everyone.if.no.acl.found=false
"""
"""The operator's listener knows the operator from its file, so that users can be made before there is any (in Kafka they are data)."""


def main() -> int:
    """Prepare and deal, and say what was done in one line each."""
    settings = Settings()
    secrets, policy = settings.secrets_dir, settings.secrets_dir.parent / "policy"
    try:
        made = ensure_secrets(secrets)
        write_policy(policy, settings.deployment, secrets)
        kafka, mongo = SecureFiles(secrets / "kafka", HOSTS), MongoFiles(secrets / "mongodb")
        kafka.prepare()
        mongo.prepare()
        broker(DEAL / KAFKA, kafka)
        changed = sum(deal(DEAL / service, service, secrets, policy, kafka, mongo) for service in READS)
    except OpposableError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    print(
        f"secrets: {', '.join(made) + ' made' if made else 'all there already'}; {changed} files dealt to {len(READS)} services"
    )
    return 0


def deal(directory: Path, service: str, secrets: Path, policy: Path, kafka: SecureFiles, mongo: MongoFiles) -> int:
    """Put into a service's directory exactly what it reads; how many files changed."""
    principal = service_principal(service)
    own = {Path("secrets") / path.name: path.read_bytes() for path in sorted(secrets.iterdir())
           if path.is_file() and reads(service, path.name)}  # fmt: skip
    own |= {
        Path("policy"): policy.read_bytes(),
        Path("kafka.password"): f"{kafka.password(principal)}\n".encode(),
        Path("kafka-ca.pem"): kafka.authority.read_bytes(),
        Path("mongodb.password"): f"{mongo.password(principal)}\n".encode(),
    }
    (directory / "secrets").mkdir(parents=True, exist_ok=True, mode=0o700)
    stray = [path for path in directory.rglob("*") if path.is_file() and path.relative_to(directory) not in own]
    for path in stray:
        path.unlink()
    differing = [name for name, content in own.items() if _content(directory / name) != content]
    for name in differing:
        write_secret(directory / name, own[name])
    return len(stray) + len(differing)


def broker(directory: Path, kafka: SecureFiles) -> None:
    """Kafka's volume: mounted by Kafka alone, whose user is another than ours, so that others must be able to read it."""
    text = PROPERTIES.format(
        operator=OPERATOR, operator_password=kafka.password(OPERATOR),
        controller=CONTROLLER, controller_password=kafka.password(CONTROLLER),
    )  # fmt: skip
    for name in (SERVER, AUTHORITY):
        shutil.copyfile(kafka.directory / name, directory / name)
    (directory / "server.properties").write_text(text)
    for path in directory.iterdir():
        path.chmod(0o644)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
