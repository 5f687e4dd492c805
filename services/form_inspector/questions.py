"""What only the operator can say: one question in French for each field that the page does not show (never a guess)."""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN = "unknown"


class Question(NamedTuple):
    """`field`: its place in the form document (`refusal/contrast`); `text`: for the operator; `seen`: what led to it."""

    field: str
    text: str
    seen: str = ""

    def as_dict(self) -> dict[str, str]:
        """For the document and the report."""
        return {"field": self.field, "question": self.text, **({"seen": self.seen} if self.seen else {})}


TEXTS = {
    "collector": "Quel collecteur publie ce formulaire (son identifiant au registre) ?",
    "published_at": "À quel instant cette version est-elle mise en ligne (par exemple 2026-09-01T06:00:00Z) ?",
    "notice": "Quelle version du registre est la mention d'information que le formulaire présente ?",
    "notice/unread": "Une partie de la page n'a pas pu être lue : présente-t-elle une mention d'information, et laquelle ?",
    "list_shown": "La liste des destinataires est-elle sur le formulaire (on_form), derrière un lien (link) ou absente (absent) ?",
    "withdrawal_told": "Le droit de retirer son consentement est-il annoncé avant le choix, pour tous les canaux ?",
    "steps/grant": "Combien de gestes faut-il pour consentir ?",
    "steps/withdraw": "Combien de gestes faut-il pour retirer son consentement ? La page n'en donne pas le nombre.",
    "service_conditional": "Le service est-il rendu à qui refuse ? Répondre false s'il l'est, true s'il dépend du consentement.",
    "incentive": "Cette phrase promet-elle un avantage en échange du consentement ? Le nommer, ou répondre null.",
    "targets_minors": "Le formulaire s'adresse-t-il à des mineurs ? La page ne dit rien de l'âge.",
    "acceptance": "Quel élément de la page vaut acceptation ? Aucun n'a été reconnu.",
    "boxes": "La page porte-t-elle des cases ou des choix ? Une partie du contenu n'a pas pu être lue.",
    "refusal/present": "La personne peut-elle refuser ? Aucun refus n'a été reconnu, et une partie de la page n'a pas pu être lue.",
    "refusal/by_leaving_empty": "Le seul bouton est neutre et les cases sont vides : envoyer sans cocher est-il un refus, service rendu ?",
    "refusal/by_closing": "Le seul autre geste est de fermer (ou un bouton sans texte) : vaut-il refus, et est-ce dit à la personne ?",
    "refusal/by_ticking": "Pour refuser, il faut cocher une case : la personne peut-elle refuser aussi simplement qu'accepter ?",
    "refusal/by_unticking": "Pour refuser, il faut décocher ce qui est coché d'avance : est-ce dit, et le service est-il rendu ?",
    "refusal/phone": "Le refus se voit à 680 px, mais pas sur un téléphone (390 px) : la version enregistrée offre-t-elle un refus ?",
    "contrast": "Quel est le contraste de ce texte ? Une image, un filtre ou un autre élément se trouve derrière lui.",
    "restyled": "Quelle est la vraie mesure ? Une feuille de style d'un autre hôte n'a pas été chargée.",
    "boxes/channels": "Quels canaux cette case couvre-t-elle ? Son texte n'en nomme aucun, ou des mots qui en couvrent plusieurs.",
    "boxes/purposes": "Pour quelle finalité cette case demande-t-elle l'accord ?",
    "boxes/default": "Cocher cette case refuse ; la laisser vide vaut-il accord (on) ou refus (off) ?",
    "tracker/steps_accept": "Combien de gestes faut-il pour tout accepter ?",
    "tracker/steps_refuse": "Combien de gestes faut-il pour tout refuser ? Aucun refus n'a été reconnu.",
}  # fmt: skip
UNREAD = {
    "frame": "un cadre (iframe) ou un objet dont le contenu appartient à une autre page",
    "canvas": "un dessin (canvas) qui peut porter du texte",
    "blocked": "des scripts ou des données d'un autre hôte, que l'inspection ne charge pas",
    "closed": "un composant fermé (shadow root)",
    "screens": "des écrans trop nombreux pour être tous ouverts",
}


def ask(field: str, kind: str | None = None, seen: str = "") -> Question:
    """The question on a field; `kind` = its entry in TEXTS when several fields share one or one field has several."""
    return Question(field, TEXTS[kind or field], seen[:300])
