"""From a line of a table of consents to an event `opposable.consent.collected.v1`. Pure but for the key of the ids.

What does not change from line to line (form, notice, list, action, decisions) stands in a template, a JSON object of the same
contract; a column that is filled in replaces it. Each line is read by the platform's own model and normaliser, so that what
would be refused there is told here, with the column's pointer.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from services.cli.stop_import.layout import COLUMNS as STOP_COLUMNS
from services.cli.stop_import.layout import CONTACT_COLUMNS, Layout, plain_words
from services.cli.stop_import.rows import LOST, contact_of, date_of
from shared.contracts.partner import CONSENT_COLLECTED, ConsentCollected
from shared.contracts.types import CHANNELS
from shared.errors import ConfigurationError, InputError, Problem
from shared.intake.contacts import ContactFault, normalise
from shared.intake.schema import problems_of

TEXTS: Mapping[str, str] = {
    "consent_id": "/consent_id", "subject_ref": "/subject_ref", "country": "/country", "audience": "/audience",
    "age_band": "/age_band", "zone": "/zone", "medium": "/medium", "source_url": "/context/source_url", "ip": "/context/ip",
    "user_agent": "/context/user_agent", "session": "/context/session", "confirmed_by": "/action/confirmed_by",
}  # fmt: skip
"""Column → where its text goes."""
DATES: Mapping[str, str] = {"collected_at": "/collected_at", "displayed_at": "/recipient_list/displayed_at"}
COLUMNS: Mapping[str, frozenset[str]] = {
    **{field: STOP_COLUMNS[field] for field in CONTACT_COLUMNS},
    **{field: frozenset({plain_words(field)}) for field in TEXTS},
    "collected_at": frozenset({"collected at", "date", "recueilli le", "date de recueil", "date du consentement", "le"}),
    "displayed_at": frozenset({"displayed at", "affiche le"}),
    "consent_id": frozenset({"consent id", "consentement", "identifiant"}),
    "subject_ref": frozenset({"subject ref", "reference", "lead", "ref"}),
    "country": frozenset({"country", "pays"}),
    **{f"choice:{channel}": frozenset({plain_words(f"choice {channel}"), plain_words(f"choix {channel}")}) for channel in CHANNELS},
}  # fmt: skip
_CHOICES: Mapping[str, str] = {
    **dict.fromkeys(("granted", "yes", "oui", "true", "vrai", "1", "x", "accord", "accepte"), "granted"),
    **dict.fromkeys(("refused", "no", "non", "false", "faux", "0", "refus", "refuse"), "refused"),
    **dict.fromkeys(("not objected", "non oppose"), "not_objected"),
}  # fmt: skip
_ADAPTER: TypeAdapter[ConsentCollected] = TypeAdapter(ConsentCollected)


def template_of(path: Path | None) -> dict[str, Any]:
    """The template's object. Raises ConfigurationError."""
    if path is None:
        return {}
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise ConfigurationError(f"{path} is no JSON object") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} is no JSON object")
    return found


class Reader:
    """Reads lines as one party's events.

    `secret`: 32 bytes kept beside the file. Where no column names the consent, its id is a keyed hash of the line: the same
    line of the same file is the same consent, and the id, which the log keeps for ever, tells nothing of the person.
    """

    def __init__(self, party: str, template: Mapping[str, Any], secret: bytes) -> None:
        self._party, self._template, self._secret = party, template, secret

    def __call__(self, cells: Sequence[str], layout: Layout) -> dict[str, Any]:
        """The event of one line. Raises InputError naming everything that is wrong with it."""
        problems: list[Problem] = []
        data = self._data(cells, layout, problems)
        digest = hmac.digest(self._secret, orjson.dumps(data, option=orjson.OPT_SORT_KEYS), "sha256")
        data.setdefault("consent_id", str(uuid.UUID(bytes=digest[:16], version=4)))
        if not problems:
            problems = _faults(data)
        if problems:
            raise InputError(problems)
        event = {"specversion": "1.0", "id": f"csv-{digest.hex()[:48]}", "source": self._party}
        return {**event, "type": CONSENT_COLLECTED, "data": data}

    def _data(self, cells: Sequence[str], layout: Layout, problems: list[Problem]) -> dict[str, Any]:
        data: dict[str, Any] = orjson.loads(orjson.dumps(self._template))
        if LOST in "".join(cells):
            problems.append(
                Problem("ENCODING", "", "a byte of this line is no character: save the file as “CSV UTF-8”")
            )
        for field, place in layout.places.items():
            text = cells[place].strip() if place < len(cells) else ""
            if field.startswith("choice:"):
                _choose(data, field.removeprefix("choice:"), text, problems)
            elif text and field in TEXTS:
                _put(data, TEXTS[field], text.upper() if field == "country" else text)
            elif text and field in DATES:
                _date(data, DATES[field], text, problems)
            elif text:
                _contact(data, field, text, problems)
        return data


def _contact(data: dict[str, Any], field: str, text: str, problems: list[Problem]) -> None:
    found = contact_of(field, text)
    if found is not None and found["type"] == "":
        message = "neither an e-mail address, a number nor a postal address"
        problems.append(Problem("CONTACT-UNCLEAR", "/contacts", message))
    elif found is not None:
        data.setdefault("contacts", []).append(found)


def _date(data: dict[str, Any], pointer: str, text: str, problems: list[Problem]) -> None:
    """A date needs its hour here: evidence is dated to the second, and a day is not made to be one."""
    try:
        instant = date_of(text)
    except ValueError:
        instant = None
    if instant is None or ":" not in text.replace("h", ":"):
        message = "write the date with its hour: 2026-09-14T08:31:07Z, or 14/09/2026 10:31:07 (Paris)"
        problems.append(Problem("DATE", pointer, message))
    else:
        _put(data, pointer, instant)


def _choose(data: dict[str, Any], channel: str, text: str, problems: list[Problem]) -> None:
    """An empty cell takes the template's decisions on the channel away: nothing was chosen."""
    value = _CHOICES.get(plain_words(text))
    if text and value is None:
        problems.append(
            Problem("VALUE-UNKNOWN", "/decisions", f"the choice on {channel} is granted (oui) or refused (non)")
        )
        return
    decisions = [one for one in data.get("decisions", ()) if isinstance(one, dict)]
    mine = [one for one in decisions if one.get("channel") == channel]
    others = [one for one in decisions if one.get("channel") != channel]
    if value is not None and not mine:
        mine = [{"channel": channel, "purpose": "prospecting", "recipients": "all_listed"}]
    data["decisions"] = [*others, *({**one, "value": value} for one in mine if value is not None)]


def _put(data: dict[str, Any], pointer: str, value: str) -> None:
    *path, last = pointer.split("/")[1:]
    for name in path:
        inner = data.get(name)
        data[name] = inner if isinstance(inner, dict) else {}
        data = data[name]
    data[last] = value


def _faults(data: dict[str, Any]) -> list[Problem]:
    """What the platform would refuse of it."""
    try:
        model = _ADAPTER.validate_json(orjson.dumps(data))
    except ValidationError as error:
        return problems_of(error, data)
    found = []
    for place, contact in enumerate(model.contacts):
        try:
            normalise(contact.type, contact.value, model.country)
        except ContactFault as fault:
            found.append(Problem(fault.code, f"/contacts/{place}/value", str(fault)))
    return found
