"""Rows of an opposition list that exists already, each taken in as a stop like any other (RGPD 21(3); the list of L.223).

Contacts pass in clear through `in.platform.rights` (seven days, operator only), exactly as a stop by HTTP does, and are keyed
on arrival: no internal topic, key or log ever holds one. The id of a stop is a keyed hash of the whole row, so that the
same row sent twice, in one file or in two, is one stop, and so that an id tells nothing to whoever lacks the pepper.

Strict where a stop by a person is lenient: nobody waits for an answer here, and a typing mistake in a scope read as "everyone"
would close what nobody asked to close. A row that is not understood is answered with its reason and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import Field, TypeAdapter

from services.rights_handler.teller import Registry
from shared import canonical
from shared.contracts.partner import MAX_CONTACTS, Contact, Text
from shared.contracts.types import Channel, Contract, Country, Instant, PartyId, Purpose
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.accepted import contacts_of, read

ROWS_MOST = 500
"""Rows of one request: a few hundred kilobytes, half a second of work."""
MAX_BYTES = 1_048_576
DEFAULT_COUNTRY = "FR"
DAY = timedelta(days=1)
"""Today's date, without an hour, ends later than now: its stop is capped at its receipt, like any other."""


class ImportRow(Contract):
    """One row. Without `at` the date is that of the import; without a scope it is the widest."""

    contacts: tuple[Contact, ...] = Field(min_length=1, max_length=MAX_CONTACTS)
    at: Instant | None = None
    """When the person objected: consents collected up to then are covered; later ones re-open only if confirmed."""
    source: Text | None = None
    """Which list it comes from: sealed with the contact, for whoever must prove the objection."""
    party: PartyId | None = None
    """Who received the objection."""
    country: Country | None = None
    recipients: tuple[PartyId, ...] | None = None
    channels: tuple[Channel, ...] | None = None
    purposes: tuple[Purpose, ...] | None = None


class ImportBody(Contract):
    """`POST /v1/stops/import`. Each row is read by itself: one that is not understood is answered with its reason."""

    rows: tuple[ImportRow, ...] = Field(min_length=1, max_length=ROWS_MOST)


_ROW = TypeAdapter(ImportRow)
KeyOf = Callable[[bytes], str]
"""A keyed hash of a row, 32 characters or so of `[A-Za-z0-9_-]`."""


def rows_of(body: bytes) -> list[bytes]:
    """The rows of a request, each still to be read. Raises InputError where the request has another form."""
    try:
        parsed = orjson.loads(body) if len(body) <= MAX_BYTES else None
    except orjson.JSONDecodeError:
        parsed = None
    rows = parsed.get("rows") if isinstance(parsed, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= ROWS_MOST:
        raise InputError(
            [Problem("BATCH", "/rows", f"an object with 1 to {ROWS_MOST} rows, {MAX_BYTES} bytes at most")]
        )
    try:
        return [orjson.dumps(row) for row in rows]
    except orjson.JSONEncodeError:
        raise InputError([Problem("JSON", "/rows", "a row is nested beyond reason")]) from None


def stop_of(row: bytes, registry: Registry, key_of: KeyOf, now: datetime) -> dict[str, Any]:
    """The stop of one row (`opposable.stop.requested.v1`), its `stop_id` included. Raises InputError with every reason."""
    model = read(_ROW, row)
    problems = [
        Problem("PARTY-UNKNOWN", f"/{name}", "no registered party has this id")
        for name, parties in (("party", (model.party,)), ("recipients", model.recipients or ()))
        if any(party is not None and registry.view.party(party) is None for party in parties)
    ]
    for name, values in (("recipients", model.recipients), ("channels", model.channels), ("purposes", model.purposes)):
        if values == ():
            problems.append(Problem("VALUE-UNKNOWN", f"/{name}", "an empty scope: leave it out to mean all"))
    if model.at is not None and model.at > now + DAY:
        problems.append(Problem("TIME-FUTURE", "/at", "the date lies in the future"))
    country = model.country or getattr(registry.view.party(model.party or ""), "country", None) or DEFAULT_COUNTRY
    try:
        contacts = contacts_of(model.contacts, country, [])
    except InputError as error:
        problems += error.problems
        contacts = []
    if problems:
        raise InputError(problems)
    stop: dict[str, Any] = {
        "contacts": sorted(contacts, key=lambda c: (c["type"], c["value"])),
        "kind": "objection",
        "via": "api",
        "recipients": _scope(model.recipients),
        "channels": _scope(model.channels),
        "purposes": _scope(model.purposes),
    }
    optional: Mapping[str, str | None] = {
        "at": None if model.at is None else format_instant(model.at),
        "operator_reference": model.source,
        "received_by": model.party,
    }
    stop.update({name: value for name, value in optional.items() if value is not None})
    return {**stop, "stop_id": f"import:{key_of(canonical.dumps(stop))}"}


def _scope(values: tuple[str, ...] | None) -> list[str] | str:
    return "all" if values is None else sorted(set(values))
