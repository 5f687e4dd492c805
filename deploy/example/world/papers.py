"""Texts of the example: information notices and contracts."""

from __future__ import annotations

from world.companies import COMPANIES, NOTICES, AgreementSpec

VALID_FROM, VALID_UNTIL = "2026-01-01", "2030-12-31"
"""Every contract of the example runs between these days, both included (Paris)."""


def notice_text(collector: str) -> str:
    """The information notice of a collector, with the ten items of art. 13 RGPD."""
    company = COMPANIES[collector]
    notice, version = NOTICES[collector]
    site = f"https://{collector}.example/vie-privee"
    return f"""MENTIONS D'INFORMATION
{notice}, version {version}

Responsable du traitement : {company.legal_name}, SIREN {company.siren}, France.
Délégué à la protection des données : dpo@{collector}.example.
Finalités : rendre le service demandé et, si vous l'avez choisi, vous faire adresser des offres commerciales.
Base légale des offres : votre consentement (article 6.1.a du RGPD) ; l'intérêt légitime pour le courrier postal.
Destinataires : les sociétés nommées dans la liste affichée au moment de votre choix, et elles seules.
Durée de conservation : trois ans à compter de la collecte ou de votre dernier contact ; un an au plus pour les appels.
Vos droits : accès, rectification, effacement, limitation, opposition, portabilité.
Retrait : à tout moment, sans motif, sur {site} ou par réponse à tout message.
Réclamation : vous pouvez saisir la CNIL (cnil.fr).
Champs obligatoires : seuls les champs marqués d'un astérisque sont nécessaires au service.
"""


def clauses_of(spec: AgreementSpec) -> tuple[str, ...]:
    """Clauses that the contract must hold between independent controllers: letters rest on legitimate interest."""
    return ("balancing_test",) if "post" in spec.channels else ()


def agreement_text(spec: AgreementSpec) -> str:
    """The contract of a collector with a prospecteur."""
    one, other = COMPANIES[spec.collector], COMPANIES[spec.prospector]
    balance = "Courrier : la mise en balance des intérêts (RGPD, 6.1.f) est annexée.\n" if clauses_of(spec) else ""
    return f"""CONVENTION DE TRANSMISSION DE DONNÉES
{spec.collector}-{spec.prospector}, version 1

Entre {one.legal_name} (SIREN {one.siren}), ci-après le collecteur,
et {other.legal_name} (SIREN {other.siren}), ci-après le prospecteur.

Durée : du {VALID_FROM} au {VALID_UNTIL} inclus.
Canaux : {", ".join(spec.channels)}.
Finalités : {", ".join(spec.purposes)}.
Liste signée exigée : {"oui" if spec.signature_required else "non"}.
Preuve individuelle sous 24 heures ; retraits relayés sous 24 heures, dans les deux sens.
Aucune retransmission à un tiers sans nouveau consentement.
{balance}"""
