"""CloudEvents on Kafka: binary and structured mode, and every way to get it wrong."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from shared.contracts.envelope import Envelope, from_headers, from_structured, to_headers
from shared.errors import InputError

ENVELOPE = Envelope("e-1", "ludibrume", "opposable.consent.collected.v1", "2026-06-15T09:12:30.400Z")
DATA = b'{"consent_id":"x"}'


def codes(headers: Any, value: bytes | None = DATA) -> set[str]:
    with pytest.raises(InputError) as caught:
        from_headers(headers, value)
    return {problem.code for problem in caught.value.problems}


def without(name: str) -> list[tuple[str, bytes | None]]:
    return [h for h in to_headers(ENVELOPE) if h[0] != name]


def test_binary_round_trip_keeps_the_bytes() -> None:
    assert from_headers(to_headers(ENVELOPE), DATA) == (ENVELOPE, DATA)
    assert from_headers(without("ce_time"), DATA)[0].time is None
    more = [*to_headers(ENVELOPE), ("traceparent", b"00-ab-cd-01")]
    assert from_headers(more, DATA) == (ENVELOPE, DATA)
    shouted = [(name.upper(), value) for name, value in to_headers(ENVELOPE)]
    assert from_headers(shouted, DATA) == (ENVELOPE, DATA)


def structured(**changes: Any) -> bytes:
    event = {
        "specversion": "1.0", "id": "e-1", "source": "ludibrume", "type": ENVELOPE.type, "time": ENVELOPE.time,
        "data": {"consent_id": "x"}, **changes,
    }  # fmt: skip
    return orjson.dumps({k: v for k, v in event.items() if v is not ...})


@pytest.mark.parametrize("headers", [[("content-type", b"application/cloudevents+json; charset=utf-8")], []])
def test_structured(headers: list[tuple[str, bytes | None]]) -> None:
    assert from_headers(headers, structured()) == (ENVELOPE, DATA)
    encoded = structured(data=..., data_base64=base64.b64encode(DATA).decode())
    assert from_headers(headers, encoded) == (ENVELOPE, DATA)


@pytest.mark.parametrize("name", ["ce_id", "traceparent", "x"])
def test_null_and_non_utf8_headers(name: str) -> None:
    assert codes([*without(name), (name, None)]) == {"HEADER-NULL"}
    assert codes([*without(name), (name, b"\xff\xfe")]) == {"HEADER-ENCODING"}


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_missing_attributes(name: str) -> None:
    assert codes(without(f"ce_{name}")) == {"ENVELOPE-MISSING"}
    assert codes([*without(f"ce_{name}"), (f"ce_{name}", b"")]) == {"ENVELOPE-MISSING"}
    assert codes([], structured(**{name: ...})) == {"ENVELOPE-MISSING"}
    assert codes([], structured(**{name: 7})) == {"ENVELOPE-MISSING"}


@pytest.mark.parametrize("bad", ["", "x" * 65, "a b", "é", "a/b", "a\n"])
def test_event_ids(bad: str) -> None:
    found = codes([*without("ce_id"), ("ce_id", bad.encode())])
    assert found == ({"ENVELOPE-ID"} if bad else {"ENVELOPE-MISSING"})


def test_all_faults_are_told_at_once() -> None:
    headers = [("ce_specversion", b"0.3"), ("ce_id", b"a b"), ("ce_type", b"t"), ("ce_time", b"hier")]
    assert codes(headers) == {"ENVELOPE-VERSION", "ENVELOPE-ID", "ENVELOPE-MISSING", "ENVELOPE-TIME"}


def test_other_faults() -> None:
    assert codes(to_headers(ENVELOPE), None) == {"EMPTY"}
    assert codes(to_headers(ENVELOPE), b"") == {"EMPTY"}
    assert codes([*to_headers(ENVELOPE), ("ce_id", b"e-2")]) == {"HEADER-TWICE"}
    assert codes([], b"{") == {"JSON"}
    assert codes([], b"[]") == {"ENVELOPE-MISSING"}
    assert codes([], DATA) == {"ENVELOPE-MISSING"}
    assert codes([], structured(data=...)) == {"ENVELOPE-DATA"}
    assert codes([], structured(data=..., data_base64="*")) == {"ENVELOPE-DATA"}
    deep = b'{"specversion":"1.0","id":"a","source":"s","type":"t","data":' + b"[" * 500 + b"]" * 500 + b"}"
    assert codes([], deep) == {"ENVELOPE-DATA"}


def test_a_stop_is_not_refused_for_its_time() -> None:
    stop = Envelope("s-1", "ludibrume", "opposable.stop.requested.v1", "hier soir")
    assert from_headers(to_headers(stop), DATA)[0].time is None


def test_messages_never_repeat_values() -> None:
    secret = "jeanne@courriel.example"
    with pytest.raises(InputError) as caught:
        from_structured(structured(id=secret, time=secret, specversion=secret))
    assert all(secret not in str(problem.as_dict()) for problem in caught.value.problems)
    assert secret not in str(caught.value)
