"""The portal's French: for persons, in plain words (RGPD 12(1)). What the rules find is said without their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.rights_handler.deliveries import Delivery
from services.rights_handler.sending.words import in_paris_text
from shared.instants import parse_instant

CHANNELS: Mapping[str, str] = {
    "email": "courriel", "sms": "SMS et messageries", "call": "appel téléphonique", "automated_call": "appel automatisé",
    "post": "courrier postal", "push": "notification d’application", "social": "réseau social", "tracker": "traceur publicitaire",
}  # fmt: skip
PURPOSES: Mapping[str, str] = {
    "prospecting": "prospection commerciale", "ad_tracking": "suivi publicitaire",
    "open_tracking": "suivi de l’ouverture des messages",
}  # fmt: skip
CONTACTS: Mapping[str, str] = {
    "email": "adresse électronique", "phone": "numéro de téléphone", "post": "adresse postale",
    "browser": "identifiant de navigateur", "handle": "identifiant de compte",
}  # fmt: skip
MEDIA: Mapping[str, str] = {
    "web": "une page internet", "app": "une application", "paper": "un document papier", "oral": "un échange oral",
    "crm": "un fichier de clients",
}  # fmt: skip
CONTEXT: Mapping[str, str] = {
    "source_url": "l’adresse de la page", "ip": "votre adresse IP", "user_agent": "le type de votre navigateur",
    "session": "un identifiant de visite",
}  # fmt: skip
RIGHTS: Mapping[str, tuple[str, str]] = {
    "access": ("Recevoir une copie de mes données", "Toutes les données détenues à votre sujet, et ce qui en a été fait (article 15 du RGPD)."),
    "rectification": ("Faire corriger mes données", "Indiquez ci-dessous ce qui est faux et ce qui est juste (article 16)."),
    "erasure": ("Faire effacer mes données", "Chez nous et chez toutes les sociétés qui les ont reçues (article 17)."),
    "restriction": ("Faire geler mes données", "Elles sont gardées mais plus utilisées, le temps de régler un désaccord (article 18)."),
    "portability": ("Récupérer mes données dans un fichier", "Dans un format lisible par une machine (article 20)."),
    "dispute": ("Dire que je n’ai jamais donné cet accord", "Les sociétés doivent cesser pendant que nous vérifions les preuves."),
}  # fmt: skip

_WHY: Mapping[str, str] = {
    "REFUSED": "vous avez dit non",
    "TIME-FUTURE": "la date indiquée est impossible",
    "EVIDENCE-LATE": "la preuve est arrivée trop tard",
    "PARTY": "une des sociétés n’est pas connue ou n’a plus le droit de recevoir des données",
    "FORM-NO-REFUSAL": "refuser n’était pas aussi simple qu’accepter",
    "FORM-UNBALANCED": "refuser n’était pas aussi simple qu’accepter",
    "FORM": "la page où l’accord a été donné n’a pas pu être vérifiée",
    "NOTICE": "l’information qui devait vous être donnée manque ou n’a pas pu être vérifiée",
    "LIST-NOT-NAMED": "cette société n’était pas nommée dans la liste qui vous a été montrée",
    "LIST-CATEGORIES": "la liste montrée ne nommait pas les sociétés",
    "LIST": "la liste des sociétés n’a pas été montrée comme il faut, ou n’a pas pu être vérifiée",
    "AGREEMENT": "aucun contrat en règle ne permet cette transmission",
    "ACT-PRETICKED": "la case était cochée d’avance",
    "ACT-CONDITIONAL": "l’accord était exigé pour accéder au service",
    "ACT-BUNDLED": "l’accord était mêlé à d’autres choses",
    "ACT": "aucun geste clair de votre part n’a été prouvé",
    "BOX": "la page ne proposait pas de case pour cet usage",
    "WITHDRAWAL": "retirer votre accord n’était pas annoncé, ou pas aussi simple que le donner",
    "CAPACITY": "l’accord d’un mineur doit être donné avec ses parents",
    "CHANNEL": "vous n’avez pas donné le contact qu’il faut pour ce moyen",
    "PHONE": "les règles du démarchage par téléphone n’ont pas été suivies",
    "SECTOR": "le démarchage est interdit pour ce genre de produits",
    "SOFT": "vous n’étiez pas client de cette société dans les conditions que la loi demande",
    "B2B": "le message n’a pas de rapport avec votre profession",
    "POST": "vous n’avez pas été informé de votre droit de dire non au courrier",
    "TRACKER": "refuser n’était pas aussi simple qu’accepter",
    "EXPIRED": "il n’est plus valable",
    "STOPPED": "vous l’avez retiré",
    "RESTRICTED": "vos données sont gelées à votre demande",
    "DISPUTED": "vous contestez l’avoir donné ; il est suspendu",
    "REOPEN-UNCONFIRMED": "vous aviez tout arrêté, et ce nouvel accord n’a pas été confirmé",
    "SUPERSEDED": "il a été remplacé",
}
UNKNOWN_REASON = "une règle de la loi n’a pas été respectée"


def why(codes: Sequence[str]) -> list[str]:
    """The reasons in plain words, each once: by their code, else by its first word."""
    said = [_WHY.get(code) or _WHY.get(code.partition("-")[0]) or UNKNOWN_REASON for code in codes]
    return list(dict.fromkeys(said))


def when(instant: str) -> str:
    """`samedi 19 septembre 2026 à 11 h 05 (heure de Paris)`."""
    return in_paris_text(parse_instant(instant)).replace(" h ", "\u00a0h\u00a0")


def order_words(row: Delivery) -> tuple[str, str]:
    """Where an order stands: a short state, and a sentence."""
    if row.state == "closed" and row.status == "unknown_person":
        return "Terminé", "Cette société répond qu’elle n’a pas vos données."
    if row.state == "closed":
        return "Appliqué", "Cette société confirme avoir cessé."
    if not row.published:
        return "Pas encore transmis", "Nous cherchons comment joindre cette société ; un responsable s’en occupe."
    return {
        "open": ("Transmis", f"En attente de sa réponse, due avant {when(row.ack_due_at)}."),
        "contested": ("En vérification", "Elle dit ne pas vous connaître, alors qu’elle a pu recevoir vos données ; nous insistons."),
        "refused": ("Refusé", "Elle refuse d’appliquer votre demande ; un responsable s’en occupe."),
        "escalated": ("En retard", "Elle n’a pas répondu à temps ; un responsable s’en occupe et la relance chaque jour."),
    }[row.state]  # fmt: skip


def link_mail(link: str, minutes: int) -> tuple[str, str]:
    """Subject and text of the mail that carries a link."""
    return (
        "Votre lien pour voir et arrêter l’utilisation de vos données",
        f"""Bonjour,

Quelqu’un, sans doute vous, a demandé à voir ce que nous savons de cette
adresse électronique. Pour continuer, ouvrez ce lien :

{link}

Il sert une seule fois et reste valable {minutes} minutes.

Si vous n’avez rien demandé, ne faites rien : personne ne verra vos
données, et ce lien cessera de fonctionner de lui-même.

Ce message a été envoyé automatiquement. Il ne contient ni image ni
mouchard, et nous ne savons pas si vous l’avez lu.
""",
    )


def code_text(code: str, minutes: int) -> tuple[str, str]:
    """Name and text of the SMS that carries a code."""
    return (
        "Votre code",
        f"Votre code : {code}. Valable {minutes} minutes. Ne le donnez à personne. Rien demandé ? Ne faites rien.",
    )


def code_letter(code: str, page: str) -> tuple[str, str]:
    """Subject and text of the letter that carries a code."""
    return (
        "Votre code pour voir et arrêter l’utilisation de vos données",
        f"""Madame, Monsieur,

Quelqu’un, sans doute vous, a demandé à voir ce que nous savons de cette adresse postale. Pour continuer, entrez ce code :

{code}

sur la page {page}

Il sert une seule fois et reste valable 21 jours.

Si vous n’avez rien demandé, ne faites rien : personne ne verra vos données, et ce code cessera de fonctionner de lui-même.""",
    )
