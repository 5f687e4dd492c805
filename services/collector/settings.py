"""Settings of the collector."""

from __future__ import annotations

from shared.settings import Settings


class CollectorSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere."""

    max_event_bytes: int = 1_048_576
    """An event larger than this is refused with a receipt; the topics take three times as much, so that it reaches us."""
    max_http_bytes: int = 1_048_576
