"""Where an HTTP partner stands in its feed: next offset of each partition, as a text that is the partner's to keep. Pure.

The text is not secret and not signed: the topic that is read derives from the caller's key alone, never from the cursor.
Party and feed stand in it so that a mistake is told instead of skipping events.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import orjson

from shared.errors import InputError, Problem

VERSION = "f1."
MOST = 4096
OFFSET_MOST = 2**63 - 1
Offsets = Mapping[int, int]


def write(party: str, feed: str, offsets: Offsets) -> str:
    """The cursor's text."""
    body = orjson.dumps([party, feed, sorted(offsets.items())])
    return VERSION + base64.urlsafe_b64encode(body).decode().rstrip("=")


def read(text: str, party: str, feed: str) -> dict[int, int]:
    """The offsets of a cursor. Raises InputError where it is none, another party's or another feed's."""
    if len(text) > MOST or not text.startswith(VERSION):
        raise _wrong("not a cursor of this feed: give back `next` as it was")
    encoded = text.removeprefix(VERSION)
    try:
        owner, named, pairs = orjson.loads(base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True))
        offsets = dict(pairs)
    except (binascii.Error, ValueError, TypeError):
        raise _wrong("not a cursor of this feed: give back `next` as it was") from None
    if (owner, named) != (party, feed):
        raise _wrong("this cursor belongs to another feed")
    for partition, offset in offsets.items():
        if type(partition) is not int or type(offset) is not int or not 0 <= offset <= OFFSET_MOST:
            raise _wrong("not a cursor of this feed: give back `next` as it was")
    return offsets


def _wrong(message: str) -> InputError:
    return InputError([Problem("CURSOR", "/after", message)])
