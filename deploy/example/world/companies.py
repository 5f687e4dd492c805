"""Parties, recipient lists and agreements of the example, as plain data (registry format, without the hashes)."""

from __future__ import annotations

from typing import Any, NamedTuple


class Company(NamedTuple):
    """One party. `offer` is what it sells, in the words of its call consents; `sector` as in the rules."""

    id: str
    legal_name: str
    siren: str
    roles: tuple[str, ...]
    brand: str
    offer: str = ""
    sector: str = "general"


COLLECTORS = (
    Company("acme", "ACME Jeux SAS", "999000011", ("collector",), "Jeux de la Rentrée"),
    Company("ruisseau-devis", "Ruisseau Devis SARL", "999000201", ("collector",), "Le Bon Devis du Ruisseau"),
    Company("carte-coing", "Carte du Coing SAS", "999000219", ("collector",), "Club du Coing"),
)
PROSPECTORS = (
    Company("canalvert", "Canal Vert SA", "999000029", ("prospector",), "Vert+", "abonnements de télévision"),
    Company("hibou", "Assurances du Hibou SA", "999000227", ("prospector",), "Hibou Habitat", "assurance habitation"),
    Company("tisane", "Tisane Télécom SAS", "999000235", ("prospector",), "Tisane Box", "accès à internet"),
    Company(
        "marmotte", "Voyages Marmotte SAS", "999000243", ("prospector",), "Marmotte Évasion", "séjours de vacances"
    ),
    Company(
        "isobelette",
        "Isobelette Rénovation SARL",
        "999000250",
        ("prospector",),
        "Isobelette",
        "isolation des combles",
        "energy_renovation",
    ),
)
COMPANIES = {company.id: company for company in (*COLLECTORS, *PROSPECTORS)}

DIRECT = ("email", "sms", "call")


class ListSpec(NamedTuple):
    """One version of a recipient list: (party, channels, purposes) entries, or categories (the CANAL+ pattern)."""

    id: str
    version: int
    collector: str
    published_at: str
    entries: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    categories: tuple[str, ...] = ()
    signed: bool = False


def _named(
    parties: str, channels: tuple[str, ...] = DIRECT
) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    return tuple((party, channels, ("prospecting",)) for party in parties.split())


LISTS = (
    ListSpec("acme-partners", 12, "acme", "2026-08-20T05:00:00Z", _named("canalvert hibou tisane"), signed=True),
    ListSpec(
        "acme-partners", 13, "acme", "2026-09-21T05:00:00Z", _named("canalvert hibou tisane marmotte"), signed=True
    ),
    ListSpec(
        "acme-categories",
        1,
        "acme",
        "2026-08-03T05:00:00Z",
        categories=("télévision et médias", "assurances", "nos partenaires commerciaux"),
    ),
    ListSpec("ruisseau-partenaires", 4, "ruisseau-devis", "2026-08-20T05:00:00Z", _named("hibou tisane isobelette")),
    ListSpec(
        "coing-partenaires", 2, "carte-coing", "2026-08-20T05:00:00Z", _named("hibou marmotte", (*DIRECT, "post"))
    ),
    ListSpec(
        "coing-traceurs",
        1,
        "carte-coing",
        "2026-08-20T05:00:00Z",
        (("canalvert", ("tracker",), ("ad_tracking",)), ("marmotte", ("tracker",), ("ad_tracking",))),
    ),
)


class AgreementSpec(NamedTuple):
    """One contract between a collector and a prospecteur."""

    collector: str
    prospector: str
    channels: tuple[str, ...]
    purposes: tuple[str, ...] = ("prospecting",)
    sectors: tuple[str, ...] = ("general",)
    signature_required: bool = False


AGREEMENTS = (
    AgreementSpec("acme", "canalvert", DIRECT),
    AgreementSpec("acme", "hibou", DIRECT, signature_required=True),
    AgreementSpec("acme", "tisane", DIRECT),
    AgreementSpec("acme", "marmotte", DIRECT),
    AgreementSpec("ruisseau-devis", "hibou", DIRECT),
    AgreementSpec("ruisseau-devis", "tisane", DIRECT),
    AgreementSpec("ruisseau-devis", "isobelette", DIRECT, sectors=("general", "energy_renovation")),
    AgreementSpec("carte-coing", "hibou", (*DIRECT, "post")),
    AgreementSpec("carte-coing", "marmotte", (*DIRECT, "post", "tracker"), ("prospecting", "ad_tracking")),
    AgreementSpec("carte-coing", "canalvert", ("tracker",), ("ad_tracking",)),
)

NOTICES: dict[str, tuple[str, str]] = {
    "acme": ("mentions-jeux", "2026-08"),
    "ruisseau-devis": ("mentions-devis", "2026-08"),
    "carte-coing": ("mentions-carte", "2026-08"),
}
"""The information notice of each collector: (id, version)."""

NOTICE_ITEMS = (
    "controller dpo purposes basis recipients retention rights withdrawal complaint mandatory_fields".split()  # noqa: SIM905
)
"""What art. 13 RGPD asks of a notice, in the registry's words."""


def party_document(company: Company, public_keys: list[str]) -> dict[str, Any]:
    """The `party` document of a company."""
    return {
        "kind": "party",
        "id": company.id,
        "legal_name": company.legal_name,
        "siren": company.siren,
        "country": "FR",
        "roles": list(company.roles),
        "contact_dpo": f"dpo@{company.id}.example",
        "privacy_url": f"https://{company.id}.example/vie-privee",
        "brands": [company.brand],
        "status": "active",
        "suspended_from": None,
        "public_keys": public_keys,
        "delivery": {"mode": "kafka"},
        "api_keys": [],
    }


def list_document(spec: ListSpec) -> dict[str, Any]:
    """The `list` document of a specification, without `sha256` and `signature`."""
    return {
        "kind": "list",
        "id": spec.id,
        "version": spec.version,
        "collector": spec.collector,
        "published_at": spec.published_at,
        "nature": "categories" if spec.categories else "named",
        "entries": [
            {
                "party": party,
                "legal_name": COMPANIES[party].legal_name,
                "siren": COMPANIES[party].siren,
                "privacy_url": f"https://{party}.example/vie-privee",
                "purposes": list(purposes),
                "channels": list(channels),
            }
            for party, channels, purposes in spec.entries
        ],
        "categories": list(spec.categories),
    }
