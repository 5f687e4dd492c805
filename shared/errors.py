"""The one error tree. Messages are written by us and hold no personal data, so they may be logged and shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why an input is refused, as it stands in receipts and answers.

    `code` is stable (`UPPER-KEBAB`), `pointer` is the RFC 6901 JSON pointer of the field ("" = the whole input),
    `message` is a sentence that says what to do; it never repeats the value.
    """

    code: str
    pointer: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The wire form of a problem."""
        return {"code": self.code, "pointer": self.pointer, "message": self.message}


class OpposableError(Exception):
    """Root of every error raised on purpose. `code` is stable; the text is safe to show."""

    code = "ERROR"


class ConfigurationError(OpposableError):
    """A setting, secret or engine is missing or wrong; the text says which and what to do."""

    code = "CONFIGURATION"


class Unavailable(OpposableError):  # noqa: N818 - the field's word, as in HTTP 503
    """An engine cannot be reached now. Retrying later is right; nothing was decided."""

    code = "UNAVAILABLE"


class InputError(OpposableError):
    """An input is refused. Carries every problem found, not only the first."""

    code = "INPUT"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.code} at {p.pointer or '(input)'}" for p in problems))
        self.problems = problems


class IntegrityError(OpposableError):
    """Stored or received bytes contradict what was proven before: stop, say so, never repair silently."""

    code = "INTEGRITY"


class Fenced(OpposableError):  # noqa: N818 - the field's word for a consumer that lost its partition
    """Another instance owns this partition now; drop the work, it will be redone there."""

    code = "FENCED"
