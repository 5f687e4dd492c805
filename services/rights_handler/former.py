"""What earlier verdicts of a record permitted, so that whoever was told "you may" is told when it ends. Pure.

A record may be assessed again: under a new rule set, after a party was suspended, with documents that were unknown before. A
line that any earlier verdict held valid, and that the latest does not permit, has *ended*: a plain refusal would speak as if
nothing had ever been granted. Being told once too often that a permission ended harms nobody; not being told does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.rights_handler.domain import Decision, Grant, Line

Name = tuple[str | None, str, str, str, str | None]
"""Recipient, channel, purpose, sector, object: what a line is called whatever was found of it."""
NAMED_BY = ("recipient", "channel", "purpose", "sector", "object")
SUPERSEDED = "SUPERSEDED"
"""Reason of a line that the latest verdict does not have any more."""


def name_of(line: Line) -> Name:
    """What the line is called."""
    return line.recipient, line.channel, line.purpose, line.sector, line.object


def valid_names(grant: Grant) -> frozenset[Name]:
    """The lines that a verdict holds valid."""
    return frozenset(name_of(line) for line in grant.lines if line.verdict == "valid")


def vanished(grant: Grant, once: Collection[Name]) -> Sequence[Decision]:
    """Lines that were valid once and that the latest verdict does not have, as ended."""
    there = {name_of(line) for line in grant.lines}
    names = sorted(set(once) - there, key=str)
    lines = [Line(*name, "granted", "invalid", "none", None, None, (SUPERSEDED,)) for name in names]
    return [Decision(line, granted=False, reasons=line.reasons) for line in lines]
