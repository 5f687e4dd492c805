"""How tests reach a system's Kafka: as the party a topic belongs to where it is secured, else as anyone."""

from __future__ import annotations

from pathlib import Path
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


def java_properties(at: Endpoints, user: str) -> str:
    """The same for a Java client: lines of its properties file."""
    files = SecureFiles(at.secrets_dir / "kafka")
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return (
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f'sasl.jaas.config={login} required username="{user}" password="{files.password(user)}";\n'
        f"ssl.truststore.type=PEM\nssl.truststore.location={files.authority}\n"
    )


def options(at: Endpoints, user: str = OPERATOR) -> dict[str, Any]:
    """Keyword arguments of a Kafka client of that user."""
    settings = settings_of(at)
    if at.security and user != OPERATOR:
        given = SecureFiles(at.secrets_dir / "kafka").settings(user)
        settings = settings.model_copy(
            update={"kafka_username": user, "kafka_password_file": Path(given["kafka_password_file"])}
        )
    return client_options(settings, f"test-{user}")
