"""Says things to parties: builds the events of a batch from what is stored, and publishes them in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from services.rights_handler import messages
from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Decision, Grant
from services.rights_handler.former import Name, name_of, vanished
from services.rights_handler.moments import one_month_after
from services.rights_handler.persons import Person, Persons
from services.rights_handler.ports import Outbox
from services.rights_handler.right_orders import is_right, right_order
from services.rights_handler.tokens import Reference, Tokens
from shared.errors import IntegrityError
from shared.kafka.publisher import Outgoing
from shared.metrics import Metrics
from shared.pacing import in_turns
from shared.registry.view import RegistryView

NONE_BEFORE: Mapping[str, Collection[Name]] = {}
Decided = Sequence[tuple[Grant, Sequence[Decision]]]
Said = tuple[list[dict[str, str]], str]
"""What a recipient finds a person by, and its one-click link."""


class Registry(Protocol):
    """The live registry, as far as this service asks it."""

    view: RegistryView

    async def catch_up(self) -> None:
        """Return once everything published before this call is in the view."""
        ...


class Teller:
    """Publishes permissions and orders. Repeating a call publishes the same events again, with the same ids."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        persons: Persons,
        registry: Registry,
        tokens: Tokens,
        metrics: Metrics,
        public_url: str,
        proof_url: str,
    ) -> None:
        self._outbox, self._persons, self._registry = outbox, persons, registry
        self._tokens, self._metrics, self._public_url = tokens, metrics, public_url.rstrip("/")
        self._proof_url = proof_url.rstrip("/")

    async def registered(self, parties: Collection[str]) -> set[str]:
        """Which of these have topics. A party may have been registered a moment ago: the registry is read to its end first."""
        if any(self._registry.view.party(party) is None for party in parties):
            await self._registry.catch_up()
        return {party for party in parties if self._registry.view.party(party) is not None}

    def contact_dpo(self, party: str) -> str | None:
        """The data protection contact that the registry names for a party."""
        return getattr(self._registry.view.party(party), "contact_dpo", None)

    async def permissions(
        self, decided: Decided, persons: Mapping[str, Person], once: Mapping[str, Collection[Name]] = NONE_BEFORE
    ) -> None:
        """Tell every registered recipient of every line what it may or may not do. `once`: lines valid before, by record."""
        gone = [(grant, vanished(grant, once[grant.record])) for grant, _ in decided if grant.record in once]
        known = await self.registered(
            {d.line.recipient for _, ds in [*decided, *gone] for d in ds if d.line.recipient is not None}
        )
        out: list[Outgoing] = []
        yes = over = 0
        async for grant, decisions in in_turns(decided):
            said: dict[str, Said] = {}
            due = one_month_after(grant.received_at)
            for place, decision in enumerate(decisions):
                recipient = decision.line.recipient
                if recipient not in known:
                    continue
                if decision.granted:
                    out.append(self._granted(grant, decision, place, persons[grant.record], due, said))
                    yes += 1
                elif name_of(decision.line) in once.get(grant.record, ()):
                    out.append(messages.ended(grant, decision, place))
                    over += 1
                else:
                    out.append(messages.refused(grant, decision, place))
        last = [messages.ended(g, d, str(name_of(d.line))) for g, ds in gone for d in ds if d.line.recipient in known]
        await self._outbox.send_all([*out, *last])
        self._metrics.permissions.labels("granted").inc(yes)
        self._metrics.permissions.labels("ended").inc(over + len(last))
        self._metrics.permissions.labels("refused").inc(len(out) - yes - over)

    async def ended(self, decided: Decided, cause: str = "") -> None:
        """Tell registered recipients that these lines no longer permit anything. `cause`: a suspension, told apart by it."""
        chosen = [(grant, decision) for grant, decisions in decided for decision in decisions]
        known = await self.registered({d.line.recipient for _, d in chosen if d.line.recipient is not None})
        out = [
            messages.ended(grant, decision, _place(grant, decision, cause))
            for grant, decision in chosen
            if decision.line.recipient in known
        ]
        await self._outbox.send_all(out)
        self._metrics.permissions.labels("ended").inc(len(out))

    async def open(self, grants: Collection[Grant]) -> dict[str, Person]:
        """The persons of these records, by record; erased ones are absent."""
        return await self._persons.open({g.record: g.sealed for g in grants if g.sealed is not None})

    async def resumed(self, decided: Decided, cause: str) -> None:
        """Tell registered recipients that a suspension is over: the same permission, as a new event that `cause` names."""
        chosen = [(grant, decision) for grant, decisions in decided for decision in decisions]
        known = await self.registered({d.line.recipient for _, d in chosen if d.line.recipient is not None})
        opened = await self._persons.open({g.record: g.sealed for g, _ in chosen if g.sealed is not None})
        out: list[Outgoing] = []
        said: dict[str, dict[str, Said]] = {}
        for grant, decision in chosen:
            if decision.line.recipient in known and grant.record in opened:
                told = said.setdefault(grant.record, {})
                place = _place(grant, decision, f"resumed {cause}")
                person = opened[grant.record]
                out.append(self._granted(grant, decision, place, person, one_month_after(grant.received_at), told))
        await self._outbox.send_all(out)
        self._metrics.permissions.labels("granted").inc(len(out))

    async def orders(
        self, rows: Sequence[Delivery], grants: Mapping[str, Grant], persons: Mapping[str, Person] | None = None
    ) -> None:
        """Publish each order to its party and its fact to the archive. `persons`: what is open already, by record."""
        if not rows:
            return
        if persons is None:
            persons = await self.open([grants[record] for record in {row.record for row in rows}])
        out: list[Outgoing] = []
        for row in rows:
            person = persons.get(row.record)
            match_keys = self._persons.match_keys(row.party, person) if person is not None else []
            grant = grants[row.record]
            if is_right(row):
                out.append(right_order(row, grant, person, match_keys, self._public_url))
            else:
                out.append(messages.order(row, grant, person, match_keys))
            out.append(messages.ordered_fact(row))
            self._metrics.orders.labels("yes" if row.reminders else "no").inc()
        await self._outbox.send_all(out)

    def _granted(
        self, grant: Grant, decision: Decision, place: int | str, person: Person, due: str, said: dict[str, Said]
    ) -> Outgoing:
        """`said`: what is the same for every line of one record and recipient, filled here."""
        recipient = decision.line.recipient
        if recipient is None:
            raise IntegrityError("nobody can be permitted where nobody is named")
        if recipient not in said:
            link = f"{self._public_url}/u/{self._tokens.make(Reference(grant.record, recipient))}"
            said[recipient] = (self._persons.match_keys(recipient, person), link)
        match_keys, stop_url = said[recipient]
        return messages.granted(
            grant, decision, place, person=person, match_keys=match_keys, stop_url=stop_url,
            proof_url=f"{self._proof_url}/v1/proofs/{grant.record}",
            notice_due_at=None if recipient == grant.collector else due,
        )  # fmt: skip


def _place(grant: Grant, decision: Decision, cause: str) -> int | str:
    """What tells events of one line apart: its place in the verdict, and what they are said for."""
    place = grant.lines.index(decision.line)
    return f"{place} {cause}" if cause else place
