"""What a person is told about its request, in French: the answer, the refusal, the extension, the question of identity. Pure.

Each text says who answers, what was done, and what the person may do next (RGPD 12(1), 12(3), 12(4), 18(3), 19).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.rights_handler.erasing.model import Planned
from services.rights_handler.requests.controllers import Controller
from services.rights_handler.requests.gathering import Dossier
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.words import RIGHTS, WHERE_TO_COMPLAIN, day

REFUSALS: Mapping[str, str] = {
    "unfounded": "elle est manifestement infondée (RGPD, article 12, paragraphe 5)",
    "excessive": "elle est excessive, notamment par sa répétition (RGPD, article 12, paragraphe 5)",
    "identity": "nous n’avons pas pu vérifier que ces données sont les vôtres (RGPD, articles 11 et 12, paragraphe 2)",
    "legal-claims": "ces données sont nécessaires à la constatation, à l’exercice ou à la défense de droits en justice "
    "(RGPD, article 17, paragraphe 3, point e)",
    "legal-obligation": "la loi oblige à conserver ces données (RGPD, article 17, paragraphe 3, point b)",
    "proven": "la preuve de votre consentement a été produite et elle est jointe à ce message (RGPD, article 7, paragraphe 1)",
    "others": "y répondre porterait atteinte aux droits d’autres personnes (RGPD, article 15, paragraphe 4)",
}
EXTENSIONS: Mapping[str, str] = {
    "complex": "votre demande est complexe",
    "many": "vous nous avez adressé plusieurs demandes",
}
ARTICLES: Mapping[str, str] = {
    "access": "15", "rectification": "16", "erasure": "17", "restriction": "18", "portability": "20", "dispute": "7",
}  # fmt: skip
_DONE: Mapping[str, str] = {
    "access": "Vos données, leur source et ceux qui les ont reçues sont dans les deux documents joints (même contenu).",
    "portability": "Les données que vous avez fournies sont jointes, en JSON et en CSV.",
    "restriction": "L’usage de vos données est suspendu. Nous vous préviendrons avant toute reprise.",
    "rectification": "La rectification a été demandée à la société qui a recueilli vos données et à celles qui les ont reçues.",
}
HELLO = "Bonjour,\n\n"
_ERASURE_KEEPS = (
    "Restent, sans qu’on puisse vous reconnaître : des empreintes dans un journal public, et une empreinte de vos coordonnées "
    "dont le seul usage est d’empêcher qu’on vous démarche de nouveau. Les messages échangés entre sociétés sont détruits "
    "d’eux-mêmes, sept jours (réception) à quatre-vingt-dix jours (ordres, où vous n’êtes désigné que par un pseudonyme) "
    "après leur envoi."
)


def subject(request: Request, what: str) -> str:
    """The subject of a letter."""
    return f"{what} — {RIGHTS[request.right]} (demande {request.id})"


def answer_text(
    request: Request,
    dossier: Dossier,
    who: Sequence[Controller],
    *,
    planned: Sequence[Planned] = (),
    outcome: str | None = None,
    note: str | None = None,
    proofs: int = 0,
) -> str:
    """The answer to a request that is granted."""
    parts = [
        (
            f"{HELLO}Vous avez exercé le {day(request.asked_at)} votre droit ({RIGHTS[request.right]}, article "
            f"{ARTICLES[request.right]} du RGPD). Voici notre réponse."
        )
    ]
    if not dossier.found and not planned:
        parts.append("Aucune donnée n’est enregistrée sous les coordonnées que vous avez données.")
    parts += _done(request, dossier, planned, outcome, proofs)
    if note:
        parts.append(note)
    parts.append(_told(who))
    parts.append(WHERE_TO_COMPLAIN)
    return "\n\n".join(part for part in parts if part)


def refusal_text(request: Request, reason: str, note: str | None) -> str:
    """A refusal: why, and where to complain (RGPD 12(4))."""
    ground = REFUSALS[reason]
    because = f"parce qu’{ground}" if ground.startswith("elle") else f"parce que {ground}"
    parts = [
        f"{HELLO}Nous ne donnons pas suite à votre demande du {day(request.asked_at)} ({RIGHTS[request.right]}), {because}.",
        note or "",
        WHERE_TO_COMPLAIN,
    ]
    return "\n\n".join(part for part in parts if part)


def extension_text(request: Request, reason: str, until: str, note: str | None) -> str:
    """Two more months, told within the first (RGPD 12(3))."""
    parts = [
        (
            f"{HELLO}Nous avons bien reçu votre demande du {day(request.asked_at)} ({RIGHTS[request.right]}). Il nous faut plus "
            f"d’un mois pour y répondre, parce que {EXTENSIONS[reason]} : vous aurez notre réponse au plus tard le {day(until)}."
        ),
        note or "",
        WHERE_TO_COMPLAIN,
    ]
    return "\n\n".join(part for part in parts if part)


def identity_text(request: Request, note: str | None) -> str:
    """The question of identity, on reasonable doubt only (RGPD 12(6)): why, what is enough, what it changes."""
    return (
        f"{HELLO}Nous avons bien reçu votre demande du {day(request.asked_at)} ({RIGHTS[request.right]}). Nous avons un doute "
        "raisonnable sur l’identité de la personne qui l’a faite, et ne voudrions pas agir sur les données d’une autre. "
        f"{note or 'Répondez à ce message depuis l’adresse, ou avec la référence, que vous aviez donnée.'}\n\n"
        "Aucune pièce d’identité n’est exigée. Le délai de réponse reprend dès que nous avons votre réponse."
    )


def lifted_text(request: Request, note: str | None) -> str:
    """The end of a restriction, told before it is lifted (RGPD 18(3))."""
    parts = [
        (
            f"{HELLO}La limitation que vous aviez demandée le {day(request.asked_at)} prend fin : vos données peuvent de nouveau "
            "être utilisées comme vous l’aviez accepté."
        ),
        note or "",
        "Vous pouvez retirer votre consentement ou vous opposer à tout moment.",
        WHERE_TO_COMPLAIN,
    ]
    return "\n\n".join(part for part in parts if part)


def _done(
    request: Request, dossier: Dossier, planned: Sequence[Planned], outcome: str | None, proofs: int
) -> list[str]:
    if request.right == "erasure":
        return [_erased(planned), _ERASURE_KEEPS] if planned else []
    if request.right == "dispute" and dossier.found:
        return [_disputed(outcome, proofs)]
    known = dossier.found or request.right in ("access", "portability")
    return [_DONE[request.right]] if known else []


def _disputed(outcome: str | None, proofs: int) -> str:
    held = "La preuve que détient le registre est jointe." if proofs else "Aucune preuve n’a pu être jointe."
    if outcome == "withdrawn":
        return f"Vous avez renoncé à votre contestation : l’usage de vos données n’est plus suspendu. {held}"
    return f"Votre contestation est retenue : vos données ne doivent plus servir à vous démarcher. {held}"


def _erased(planned: Sequence[Planned]) -> str:
    gone = sum(one.fate.outcome == "erase" for one in planned)
    kept = [one for one in planned if one.fate.outcome == "restrict"]
    told = [f"{gone} enregistrement(s) de vos données sont effacés."] if gone else []
    for one in kept:
        until = f"jusqu’au {day(one.fate.until)}" if one.fate.until else "jusqu’à la fin d’une procédure"
        told.append(
            f"L’enregistrement {one.record} n’est plus utilisé et n’est gardé que comme preuve, {until}, parce que la loi "
            f"l’exige ({', '.join(one.fate.codes)}) ; il sera ensuite effacé."
        )
    return " ".join(told)


def _told(who: Sequence[Controller]) -> str:
    """Who answers, by name: those that collected, and those that received (RGPD 19: the person is told who they are)."""
    if not who:
        return ""
    lines = [
        f"- {one.legal_name}{f' (SIREN {one.siren})' if one.siren else ''} : {one.role_fr}"
        f"{f' ; contact : {one.contact}' if one.contact else ''}"
        for one in who
    ]
    return "Les sociétés concernées :\n" + "\n".join(lines)
