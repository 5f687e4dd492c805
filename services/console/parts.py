"""What every page may use. Made once by the wiring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.console.accounts import Accounts
from services.console.audit import Audit
from services.console.clients import Services
from services.console.letters import Letters
from services.console.passwords import Passwords
from services.console.sessions import Sessions
from services.console.settings import ConsoleSettings
from services.console.watch import Watch
from services.console.words import Catalogue
from shared.clock import Clock
from shared.registry.feed import RegistryFeed

if TYPE_CHECKING:
    from services.console.routing import Page


@dataclass(slots=True)
class Console:
    """The console's parts. `pages` and `catalogue` are set once the pages are known."""

    settings: ConsoleSettings
    clock: Clock
    log: Any
    services: Services
    registry: RegistryFeed
    accounts: Accounts
    passwords: Passwords
    sessions: Sessions
    audit: Audit
    watch: Watch
    letters: Letters
    pages: list[Page] = field(default_factory=list)
    catalogue: Catalogue = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; `__Host-` binds it to this very host over TLS."""
        return "__Host-opposable-console" if self.settings.secure_cookies else "opposable-console"

    def legal_name(self, party: str | None) -> str:
        """A party's legal name, or its id where it is not registered."""
        known = None if party is None else self.registry.view.party(party)
        return (party or "—") if known is None else known.legal_name
