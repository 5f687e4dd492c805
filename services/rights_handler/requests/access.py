"""The answer to a request of access (RGPD 15): data, source, actual recipients, verdicts, stops, deliveries, proofs. Pure.

One document, in French, that says the same as JSON and as PDF: nothing is told in one that the other leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Stop
from services.rights_handler.requests.controllers import Controller
from services.rights_handler.requests.gathering import Dossier, Found
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.words import (
    ANSWERS,
    BASES,
    CHANNELS,
    CONTACTS,
    PURPOSES,
    RIGHTS,
    STOPS,
    VALUES,
    VERDICTS,
    WHERE_TO_COMPLAIN,
    moment,
    scope,
)

Names = Mapping[str, str]
"""Legal name by party; a party that is not registered keeps its identifier."""


def access_answer(
    request: Request, dossier: Dossier, who: Sequence[Controller], names: Names, *, at: str, proof_url: str
) -> dict[str, Any]:
    """The whole answer. `at`: when it is given. Only texts, lists and objects, so that it is the same in every format."""
    return {
        "demande": {"identifiant": request.id, "droit": RIGHTS[request.right], "recue_le": moment(request.asked_at),
                    "reponse_du": moment(at)},
        "responsables": [
            {"societe": one.legal_name, "siren": one.siren or "", "contact": one.contact or "", "role": one.role_fr}
            for one in who
        ],
        "enregistrements": [_record(one, names, proof_url) for one in dossier.found],
        "destinataires": _recipients(dossier, names),
        "transferts": [
            {"societe": _name(names, one.to), "recu_le": moment(one.at), "enregistrement": one.record}
            for one in dossier.transfers
        ],
        "prises_de_contact": [
            {"societe": _name(names, one.source), "moyen": CHANNELS.get(one.channel, one.channel), "le": moment(one.at),
             "issue": one.outcome}
            for one in sorted(dossier.reported.attempts, key=lambda attempt: attempt.at)
        ],
        "informations_donnees": [
            {"societe": _name(names, one.source), "le": moment(one.at), "enregistrement": one.record}
            for one in dossier.reported.notices
        ],
        "oppositions_et_retraits": [_stop(one, names) for one in dossier.stops],
        "ordres_transmis": [_delivery(one, names) for one in dossier.deliveries],
        "vos_droits": (
            "Vous pouvez demander la rectification ou l’effacement de ces données, la limitation de leur usage, leur "
            f"portabilité, et vous opposer à tout moment à la prospection. {WHERE_TO_COMPLAIN}"
        ),
    }  # fmt: skip


def _record(one: Found, names: Names, proof_url: str) -> dict[str, Any]:
    grant, document = one.grant, one.document or {}
    context: Mapping[str, Any] = document.get("context") or {}
    data = [
        {"donnee": CONTACTS.get(contact["type"], contact["type"]), "valeur": contact["value"]}
        for contact in document.get("contacts") or ()
    ]
    if document.get("subject_ref"):
        data.append({"donnee": "référence chez la société qui a recueilli", "valeur": str(document["subject_ref"])})
    labels = {"source_url": "page d’origine", "ip": "adresse IP", "user_agent": "navigateur", "session": "session"}
    data += [{"donnee": labels.get(k, k), "valeur": str(v)} for k, v in sorted(context.items()) if v is not None]
    return {
        "enregistrement": grant.record,
        "source": _name(names, grant.collector),
        "par_l_intermediaire_de": [_name(names, party) for party in grant.via],
        "recueilli_le": moment(grant.collected_at),
        "recu_le": moment(grant.received_at),
        "confirme": "oui" if grant.confirmed else "non",
        "donnees": data,
        "etat_des_donnees": "conservées" if one.document is not None else "effacées",
        "choix": [
            {
                "societe": "aucune nommée" if line.recipient is None else _name(names, line.recipient),
                "moyen": CHANNELS.get(line.channel, line.channel),
                "finalite": PURPOSES.get(line.purpose, line.purpose),
                "objet": line.object or "",
                "votre_choix": VALUES.get(line.value, line.value),
                "fondement": BASES.get(line.basis, line.basis),
                "controle": VERDICTS.get(line.verdict, line.verdict),
                "motifs": list(line.reasons),
                "valable_jusqu_au": "" if line.valid_until is None else moment(line.valid_until),
            }
            for line in grant.lines
        ],
        "preuve": f"{proof_url}/v1/proofs/{grant.record}",
    }


def _recipients(dossier: Dossier, names: Names) -> list[dict[str, Any]]:
    """Actual recipients, one row a company and use; transfers stand apart."""
    return [
        {
            "societe": _name(names, one.party),
            "recu_le": moment(one.at),
            "moyen": CHANNELS.get(one.line.channel, one.line.channel),
            "finalite": PURPOSES.get(one.line.purpose, one.line.purpose),
            "enregistrement": one.record,
        }
        for one in dossier.received
        if one.line is not None
    ]


def _stop(stop: Stop, names: Names) -> dict[str, Any]:
    return {
        "nature": STOPS.get(stop.kind) or RIGHTS.get(stop.kind, stop.kind),
        "recu_par": _name(names, stop.source),
        "le": moment(stop.at),
        "societes": scope(stop.recipients, names),
        "moyens": scope(stop.channels, CHANNELS),
        "finalites": scope(stop.purposes, PURPOSES),
    }


def _delivery(row: Delivery, names: Names) -> dict[str, Any]:
    return {
        "societe": _name(names, row.party),
        "ordre": STOPS.get(row.kind) or RIGHTS.get(row.kind, row.kind),
        "transmis_le": moment(row.ordered_at),
        "reponse": ANSWERS.get(row.status or "", "pas encore de réponse"),
        "etat": "clos" if row.state == "closed" else "en cours",
    }


def _name(names: Names, party: str) -> str:
    return names.get(party, party)
