"""A stop that names a consent or a collector's reference names its person: it comes to hold that record's contacts. Pure.

A one-click link names a record and nothing else. Its orders already carry every contact of the record, so a party that folds
them refuses a later consent to the same address; the platform must do no less, and must still do it after the record is
erased. So the contact keys of a record *named* by a stop are written into the stop, once, at the first meeting. One hop:
a record that merely shares a contact with the stop adds nothing (families share telephones). docs/decisions/0040.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.rights_handler.domain import Grant, Stop, names, since
from services.rights_handler.kinds import request_of
from services.rights_handler.matching import meetings


def widened(stops: Sequence[Stop], grants: Sequence[Grant]) -> list[Stop]:
    """Those of the stops that name one of these records, with its contact keys; a stop older than the record gains none.

    They are returned even where they hold the keys already: whoever wrote them may have died before it looked for the further
    records they meet. A relayed request (erasure, rectification…) is about the records it names and gains nothing.
    """
    gained: dict[str, Stop] = {}
    naming = [s for s in stops if (s.record or s.subject_key) and request_of(s.id) is None]
    for stop, grant in meetings(naming, grants):
        before = gained.get(stop.id, stop)
        if names(stop, grant) and since(stop, grant):
            gained[stop.id] = replace(before, contact_keys=before.contact_keys | grant.contact_keys)
    return list(gained.values())
