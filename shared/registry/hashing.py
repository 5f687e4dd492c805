"""Hash and signature of a recipient list.

The hash is over the canonical public JSON of the document without `sha256` and `signature`. The signature is a whole C2SP
signed note by the collector over `opposable-list`, id, version and hash, each on its line (contracts.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shared import canonical
from shared.crypto.note import Verifier, open_note
from shared.errors import IntegrityError
from shared.registry.shown import RecipientList

NOT_HASHED = frozenset({"sha256", "signature"})

SignatureState = Literal["missing", "good", "wrong"]


def list_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 (lower-case hex) of a list document as it stands in the registry."""
    return canonical.sha256_hex(canonical.dumps({k: v for k, v in document.items() if k not in NOT_HASHED}))


def note_text(list_id: str, version: int, sha256: str) -> str:
    """What the collector signs."""
    return f"opposable-list\n{list_id}\n{version}\n{sha256}\n"


def signature_state(published: RecipientList, vkeys: Sequence[str]) -> SignatureState:
    """Whether the list carries a good signature by one of the collector's keys. Anything unverifiable is `wrong`."""
    if published.signature is None:
        return "missing"
    try:
        note = open_note(published.signature.encode(), [Verifier.parse(vkey) for vkey in vkeys])
    except IntegrityError:
        return "wrong"
    return "good" if note.text == note_text(published.id, published.version, published.sha256) else "wrong"
