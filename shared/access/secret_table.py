"""Which secret files each service reads: the one table from which containers and Kubernetes mount them. Nobody mounts another's.

`*` stands for the versions of a party's webhook secret. Every version of a secret goes with it (`kek`, `kek.2`, …).
"""

from __future__ import annotations

import re

OPTIONAL = ("smtp-password", "sms-token")
"""Read only where the deployment is set up for them."""
PARTYS = "webhook.*"
ROTATED = ("kek", "pepper", "match-master")
"""Those that have versions."""

READS: dict[str, tuple[str, ...]] = {
    "collector": ("kek", "operator-token"),
    "consent_validator": ("operator-token",),
    "rights_handler": ("kek", "pepper", "match-master", "operator-token"),
    "proof_archive": ("kek", "bundle.seed", "operator-token"),
    "signer": ("log.seed",),
    "webhook_relay": ("webhook.seed", "operator-token", PARTYS),
    "notifier": ("kek", "operator-token", *OPTIONAL),
    "eraser": (),
    "console": ("operator-token",),
}
"""The signer alone holds the key of the logs; the eraser destroys record keys and holds nothing that opens one."""

_VERSION = r"(?:\.[1-9][0-9]{0,3})?"
_PARTYS_FILE = r"webhook\.[a-z0-9][a-z0-9-]{1,40}\.v[1-9][0-9]{0,5}"


def reads(service: str, file: str) -> bool:
    """Whether a service reads this file of the secrets directory, in whichever version."""
    return any(
        re.fullmatch(_PARTYS_FILE if name == PARTYS else re.escape(name) + _VERSION, file) is not None
        for name in READS[service]
    )
