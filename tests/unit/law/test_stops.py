"""A stop is read leniently: what can be understood counts, what cannot widens it, and nobody is missed for a date."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_world import registry

from shared import canonical
from shared.contracts.envelope import Envelope
from shared.contracts.types import instant
from shared.errors import InputError
from shared.intake.accept import accept

T = "2026-10-02T17:05:00.000Z"
UUID = "019eca8d-c830-7dee-ae3e-c67dc8033b33"
PHONE = [{"type": "phone", "value": "+33199001234"}]


def stop(source: str = "televerveine", **data: Any) -> Any:
    return accept(
        Envelope("e-1", source, "opposable.stop.requested.v1"), orjson.dumps(data), party=source, received_at=instant(T),
        registry=registry(),
    )  # fmt: skip


def test_a_bare_stop_is_the_widest_and_dated_by_its_receipt() -> None:
    accepted = stop(contacts=PHONE)
    facts = accepted.facts
    assert accepted.record_id == "stop/televerveine/e-1"
    assert (facts["recipients"], facts["channels"], facts["purposes"]) == ("all", "all", "all")
    assert facts["at"] == facts["received_at"] == T
    assert facts["stop"] == "televerveine/e-1"
    assert accepted.sealed == {"contacts": PHONE}
    assert accepted.pointers == ["/contacts/0/value"]


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        ("2026-10-01T08:00:00.000Z", "2026-10-01T08:00:00.000Z"),
        ("2026-10-03T08:00:00.000Z", T),  # capped at receipt
        ("2026-10-02", T), ("hier", T), (12, T), (None, T), ("2026-10-02T10:00:00", T),
    ],
)  # fmt: skip
def test_date(at: Any, kept: str) -> None:
    assert stop(contacts=PHONE, at=at).facts["at"] == kept


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        (["televerveine"], ["televerveine"]), ("televerveine", ["televerveine"]), ("all", "all"), (["all"], "all"),
        ([], "all"), (None, "all"), (["televerveine", "inconnue-sa"], "all"), ({"a": 1}, "all"), ([7], "all"),
    ],
)  # fmt: skip
def test_recipients(given_: Any, read: Any) -> None:
    assert stop(contacts=PHONE, recipients=given_).facts["recipients"] == read


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        (["sms"], ["sms"]), ("SMS", ["sms"]), (["mms", "whatsapp"], ["sms"]), (["fax", "email"], ["automated_call", "email"]),
        (["pigeon"], "all"), (["sms", "pigeon"], "all"), ([None], "all"),
    ],
)  # fmt: skip
def test_channels(given_: Any, read: Any) -> None:
    assert stop(contacts=PHONE, channels=given_).facts["channels"] == read


def test_replies_and_one_click_speak_to_the_sender_addressed() -> None:
    assert stop(contacts=PHONE, kind="stop_reply").facts["recipients"] == ["televerveine"]
    assert stop(contacts=PHONE, via="one_click").facts["recipients"] == ["televerveine"]
    assert stop(contacts=PHONE, kind="stop_reply").facts["channels"] == "all"
    assert stop(contacts=PHONE, kind="stop_reply", recipients="all").facts["recipients"] == "all"
    assert stop(contacts=PHONE, kind="stop_reply", recipients=["assurbrelle"]).facts["recipients"] == ["assurbrelle"]
    assert stop("platform", contacts=PHONE, via="one_click").facts["recipients"] == "all"
    assert stop(contacts=PHONE, kind="withdrawal").facts["recipients"] == "all"


@pytest.mark.parametrize("odd", [None, 7, [], {"x": 1}, "inconnu"])
def test_odd_kind_via_and_id(odd: Any) -> None:
    facts = stop(contacts=PHONE, kind=odd, via=odd, stop_id=odd, future_field=odd).facts
    assert facts["stop_kind"] == "objection"
    assert facts["via"] == "api"
    assert facts["stop_id"] == ("inconnu" if odd == "inconnu" else "e-1")


def test_contacts_by_their_looks_and_by_the_country_of_the_party() -> None:
    accepted = stop(contacts=["Jeanne@Exemple.FR", {"value": "01 99 00 12 34"}, {"type": "fax", "value": 199001235}])
    assert accepted.sealed["contacts"] == [
        {"type": "email", "value": "jeanne@exemple.fr"},
        {"type": "phone", "value": "+33199001234"},
        {"type": "phone", "value": "+33199001235"},
    ]
    assert (
        stop(contacts={"type": "phone", "value": "02 555 12 12"}, country="BE").sealed["contacts"][0]["value"]
        == "+3225551212"
    )


def test_unusable_contacts_are_counted_and_kept_sealed() -> None:
    accepted = stop(
        contacts=[*PHONE, {"type": "phone", "value": "06 12"}, {"type": "email"}, None], subject_ref="lead-1"
    )
    assert accepted.facts["unusable_contacts"] == 3
    assert accepted.sealed["unusable"] == ["06 12", "", ""]
    assert accepted.sealed["collector_ref"] == "televerveine"
    assert "06 12" not in json.dumps(accepted.facts)
    assert "lead-1" not in json.dumps(accepted.facts)
    alone = stop(contacts=[{"type": "phone", "value": "06 12"}])  # opens an obligation, is not refused
    assert alone.facts["unusable_contacts"] == 1


def test_record() -> None:
    assert stop(record=f"ludibrume/{UUID}").facts["record"] == f"ludibrume/{UUID}"
    assert stop("ludibrume", record=UUID.upper()).facts["record"] == f"ludibrume/{UUID}"
    assert stop(record=UUID).facts["record"] == UUID  # a prospecteur cannot know whose: resolved later
    assert stop(consent_id=UUID).facts["record"] == UUID
    assert stop(contacts=PHONE, record="../..").facts["record"] is None


@pytest.mark.parametrize("data", [b"{}", b"[]", b"7", b"{", b'{"contacts":[]}', b'{"contacts":null,"subject_ref":""}'])
def test_only_what_names_nobody_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        accept(
            Envelope("e-1", "televerveine", "opposable.stop.requested.v1"), data, party="televerveine",
            received_at=instant(T), registry=registry(),
        )  # fmt: skip
    assert caught.value.problems[0].code in {"JSON", "FIELD-TYPE", "STOP-NOBODY"}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "stop_id",
    "at",
    "kind",
    "via",
    "recipients",
    "channels",
    "purposes",
    "subject_ref",
    "country",
    "record",
    "collector",
]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), st.sampled_from(["televerveine", "ludibrume", "platform"]))
def test_whatever_the_fields_hold_a_stop_with_a_contact_is_accepted(fields: dict[str, Any], source: str) -> None:
    accepted = stop(source, **{**fields, "contacts": PHONE})
    assert accepted.sealed["contacts"] == PHONE
    assert accepted.facts["at"] <= accepted.facts["received_at"]
    canonical.check(accepted.facts)
