"""What of a record's entries goes into the proof for one audience, and what its manifest only lists. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.proof_archive.bundles.disclosures import Disclosure, disclose_lines, open_verdicts
from services.proof_archive.bundles.dossier import Item
from services.proof_archive.bundles.entries import ReadEntry, read_entry
from services.proof_archive.bundles.links import is_tied, ties_of
from services.proof_archive.bundles.manifest import Audience, Reference
from services.proof_archive.entitlement import lines_shown, may_see
from services.proof_archive.verifying.codes import Refused


class Chosen(NamedTuple):
    """What goes in, as items and as read, what is only listed, and the lines of verdicts that are shown."""

    items: list[Item]
    read: list[ReadEntry]
    withheld: list[Reference]
    lines: list[Disclosure]


def choose(record: str, items: Sequence[Item], audience: Audience) -> Chosen:
    """What this audience receives, and what it does not: withheld from it, or not tied without what is."""
    read: dict[tuple[int, int], ReadEntry] = {}
    shown: dict[tuple[int, int], list[Disclosure]] = {}
    for item in items:
        try:
            entry = read_entry(item.origin, item.index, item.data, item.body)
            if item.opened is not None:
                pointers = lines_shown(audience, item)
                shown[item.log, item.index] = disclose_lines(item.origin, item.index, item.opened, pointers)
            found = open_verdicts([entry], shown.get((item.log, item.index), ()), [""])
            read[item.log, item.index] = found[0]
        except Refused:  # archived as it was received, but not of a form that a bundle can explain
            continue
    seen = [item for item in items if (item.log, item.index) in read and may_see(audience, item)]
    ties = ties_of(record, [read[item.log, item.index] for item in seen])
    chosen = [item for item in seen if is_tied(read[item.log, item.index], ties)]
    places = {(item.log, item.index) for item in chosen}
    withheld = [
        Reference(origin=item.origin, index=item.index, topic=item.topic, kind=item.kind or "unreadable")
        for item in items
        if (item.log, item.index) not in places
    ]
    return Chosen(
        chosen,
        [read[item.log, item.index] for item in chosen],
        withheld,
        [line for item in chosen for line in shown.get((item.log, item.index), ())],
    )
