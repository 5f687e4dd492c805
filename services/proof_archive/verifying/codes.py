"""Why a bundle is refused: one stable code per malformation, said in English and in French.

Every verifier (this command, the single-file one, the web page) uses these codes, so that their answers can be compared.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.errors import OpposableError, Problem


class Said(NamedTuple):
    """One reason in both languages."""

    en: str
    fr: str


REASONS: dict[str, Said] = {
    "TOO-LARGE": Said("The bundle is larger than any bundle we make.", "Le dossier dépasse la taille admise."),
    "ZIP-UNREADABLE": Said("This is not a readable ZIP file.", "Ce n'est pas un fichier ZIP lisible."),
    "ZIP-COMPRESSED": Said(
        "A member is compressed or encrypted: bundles store their members as they are.",
        "Un fichier du dossier est compressé ou chiffré : un dossier de preuve les contient tels quels.",
    ),
    "ZIP-BOMB": Said(
        "The members claim to be larger than the file that holds them.",
        "Les fichiers annoncés dépassent la taille du dossier qui les contient.",
    ),
    "ZIP-PATH": Said(
        "A member has a name that no bundle contains (path, extra file).",
        "Un fichier porte un nom qu'aucun dossier ne contient (chemin, fichier ajouté).",
    ),
    "ZIP-DUPLICATE": Said("Two members have the same name.", "Deux fichiers portent le même nom."),
    "ZIP-NOT-CANONICAL": Said(
        "The ZIP is not written byte for byte as bundles are.",
        "Le ZIP n'est pas écrit à l'octet près comme un dossier de preuve.",
    ),
    "MANIFEST-MISSING": Said("The manifest or its signature is missing.", "Le manifeste ou sa signature manque."),
    "MANIFEST-MALFORMED": Said("The manifest does not have the documented form.", "Le manifeste est mal formé."),
    "MANIFEST-NOT-SIGNED": Said(
        "The manifest is not signed by the bundle key that the trust file names.",
        "Le manifeste n'est pas signé par la clé que désigne le fichier de confiance.",
    ),
    "MEMBERS-DIFFER": Said(
        "The members are not those of the manifest, in its order.",
        "Les fichiers ne sont pas ceux du manifeste, dans son ordre.",
    ),
    "MEMBER-ALTERED": Said("A member is not the one the manifest hashes.", "Un fichier n'est pas celui du manifeste."),
    "README-UNKNOWN": Said("LISEZMOI.txt is not the known text.", "LISEZMOI.txt n'est pas le texte connu."),
    "ENTRY-MALFORMED": Said("A log entry does not have the documented form.", "Une entrée du journal est mal formée."),
    "ENTRY-BODY": Said(
        "The facts beside an entry are missing, superfluous or not those it hashes.",
        "Les faits joints à une entrée manquent, sont de trop ou ne sont pas ceux qu'elle désigne.",
    ),
    "ENTRY-UNRELATED": Said(
        "An entry is not about this record, nor relied on by its verdict.",
        "Une entrée ne concerne pas ce dossier et n'est pas citée par son évaluation.",
    ),
    "ENTRY-ORDER": Said("The entries are not in order, or one stands twice.", "Les entrées ne sont pas dans l'ordre."),
    "CONSENT-MISSING": Said("The consent itself is not among the entries.", "Le consentement n'est pas joint."),
    "PROOF-MALFORMED": Said("An inclusion proof cannot be read.", "Une preuve d'inclusion est illisible."),
    "CHECKPOINT-REFUSED": Said(
        "A checkpoint is not acceptable under the trust file (signature, witnesses, origin).",
        "Un point de contrôle n'est pas acceptable (signature, témoins, origine).",
    ),
    "CHECKPOINT-DIFFERS": Said(
        "A proof's checkpoint is not the one that the manifest states, or its log is not that of the entry.",
        "Le point de contrôle d'une preuve n'est pas celui que le manifeste énonce, ou n'est pas celui du journal de l'entrée.",
    ),
    "NOT-INCLUDED": Said("An entry is not proven to be in the log.", "L'inclusion d'une entrée n'est pas prouvée."),
    "REFERENCE-MISSING": Said(
        "An entry is not listed by the manifest, or is listed otherwise.",
        "Une entrée n'est pas citée par le manifeste, ou l'est autrement.",
    ),
    "DISCLOSURES-MALFORMED": Said("disclosures.json is malformed.", "disclosures.json est mal formé."),
    "DISCLOSURE-WRONG": Said(
        "A disclosed value is not the one committed to in the log.",
        "Une valeur dévoilée n'est pas celle que le journal engage.",
    ),
    "ERASURE-DIFFERS": Said(
        "The manifest and the entries do not agree on the erasure.",
        "Le manifeste et les entrées ne s'accordent pas sur l'effacement.",
    ),
    "TIMELINE-DIFFERS": Said(
        "timeline.json does not say what the entries say.", "timeline.json ne dit pas ce que disent les entrées."
    ),
    "EVIDENCE-UNKNOWN": Said(
        "An evidence file is not one that the entries hash.", "Une pièce n'est pas désignée par les entrées."
    ),
    "TIMESTAMP-MALFORMED": Said(
        "A timestamp does not have the documented form.", "Un horodatage n'a pas la forme documentée."
    ),
    "TIMESTAMP-WRONG": Said(
        "A timestamp is not of these checkpoints, or its authority did not sign it.",
        "Un horodatage ne porte pas sur ces points de contrôle, ou son autorité ne l'a pas signé.",
    ),
}


class Refused(OpposableError):  # noqa: N818 - a bundle is refused; nothing failed
    """Raised inside the verifier. `where` is the member concerned, "" for the whole bundle."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code} {where}".rstrip())
        self.reason, self.where = code, where

    def problem(self) -> Problem:
        """Its wire form; the pointer is the member's path."""
        return Problem(self.reason, f"/{self.where}" if self.where else "", REASONS[self.reason].en)
