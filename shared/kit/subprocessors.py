"""Sub-processors in French: the register, and the notice of a change that each party is told (RGPD 28(2)). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from shared.kit.register import name_of
from shared.registry.subprocessors import Change, SubProcessor, serving

TITLES: Mapping[Change, str] = {
    "added": "Nouveau sous-traitant ultérieur", "changed": "Changement concernant un sous-traitant ultérieur",
    "ended": "Fin du recours à un sous-traitant ultérieur", "listed": "Sous-traitant ultérieur déjà en service",
}  # fmt: skip
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def notice_text(one: SubProcessor, change: Change, party: str, operator: str = "L’opérateur de la plateforme") -> str:
    """The notice to one party, by its legal name."""
    lines = [
        f"{TITLES[change]} (RGPD, article 28, paragraphe 2)",
        "",
        f"À l’attention de {party}, responsable de traitement.",
        "",
        f"{operator} vous informe du changement suivant dans la liste de ses sous-traitants ultérieurs.",
        "",
        f"Société : {name_of(one)}, établie en {one.country}.",
        f"Prestation : {one.service}.",
        f"Données concernées : {one.data}.",
        f"Lieux de traitement : {', '.join(one.locations)}.",
    ]
    if one.transfer_guarantee is not None:
        lines.append(f"Garantie pour les transferts hors de l’Espace économique européen : {one.transfer_guarantee}.")
    if one.reason is not None:
        lines.append(f"Motif : {one.reason}.")
    lines += ["", _effect(one, change)]
    if one.objections_until is not None and change in ("added", "changed"):
        lines += [
            "",
            f"Vous pouvez vous y opposer jusqu’au {day(one.objections_until)} inclus, par écrit motivé.",
            "Une opposition suspend le changement pour vos données jusqu’à ce qu’une solution soit trouvée avec vous ; à défaut, vous pouvez résilier.",
            "Les mêmes obligations de protection des données lui sont imposées par contrat (article 28, paragraphe 4).",
        ]
    return "\n".join(lines) + "\n"


def _effect(one: SubProcessor, change: Change) -> str:
    match change:
        case "ended":
            last = day(one.ends_on) if one.ends_on is not None else ""
            return f"Le recours à cette société prend fin le {last} au soir ; les données sont alors restituées ou supprimées."
        case "listed":
            return f"Cette société intervient depuis le {day(one.starts_on)} ; rien ne change pour vous."
        case _:
            return f"Le changement prend effet le {day(one.starts_on)}."


def markdown(found: Iterable[SubProcessor], today: date) -> str:
    """The register, for the annex of a contract."""
    lines = [
        f"# Sous-traitants ultérieurs au {day(today)}\n",
        "| Société | Prestation | Données | Lieux | Garantie hors EEE | Depuis | Jusqu’au | État |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        cells = (
            name_of(one), one.service, one.data, ", ".join(one.locations), one.transfer_guarantee or "–", day(one.starts_on),
            day(one.ends_on) if one.ends_on is not None else "–", state(one, today),
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def state(one: SubProcessor, today: date) -> str:
    """In service, announced, or ended."""
    if serving(one, today):
        return "en service"
    return "annoncé" if today < one.starts_on else "terminé"


def day(value: date) -> str:
    """`1er mars 2027`."""
    number = "1er" if value.day == 1 else str(value.day)
    return f"{number} {MONTHS[value.month - 1]} {value.year}"
