"""How long a party has to answer an order: its agreement with the collector, else the platform's default."""

from __future__ import annotations

from datetime import timedelta

from services.rights_handler.moments import duration
from services.rights_handler.settings import RightsSettings
from services.rights_handler.teller import Registry


class Terms:
    """Reads the agreements of the registry as they stand now."""

    def __init__(self, registry: Registry, settings: RightsSettings) -> None:
        self._registry = registry
        self._fixed = None if settings.rights_ack_within is None else timedelta(seconds=settings.rights_ack_within)
        self._default = timedelta(seconds=settings.rights_default_sla)

    def ack_within(self, collector: str, party: str) -> timedelta:
        """The shortest `stop_sla` the two ever agreed: several versions may be in force, and sooner is safer."""
        if self._fixed is not None:
            return self._fixed
        agreed = [a.stop_sla for a in self._registry.view.agreements(collector, party) if a.stop_sla is not None]
        return min((duration(text) for text in agreed), default=self._default)
