"""What a row of `stops` may stand for besides a stop: a person's request that is relayed to every recipient (RGPD 19). Pure.

An erasure, a restriction (RGPD 18) and a dispute (« Je n'ai jamais consenti ») withhold permissions exactly as a stop does, so
that none can be missed however verdicts and requests cross; a rectification (RGPD 16) is told to everyone and withholds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

RELAYED = frozenset({"erasure", "rectification", "restriction", "dispute"})
"""Rights whose exercise each recipient is told of (RGPD 19; the dispute by analogy: whoever holds the data must stop)."""
SUSPENDING = RELAYED - {"rectification"}
"""Those that end permissions, by an event of their own: no order on the topic of stops tells a party when they came."""
REVERSIBLE = frozenset({"restriction", "dispute"})
"""Those that suspend for a time only, so that they act before anything else is looked at."""
STOPPED = "STOPPED"
REASONS: Mapping[str, str] = {"restriction": "RESTRICTED", "dispute": "DISPUTED"}
"""Why a line is withheld; by any other kind: `STOPPED`."""
_PREFIX = "request/"


def withholds(kind: str) -> bool:
    """Whether it keeps lines from permitting anything."""
    return kind != "rectification"


def reason_of(kind: str) -> str:
    """The code that a recipient is told."""
    return REASONS.get(kind, STOPPED)


def row_of(request: str) -> str:
    """The name of a request (`<source>/<request id>`) among the stops."""
    return _PREFIX + request


def request_of(row: str) -> str | None:
    """The request that a row of `stops` stands for; None for a stop."""
    return row.removeprefix(_PREFIX) if row.startswith(_PREFIX) else None
