"""Bundles and trust files altered in every way we could think of, each made anew from its family, seed and number alone.

Cheap families attack the file; the others redo every hash and signature that an attacker, or the platform itself, could
redo, so that each deeper check is what answers.
"""

from collections.abc import Callable, Iterator

from mutants_base import SEED, Draw, Mutant
from mutants_file import (
    entries_moved,
    members_altered,
    members_moved,
    members_resigned,
    raw_edits,
    raw_flips,
    zip_headers,
)
from mutants_json import bodies, disclosures, entry_texts, facts, lines, manifests
from mutants_notes import checkpoint_texts, proofs, signature_lines, trust_files
from mutants_stamps import evidence, forged_tokens, statements, token_bytes, token_elements

FAMILIES: dict[str, tuple[Callable[[Draw], Mutant], float]] = {
    "raw-flips": (raw_flips, 0.20),
    "raw-edits": (raw_edits, 0.11),
    "zip-headers": (zip_headers, 0.07),
    "members-altered": (members_altered, 0.08),
    "members-moved": (members_moved, 0.06),
    "entries-moved": (entries_moved, 0.01),
    "members-resigned": (members_resigned, 0.06),
    "manifests": (manifests, 0.06),
    "disclosures": (disclosures, 0.04),
    "facts": (facts, 0.06),
    "lines": (lines, 0.08),
    "bodies": (bodies, 0.02),
    "entry-texts": (entry_texts, 0.03),
    "checkpoint-texts": (checkpoint_texts, 0.03),
    "signature-lines": (signature_lines, 0.04),
    "proofs": (proofs, 0.03),
    "trust-files": (trust_files, 0.03),
    "token-bytes": (token_bytes, 0.02),
    "token-elements": (token_elements, 0.02),
    "forged-tokens": (forged_tokens, 0.02),
    "statements": (statements, 0.02),
    "evidence": (evidence, 0.01),
}
"""Each family with its share of the mutants."""


def mutants(total: int, seed: int = SEED) -> Iterator[Mutant]:
    """About `total` mutants, the same ones each time."""
    for family, (_, share) in FAMILIES.items():
        for number in range(max(1, round(total * share))):
            yield mutant(f"{seed}/{family}/{number}")


def mutant(name: str) -> Mutant:
    """The mutant of this name."""
    family = name.split("/")[1]
    return FAMILIES[family][0](Draw(name))._replace(name=name)
