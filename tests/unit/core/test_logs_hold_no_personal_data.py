"""A log line cannot carry a contact, whatever a careless caller or a library passes."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OpposableError
from shared.logging import configure, mask

PERSONAL = ["jeanne.martin@exemple.fr", "+33612345678", "06 12 34 56 78", "01.99.00.12.34", "203.0.113.9"]


@pytest.mark.parametrize("text", PERSONAL)
def test_masked_anywhere_in_a_text(text):
    assert text not in mask(f"before {text} after")


@pytest.mark.parametrize(
    "text", ["record acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11", "offset 12345678901 no", "127.0.0.1:9092"]
)
def test_what_operators_need_stays_readable(text):
    kept = mask(text)
    assert kept == text or "offset" in text


@pytest.mark.parametrize("text", PERSONAL)
def test_events_fields_and_exceptions(capsys, text):
    log = configure("test")
    log.info(f"hello {text}", topic=text, contact=text, count=3)
    try:
        try:
            raise ValueError(text)
        except ValueError as inner:
            raise KeyError(text) from inner
    except KeyError as error:
        log.error("failed", exc_info=error)
    logging.getLogger("library").warning("library says %s", text)
    try:
        raise OpposableError(f"careless {text}")
    except OpposableError:
        logging.getLogger("library").exception("with trace")
    out = capsys.readouterr().err
    assert text not in out
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 4
    assert lines[0]["count"] == 3
    assert lines[0]["dropped"] == 1
    assert lines[1]["exception"]["class"] == "KeyError"
    assert any("test_logs" in place for place in lines[1]["exception"]["at"])


@given(st.emails())
def test_no_e_mail_survives(address):
    assert address not in mask(f"x {address} y")
