"""The register of breaches as a tagged PDF (PDF/UA-1, in French), made by the Typst library from `register.typ` (RGPD 33(5))."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typst

from services.rights_handler.breaches import texts
from services.rights_handler.breaches.codes import Ending, Exemption
from services.rights_handler.breaches.model import Breach
from services.rights_handler.sending.words import PARIS

TEMPLATE = Path(__file__).with_name("register.typ")
ENDINGS = {
    Ending.REMEDIED: "remédiée", Ending.NO_BREACH: "pas de violation, après examen",
    Ending.AUTHORITY_CLOSED: "close par l’autorité",
}  # fmt: skip


def register_pdf(breaches: Sequence[Breach], at: datetime) -> bytes:
    """The PDF. Blocks for about half a second: call it in a thread. `at`: its date."""
    data = {"le": f"{at.astimezone(PARIS):%d/%m/%Y à %H\u00a0h\u00a0%M}", "violations": [told(one) for one in breaches]}
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"data": orjson.dumps(data).decode()},
        pdf_standards=["ua-1"],
        timestamp=at.replace(microsecond=0),
        ignore_system_fonts=True,
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def told(breach: Breach) -> dict[str, Any]:
    """One breach in French words."""
    authority, persons = breach.authority or {}, breach.told or {}
    if authority.get("waived"):
        notified = "non nécessaire : un risque pour les personnes est peu probable (article 33(1))"
    elif authority:
        reference = f", référence {authority['reference']}" if authority["reference"] else ""
        late = f" ; en retard : {authority['late_because']}" if authority["late"] else ""
        notified = f"le {texts.moment(authority['notified_at'])}{reference}{late}"
    else:
        notified = f"à faire avant le {texts.moment(breach.due_at)}"
    informed = "à décider"
    if persons.get("informed_at"):
        informed = f"informées le {texts.moment(persons['informed_at'])}"
    elif persons.get("exempt"):
        informed = f"non informées : {texts.EXEMPTIONS[Exemption(persons['exempt'])]}"
    ending = "ouverte"
    if breach.closed_at is not None and breach.ending is not None:
        ending = f"close le {texts.moment(breach.closed_at)} : {ENDINGS[breach.ending]}"
    period = (
        "à compléter"
        if breach.began_at is None
        else f"du {texts.moment(breach.began_at)} au {texts.moment(breach.ended_at)}"
    )
    lines = [
        ("Constatée", texts.moment(breach.noticed_at)),
        ("Période", period),
        ("Nature", " ; ".join(texts.NATURES[one] for one in breach.natures)),
        ("Origine", texts.ORIGINS[breach.origin]),
        ("Circonstances", breach.what),
        ("Données", " ; ".join(texts.DATA[one] for one in breach.data)),
        ("Enregistrements", texts.number(breach.records)),
        ("Personnes, au plus", texts.number(breach.persons)),
        ("Effets", breach.effects or "à compléter"),
        ("Mesures", breach.measures or "à compléter"),
        ("Risque", texts.RISKS[breach.risk]),
        ("Autorité de contrôle", notified),
        ("Personnes concernées", informed),
        ("État", ending),
    ]
    parties = [
        [name, texts.number(one["records"]), texts.number(one["persons"]), _party(breach, name)]
        for name, one in breach.by_party.items()
    ]
    return {"id": breach.id, "lignes": [list(line) for line in lines], "organismes": parties}


def _party(breach: Breach, name: str) -> str:
    notice = breach.notices.get(name)
    if notice is None:
        return "non averti"
    if notice["acknowledged_at"]:
        return f"averti, accusé le {texts.moment(notice['acknowledged_at'])}"
    return f"averti le {texts.moment(notice['told_at'])}"
