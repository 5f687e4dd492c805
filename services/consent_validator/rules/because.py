"""Why each rule fired, in plain French, with the facts that made it fire. Read by DPOs, and in answers to persons.

A sentence names documents, companies, dates and figures, never a person: neither contacts nor free text enter it. It says what is
the case, not what the law asks: the rule's own title and cure say that. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.consent_validator.rules import because_acts as acts
from services.consent_validator.rules import because_evidence as evidence
from services.consent_validator.rules.because_words import collected_on, form_of, list_of, recipient_of, use_of
from services.consent_validator.rules.evidence import Line
from shared.instants import format_instant

Because = Callable[[Line], str]


def because(code: str, line: Line) -> str:
    """The sentence of a rule that fired on a line."""
    return BECAUSE[code](line)


BECAUSE: Mapping[str, Because] = {
    "REFUSED": lambda line: f"la décision pour {use_of(line)} est « {line.value} »",
    "TIME-FUTURE": lambda line: f"{collected_on(line)}, reçu le {format_instant(line.case.received)}",
    "FORM-UNKNOWN": lambda line: f"{form_of(line)} n'est pas au registre",
    "FORM-LATER": evidence.published,
    "FORM-HASH": lambda line: f"{form_of(line)} a une autre empreinte que celle de l'événement",
    "FORM-FOREIGN": evidence.foreign,
    "FORM-CONTRADICTED": evidence.contradicted,
    "PARTY-UNKNOWN": evidence.unknown,
    "PARTY-ROLE": evidence.role,
    "NOTICE-MISSING": evidence.notice,
    "NOTICE-HASH": lambda line: (
        f"la mention {' '.join(line.case.notice_key or ())} a une autre empreinte que celle de l'événement"
    ),
    "LIST-MISSING": lambda line: f"{recipient_of(line)} est un tiers, et l'événement ne cite aucune liste",
    "LIST-UNKNOWN": lambda line: f"{list_of(line)} n'est pas au registre",
    "LIST-CATEGORIES": lambda line: f"{list_of(line)} énumère des catégories, pas des sociétés",
    "LIST-NOT-NAMED": evidence.not_named,
    "LIST-LATER": evidence.list_later,
    "LIST-HASH": lambda line: (
        f"{list_of(line)} a une autre empreinte que celle de l'événement, ou que celle de son contenu"
    ),
    "LIST-SIGNATURE": evidence.signature,
    "LIST-NOT-SHOWN": evidence.not_shown,
    "AGREEMENT-MISSING": evidence.no_agreement,
    "PARTY-SUSPENDED": evidence.suspended,
    "ACT-NONE": lambda line: f"la décision pour {use_of(line)} est « {line.value} », il faut un acte positif",
    "BOX-MISSING": lambda line: f"{form_of(line)} n'a aucune case pour {use_of(line)}",
    "ACT-PRETICKED": acts.preticked,
    "ACT-BUNDLED": acts.bundled,
    "ACT-CONDITIONAL": acts.conditional,
    "FORM-NO-REFUSAL": lambda line: f"{form_of(line)} n'offre aucun refus",
    "FORM-UNBALANCED": acts.unbalanced,
    "WITHDRAWAL-NOT-TOLD": lambda line: f"{form_of(line)} ne dit pas que l'on peut retirer son consentement",
    "WITHDRAWAL-HARDER": acts.harder,
    "CAPACITY": acts.capacity,
    "CHANNEL-UNCOVERED": acts.uncovered,
    "PHONE-STATEMENTS": acts.statements,
    "PHONE-PERIOD": acts.period,
    "PHONE-OBJECT": lambda _line: "l'événement ne dit pas sur quoi porteront les appels",
    "SECTOR-BANNED": acts.banned,
    "SOFT-TRANSFER": acts.transfer,
    "SOFT-CONDITIONS": acts.soft,
    "B2B-UNRELATED": acts.b2b,
    "POST-NO-INFO": lambda line: (
        f"{form_of(line)} et l'événement ne prouvent ni l'annonce de la transmission ni l'offre de s'y opposer"
    ),
    "TRACKER-PARITY": acts.parity,
    "EVIDENCE-LATE": evidence.late,
    "AGREEMENT-INCOMPLETE": evidence.incomplete,
    "EXPIRED": evidence.expired,
}
"""One sentence per rule of the catalogue."""
