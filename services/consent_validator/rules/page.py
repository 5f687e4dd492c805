"""What the registry alone says of an event's page and of each of its lines: worked out once, kept with the registry's state.

Most events of a day cite the same few form and list versions. A `Page` is what they share: the registered documents of one
(collector, form version, list version, day of collection); a `Place` is one recipient × channel × purpose on it. Both hang on
`RegistryView.memo`, which is emptied whenever the registry changes: nothing here can outlive what it was read from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from shared.registry.models import Agreement, Party
from shared.registry.shown import Box, Form, RecipientList
from shared.registry.view import Reference, RegistryView

MOST_PAGES = 2000
MOST_PLACES = 20_000
"""Bounds of what is remembered: past them it is forgotten and worked out again."""


class Page:
    """The registered documents that events with the same collector, form, list and day share."""

    __slots__ = (
        "agreements", "archived", "collector", "day", "form", "list_", "party", "places", "references", "registry",
    )  # fmt: skip

    def __init__(
        self, registry: RegistryView, collector: str, form: tuple[str, int], list_: tuple[str, int] | None, day: date
    ) -> None:
        self.registry, self.collector, self.day = registry, collector, day
        self.party: Party | None = registry.party(collector)
        self.form: Form | None = registry.form(*form)
        self.list_: RecipientList | None = registry.list_(*list_) if list_ is not None else None
        self.places: dict[tuple[str | None, str, str], Place] = {}
        self.agreements: dict[str, Sequence[Agreement]] = {}
        keys = [f"form:{form[0]}:{form[1]}"] if self.form is not None else []
        if self.list_ is not None:
            keys.append(f"list:{self.list_.id}:{self.list_.version}")
        cited = references(registry, keys)
        self.archived: datetime | None = max((r.archived_at for r in cited if r.archived_at is not None), default=None)
        """When the last of form and list was archived."""
        self.references = (*cited, *references(registry, [f"party:{collector}"]))

    def place(self, recipient: str | None, channel: str, purpose: str) -> Place:
        """One recipient × channel × purpose."""
        key = (recipient, channel, purpose)
        place = self.places.get(key)
        if place is None:
            if len(self.places) >= MOST_PLACES:
                self.places.clear()
            place = self.places[key] = Place(self, recipient, channel, purpose)
        return place

    def agreements_with(self, recipient: str) -> Sequence[Agreement]:
        """The agreements with a recipient in force on the day of collection."""
        found = self.agreements.get(recipient)
        if found is None:
            versions = self.registry.agreements(self.collector, recipient)
            found = self.agreements[recipient] = current(versions, self.day)
        return found


class Place:
    """What the registry says of one recipient × channel × purpose on a page. `settled`: answers of rules, by question."""

    __slots__ = ("agreements", "boxes", "covering", "party", "references", "settled", "third_party")

    def __init__(self, page: Page, recipient: str | None, channel: str, purpose: str) -> None:
        self.third_party = recipient != page.collector
        self.party: Party | None = page.registry.party(recipient) if recipient is not None else None
        self.boxes: tuple[Box, ...] = ()
        if page.form is not None:
            self.boxes = page.form.boxes_by_use.get((channel, purpose), ())
        self.agreements: Sequence[Agreement] = ()
        """In force at collection, between the collector and this recipient."""
        self.covering: Sequence[Agreement] = ()
        """Of these, the ones for this channel and purpose."""
        if self.third_party and recipient is not None:
            self.agreements = page.agreements_with(recipient)
            self.covering = [a for a in self.agreements if channel in a.channels and purpose in a.purposes]
        keys = [f"party:{self.party.id}"] if self.party is not None else []
        self.references = references(
            page.registry, keys + [f"agreement:{a.id}:{a.version}" for a in self.agreements]
        )  # fmt: skip
        self.settled: dict[Any, Any] = {}


def page_of(registry: RegistryView, facts: Mapping[str, Any], day: date) -> Page:
    """The page that an event's facts cite, with the agreements of a day."""
    form, cited = facts["form"], facts["recipient_list"]
    list_key = (cited["id"], cited["version"]) if cited is not None else None
    key = (facts["collector"], form["id"], form["version"], list_key, day)
    memo = registry.memo
    page: Page | None = memo.get(key)
    if page is None:
        if len(memo) >= MOST_PAGES:
            memo.clear()
        page = memo[key] = Page(registry, facts["collector"], (form["id"], form["version"]), list_key, day)
    return page


def current(versions: Sequence[Agreement], day: date) -> list[Agreement]:
    """Of each agreement, the version that governs on that day (the newest that has begun), unless it has ended."""
    newest: dict[str, Agreement] = {}
    for version in versions:
        known = newest.get(version.id)
        if version.valid_from <= day and (known is None or version.version > known.version):
            newest[version.id] = version
    return [a for a in newest.values() if a.valid_until is None or day <= a.valid_until]


def references(registry: RegistryView, keys: Sequence[str]) -> tuple[Reference, ...]:
    """The references of these documents that exist."""
    found = (registry.reference(key) for key in keys)
    return tuple(reference for reference in found if reference is not None)
