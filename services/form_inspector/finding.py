"""A fault or a fact that a DPO should know, with a stable code: the rule's own where a rule would fire."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Finding(NamedTuple):
    """`error`: consents relying on this page would be invalid. `warning`: a person should look. `info`: worth knowing."""

    code: str
    severity: Severity
    message: str

    def as_dict(self) -> dict[str, str]:
        """For the report."""
        return self._asdict()


def error(code: str, message: str) -> Finding:
    """Makes consents invalid."""
    return Finding(code, "error", message)


def warning(code: str, message: str) -> Finding:
    """To look at."""
    return Finding(code, "warning", message)


def info(code: str, message: str) -> Finding:
    """To know."""
    return Finding(code, "info", message)
