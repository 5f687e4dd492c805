"""Which stops and which grants are about the same person: found by their keys, never by comparing all with all. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from services.rights_handler.domain import Grant, Stop


def meetings(stops: Sequence[Stop], grants: Sequence[Grant]) -> Iterator[tuple[Stop, Grant]]:
    """Every (stop, grant) about the same person, found by their keys: no product of two batches."""
    if not stops:
        return  # nearly always so for a batch of verdicts
    by_key: defaultdict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        for key in keys_of_grant(grant) | {_named(stop) for stop in grant.stopped_by}:
            by_key[key].append(grant)
    for stop in stops:
        met: dict[str, Grant] = {}
        for key in (*keys_of_stop(stop), _named(stop.id)):
            met.update((grant.record, grant) for grant in by_key.get(key, ()))
        for grant in met.values():
            yield stop, grant


def keys_of_grant(grant: Grant) -> set[str]:
    """Everything a stop may name the record by. Keys, references and records have forms that never collide."""
    named = {grant.record, grant.consent_id, *grant.contact_keys}
    return named if grant.subject_key is None else {*named, grant.subject_key}


def keys_of_stop(stop: Stop) -> set[str]:
    """Everything the stop names its person by; empty means nobody can be found by it."""
    return {*stop.contact_keys, *(key for key in (stop.subject_key, stop.record) if key)}


def _named(stop: str) -> str:
    return f"stop:{stop}"


def stops_by_record(stops: Sequence[Stop], grants: Sequence[Grant]) -> Mapping[str, list[Stop]]:
    """For each record, the stops about it."""
    found: defaultdict[str, list[Stop]] = defaultdict(list)
    for stop, grant in meetings(stops, grants):
        found[grant.record].append(stop)
    return found
