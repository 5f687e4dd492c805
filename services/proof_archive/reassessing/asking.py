"""What asks for a new verdict: the consent's facts, its sealed part, and what persons decided about its lines. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.kafka.publisher import Outgoing
from shared.registry.view import RegistryView
from shared.topics import REASSESSMENTS

TYPE = "opposable.reassessment.asked.v1"
SOURCE = "opposable/operator"


def concerns(facts: Mapping[str, Any], parties: frozenset[str], registry: RegistryView) -> bool:
    """Whether one of the parties collected the consent, or is a recipient of it (no party given: all concern)."""
    if not parties or facts["collector"] in parties:
        return True
    if any(d["recipients"] != "all_listed" and parties & set(d["recipients"]) for d in facts["decisions"]):
        return True
    cited = facts["recipient_list"]
    published = None if cited is None else registry.list_(cited["id"], cited["version"])
    return published is not None and any(entry.party in parties for entry in published.entries)


def asking(facts: Mapping[str, Any], sealed: bytes, decisions: Sequence[Mapping[str, Any]] = ()) -> Outgoing:
    """The question on `reassessments`."""
    body: dict[str, Any] = {"facts": facts, "sealed": base64.b64encode(sealed).decode()}
    if decisions:
        body["decisions"] = [dict(one) for one in decisions]
    envelope = Envelope(facts["event_id"], SOURCE, TYPE)
    return Outgoing(REASSESSMENTS.name, facts["record"].encode(), canonical.dumps(body), tuple(to_headers(envelope)))
