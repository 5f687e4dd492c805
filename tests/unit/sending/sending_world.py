"""One ordinary question that every rule lets pass, and ways to bend it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from services.rights_handler.sending.book import judge
from services.rights_handler.sending.model import Check, Duty, Permission
from shared.contracts.types import instant

CASES = Path(__file__).resolve().parents[2] / "cases"
NOON = instant("2026-09-15T09:00:00.000Z")  # a Tuesday, 11:00 in Paris
GRANT = Permission(instant("2026-08-20T08:00:00.000Z"), instant("2027-08-19T00:00:00.000Z"))
CALL = Check("call", NOON, "Europe/Paris", (GRANT,))


def sending_cases():
    return [json.loads(line) for line in (CASES / "sending.jsonl").read_text("utf-8").splitlines()]


def bent(at=None, *, check=CALL, grant=None, **more):
    """The ordinary question with changes; `at` may be a text; `grant` changes fields of its permission."""
    permissions = check.permissions
    if grant is not None:
        permissions = (replace(GRANT, **grant),)
    moment = check.at if at is None else instant(at) if isinstance(at, str) else at
    return replace(check, **{"at": moment, "permissions": permissions, **more})


def codes(check):
    return judge(check).codes


def why(check, code):
    return next(reason.text_fr for reason in judge(check).reasons if reason.code == code)


def duty(obtained="2026-09-01T08:00:00.000Z", **more):
    return Duty(instant(obtained), **{name: instant(value) for name, value in more.items()})
