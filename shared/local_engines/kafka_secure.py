"""A local Kafka that lets nobody in without credentials: SASL/SCRAM over TLS, access entries, the operator as super user.

Files, under `<data dir>/secrets/kafka`: `ca.pem`, `server.pem`, and `<principal>.password` of each user. What production needs is
the same, from its own keeper.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from shared.access.plan import OPERATOR
from shared.keyring.ring import write_secret
from shared.local_engines.certificates import AUTHORITY, LOCALHOST, SERVER, ensure_certificates

CONTROLLER = "controller"
_PROPERTIES = """
# Nobody without credentials, and nothing that no entry allows.
listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="{operator}" password="{operator_password}";
listener.name.client.ssl.keystore.type=PEM
listener.name.client.ssl.keystore.location={keystore}
listener.name.client.ssl.truststore.type=PEM
listener.name.client.ssl.truststore.location={truststore}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="{controller}" password="{controller_password}" user_{controller}="{controller_password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{operator};User:{controller}
allow.everyone.if.no.acl.found=false
"""


@dataclass(frozen=True, slots=True)
class SecureFiles:
    """The credentials of one local Kafka."""

    directory: Path
    hosts: tuple[str, ...] = (LOCALHOST,)
    """Names of the server in its certificate."""

    def prepare(self) -> None:
        """Make what is missing; never touch what is there."""
        ensure_certificates(self.directory, self.hosts)
        for user in (OPERATOR, CONTROLLER):
            self.password(user)

    def password(self, principal: str) -> str:
        """The password of a user, drawn when it is asked for first."""
        path = self.password_file(principal)
        if not path.exists():
            write_secret(path, f"{secrets.token_urlsafe(32)}\n".encode())
        return path.read_text().strip()

    def password_file(self, principal: str) -> Path:
        """Where it is kept."""
        return self.directory / f"{principal}.password"

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.directory / AUTHORITY

    def properties(self) -> str:
        """Lines of `server.properties` that replace the open listener."""
        return _PROPERTIES.format(
            operator=OPERATOR, operator_password=self.password(OPERATOR),
            controller=CONTROLLER, controller_password=self.password(CONTROLLER),
            keystore=self.directory / SERVER, truststore=self.authority,
        )  # fmt: skip

    def format_options(self) -> list[str]:
        """Options of the storage formatter: the operator exists before anyone can create it."""
        return ["--add-scram", f"SCRAM-SHA-512=[name={OPERATOR},iterations=8192,password={self.password(OPERATOR)}]"]

    def environment(self, principal: str) -> dict[str, str]:
        """Variables of a client that connects as this principal."""
        return {f"OPPOSABLE_{name.upper()}": value for name, value in self.settings(principal).items()}

    def settings(self, principal: str) -> dict[str, str]:
        """The same as fields of the settings."""
        return {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": principal,
            "kafka_password_file": str(self.password_file(principal)),
            "kafka_ca_file": str(self.authority),
        }
