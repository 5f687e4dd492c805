"""From a banner's TC string to events of the contracts: a consent of a browser, its withdrawal, its request of erasure.

A vendor is a party only by an explicit map. Only a consent is taken for one: legitimate interest on trackers is no basis in
France (loi Informatique et Libertés art. 82). The person is a browser's identifier and nothing else: a decision on trackers is
never joined to an e-mail or a telephone number, and an input that tries is refused. Pure.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from shared.contracts.partner import CONSENT_COLLECTED, FormReference, ListReference, NoticeReference
from shared.contracts.partner_rights import RIGHT_REQUESTED, STOP_REQUESTED
from shared.contracts.types import Contract, Country, Instant, PartyId, Purpose
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.trackers.tcf import TcString

CHANNEL = "tracker"
AD_TRACKING = (1, 3, 4)
"""TCF purposes that advertising by trackers needs: storing on the device, profiling for ads, choosing personalised ads."""
_NAMESPACE = uuid.UUID("6a1b7f3e-2f56-5c86-9d0e-0d5b3a4b9c11")

TcfPurpose = Annotated[int, Field(ge=1, le=24)]


class VendorMap(Contract):
    """Who stands behind the vendors of a banner, and what the banner is in the registry.

    `purposes`: for each purpose of ours, the TCF purposes that must all be consented to.
    """

    collector: PartyId
    country: Country = "FR"
    form: FormReference
    notice: NoticeReference | None = None
    recipient_list: ListReference
    vendors: Annotated[dict[Annotated[int, Field(ge=1, le=65535)], PartyId], Field(min_length=1)]
    purposes: Annotated[dict[Purpose, tuple[TcfPurpose, ...]], Field(min_length=1)] = Field(
        {"ad_tracking": AD_TRACKING}
    )


class BannerChoice(Contract):
    """One choice on a banner. `browser`: the identifier the banner gave this browser. `at`: when the choice was made."""

    tc_string: Annotated[str, StringConstraints(min_length=1, max_length=65536)]
    browser: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    at: Instant | None = None


def moment(choice: BannerChoice, core: TcString) -> datetime:
    """When the choice was made. Since TCF 2.2 the string holds only its day: the banner's own instant says the rest."""
    if choice.at is None:
        return core.last_updated
    if not core.last_updated <= choice.at < core.last_updated + timedelta(days=1, minutes=5):
        raise InputError([Problem("TCF-DATE", "/at", "not on the day that the TC string was last updated")])
    return choice.at


def values(core: TcString, vendors: VendorMap) -> dict[str, dict[str, bool]]:
    """By purpose of ours, by party: consented or not. A party behind several vendors is consented to only for all of them."""
    found: dict[str, dict[str, bool]] = {}
    for purpose, needed in vendors.purposes.items():
        parties = found.setdefault(purpose, {})
        for vendor, party in vendors.vendors.items():
            parties[party] = parties.get(party, True) and core.consents(vendor, frozenset(needed))
    return found


def consent_event(choice: BannerChoice, core: TcString, vendors: VendorMap) -> dict[str, Any]:
    """The consent: one decision per purpose and answer, for the parties it is about. The same choice gives the same id."""
    at = moment(choice, core)
    identity = str(uuid.uuid5(_NAMESPACE, f"{vendors.collector}\x00{choice.browser}\x00{choice.tc_string}"))
    shown = vendors.recipient_list.displayed_at
    data = {
        "consent_id": identity,
        "collected_at": format_instant(at),
        "country": vendors.country,
        "audience": "consumer",
        "contacts": _contacts(choice),
        "form": vendors.form.model_dump(),
        **({} if vendors.notice is None else {"notice": vendors.notice.model_dump()}),
        "recipient_list": vendors.recipient_list.model_dump() | {"displayed_at": format_instant(shown or at)},
        "action": {"type": "button", "default_state": "none"},
        "decisions": [
            {"channel": CHANNEL, "purpose": purpose, "value": value, "recipients": chosen}
            for purpose, parties in values(core, vendors).items()
            for value, wanted in (("granted", True), ("refused", False))
            if (chosen := sorted(party for party, yes in parties.items() if yes is wanted))
        ],
    }
    return _event(CONSENT_COLLECTED, identity, vendors.collector, at, data)


def withdrawal_events(
    choice: BannerChoice, core: TcString, vendors: VendorMap, *, erasure: bool
) -> list[dict[str, Any]]:
    """What a refusal withdraws: a stop for each purpose refused to someone, and, where asked, the erasure of what was kept.

    Stopping the display is not enough: who holds the data is told, and may be asked to erase it.
    """
    at, found = moment(choice, core), []
    for purpose, parties in values(core, vendors).items():
        refused = sorted(party for party, yes in parties.items() if not yes)
        if refused:
            stop = _identity("stop", choice, vendors, purpose)
            found.append(_event(STOP_REQUESTED, stop, vendors.collector, at, {
                "stop_id": stop, "at": format_instant(at), "contacts": _contacts(choice), "kind": "withdrawal",
                "via": "portal", "recipients": refused, "channels": [CHANNEL], "purposes": [purpose],
            }))  # fmt: skip
    if found and erasure:
        request = _identity("erasure", choice, vendors, "")
        found.append(_event(RIGHT_REQUESTED, request, vendors.collector, at, {
            "request_id": request, "right": "erasure", "received_at": format_instant(at), "contacts": _contacts(choice),
            "identity": {"verified": False, "method": "browser"},
        }))  # fmt: skip
    return found


def unknown_vendors(core: TcString, vendors: VendorMap) -> int:
    """Vendors consented to that stand for no party here: nobody relies on them through this platform."""
    return len(core.vendors - set(vendors.vendors))


def _contacts(choice: BannerChoice) -> list[Mapping[str, str]]:
    return [{"type": "browser", "value": choice.browser}]


def _identity(kind: str, choice: BannerChoice, vendors: VendorMap, purpose: str) -> str:
    name = f"{kind}\x00{vendors.collector}\x00{choice.browser}\x00{choice.tc_string}\x00{purpose}"
    return str(uuid.uuid5(_NAMESPACE, name))


def _event(kind: str, identity: str, source: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"ce": {"id": identity, "source": source, "type": kind, "time": format_instant(at)}, "data": data}
