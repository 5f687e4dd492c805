"""Who may have the proof of a record, and which parts of it (promise P6; RGPD 5(1)(c), data minimisation). Pure.

The collector, each prospecteur named in a line that was not refused, an auditor, the operator, the person. A prospecteur receives the
entries that concern it, its own lines of the verdicts, the subject reference and the contacts of the channels for which a
verdict found its line valid: never the context (IP address, user agent, page), never another party's lines or orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.proof_archive.bundles.dossier import Dossier, Item
from services.proof_archive.bundles.manifest import Audience
from shared.auth import Caller
from shared.contracts.types import CONTACT_OF_CHANNEL
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REGISTRY, REPORTS
from shared.verdicts import pointer_of

SUBJECT = "/subject_ref"
CONTACTS = "/contacts/"
CLAIMED = "proof.opened"
"""Kind of the entry that says why a restricted proof was opened."""
CONFIDENTIAL = (CLAIMED, "hold.")
"""Acts of the operator about legal claims: not a prospecteur's to read, only to know that they are there."""


def audience_of(caller: Caller, dossier: Dossier) -> Audience | None:
    """For whom a proof is made when this caller asks; None where it is not entitled to one."""
    owner = privileged(caller, dossier.record)
    if owner is not None:
        return owner
    if caller.party and "prospector" in caller.scopes and caller.party in named_in(dossier.verdicts):
        return Audience(scope="prospector", party=caller.party)
    return None


def privileged(caller: Caller, record: str) -> Audience | None:
    """The audience of a caller whose entitlement depends on nothing that is archived."""
    if "operator" in caller.scopes:
        return Audience(scope="operator", party=caller.party)
    if "auditor" in caller.scopes:
        return Audience(scope="auditor", party=caller.party)
    if caller.party and "collector" in caller.scopes and record.startswith(f"{caller.party}/"):
        return Audience(scope="collector", party=caller.party)
    return None


def named_in(verdicts: Iterable[Item]) -> set[str]:
    """The parties named in any line whose decision was not refused, whatever the verdict."""
    return {line["recipient"] for line in _lines(verdicts) if line.get("value") != "refused" and line.get("recipient")}


def lines_shown(audience: Audience, verdict: Item) -> set[str]:
    """The pointers of a verdict's lines that this audience is shown, where the verdict commits to each apart.

    A prospecteur: its own. Anyone else: all, whoever they name (of a person, RGPD 15(1)(c)).
    """
    lines = verdict.opened.lines if verdict.opened is not None else ()
    return {
        pointer_of(index)
        for index, line in enumerate(lines)
        if audience.scope != "prospector" or line.get("recipient") == audience.party
    }


def may_see(audience: Audience, item: Item) -> bool:
    """Whether this audience receives an entry; if not, the manifest still lists it as withheld."""
    if audience.scope != "prospector":  # contracts between companies, and why a proof was opened, are not the person's
        return audience.scope != "person" or item.kind not in {"agreement", CLAIMED}
    facts, party = item.facts, audience.party
    if item.topic == DELIVERIES.name:
        return facts.get("party") == party
    if item.topic == ERASURES.name and item.kind.startswith(CONFIDENTIAL):
        return False
    if item.topic == REPORTS.name:
        return party in (facts.get("source"), facts.get("to"))
    if item.topic == REGISTRY.name and item.kind == "agreement":
        return facts.get("prospector") == party
    return True


def disclosable(audience: Audience, item: Item, document: Mapping[str, Any], verdicts: Iterable[Item]) -> list[str]:
    """The pointers into an entry's sealed document that this audience receives in clear."""
    committed = sorted(item.facts.get("commitments", {}))
    if audience.scope in {"operator", "auditor"}:
        return committed
    if item.topic != CONSENTS.name:  # what a person wrote to one party is not another's
        return committed if audience.party is not None and item.facts.get("source") == audience.party else []
    if audience.scope in {"collector", "person"}:
        return committed
    channels = {
        line["channel"]
        for line in _lines(verdicts)
        if line.get("recipient") == audience.party and line.get("verdict") == "valid"
    }
    if not channels:  # the consent does not hold for it: nothing to find the person by
        return []
    types = {CONTACT_OF_CHANNEL.get(channel) for channel in channels}
    return [pointer for pointer in committed if pointer == SUBJECT or _is_contact(pointer, document, types)]


def _is_contact(pointer: str, document: Mapping[str, Any], types: set[Any]) -> bool:
    if not pointer.startswith(CONTACTS):
        return False
    contact = document["contacts"][int(pointer.split("/")[2])]
    return None in types or contact["type"] in types  # None: a channel that any contact serves


def _lines(verdicts: Iterable[Item]) -> Iterable[Mapping[str, Any]]:
    return (line for item in verdicts for line in item.lines)
