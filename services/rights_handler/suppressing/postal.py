"""What two postal addresses that may be the same person's have in common: coarse traits, never enough to be taken for a match.

An address on paper is copied by hand: `12 RUE DES LILAS` becomes `12 R DES LILAS`, `DUPONT` becomes `DUPOND`. Only an equal
block is a match (the contact key); an address that shares a trait is *near*, and a person looks at it. A trait is the post
code, the number in the street and the first consonants of one word of the name. The index keeps a keyed hash of each: as
few bits as make a review worth its time, so that a trait alone is shared by many and points at nobody.
"""

from __future__ import annotations

import re
import unicodedata

CONSONANTS = 3
"""Letters of a name that count: DUPONT and DUPOND, MARTIN and MARTINE, BOYER and BOYÉ agree or nearly."""
_PARTICLES = frozenset(
    {"M", "MR", "MME", "MLLE", "MADAME", "MONSIEUR", "MADEMOISELLE", "DR", "ET", "DE", "DU", "DES", "LE", "LA"}
)
_INSIDE = re.compile(r"\b(?:APPT?|APPARTEMENT|BAT|BATIMENT|ETAGE|ESC|ESCALIER|PORTE|RES|RESIDENCE|HALL|CHEZ|BP|CS)\b")
"""Lines that say where in the building: their numbers are no street numbers."""
_POSTCODE = re.compile(r"\b(\d{5})\b(?!.*\b\d{5}\b)")
_NUMBER = re.compile(r"\b(\d{1,4})\b")


def traits(block: str) -> frozenset[str]:
    """`<post code>|<number>|<consonants>` for each word of the name; none where the block lacks one of the three."""
    lines = [line for part in _folded(block).split("\n") for line in part.split(",") if not _INSIDE.search(line)]
    text = " ".join(lines)
    postcode = _POSTCODE.search(text)
    number = _NUMBER.search(text[: postcode.start()]) if postcode else None
    if postcode is None or number is None:
        return frozenset()
    words = re.findall(r"[A-Z]{2,}", text[: number.start()])
    return frozenset(f"{postcode[1]}|{number[1]}|{_skeleton(word)}" for word in words if word not in _PARTICLES)


def _folded(block: str) -> str:
    """Upper case without accents; hyphens and apostrophes part words."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", block.upper()) if not unicodedata.combining(c))
    return re.sub(r"[-'’.]", " ", plain)


def _skeleton(word: str) -> str:
    """The first letter, then consonants, none twice in a row: `MARTIN` → `MRT`."""
    kept = word[0]
    for letter in word[1:]:
        if letter not in "AEIOUYH" and letter != kept[-1]:
            kept += letter
    return kept[:CONSONANTS]
