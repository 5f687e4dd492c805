"""Building blocks of the stream: one line of the file, one consent event, its decisions and relative dates."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from world.companies import COMPANIES, NOTICES
from world.people import Person, typed, written

EXAMPLE = Path(__file__).parents[1]
REFERENCE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""Only the time bits of the invented identifiers (UUID version 7) come from here; every date in the file is relative."""

CONSENT = "opposable.consent.collected.v1"
STOP = "opposable.stop.requested.v1"
YEAR_S = 360 * 86_400
AGENTS = ("Mozilla/5.0 (X11; exemple)", "Mozilla/5.0 (Android; exemple)", "Mozilla/5.0 (iPhone; exemple)")

Line = dict[str, Any]


class Catalogue(NamedTuple):
    """Hashes of what is registered, by (id, version)."""

    forms: dict[tuple[str, int], dict[str, Any]]
    lists: dict[tuple[str, int], dict[str, Any]]
    notices: dict[str, dict[str, Any]]


def catalogue() -> Catalogue:
    """Read the example registry back, so that events quote the hashes that were really published."""

    def read(name: str) -> list[dict[str, Any]]:
        text = (EXAMPLE / f"registry/{name}.yaml").read_text("utf-8")
        return list(yaml.load_all(text, yaml.BaseLoader))

    forms = {(d["id"], int(d["version"])): d for d in read("forms")}
    lists = {(d["id"], int(d["version"])): d for d in read("lists")}
    notices = {d["id"]: d for d in read("notices")}
    return Catalogue(forms, lists, notices)


class Author:
    """Writes events with one random generator, so that the whole file follows from its seed."""

    def __init__(self, rng: random.Random, registered: Catalogue) -> None:
        self.rng, self.registered = rng, registered
        self._count = 0

    def identifier(self) -> str:
        """A UUID version 7 of the reference day."""
        millis = int(REFERENCE.timestamp() * 1000) + self.rng.randrange(86_400_000)
        value = millis << 80 | 7 << 76 | self.rng.getrandbits(12) << 64 | 2 << 62 | self.rng.getrandbits(62)
        return str(uuid.UUID(int=value))

    def consent(
        self,
        person: Person,
        form: tuple[str, int],
        recipients: tuple[str, int] | None,
        decisions: list[dict[str, Any]],
        *,
        scenario: str,
    ) -> Line:
        """One well-formed line; scenarios then bend what they are about. Recipients: the list shown."""
        self._count += 1
        number, registered = self._count, self.registered.forms[form]
        collector = registered["collector"]
        clicked = -round(self.rng.uniform(0.5, 6.0), 3)
        notice, version = NOTICES[collector]
        tracked = decisions[0]["channel"] == "tracker"
        data: dict[str, Any] = {
            "consent_id": self.identifier(),
            "zone": "Europe/Paris",
            "country": "FR",
            "subject_ref": f"lead-{self.rng.getrandbits(32):08x}",
            "audience": "consumer",
            "age_band": "adult",
            "contacts": self._contacts(person, decisions),
            "form": {"id": form[0], "version": form[1], "sha256": registered["html_sha256"]},
            "notice": {"version": version, "sha256": self.registered.notices[notice]["sha256"], "language": "fr"},
            "action": {
                "type": "button" if tracked else "checkbox",
                "default_state": registered["boxes"][0]["default"],
                "confirmed_by": "double_opt_in" if self.rng.random() < 0.6 and not tracked else None,
            },
            "decisions": decisions,
            "medium": "web",
            "context": {
                "source_url": f"https://{collector}.example/{form[0]}",
                "ip": f"203.0.113.{self.rng.randrange(1, 255)}",
                "user_agent": self.rng.choice(AGENTS),
            },
        }
        after = {"/collected_at": clicked}
        if recipients:
            data["recipient_list"] = {
                "id": recipients[0],
                "version": recipients[1],
                "sha256": self.registered.lists[recipients]["sha256"],
            }
            after["/recipient_list/displayed_at"] = round(clicked - self.rng.uniform(5, 60), 3)
        for index, decision in enumerate(decisions):
            if decision["channel"] == "call" and decision["value"] == "granted":
                after[f"/decisions/{index}/valid_until"] = YEAR_S
        ce = {"id": f"{collector}-{number:05d}", "source": collector, "type": CONSENT}
        topic = f"in.{collector}.consents"
        return {
            "topic": topic,
            "key": data["consent_id"],
            "ce": ce,
            "after_s": after,
            "scenario": scenario,
            "data": data,
        }

    def _contacts(self, person: Person, decisions: list[dict[str, Any]]) -> list[dict[str, str]]:
        channels = {decision["channel"] for decision in decisions}
        if channels == {"tracker"}:
            return [{"type": "browser", "value": f"b-{self.rng.getrandbits(64):016x}"}]
        contacts = [{"type": "email", "value": typed(box, self.rng)} for box in person.mailboxes]
        if channels & {"sms", "call"} or self.rng.random() < 0.5:
            contacts.append({"type": "phone", "value": written(person.phone, self.rng)})
        if "post" in channels:
            contacts.append({"type": "post", "value": person.address})
        return contacts


def decide(channel: str, value: str = "granted", *recipients: str, purpose: str = "prospecting") -> dict[str, Any]:
    """One decision; without recipients it is for all that the list names."""
    named: Any = list(recipients) or "all_listed"
    decision = {"channel": channel, "purpose": purpose, "value": value, "recipients": named}
    if channel == "call" and recipients:
        company = COMPANIES[recipients[0]]
        decision |= {"sector": company.sector, "object": company.offer}
    return decision


def dump(lines: list[Line]) -> str:
    """The file's text: one JSON object a line, compact, accents as they are."""
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
