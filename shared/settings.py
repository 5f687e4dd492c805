"""Settings, validated at start. Environment only (prefix `OPPOSABLE_`); secrets are files in `OPPOSABLE_SECRETS_DIR`.

A service adds its own fields in a subclass; nothing else reads the environment.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigurationError

SECRET_BYTES = 32


class Settings(BaseSettings):
    """What every service needs to know."""

    model_config = SettingsConfigDict(env_prefix="OPPOSABLE_", frozen=True, extra="ignore")

    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS", default="127.0.0.1:9092")
    kafka_username: str | None = None
    kafka_password_file: Path | None = None
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    """The authority that signed the brokers' certificates; None = the system's."""
    mongodb_uri: str = Field(
        validation_alias="MONGODB_URI",
        default="mongodb://127.0.0.1:27017/?replicaSet=rs0&w=majority&journal=true",
    )
    mongodb_username: str | None = None
    mongodb_password_file: Path | None = None
    deployment: str = "opposable.local"
    """Name of this deployment: the first part of every log's origin and the name of its signing key."""
    secrets_dir: Path = Path("secrets")
    state_dir: Path = Path("state")
    """Where the signer keeps its memory: outside MongoDB on purpose."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    public_url: str = "http://127.0.0.1"
    """Base address of the links given to persons (one-click withdrawal)."""
    proof_url: str = "http://127.0.0.1"
    """Base address of the proof archive, for the links to proofs that permissions carry."""
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    """Base address of an OTLP/HTTP collector of traces (`http://host:4318`); empty: no traces (docs/tracing.md)."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    """Share of entering events that are traced where their sender does not say."""
    mongo_timeout_ms: int = 5000
    """How long one database call may look for a primary before the batch backs off."""


def read_secret(directory: Path, name: str) -> bytes:
    """The 32 raw bytes of one secret file. Raises ConfigurationError naming the file, never its content."""
    path = directory / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"secret file {name!r} cannot be read in OPPOSABLE_SECRETS_DIR ({error.strerror}): "
            "create it with 32 random bytes (`opposable up` does), readable by this service only"
        ) from None
    if len(data) != SECRET_BYTES:
        raise ConfigurationError(f"secret file {name!r} holds {len(data)} bytes; it must hold exactly {SECRET_BYTES}")
    return data
