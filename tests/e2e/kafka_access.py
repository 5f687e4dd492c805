"""How tests reach a system's Kafka: as the party a topic belongs to where it is secured, else as anyone."""

from __future__ import annotations

from typing import Any

from services.cli.target import settings_of
from shared.kafka.connection import client_options
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.kafka_secure import SecureFiles

OPERATOR = "operator"


def owner_of(topic: str) -> str:
    """`in.acme.consents` → `acme`; an internal topic is the operator's, and so is what our own edges write."""
    where, _, rest = topic.partition(".")
    party = rest.split(".")[0]
    return party if where in ("in", "out") and party != "platform" else OPERATOR


def java_properties(at: Endpoints, user: str, password: str | None = None) -> str:
    """The same for a Java client: lines of its properties file."""
    files = SecureFiles(at.secrets_dir / "kafka")
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return (
        f"bootstrap.servers={at.kafka}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f'sasl.jaas.config={login} required username="{user}" password="{password or files.password(user)}";\n'
        f"ssl.truststore.type=PEM\nssl.truststore.location={files.authority}\n"
    )


def options(at: Endpoints, user: str = OPERATOR, password: str | None = None) -> dict[str, Any]:
    """Keyword arguments of a Kafka client of that user."""
    found = client_options(settings_of(at), f"test-{user}")
    if at.security and user != OPERATOR:
        own = password or SecureFiles(at.secrets_dir / "kafka").password(user)
        found |= {"sasl_plain_username": user, "sasl_plain_password": own}
    return found
