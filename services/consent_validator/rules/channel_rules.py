"""Rules of one channel or one exception: calls, banned sectors, soft opt-in, business e-mail, post.

C. conso. L.223-1, L.223-8, R.223-1, R.223-2; C. trav. L.6323-8-1; CPCE L.34-5 al. 4; CNIL doctrine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from services.consent_validator.rules.days import CALL_PERIOD
from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.model import (
    CALL_CONSENT,
    CONSENT_ONLY,
    INVALID,
    LCEN,
    REVIEW,
    Basis,
    Effect,
    Rule,
    RuleSettings,
)

PHONE_STATEMENTS = frozenset({"professional", "choice", "period", "withdrawal", "proof_access"})
"""The five statements that a consent to calls must carry (R.223-1)."""
SALES = frozenset({"sale", "service"})

CALLS = frozenset({"call", "automated_call"})
MESSAGES = frozenset({"sms", "email", "social", "push"})
ENERGY_CALLS_FROM = date(2020, 7, 26)
HOUSING_MESSAGES_FROM = date(2025, 7, 2)
CPF_FROM = date(2022, 12, 21)


@dataclass(frozen=True, slots=True)
class Ban:
    """A sector that may not be prospected on these channels, from that day on."""

    sector: str
    channels: frozenset[str]
    applies_from: date
    source: str


def bans(settings: RuleSettings) -> Iterator[Ban]:
    """The bans as data; an automated call counts as a call."""
    yield Ban("energy_renovation", CALLS, ENERGY_CALLS_FROM, "C. conso. L.223-1")
    yield Ban("housing_adaptation", CALLS, settings.housing_calls_banned_from, "C. conso. L.223-1")
    yield Ban("cpf_training", CALLS | MESSAGES, CPF_FROM, "C. trav. L.6323-8-1")
    for sector in ("energy_renovation", "housing_adaptation"):
        yield Ban(sector, MESSAGES, HOUSING_MESSAGES_FROM, "C. conso. L.223-8")


def _sector_banned(line: Line) -> Effect | None:
    if line.sector in {"general", "press"} or line.case.contract_in_course(line.recipient):
        return None
    latest = max(line.case.collected_day, line.case.used_day)
    for ban in bans(line.case.settings):
        if ban.sector == line.sector and line.channel in ban.channels and ban.applies_from <= latest:
            return INVALID
    return None


def _phone_statements(line: Line) -> Effect | None:
    stated = line.case.form.phone_statements if line.case.form is not None else ()
    return None if PHONE_STATEMENTS.issubset(stated) else INVALID


def _phone_period(line: Line) -> Effect | None:
    stated = line.decision["valid_until"]
    if stated is None:
        return INVALID
    return INVALID if date.fromisoformat(stated) - line.case.collected_day > CALL_PERIOD else None


def _phone_object(line: Line) -> Effect | None:
    stated = line.decision["object"]
    return None if stated and stated.strip() else INVALID


def _soft_transfer(line: Line) -> Effect | None:
    relation = line.case.relationship
    return INVALID if relation is not None and relation["with"] != line.recipient else None


def _soft_conditions(line: Line) -> Effect | None:
    relation = line.case.relationship
    if relation is None:
        return None
    during = relation["collected_during"]
    sold = during in SALES or (during == "account" and line.case.settings.free_account_is_sale)
    met = sold and all(relation[name] is True for name in ("details_from_person", "analogous", "opt_out_offered"))
    return None if met else INVALID


def _b2b_unrelated(line: Line) -> Effect | None:
    related = line.decision["related_to_profession"]
    if related is None:
        return REVIEW
    return None if related else INVALID


def _post_no_info(line: Line) -> Effect | None:
    """Of what the event says and what the form version says, the strictest counts; silence is not information."""
    form = line.case.form.post_information if line.case.form is not None else None
    told = [(form.transfer_told, form.objection_offered)] if form is not None else []
    said = line.decision["post_information"]
    if said is not None:
        told.append((said["transfer_told"], said["objection_offered"]))
    return None if told and all(transfer and objection for transfer, objection in told) else INVALID


CALL_CHANNEL = frozenset({"call"})
SOFT_ONLY: frozenset[Basis] = frozenset({"soft_opt_in"})
INTEREST_ONLY: frozenset[Basis] = frozenset({"legitimate_interest"})
ONE_YEAR = CALL_PERIOD // timedelta(days=1)

PHONE_STATEMENTS_RULE = Rule(
    "PHONE-STATEMENTS", INVALID, "C. conso. R.223-1 (décret 2026-662)", "reported",
    "Une des cinq mentions du consentement aux appels n'est pas prouvée",
    "One of the five statements of a consent to calls is not proven",
    "Porter les cinq mentions sur le formulaire et les inscrire.", "Put the five statements on the form and register them.",
    _phone_statements, CALL_CONSENT, bases=CONSENT_ONLY, channels=CALL_CHANNEL, audience="consumer", reads="place",
)  # fmt: skip
PHONE_PERIOD = Rule(
    "PHONE-PERIOD", INVALID, "C. conso. R.223-2", "reported",
    f"Pas de durée, ou plus de {ONE_YEAR} jours", f"No period, or one over {ONE_YEAR} days",
    "Donner une date de fin à un an au plus, sans reconduction tacite.", "Give an end date within a year; no tacit renewal.",
    _phone_period, CALL_CONSENT, bases=CONSENT_ONLY, channels=CALL_CHANNEL, audience="consumer",
)  # fmt: skip
PHONE_OBJECT = Rule(
    "PHONE-OBJECT", INVALID, "C. conso. R.223-1", "reported",
    "Objet des appels non indiqué", "Object of the calls not stated",
    "Dire sur quoi porteront les appels.", "Say what the calls will be about.",
    _phone_object, CALL_CONSENT, bases=CONSENT_ONLY, channels=CALL_CHANNEL, audience="consumer",
)  # fmt: skip
SECTOR_BANNED = Rule(
    "SECTOR-BANNED", INVALID, "C. conso. L.223-1, L.223-8; C. trav. L.6323-8-1", "primary",
    "Secteur où la prospection par ce canal est interdite, même avec consentement",
    "Sector in which prospecting on this channel is banned, even with consent",
    "Aucun remède, sauf contrat en cours lié à la sollicitation.", "None, save a contract in course linked to it.",
    _sector_banned, ENERGY_CALLS_FROM, audience="consumer",
)  # fmt: skip
SOFT_TRANSFER = Rule(
    "SOFT-TRANSFER", INVALID, "CPCE L.34-5 al. 4", "primary",
    "L'exception client ne passe pas à une autre société", "The customer exception does not pass to another company",
    "Recueillir un consentement pour cette société.", "Ask for a consent for that company.",
    _soft_transfer, LCEN, bases=SOFT_ONLY,
)  # fmt: skip
SOFT_CONDITIONS = Rule(
    "SOFT-CONDITIONS", INVALID, "CPCE L.34-5 al. 4; CJUE C-654/23", "reported",
    "Une condition de l'exception client manque", "A condition of the customer exception is missing",
    "Coordonnées données par le client lors d'une vente, produits analogues, refus offert à la collecte.",
    "Details given by the customer during a sale, analogous products, refusal offered at collection.",
    _soft_conditions, LCEN, bases=SOFT_ONLY, reads="event",
)  # fmt: skip
B2B_UNRELATED = Rule(
    "B2B-UNRELATED", INVALID, "CNIL, prospection B to B", "reported",
    "Message sans rapport avec la profession, ou rapport inconnu", "Message unrelated to the profession, or not known",
    "Dire le rapport avec la profession, ou recueillir un consentement.", "State the relation, or ask for a consent.",
    _b2b_unrelated, bases=INTEREST_ONLY, channels=frozenset({"email"}), audience="professional",
)  # fmt: skip
POST_NO_INFO = Rule(
    "POST-NO-INFO", INVALID, "CNIL, prospection postale; RGPD 21", "primary",
    "Transmission de l'adresse postale non annoncée, ou sans moyen de s'y opposer",
    "Transfer of the postal address not told, or without a way to object",
    "Annoncer la transmission et offrir de s'y opposer.", "Tell of the transfer and offer to object to it.",
    _post_no_info, channels=frozenset({"post"}), third_party=True,
)  # fmt: skip
