"""How every client reaches Kafka: one place for addresses and credentials."""

from __future__ import annotations

from typing import Any

from aiokafka.helpers import create_ssl_context

from shared.errors import ConfigurationError
from shared.settings import Settings


def client_options(settings: Settings, name: str) -> dict[str, Any]:
    """Keyword arguments common to aiokafka's producer, consumer and admin client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "client_id": f"opposable-{name}",
        "metadata_max_age_ms": 10_000,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_username is not None:
        if settings.kafka_password_file is None:
            raise ConfigurationError("OPPOSABLE_KAFKA_USERNAME is set: set OPPOSABLE_KAFKA_PASSWORD_FILE too")
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password_file.read_text().strip(),
        }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = create_ssl_context(
            cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None
        )
    return options
