"""Settings of the proof archive and of its signer."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class ArchiveSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere."""

    batch_records: int = Field(default=1000, ge=1)
    """Most records of one batch, all partitions together."""
    proof_due_s: float = Field(default=5.0, gt=0)
    """How soon a proof is promised for a record that no checkpoint covers yet (the target is one second)."""
    evidence_file_bytes: int = Field(default=20 * 1024 * 1024, ge=1, le=1024 * 1024 * 1024)
    """Largest file that `PUT /v1/evidence/<sha256>` takes."""
    evidence_due_days: float = Field(default=30.0, gt=0)
    """How long after its first citation a file is owed before it is overdue."""
    evidence_bundle_bytes: int = Field(default=16 * 1024 * 1024, ge=0, le=48 * 1024 * 1024)
    """Most bytes of evidence in one bundle, all files together; what is beyond is listed, to be fetched apart."""
    policy_file: Path | None = None
    """The trust file used by `POST /v1/verify`; by default `policy` beside the secrets directory."""

    @property
    def trust_file(self) -> Path:
        """Where the trust file is."""
        return self.policy_file or self.secrets_dir.parent / "policy"


class SignerSettings(Settings):
    """Settings of the signer: the only process that reads `log.seed`."""

    signer_interval_s: float = Field(default=0.25, gt=0)
    """Seconds from the beginning of a round of signing to that of the next. A round looks at the heads, and signs what grew."""
    signer_witnesses: str = ""
    """Witnesses to ask for cosignatures: `<vkey> <url>`, several separated by `;`."""
    tsa_url: str = ""
    """Timestamp authority (RFC 3161 over HTTP) asked to timestamp all checkpoints; empty = none."""
    tsa_interval_s: float = Field(default=3600.0, gt=0)
    """Seconds between two timestamps, where the logs have grown."""
    tsa_ca_file: Path | None = None
    """PEM certificates that the authority's chain must lead to when it answers; verifiers go by their trust file alone."""
