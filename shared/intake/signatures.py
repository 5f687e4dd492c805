"""A signed acknowledgement: the party's own registered key says that an order was applied (optional; contracts.md).

`signature` is a whole C2SP signed note, Ed25519, over this text, each value on its line and each line ended by a line feed:

    opposable-ack
    <order_id>
    <status>
    <applied_at, as sent, or ->
    <last_send_at, as sent, or ->

Instants as RFC 3339 UTC with milliseconds. A signature that does not hold is no acknowledgement: it is refused with its
reason (a receipt, the bytes kept in `dead`), and the order stays open. Without a signature the party's channel alone
vouches for it, and the archive says so (`signed_by` null).
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.crypto.note import Verifier, open_note
from shared.errors import InputError, IntegrityError, Problem

CODE = "ACK-SIGNATURE"
_POINTER = "/signature"


def ack_text(order_id: str, status: str, applied_at: str | None, last_send_at: str | None) -> str:
    """The text to sign."""
    return f"opposable-ack\n{order_id}\n{status}\n{applied_at or '-'}\n{last_send_at or '-'}\n"


def signed_by(signature: str, text: str, vkeys: Sequence[str]) -> str:
    """The name of the registered key that signed. Raises InputError (`ACK-SIGNATURE`) saying what does not hold."""
    if not vkeys:
        raise _wrong("the registry holds no public key of this party: register one, or answer without a signature")
    try:
        note = open_note(signature.encode(), [Verifier.parse(vkey) for vkey in vkeys])
    except (IntegrityError, UnicodeEncodeError) as error:
        raise _wrong(f"the signed note does not open under the party's registered keys: {error}") from None
    if note.text != text:
        raise _wrong("the note signs another text than this answer: order, status and dates must be those sent")
    return note.verified[0].name


def _wrong(message: str) -> InputError:
    return InputError([Problem(CODE, _POINTER, f"{message}; the answer is not counted and the order stays open")])
