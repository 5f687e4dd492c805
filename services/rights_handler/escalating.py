"""What happens once an order's due time has passed: its party's data protection officer is told, and operations too.

The order goes out again at once, marked as escalated; two obligations open, one of the operator and one of the party that
names its `contact_dpo`; and that contact is written to, once, in French, with nothing in it of the person. RGPD 21(3), 7(3)
and 19; the delay is that of the agreement (`stop_sla`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.rights_handler.deliveries import OPERATOR, Delivery
from services.rights_handler.domain import Instant
from services.rights_handler.kinds import request_of
from services.rights_handler.messaging import PersonMessage, PersonMessages
from services.rights_handler.messaging.person_message import message_id
from services.rights_handler.ports import Obligation
from services.rights_handler.teller import Registry
from shared.errors import InputError

TEMPLATE = "order.escalated"
TEXT = """Bonjour,

Vous êtes le contact de {party} pour la protection des données. Un ordre de cesser toute prospection visé par une opposition ou \
un retrait de consentement (RGPD, articles 7(3) et 21(3)) n’a pas reçu de réponse suffisante dans le délai convenu.

Ordre : {order}
Opposition : {stop}
Exprimée le : {at}
Adressé le : {ordered_at}, {reminders} rappel(s)
Réponse attendue avant le : {due}
Dernière réponse : {status}

Les données de la personne ne figurent pas dans ce message : vos équipes trouvent l’ordre entier dans le flux \
out.{party_id}.withdrawals, ou par GET /v1/feed/withdrawals. Merci de l’appliquer puis de répondre « applied ». Une réponse \
« unknown_person » ne suffit pas si une autorisation vous a été transmise.

Sans réponse, l’opérateur de la plateforme en est saisi et l’ordre est répété chaque jour. Cette chronologie est archivée et opposable.
"""
RIGHT_TEXT = """Bonjour,

Vous êtes le contact de {party} pour la protection des données. La demande d’une personne vous a été transmise ({right}, RGPD, article 19) et n’a pas reçu de réponse suffisante dans le délai convenu.

Ordre : {order}
Demande : {stop}
Faite le : {at}
Transmise le : {ordered_at}, {reminders} rappel(s)
Réponse attendue avant le : {due}
Dernière réponse : {status}

Les données de la personne ne figurent pas dans ce message : vos équipes trouvent l’ordre entier dans le flux \
out.{party_id}.requests, ou par GET /v1/feed/requests. Merci de l’appliquer puis de répondre « applied ». Une réponse \
« unknown_person » ne suffit pas si une autorisation vous a été transmise.

Sans réponse, l’opérateur de la plateforme en est saisi et l’ordre est répété chaque jour. Cette chronologie est archivée et opposable.
"""
RIGHTS = {
    "erasure": "effacement",
    "rectification": "rectification",
    "restriction": "limitation",
    "dispute": "contestation",
}


def obligations(row: Delivery, now: Instant, contact: str | None) -> list[Obligation]:
    """Whose turn it is: operations always; the party's own contact where the registry names one."""
    refs = (("stop", row.stop), ("party", row.party), ("record", row.record), ("order", row.order))
    told = f"; its contact_dpo ({contact}) is told" if contact else "; the registry names no contact_dpo for it"
    operations = Obligation(
        id=f"escalated/{row.order}",
        kind="order-escalated",
        owner=OPERATOR,
        cause=f"the party did not apply this order in time ({row.status or 'no answer'}): reach it by other means{told}",
        opened_at=now,
        due_at=row.ack_due_at,
        next_at=row.next_at,
        refs=refs,
    )
    officer = Obligation(
        id=f"dpo/{row.order}",
        kind="order-escalated-dpo",
        owner=row.party,
        cause=f"this order was not applied in time: {contact or 'the data protection contact'} must have it applied and answered",
        opened_at=now,
        due_at=row.ack_due_at,
        next_at=row.next_at,
        refs=(*refs, ("contact_dpo", contact or "")),
    )
    return [operations, officer]


def settled(order: str) -> list[str]:
    """The obligations that end with this order."""
    return [f"escalated/{order}", f"dpo/{order}", f"unregistered/{order}"]


@dataclass(frozen=True, slots=True)
class Officers:
    """Writes to the data protection contacts of parties."""

    messages: PersonMessages
    registry: Registry

    async def write(self, rows: Sequence[Delivery]) -> list[Delivery]:
        """Tell the contact of each order's party; returns the orders that nobody could be told of by mail."""
        ordered: dict[str, tuple[Delivery, PersonMessage]] = {}
        untold: list[Delivery] = []
        for row in rows:
            message = self._message(row)
            if message is None:
                untold.append(row)
            else:
                ordered[message.id] = (row, message)
        lost = await self.messages.order([message for _, message in ordered.values()]) if ordered else frozenset()
        return [*untold, *(ordered[identity][0] for identity in sorted(lost))]

    def _message(self, row: Delivery) -> PersonMessage | None:
        known = self.registry.view.party(row.party)
        if known is None or not known.contact_dpo:
            return None
        request = request_of(row.stop)
        text = (TEXT if request is None else RIGHT_TEXT).format(
            party=known.legal_name, party_id=row.party, order=row.order, stop=request or row.stop, at=row.at,
            due=row.ack_due_at, right=RIGHTS.get(row.kind, row.kind), ordered_at=row.ordered_at, reminders=row.reminders, status=row.status or "aucune",
        )  # fmt: skip
        message = PersonMessage(
            id=message_id(TEMPLATE, row.order),
            owner=row.stop if request is not None else f"stop/{row.stop}",
            channel="email",
            to=known.contact_dpo,
            template=TEMPLATE,
            subject="Ordre d’opposition sans réponse dans le délai"
            if request is None
            else "Demande d’une personne sans réponse",
            text=text,
            refs=(("order", row.order), ("stop", row.stop), ("party", row.party)),
        )
        try:
            message.content()
        except InputError:
            return None  # a contact that is no e-mail address: the obligations say whom to reach
        return message
