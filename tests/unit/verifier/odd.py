"""Values on which readers of JSON, dates and names have been known to differ."""

from typing import Any

from bundle_world import RECORD, line

ASTRAL, PRIVATE = "\U0001f600", "\uffee"

ODD_TEXTS: list[str] = [
    "", " ", "all", "x", "é", "é" * 512, ASTRAL, ASTRAL * 512, ASTRAL * 513, PRIVATE, "x" * 512, "x" * 513, "\x00", "\x1f",
    "\x7f", "\u2028",
    "\u202e", "a b", "a\nb", "a+b", "\u00a0", "\u0085", "\ufeff", "<b>&amp;", '"\\/', "__proto__", "constructor", "None",
    "null", "true", RECORD,
    "canalvert", "canalvert/s1", "stop/canalvert/s1", "a" * 64, "A" * 64, "valid", "review", "withdrawal", "applied",
    "erasure", "w1.example",
    "2026-10-02T17:05:00Z", "2026-10-02T17:05:00.123456789+02:00", "2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00Z", "0099-12-31T23:59:59.9Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-00:01",
    "2026-10-02T24:00:00Z", "2026-10-02T23:59:60Z", "2026-10-02T17:05:00+24:00", "2026-10-02T17:05:00+01:60",
    "2026-10-02T17:05:00-00:00",
    "2026-10-02 17:05:00Z", "2026-10-02t17:05:00z", "2026-10-02T17:05:00.Z", "2026-10-02T17:05:00.1234567890Z",
    "2026-13-01T00:00:00Z",
    "2026-10-02T17:05:00", "2026-10-02T17:05Z", "２026-10-02T17:05:00Z", "2026-10-02T17:05:00Z\n", "1900-02-29T00:00:00Z",
]  # fmt: skip

ODD_NUMBERS: list[str] = [
    "1.0", "1e0", "1E2", "-0", "-1", "01", "+1", "0x1", "9007199254740991", "9007199254740992", "9007199254740993",
    "-9007199254740991",
    "18446744073709551616", "1" * 400, "1" * 5000, "1e999", "NaN", "Infinity", "0.1", "true", "null", '"1"',
]  # fmt: skip

DEEP: list[Any] = []
for _ in range(62):
    DEEP = [DEEP]

ODDITIES: list[Any] = [
    *ODD_TEXTS, None, True, False, 0, 1, -1, 2, 7, 2**31, 2**53 - 1, -(2**53) + 1, 2**53, 2**63, 2**64 - 1, 1.0, 1.5, -0.0,
    1e300, [], {}, [None],
    [[]], ["all"], ["email"], ["canalvert"], [RECORD], ["x" * 513], [ASTRAL, PRIVATE], {"id": 1}, {"id": None}, {"id": "f"},
    {"id": "f", "version": None},
    {"id": "f", "version": 0, "sha256": "a" * 64}, {"id": "f", "version": -1}, {"id": "f", "version": True},
    {"id": "f", "version": "2"}, {"sha256": PRIVATE},
    {"/x": "y"}, {"/x": 1}, {"__proto__": "x"}, {"é": 1}, {"kind": "x"}, {"bytes": 1, "sha256": "a" * 64}, {"bytes,sha256": 1},
    [line("a", "email")], [line("canalvert", "email"), line("b", "sms", "review")],
    [{"recipient": None, "channel": "email", "purpose": "p", "verdict": "odd"}],
    [{"kind": PRIVATE, "sha256": ASTRAL}, {"kind": "x", "sha256": PRIVATE}], DEEP, [DEEP], [[DEEP]], [[[DEEP]]],
]  # fmt: skip
