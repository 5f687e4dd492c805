"""From the internal event `request.received` to a request. Anything unreadable raises InputError: it goes to `dead`."""

from __future__ import annotations

from services.rights_handler.decoding import Internal, instant
from services.rights_handler.persons import Person, Persons
from services.rights_handler.requests.domain import opened
from services.rights_handler.requests.model import Request
from shared.errors import InputError, Problem
from shared.instants import format_instant, from_millis


def request_of_event(event: Internal, person: Person, persons: Persons, timestamp_ms: int) -> Request:
    """The request of an event. `timestamp_ms`: the broker's time, where the facts give none."""
    facts = event.facts
    received = format_instant(from_millis(timestamp_ms))
    try:
        received = instant(facts.get("received_at") or received)
        return opened(
            Request(
                id=facts["request"], source=facts["source"], right=facts["right"],
                asked_at=instant(facts.get("asked_at") or received), received_at=received, due_at=received,
                verified=(facts.get("identity") or {}).get("verified") is True,
                contact_keys=persons.contact_keys(person),
                subject_key=persons.subject_key(person.collector_ref or facts["source"], person.subject_ref),
                record=facts.get("record"), sealed=event.sealed,
            )
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        message = "a fact of request.received is missing or has another form"
        raise InputError([Problem("FACTS", "", message)]) from None
