"""Contacts as the platform writes them, and your match keys. pip install phonenumbers email-validator

python contacts.py match-key.json < contacts.tsv     (type TAB country TAB value; | = line break of an address)
prints, for each line, its match key and the normal form, or "-" and why there is none.
"""

import base64
import hashlib
import hmac
import json
import sys
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email


def normalise(kind, value, country=None):
    """The normal form of a contact. Raises ValueError where it can be nobody's."""
    if kind == "email":
        try:
            found = validate_email(value.strip(), check_deliverability=False)
        except EmailNotValidError:
            raise ValueError("no e-mail address") from None
        return f"{found.local_part.lower()}@{found.ascii_domain.lower()}"
    if kind == "phone":
        try:
            number = phonenumbers.parse(value, country)
        except phonenumbers.NumberParseException:
            raise ValueError("no telephone number") from None
        if not phonenumbers.is_possible_number(number):
            raise ValueError("no number of this country")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    text = unicodedata.normalize("NFC", value)
    if kind == "post":  # spaces evened out, blank lines dropped, upper case
        lines = [" ".join(line.split()) for line in text.splitlines()]
        text = "\n".join(line for line in lines if line).upper()
    if not text.strip():
        raise ValueError("blank")
    return text.strip()


def match_key(key, kind, normal):
    """What permissions and orders call this contact. `key`: the answer of GET /v1/match-key."""
    digest = hmac.digest(base64.b64decode(key["key"]), f"{kind}\0{normal}".encode(), hashlib.sha256)
    return f"m{key['version']}." + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        key = json.load(file)
    for line in sys.stdin:
        kind, country, value = line.rstrip("\n").split("\t")
        try:
            normal = normalise(kind, value.replace("|", "\n"), country or None)
        except ValueError as error:
            print(f"-\t{error}")
        else:
            print(match_key(key, kind, normal) + "\t" + normal.replace("\n", "|"))
