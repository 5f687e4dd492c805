"""Forty withdrawals, through every door, and the re-imports that some collectors send after them (Proximus, C-129/21)."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from world.events import STOP, Author, Line, decide
from world.people import Person, written
from world.sound import GAME, LIST, accepted


class Given(NamedTuple):
    """A sound consent and who gave it."""

    line: Line
    person: Person


def stops(given: list[Given], strangers: list[Person], rng: random.Random) -> list[Line]:
    """The forty lines. Those of one person come once, so that each propagation can be followed."""
    pool = _Pool(given, rng)
    lines: list[Line] = []

    def add(source: str, scenario: str, data: dict[str, Any], *, known: bool = True) -> None:
        number = len(lines) + 1
        body = {"stop_id": f"stop-{number:03d}", **data}
        ce = {"id": f"{source}-stop-{number:03d}", "source": source, "type": STOP}
        # The person said so a moment before the party published it.
        after = {"/at": -round(rng.uniform(0.2, 1.0), 3)}
        line = {"topic": f"in.{source}.rights", "key": body["stop_id"], "ce": ce, "after_s": after}
        lines.append({**line, "scenario": scenario, "data": body, "expect": {"status": "accepted", "known": known}})

    for _ in range(4):
        who = pool.take(lambda g: len(g.person.mailboxes) > 1 and _has_email(g))
        mail = {"type": "email", "value": who.person.mailboxes[1]}
        add(_collector(who), "by_linked_mailbox", {"contacts": [mail], "kind": "withdrawal", "via": "api"})
    for _ in range(12):
        who = pool.take(_has_email)
        mail = {"type": "email", "value": who.person.mailboxes[0]}
        via = rng.choice(["portal", "one_click", "letter"])
        # One click stops every sender only where the person says so: it is written out.
        add(_collector(who), "by_email", {"contacts": [mail], "kind": "withdrawal", "via": via, "recipients": "all"})
    for _ in range(8):
        who = pool.take(lambda g: "call" in _channels(g))
        phone = {"type": "phone", "value": written(who.person.phone, rng)}
        caller = next(d for d in who.line["data"]["decisions"] if d["channel"] == "call")["recipients"][0]
        add(caller, "by_phone_during_a_call", {"contacts": [phone], "kind": "withdrawal", "via": "oral"})
    for _ in range(4):
        who = pool.take(lambda g: g.line["scenario"] == "game_everything")
        phone = {"type": "phone", "value": who.person.phone}
        add("canalvert", "stop_by_sms_to_the_sender", {"contacts": [phone], "kind": "stop_reply", "via": "sms"})
    for index in range(4):
        who = pool.take(lambda g: g.line["scenario"] == "game_everything")
        mail = {"type": "email", "value": who.person.mailboxes[0]}
        scope = {"recipients": ["canalvert"]} if index % 2 else {"channels": ["sms", "call"]}
        add("acme", "scoped", {"contacts": [mail], "kind": "objection", "via": "portal", **scope})
    for index in range(4):
        who = pool.take(_has_email)
        data: dict[str, Any] = {"contacts": [], "kind": "withdrawal", "via": "api"}
        collector, consent = _collector(who), who.line["data"]
        if index % 2:
            add(collector, "by_record", {**data, "record": f"{collector}/{consent['consent_id']}"})
        else:
            add(collector, "by_subject_ref", {**data, "subject_ref": consent["subject_ref"]})
    for person in strangers[:4]:
        mail = {"type": "email", "value": person.mailboxes[0]}
        add("tisane", "unknown_person", {"contacts": [mail], "kind": "objection", "via": "letter"}, known=False)
    return lines


def reimports(author: Author, given: list[Given], stopped: list[Line]) -> list[Line]:
    """What comes back after the stops: three old consents, three undated refreshes, two new confirmed ones."""
    mailboxes = [s["data"]["contacts"][0]["value"] for s in stopped if s["scenario"] == "by_email"][:8]
    people = [next(g.person for g in given if box in g.person.mailboxes) for box in mailboxes]
    lines = []
    for index, person in enumerate(people):
        kind = "old" if index < 3 else "unconfirmed" if index < 6 else "confirmed"
        line = author.consent(person, GAME, LIST, [decide("email")], scenario=f"reimport_{kind}")
        line["data"]["action"]["confirmed_by"] = "double_opt_in" if kind == "confirmed" else None
        # An old consent is dated like the first wave, before the stop; the others after it.
        line |= {"wave": 2, "anchor": 1 if kind == "old" else 2}
        line["after_s"]["/collected_at"] = -0.25
        held = {"old": "STOPPED", "unconfirmed": "REOPEN-UNCONFIRMED"}.get(kind)
        line = accepted(line, valid=3)
        line["expect"]["held"] = held
        lines.append(line)
    return lines


class _Pool:
    """Consents in a random order, each person taken once."""

    def __init__(self, given: list[Given], rng: random.Random) -> None:
        self._left = rng.sample(given, len(given))
        self._phones: set[str] = set()

    def take(self, wanted: Any) -> Given:
        for index, candidate in enumerate(self._left):
            # A family shares a phone: one stop a household keeps the scenarios apart.
            if wanted(candidate) and candidate.person.phone not in self._phones:
                self._phones.add(candidate.person.phone)
                return self._left.pop(index)
        raise LookupError("the stream holds no consent left of the wanted kind")


def _channels(given: Given) -> set[str]:
    return {decision["channel"] for decision in given.line["data"]["decisions"]}


def _has_email(given: Given) -> bool:
    return any(contact["type"] == "email" for contact in given.line["data"]["contacts"])


def _collector(given: Given) -> str:
    return str(given.line["ce"]["source"])
