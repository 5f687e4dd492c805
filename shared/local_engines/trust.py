"""Writes `policy`, the trust file that a verifier of this deployment needs (C2SP tlog-policy; see proof_archive)."""

from __future__ import annotations

from pathlib import Path

from shared.crypto.note import Signer

HEADER = "# Trust file of {deployment}. Hand it to verifiers by another way than the bundles they check.\n"


def policy_text(deployment: str, log_seed: bytes, bundle_seed: bytes) -> str:
    """The trust file: the key that signs checkpoints, the key that signs bundles, no witness required."""
    log, bundle = Signer(deployment, log_seed), Signer(f"{deployment}/bundle", bundle_seed)
    return (
        HEADER.format(deployment=deployment) + f"log {log.verifier.vkey()}\nlog {bundle.verifier.vkey()}\nquorum none\n"
    )


def write_policy(path: Path, deployment: str, secrets_dir: Path) -> None:
    """Put the trust file in place from the two seeds of `secrets_dir`."""
    text = policy_text(deployment, (secrets_dir / "log.seed").read_bytes(), (secrets_dir / "bundle.seed").read_bytes())
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    temporary.replace(path)
