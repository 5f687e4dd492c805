"""The words of notifications, in French: to the authority (RGPD 33(3)), and to the parties that may hold the data (33(2), 26, 28). Pure.

They state what the register holds and nothing of any person; what only the operator knows stands as « à compléter ».
"""

from __future__ import annotations

from services.rights_handler.breaches.codes import Data, Exemption, Nature, Origin, Risk
from services.rights_handler.breaches.model import Breach
from services.rights_handler.domain import Instant
from services.rights_handler.sending.words import PARIS
from shared.instants import parse_instant

NATURES = {
    Nature.CONFIDENTIALITY: "perte de confidentialité (accès ou divulgation non autorisés)",
    Nature.INTEGRITY: "perte d’intégrité (altération)",
    Nature.AVAILABILITY: "perte de disponibilité (destruction ou inaccessibilité)",
}
DATA = {
    Data.CONTACTS: "coordonnées (adresses électroniques, téléphones, adresses postales)",
    Data.REFERENCES: "références des personnes chez les collecteurs",
    Data.CHOICES: "choix exprimés (consentements, refus, oppositions)",
    Data.CONNECTION: "données de connexion (adresse IP, page, navigateur)",
    Data.EVIDENCE: "pièces justificatives (captures, copies de pages)",
    Data.PSEUDONYMS: "empreintes pseudonymes (clés de rapprochement)",
}
ORIGINS = {
    Origin.ATTACK: "attaque informatique", Origin.ACCESS: "accès non autorisé", Origin.MISDIRECTED: "envoi au mauvais destinataire",
    Origin.MISCONFIGURATION: "erreur de configuration", Origin.LOSS: "perte ou vol", Origin.PROCESSOR: "incident chez un sous-traitant",
    Origin.UNKNOWN: "origine non encore établie",
}  # fmt: skip
RISKS = {Risk.UNLIKELY: "peu probable", Risk.RISK: "risque", Risk.HIGH: "risque élevé"}
EXEMPTIONS = {
    Exemption.NOT_HIGH: "le risque n’est pas élevé (article 34(1))",
    Exemption.PROTECTED: "données incompréhensibles pour qui n’y est pas autorisé (article 34(3)(a))",
    Exemption.CURED: "mesures prises depuis, le risque élevé n’est plus susceptible de se matérialiser (article 34(3)(b))",
    Exemption.PUBLIC: "efforts disproportionnés : communication publique (article 34(3)(c))",
}
LACKING = "à compléter"


def moment(instant: Instant | None) -> str:
    """`27/11/2026 à 14 h 05`, heure de Paris."""
    if instant is None:
        return LACKING
    local = parse_instant(instant).astimezone(PARIS)
    return f"{local:%d/%m/%Y} à {local:%H}\u00a0h\u00a0{local:%M}"


def number(value: int | None) -> str:
    """With a narrow no-break space between thousands."""
    return LACKING if value is None else f"{value:,}".replace(",", "\u202f")


def notification(breach: Breach) -> str:
    """The text for the authority's form, in the order of article 33(3)."""
    told = breach.told or {}
    persons = LACKING
    if told.get("informed_at"):
        persons = f"les personnes ont été informées le {moment(told['informed_at'])}"
    elif told.get("exempt"):
        persons = f"pas d’information individuelle : {EXEMPTIONS[Exemption(told['exempt'])]}"
    parties = ", ".join(f"{name} ({number(one['persons'])})" for name, one in breach.by_party.items()) or LACKING
    late = (breach.authority or {}).get("late_because")
    return "\n".join([
        "NOTIFICATION D’UNE VIOLATION DE DONNÉES À CARACTÈRE PERSONNEL (RGPD, article 33)",
        "",
        f"Référence interne : {breach.id}",
        f"Constatée le : {moment(breach.noticed_at)} (délai de 72 heures : {moment(breach.due_at)})",
        f"Période de la violation : du {moment(breach.began_at)} au {moment(breach.ended_at)}",
        *([f"Motifs du retard : {late}"] if late else []),
        "",
        "1. Nature de la violation (article 33(3)(a))",
        *(f"   – {NATURES[one]}" for one in breach.natures),
        f"   Origine : {ORIGINS[breach.origin]}",
        f"   Circonstances : {breach.what}",
        f"   Données concernées : {' ; '.join(DATA[one] for one in breach.data)}",
        f"   Nombre approximatif d’enregistrements : {number(breach.records)}",
        f"   Nombre approximatif de personnes (au plus) : {number(breach.persons)}",
        f"   Organismes concernés (personnes) : {parties}",
        "",
        f"2. Délégué à la protection des données ou point de contact (article 33(3)(b)) : {LACKING}",
        "",
        "3. Conséquences probables (article 33(3)(c))",
        f"   {breach.effects or LACKING}",
        f"   Risque pour les droits et libertés : {RISKS[breach.risk]}",
        "",
        "4. Mesures prises ou proposées (article 33(3)(d))",
        f"   {breach.measures or LACKING}",
        f"   Personnes concernées (article 34) : {persons}",
    ])  # fmt: skip


def party_notice(breach: Breach, party: str) -> str:
    """The text for one party: its own numbers, nobody else's."""
    counts = breach.by_party.get(party, {})
    return "\n".join([
        "Bonjour,",
        "",
        f"Une violation de données à caractère personnel a été constatée le {moment(breach.noticed_at)} (heure de Paris).",
        f"Référence : {breach.id}. Elle concerne des données dont vous êtes destinataire ou que vous avez collectées.",
        "",
        f"Nature : {' ; '.join(NATURES[one] for one in breach.natures)}.",
        f"Circonstances : {breach.what}",
        f"Données : {' ; '.join(DATA[one] for one in breach.data)}.",
        f"Vous concernant : {number(counts.get('records'))} enregistrements, {number(counts.get('persons'))} personnes au plus.",
        f"Conséquences probables : {breach.effects or LACKING}",
        f"Mesures prises ou proposées : {breach.measures or LACKING}",
        "",
        "Si vous êtes responsable de ces traitements, votre propre délai de 72 heures (RGPD, article 33(1)) court dès maintenant.",
        "Merci d’accuser réception de ce message auprès de l’opérateur.",
    ])  # fmt: skip
