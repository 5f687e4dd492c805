"""The information owed to a person whose data were not collected from it, in French, ready to stand in the first message.

RGPD 14(1) and 14(2): who, why, on what basis, which data, from whom, for how long, which rights; 21(4): the right to object
is brought to attention explicitly and apart from everything else. Nothing is invented: what the registry does not say is
named as lacking. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.rights_handler.sending import words


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the registry knows it."""

    legal_name: str
    siren: str | None = None
    dpo: str | None = None
    privacy_url: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What the notice tells of."""

    recipient: Company
    collector: Company
    channel: str
    purpose: str
    basis: str
    collected_at: datetime
    valid_until: datetime | None
    via: tuple[str, ...] = ()
    """Through whose hands the data came."""
    stop_url: str | None = None
    """A link that stops everything with one click."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The text, and which items it lacks (`dpo`, `privacy_url`, `stop_url`): the sender must add them itself."""

    text_fr: str
    lacks: tuple[str, ...]


CHANNELS: Mapping[str, tuple[str, str]] = {
    "email": ("par courriel", "votre adresse électronique"),
    "sms": ("par SMS", "votre numéro de téléphone"),
    "call": ("par téléphone", "votre numéro de téléphone"),
    "automated_call": ("par appel automatisé", "votre numéro de téléphone"),
    "post": ("par courrier", "votre adresse postale"),
    "push": ("par notification", "l'identifiant de votre appareil ou de votre compte"),
    "social": ("par messagerie de réseau social", "l'identifiant de votre compte"),
    "tracker": ("par traceurs", "l'identifiant de votre navigateur"),
}
"""How the message comes, and which data it needs."""
PURPOSES: Mapping[str, str] = {
    "prospecting": "vous adresser des offres commerciales",
    "ad_tracking": "vous montrer des publicités choisies d'après votre navigation",
    "open_tracking": "mesurer l'ouverture des messages qui vous sont adressés",
}
BASES: Mapping[str, str] = {
    "consent": "votre consentement",
    "soft_opt_in": "notre intérêt légitime à proposer à nos clients des produits ou services analogues",
    "contract_in_course": "notre intérêt légitime, dans le cadre du contrat en cours avec vous",
    "press_exemption": "notre intérêt légitime à proposer des journaux, périodiques ou magazines",
    "legitimate_interest": "notre intérêt légitime à nous faire connaître",
    "none": "notre intérêt légitime à nous faire connaître",
}
CNIL = "la CNIL (www.cnil.fr)"


def notice_fr(facts: NoticeFacts) -> Notice:
    """The notice of one permission."""
    us, source = facts.recipient, facts.collector
    how, data = CHANNELS[facts.channel]
    lines = [
        _objection(facts),
        "",
        f"Qui vous écrit : {_named(us)}, responsable de l'utilisation de vos données.",
        f"D'où viennent vos données : {_source(facts)}.",
        f"Quelles données : {data}, et la trace de l'accord donné à {source.legal_name}.",
        f"Pourquoi : {PURPOSES[facts.purpose]}, {how}, sur le fondement de : {BASES[facts.basis]}.",
        f"Combien de temps : {_period(facts)}, ou jusqu'à votre opposition si elle vient avant.",
        f"Qui les reçoit : {us.legal_name} et ceux qui travaillent pour elle, personne d'autre sans que vous en soyez informé.",
        _rights(us, facts.basis),
    ]
    lacking = (("dpo", us.dpo), ("privacy_url", us.privacy_url), ("stop_url", facts.stop_url))
    return Notice("\n".join(lines), tuple(name for name, value in lacking if not value))


def _objection(facts: NoticeFacts) -> str:
    """RGPD 21(4): first, alone, and in words that need no lawyer."""
    means = [f"cliquez ici : {facts.stop_url}"] if facts.stop_url else []
    means += [f"écrivez à {facts.recipient.dpo}"] if facts.recipient.dpo else []
    means += [] if means else ["répondez simplement à ce message"]
    return (
        "VOUS POUVEZ VOUS OPPOSER À TOUT MOMENT, sans motif et sans frais, à recevoir nos offres : "
        f"{', ou '.join(means)}."
    )


def _rights(us: Company, basis: str) -> str:
    withdrawal = (
        " Vous pouvez retirer votre consentement à tout moment, aussi simplement." if basis == "consent" else ""
    )
    portability = ", de portabilité" if basis == "consent" else ""
    where = f" auprès de {us.dpo}" if us.dpo else ""
    more = f" Plus d'informations : {us.privacy_url}." if us.privacy_url else ""
    return (
        f"Vos droits : vous avez un droit d'accès, de rectification, d'effacement, de limitation{portability} et d'opposition"
        f"{where}, et celui de déposer une plainte auprès de {CNIL}.{withdrawal}{more}"
    )


def _source(facts: NoticeFacts) -> str:
    hands = f", et par l'intermédiaire de {', '.join(facts.via)}" if facts.via else ""
    return f"de {_named(facts.collector)}, qui les a recueillies le {words.in_paris_text(facts.collected_at)}{hands}"


def _named(company: Company) -> str:
    return f"{company.legal_name} (SIREN {company.siren})" if company.siren else company.legal_name


def _period(facts: NoticeFacts) -> str:
    if facts.valid_until is None:
        return "le temps nécessaire à cet usage"
    return f"au plus tard jusqu'au {words.day(words.paris_day(facts.valid_until))}"
