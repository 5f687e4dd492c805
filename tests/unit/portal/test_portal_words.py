"""Plain words for every reason of the rules, and contacts that are read and masked."""

from dataclasses import replace

import pytest

from services.consent_validator.rules.book import CATALOGUE
from services.rights_handler.domain import Grant
from services.rights_handler.portal.contact import mask, read_contact
from services.rights_handler.portal.passes import Seals, name_of, new_code, new_token
from services.rights_handler.portal.words import CHANNELS, UNKNOWN_REASON, link_mail, why
from services.rights_handler.rows import grant_of, grant_row
from shared.contracts.types import CHANNELS as ALL
from shared.errors import IntegrityError
from shared.intake.contacts import ContactFault


def test_every_reason_has_plain_words_and_every_channel_a_name():
    for rule in CATALOGUE:
        (words,) = why([rule.code])
        assert words != UNKNOWN_REASON, rule.code
        assert rule.code not in words
    assert why(["NEW-CODE"]) == [UNKNOWN_REASON]
    assert why(["FORM-HASH", "FORM-LATER"]) == why(["FORM-HASH"])
    assert set(CHANNELS) == set(ALL)


def test_contacts_are_read_as_consents_have_them():
    assert read_contact(" Jeanne@Courriel.example ").value == "jeanne@courriel.example"
    assert (read_contact("06 12 34 56 78").kind, read_contact("06 12 34 56 78").value) == ("phone", "+33612345678")
    assert read_contact("+32 470 12 34 56").value == "+32470123456"
    for text in ("", "  ", "jeanne", "a@b", "12", "a" * 255):
        with pytest.raises(ContactFault):
            read_contact(text)
    assert "jeanne" not in repr(read_contact("jeanne@courriel.example"))


def test_masks_tell_owners_only():
    assert mask("email", "jeanne@courriel.co.uk") == "j•••@c•••.uk"
    assert mask("phone", "+33612345678") == "+33 • •• •• •• 78"
    assert "PAIX" not in mask("post", "12 RUE DE LA PAIX")


def test_a_sealed_contact_belongs_to_its_row():
    seals, contact = Seals(b"p" * 32), read_contact("jeanne@courriel.example")
    blob = seals.seal("row", contact, "secret")
    assert seals.open("row", blob) == (contact, "secret")
    with pytest.raises(IntegrityError):
        seals.open("other", blob)
    with pytest.raises(IntegrityError):
        Seals(b"q" * 32).open("row", blob)


def test_tokens_and_codes_are_random_and_only_their_hash_is_kept():
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {43}
    assert {len(new_code()) for _ in range(200)} == {6}
    token = tokens.pop()
    assert len(name_of(token)) == 64
    assert token not in name_of(token)


def test_the_mail_of_a_link_holds_one_address_and_no_image():
    _, text = link_mail("https://mes-donnees.example/me/abc", 15)
    assert text.count("http") == 1
    assert "<" not in text
    assert "15 minutes" in text


def test_a_record_keeps_the_form_it_was_given_on_through_the_database():
    grant = Grant(
        "acme/x",
        "v",
        "acme",
        "x",
        "t",
        "t",
        confirmed=True,
        via=(),
        contact_keys=frozenset({"p1.a"}),
        subject_key=None,
        ruleset="1",
        lines=(),
        sealed=None,
        form="form:f:7",
    )
    assert grant_of(grant_row(grant)) == grant
    assert grant_of(grant_row(replace(grant, form=None))).form is None
