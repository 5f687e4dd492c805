"""How an opposition list is written: its encoding, its separator, what its columns mean. Found, told, never guessed in silence.

One pass over the bytes in constant memory: a file is UTF-8 if every byte of it is, else Windows-1252, as French spreadsheets
save it. The separator is the one the header line holds most of. Column names are read in French and in English.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import InputError, Problem

CHUNK = 1 << 20
SEPARATORS = (";", ",", "\t")
_HEADER_MOST = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

CONTACT_COLUMNS = ("contact", "email", "phone", "post")
COLUMNS: Mapping[str, frozenset[str]] = {
    "contact": frozenset({"contact", "coordonnee", "coordonnees", "contacts"}),
    "email": frozenset({"email", "e mail", "mail", "courriel", "adresse email", "adresse e mail", "adresse mail"}),
    "phone": frozenset({"phone", "telephone", "tel", "mobile", "portable", "numero", "numero de telephone", "msisdn"}),
    "post": frozenset({"post", "adresse", "adresse postale", "address", "postal address"}),
    "source": frozenset({"source", "origine", "liste", "list", "reference"}),
    "date": frozenset({"date", "date d opposition", "date opposition", "opposed at", "at", "le"}),
    "channels": frozenset({"channels", "channel", "canaux", "canal"}),
    "recipients": frozenset({"recipients", "recipient", "destinataires", "destinataire"}),
    "purposes": frozenset({"purposes", "purpose", "finalites", "finalite"}),
    "party": frozenset({"party", "partie", "societe", "company", "recu par", "received by"}),
    "country": frozenset({"country", "pays"}),
}
"""Field → the names it goes by, without accents, case or punctuation. Other columns are kept in the rejects, and not sent."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What was found of a file."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    places: Mapping[str, int]
    """Field → column."""
    size: int
    sha256: str


def layout_of(path: Path, columns: Mapping[str, frozenset[str]] = COLUMNS) -> Layout:
    """Look at a file. Raises InputError (`ENCODING`, `HEADER`) where it cannot be a list."""
    encoding, size, digest = _bytes(path)
    with path.open(encoding=encoding, newline="", errors="replace") as text:
        first = text.readline(_HEADER_MOST)
    separator = max(SEPARATORS, key=first.count)
    header = tuple(next(csv.reader([first], delimiter=separator), ()))
    return Layout(encoding, separator, header, places_of(header, columns), size, digest)


def places_of(header: Sequence[str], columns: Mapping[str, frozenset[str]] = COLUMNS) -> dict[str, int]:
    """Field → column. Raises InputError (`HEADER`) without a contact column, or where two columns mean the same."""
    places: dict[str, int] = {}
    for column, title in enumerate(header):
        plain = plain_words(title)
        for field, names in columns.items():
            if plain in names:
                if field in places:
                    raise InputError([Problem("HEADER", f"/{column}", f"two columns mean “{field}”: keep one")])
                places[field] = column
    if not any(field in places for field in CONTACT_COLUMNS):
        wanted = "contact (or email, phone, post; in French: coordonnée, courriel, téléphone, adresse)"
        raise InputError(
            [Problem("HEADER", "", f"the first line names no column of contacts: one must be called {wanted}")]
        )
    return places


def plain_words(text: str) -> str:
    """Lower case, without accents, punctuation as single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def _bytes(path: Path) -> tuple[str, int, str]:
    """(encoding, size, SHA-256), in one pass."""
    decoder, utf8, size, digest, begin = codecs.getincrementaldecoder("utf-8")(), True, 0, hashlib.sha256(), b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            begin = begin or chunk[:4]
            size += len(chunk)
            digest.update(chunk)
            utf8 = utf8 and _decodes(decoder, chunk, final=False)
    if begin.startswith(_UTF16):
        raise InputError([Problem("ENCODING", "", "the file is UTF-16: save it as “CSV UTF-8”")])
    if not size:
        raise InputError([Problem("HEADER", "", "the file is empty")])
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    return ("utf-8-sig" if utf8 else "cp1252"), size, digest.hexdigest()


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
