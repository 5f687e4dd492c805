"""The register of processing activities (RGPD 30), per party, from what the registry holds. What it cannot know is left to fill in.

One activity for each form of a collector (30(1)), one for each agreement of a prospecteur (30(1)), and for the platform's
operator the categories of processing it carries out for each controller (30(2)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, Protocol, TypeVar

from shared.kit.words import CHANNELS, DATA, PURPOSES, QUALIFICATIONS, listed
from shared.registry.models import Agreement, Party
from shared.registry.shown import Form, Named
from shared.registry.view import RegistryView

TO_FILL_IN = "[à compléter]"
SECURITY = (
    "Données personnelles chiffrées sous une clé par enregistrement, coordonnées indexées par empreintes à clé, journal de preuves sans "
    "donnée personnelle, accès par partie, suppression par destruction de la clé"
)
RETENTION = "Jusqu’au retrait, à l’opposition ou à l’expiration, puis le temps de la preuve : voir la table de conservation de la plateforme"


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the register. Fields in the order of RGPD 30(1), `nature` first."""

    nature: Literal["responsable", "sous-traitant"]
    activite: str
    responsable: str
    contact_dpo: str
    autres_responsables: str
    finalites: str
    base_legale: str
    personnes: str
    donnees: str
    destinataires: str
    transferts_hors_ue: str
    conservation: str
    securite: str
    source: str
    """Which registry documents it was written from."""


COLUMNS = tuple(field.name for field in fields(Activity))


def register(view: RegistryView, party: Party) -> list[Activity]:
    """The activities of a party, collection first."""
    return [*_collection(view, party), *_prospecting(view, party)]


def of_operator(view: RegistryView, operator: str, contact_dpo: str) -> list[Activity]:
    """What the platform's operator does for each controller (RGPD 30(2))."""
    return [
        Activity(
            "sous-traitant",
            "Preuve des consentements, transmission des retraits et des demandes, tenue du journal de preuves",
            f"{name_of(party)} (pour le compte de)", contact_dpo, operator,
            "preuve du consentement et effet du retrait", "instructions du responsable (RGPD, art. 28(3)(a))",
            "personnes ayant donné, refusé ou retiré un consentement", "coordonnées, choix exprimés, contexte du recueil",
            "parties nommées dans les listes présentées", TO_FILL_IN, RETENTION, SECURITY, f"party:{party.id}",
        )
        for party in view.parties()
    ]  # fmt: skip


def name_of(party: Named) -> str:
    """`Canal Vert SA (SIREN 999000029)`."""
    number = f"SIREN {party.siren}" if party.siren else f"n° {party.foreign_id}"
    return f"{party.legal_name} ({number})"


def _collection(view: RegistryView, party: Party) -> list[Activity]:
    mine = newest(form for form in view.forms() if form.collector == party.id)
    return [_of_form(view, party, form) for form in mine]


def _of_form(view: RegistryView, party: Party, form: Form) -> Activity:
    channels = [channel for box in form.boxes for channel in box.channels]
    purposes = [purpose for box in form.boxes for purpose in box.purposes]
    agreements = [a for a in newest(view.agreements_of(party.id)) if set(a.channels) & set(channels)]
    recipients = [name_of(p) for a in agreements if (p := view.party(a.prospector)) is not None]
    joint = [
        name_of(p) for a in agreements if a.qualification == "joint" and (p := view.party(a.prospector)) is not None
    ]
    return Activity(
        "responsable",
        f"Recueil de consentements par le formulaire « {form.id} », version {form.version}, et leur transmission",
        name_of(party), party.contact_dpo or TO_FILL_IN, listed(joint) or "aucun",
        listed(PURPOSES[purpose] for purpose in purposes) or TO_FILL_IN,
        "consentement (RGPD, art. 6(1)(a)) ; preuve : obligation (RGPD, art. 7(1))",
        "mineurs et majeurs" if form.targets_minors else "personnes remplissant le formulaire",
        listed(DATA[channel] for channel in channels) or TO_FILL_IN,
        "; ".join(recipients) or "aucun", TO_FILL_IN, RETENTION, SECURITY, f"form:{form.id}:{form.version}",
    )  # fmt: skip


def _prospecting(view: RegistryView, party: Party) -> list[Activity]:
    mine = [a for collector in view.parties() for a in newest(view.agreements(collector.id, party.id))]
    return [_of_agreement(view, party, agreement) for agreement in mine]


def _of_agreement(view: RegistryView, party: Party, agreement: Agreement) -> Activity:
    collector = view.party(agreement.collector)
    source = name_of(collector) if collector is not None else agreement.collector
    balancing = " ou intérêt légitime mis en balance (RGPD, art. 6(1)(f))" if "post" in agreement.channels else ""
    return Activity(
        "sous-traitant" if agreement.qualification == "processor" else "responsable",
        f"Prospection par {listed(CHANNELS[channel] for channel in agreement.channels)}",
        name_of(party), party.contact_dpo or TO_FILL_IN,
        f"{source} : {QUALIFICATIONS[agreement.qualification]}",
        listed(PURPOSES[purpose] for purpose in agreement.purposes),
        f"consentement recueilli par {source} (RGPD, art. 6(1)(a)){balancing}",
        f"personnes dont les données viennent de {source}", listed(DATA[channel] for channel in agreement.channels),
        "transmission ultérieure permise" if agreement.onward_transfer else "aucun : la transmission ultérieure est interdite",
        TO_FILL_IN, RETENTION, SECURITY, f"agreement:{agreement.id}:{agreement.version}",
    )  # fmt: skip


class _Versioned(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...


_V = TypeVar("_V", bound=_Versioned)


def newest(versions: Iterable[_V]) -> list[_V]:
    """The newest version of each object."""
    found: dict[str, _V] = {}
    for version in versions:
        if version.id not in found or found[version.id].version < version.version:
            found[version.id] = version
    return list(found.values())
