"""The information that a form must give (RGPD 13, 7(3); C. conso. L.223-2), in French, with every recipient by its legal name.

Written from the registered form and list: it says what they say. A lawyer reads it before anyone shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.kit.register import TO_FILL_IN, name_of
from shared.kit.words import CHANNELS, PURPOSES, listed
from shared.registry.models import Party
from shared.registry.shown import Form, ListEntry, RecipientList

PHONE = frozenset({"call", "automated_call", "sms"})


def mention(party: Party, form: Form, published: RecipientList | None) -> str:
    """The mention of a form version with its list. Raises ValueError where the list names nobody: no mention can mend that."""
    if published is not None and published.nature != "named":
        raise ValueError("a list of categories names nobody: the persons must be told who, by name")
    channels = [channel for box in form.boxes for channel in box.channels]
    purposes = [purpose for box in form.boxes for purpose in box.purposes]
    entries = published.entries if published is not None else ()
    lines = [
        f"Vos données sont recueillies par {name_of(party)}, responsable du traitement.",
        f"Contact pour vos données (délégué à la protection des données) : {party.contact_dpo or TO_FILL_IN}.",
        "",
        f"Pourquoi : {listed(PURPOSES[p] for p in purposes) or TO_FILL_IN}, par {listed(CHANNELS[c] for c in channels) or TO_FILL_IN}.",
        "Sur quelle base : votre consentement (RGPD, article 6(1)(a)). Il est facultatif ; refuser ne change rien au service.",
        "",
        *_recipients(entries, published),
        "",
        (
            "Combien de temps : jusqu’à votre retrait et au plus "
            f"{'un an pour les appels, ' if 'call' in channels else ''}trois ans à compter du recueil ; la preuve de votre choix est ensuite "
            "conservée le temps des délais légaux."
        ),
        "",
        (
            "Vous pouvez retirer votre consentement à tout moment, aussi simplement que vous l’avez donné : "
            f"{party.privacy_url or TO_FILL_IN}. Le retrait ne compromet pas la licéité de ce qui a été fait avant lui ; il est transmis à chacun des destinataires."
        ),
        (
            "Vous avez le droit d’accéder à vos données, de les faire rectifier ou effacer, de limiter leur usage, de les recevoir et de "
            "vous opposer."
        ),
        "Vous pouvez adresser une réclamation à la CNIL (www.cnil.fr).",
    ]
    if PHONE.intersection(channels):
        lines += [
            "",
            (
                "Vous n’êtes pas tenu de donner votre numéro de téléphone. Vous pouvez vous opposer à tout démarchage téléphonique "
                "(Code de la consommation, article L.223-2)."
            ),
        ]
    return "\n".join(lines) + "\n"


def _recipients(entries: Sequence[ListEntry], published: RecipientList | None) -> list[str]:
    if not entries or published is None:
        return ["À qui : à personne d’autre."]
    count = len(entries)
    head = (
        f"À qui : aux {count} sociétés suivantes, et à elles seules"
        if count > 1
        else "À qui : à la société suivante, et à elle seule"
    )
    lines = [f"{head} (liste « {published.id} », version {published.version}) :"]
    for entry in entries:
        uses = listed(CHANNELS[channel] for channel in entry.channels)
        policy = f", {entry.privacy_url}" if entry.privacy_url else ""
        lines.append(f"– {name_of(entry)} : {uses}{policy}")
    return lines
