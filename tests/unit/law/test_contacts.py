"""Normal forms of contacts; the short ways give exactly what the libraries give."""

from __future__ import annotations

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.intake.contacts import ContactFault, email, is_generic, normalise, phone, postal


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Jeanne.Martin@Exemple.FR ", "jeanne.martin@exemple.fr"),
        ("jeanne+jeux@exemple.fr", "jeanne+jeux@exemple.fr"),  # no provider's own games
        ("j.e.a.n.n.e@gmail.com", "j.e.a.n.n.e@gmail.com"),
        ("Zoé@exemple.fr", "zoé@exemple.fr"),
        ("jeanne@Chêne.example", "jeanne@xn--chne-hpa.example"),
        ("jeanne@xn--chne-hpa.example", "jeanne@xn--chne-hpa.example"),
        ("o'neil@exemple.fr", "o'neil@exemple.fr"),
    ],
)
def test_email(written: str, normal: str) -> None:
    assert email(written) == normal
    assert email(normal) == normal


@pytest.mark.parametrize(
    "written", ["a@b", "a@@b.fr", ".a@b.fr", "a.@b.fr", "a@-b.fr", "a@b.123", "a b@c.fr", "", "@b.fr", "a@b.invalid"]
)
def test_no_email(written: str) -> None:
    with pytest.raises(ContactFault) as caught:
        email(written)
    assert caught.value.code == "CONTACT-EMAIL"
    assert not written or written not in str(caught.value)


ATOM = st.text("abcXYZ019_+-.@ é", max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        lambda a, b, tld: f"{a}@{b}.{tld}", ATOM, ATOM, st.sampled_from(["fr", "example", "test", "local", "c0m", "x"])
    )
)
def test_the_short_way_for_email_is_exact(written: str) -> None:
    try:
        valid = validate_email(written.strip(), check_deliverability=False)
        expected = f"{valid.local_part.lower()}@{(valid.ascii_domain or valid.domain).lower()}"
    except EmailNotValidError:
        expected = None
    try:
        found: str | None = email(written)
    except ContactFault:
        found = None
    assert found == expected


@pytest.mark.parametrize(
    ("written", "region", "normal", "unassigned"),
    [
        ("06 12 34 56 78", "FR", "+33612345678", False),
        ("06 39 98 12 34", "FR", "+33639981234", True),  # a range kept for fiction
        ("+33 (0)1 99 00 12 34", "FR", "+33199001234", False),
        ("0033199001234", "FR", "+33199001234", False),
        ("01-99-00-12-34", "FR", "+33199001234", False),
        ("+32 2 555 12 12", "FR", "+3225551212", False),
        ("02 555 12 12", "BE", "+3225551212", False),
        ("0692 12 34 56", "RE", "+262692123456", False),
        ("+33 1 99 00 12 34", "BE", "+33199001234", False),
    ],
)
def test_phone(written: str, region: str, normal: str, *, unassigned: bool) -> None:
    assert phone(written, region).value == normal
    assert phone(normal, None).value == normal
    assert phone(written, region).unassigned is unassigned


@pytest.mark.parametrize(
    ("written", "region"), [("06 12", "FR"), ("", "FR"), ("bonjour", "FR"), ("0199001234", None), ("0199001234", "ZZ")]
)
def test_no_phone(written: str, region: str | None) -> None:
    with pytest.raises(ContactFault) as caught:
        phone(written, region)
    assert caught.value.code == "CONTACT-PHONE"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["0", "+33", "0033", "+33 0", "00 33", "33", ""]),
    st.integers(0, 9999999999),
    st.integers(7, 10),
    st.sampled_from(["FR", "BE", "GP"]),
)
def test_the_short_way_for_phones_is_exact(prefix: str, number: int, length: int, region: str) -> None:
    written = prefix + str(number).zfill(10)[:length]
    try:
        parsed = phonenumbers.parse(written, region)
        possible = phonenumbers.is_possible_number(parsed)
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        with pytest.raises(ContactFault):
            phone(written, region)
        return
    found = phone(written, region)
    assert found.value == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert found.unassigned is not phonenumbers.is_valid_number(parsed)


def test_post_and_others() -> None:
    block = "  Jeanne   Exemple \r\n\n12 rue des Tilleuls\n99000 Villexemple"
    assert postal(block) == "JEANNE EXEMPLE\n12 RUE DES TILLEULS\n99000 VILLEXEMPLE"
    assert postal(postal(block)) == postal(block)
    assert normalise("handle", " @Jeanne ", "FR").value == "@Jeanne"
    for kind in ("post", "handle", "browser"):
        with pytest.raises(ContactFault):
            normalise(kind, " \n ", "FR")  # type: ignore[arg-type]


def test_generic_mailboxes() -> None:
    assert is_generic("contact@boulangerie.example")
    assert is_generic("info+web@boulangerie.example")
    assert not is_generic("jeanne.contact@boulangerie.example")
