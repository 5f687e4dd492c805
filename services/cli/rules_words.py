"""The words of `law.md` and `regles.md` that are no rule's own: titles, introductions, settings, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "fr"]
Words = Mapping[str, Mapping[Language, str]]

CONFIDENCE: Words = {
    "primary": {"en": "primary text read", "fr": "texte primaire lu"},
    "reported": {"en": "reported by a secondary source", "fr": "rapporté par une source secondaire"},
    "unconfirmed": {"en": "not confirmed", "fr": "non confirmé"},
}
EFFECT: Words = {
    "invalid": {"en": "invalid", "fr": "invalide"},
    "review": {"en": "to review", "fr": "à revoir"},
    "refused": {"en": "send refused", "fr": "envoi refusé"},
}
CHANNEL: Words = {
    "email": {"en": "e-mail", "fr": "courriel"},
    "sms": {"en": "SMS", "fr": "SMS"},
    "automated_call": {"en": "automated calls", "fr": "automates d'appel"},
    "call": {"en": "calls", "fr": "appels"},
    "post": {"en": "post", "fr": "courrier postal"},
    "push": {"en": "push messages", "fr": "notifications"},
    "social": {"en": "social networks", "fr": "réseaux sociaux"},
    "tracker": {"en": "trackers", "fr": "traceurs"},
}
INTRODUCTION: Mapping[Language, str] = {
    "en": """# The law, as the platform applies it

Rule set `{version}`. **Not legal advice.** This page is generated from the rules (`opposable rules docs docs`): do not edit it.

A rule is a dated object. Evidence is judged by the rules that are law on the day of collection or on the day of use, in
Paris; a send also by those of the day of the send. A verdict line is `invalid` if any rule of that effect fires, else `review`
if any asks for a person, else `valid`; a send is allowed exactly when no rule fires. Each verdict stores the rule set it was
given under: `opposable rules list --at DAY` prints the law of a day, `opposable rules replay --at DAY` says what stored
evidence is worth under it. *Confidence* says what stands behind a rule: the text itself read, or a secondary source.""",
    "fr": """# Les règles appliquées par la plateforme

Jeu de règles `{version}`. **Ceci n'est pas un conseil juridique.** Page produite à partir des règles (`opposable rules docs docs`) :
ne pas la modifier à la main.

À l'attention des délégués à la protection des données. Une règle est datée : la preuve d'un consentement est jugée selon les
règles en vigueur le jour de la collecte *ou* le jour de l'usage, à Paris ; un envoi l'est aussi selon celles du jour de l'envoi.
Une ligne (destinataire × canal × finalité) est **invalide** si une règle de cet effet se déclenche, sinon **à revoir** si une règle
demande un examen humain, sinon **valide**. Un envoi est permis si, et seulement si, aucune règle ne se déclenche. Chaque verdict garde
la version du jeu de règles sous laquelle il a été rendu. « Confiance » dit ce qui fonde la règle : texte primaire lu, ou source secondaire.

Pour connaître le droit d'un jour : `opposable rules list --at 2026-08-10`. Pour savoir ce qui ne pourrait plus être utilisé :
`opposable rules replay --at 2026-08-11 preuves.jsonl --registry registre/ --csv lignes.csv`.""",
}
OTHER: Words = {
    "all": {"en": "all", "fr": "tous"},
    "always": {"en": "always", "fr": "toujours"},
    "audience": {"en": "Audience", "fr": "Public"},
    "ban": {"en": "ban", "fr": "interdiction"},
    "bans": {"en": "Banned sectors", "fr": "Secteurs interdits"},
    "bans_text": {
        "en": "Even with consent, save for a contract in course linked to the message (`SECTOR-BANNED`; consumers only).",
        "fr": "Même avec consentement, sauf contrat en cours lié à la sollicitation (`SECTOR-BANNED` ; consommateurs seulement).",
    },
    "basis": {"en": "Which basis is possible", "fr": "Quelle base légale est possible"},
    "basis_text": {
        "en": "The first row that fits says which basis a line attempts.",
        "fr": "La première ligne qui convient dit sur quelle base la prospection peut se fonder.",
    },
    "basis_word": {"en": "Basis", "fr": "Base"},
    "change": {"en": "What changes", "fr": "Ce qui change"},
    "channel": {"en": "Channel", "fr": "Canal"},
    "channels": {"en": "By channel", "fr": "Par canal"},
    "channels_text": {
        "en": "Rules of the collection phase. Those of every channel come first.",
        "fr": "Règles de la phase de collecte. Celles de tous les canaux viennent d'abord.",
    },
    "collection": {"en": "Rules on collected evidence", "fr": "Règles sur la preuve collectée"},
    "concerns": {"en": "Concerns", "fr": "Concerne"},
    "condition": {"en": "Where", "fr": "Condition"},
    "confidence": {"en": "Confidence", "fr": "Confiance"},
    "consent_source": {
        "en": "RGPD 6(1)(a); CPCE L.34-5; C. conso. L.223-1; LIL 82",
        "fr": "RGPD 6(1)(a) ; CPCE L.34-5 ; C. conso. L.223-1 ; LIL 82",
    },
    "contract_in_course": {"en": "contract in course, linked to it", "fr": "contrat en cours, en lien avec lui"},
    "cure": {"en": "Cure", "fr": "Remède"},
    "dates": {"en": "By date", "fr": "Par date"},
    "dates_text": {
        "en": "Changes take effect at midnight in Paris (+ begins, − ends).",
        "fr": "Les changements prennent effet à minuit, heure de Paris (+ entre en vigueur, − prend fin).",
    },
    "day": {"en": "Day", "fr": "Jour"},
    "decision": {"en": "decision", "fr": "décision"},
    "default": {"en": "Default", "fr": "Défaut"},
    "effect": {"en": "Effect", "fr": "Effet"},
    "fires": {"en": "Fires when", "fr": "Se déclenche quand"},
    "generic_mailbox": {"en": "a function's mailbox (contact@…)", "fr": "boîte générique (contact@…)"},
    "meaning": {"en": "Meaning", "fr": "Sens"},
    "open": {"en": "What nobody has confirmed", "fr": "Ce qui n'est pas confirmé"},
    "open_text": {
        "en": "Never hard-coded: a setting (environment `OPPOSABLE_RULES_…`), with the cautious default.",
        "fr": "Jamais figé dans le code : un réglage (variables `OPPOSABLE_RULES_…`), prudent par défaut.",
    },
    "otherwise": {"en": "no row above fits", "fr": "aucune ligne ci-dessus ne convient"},
    "permission": {"en": "the permission relied on", "fr": "la permission invoquée"},
    "relationship": {"en": "a customer relationship is claimed", "fr": "une relation client est invoquée"},
    "row": {"en": "the basis", "fr": "la base"},
    "rules": {"en": "Rules", "fr": "Règles"},
    "sector": {"en": "sector", "fr": "secteur"},
    "send": {"en": "each send", "fr": "chaque envoi"},
    "sending": {"en": "Rules on each send", "fr": "Règles sur chaque envoi"},
    "setting": {"en": "Setting", "fr": "Réglage"},
    "since": {"en": "In force", "fr": "En vigueur"},
    "third_party": {"en": "third-party recipient", "fr": "destinataire tiers"},
    "until": {"en": "collected and used before", "fr": "collecte et usage avant le"},
}
SETTING: Words = {
    "free_account_is_sale": {
        "en": "soft opt-in after a free account alone (C-654/23 is read narrowly)",
        "fr": "exception client après un simple compte gratuit (C-654/23, lecture étroite)",
    },
    "tracker_months": {
        "en": "months for which a choice on trackers holds (CNIL recommends six)",
        "fr": "mois pendant lesquels vaut un choix sur les traceurs (la CNIL recommande six)",
    },
    "retention_months": {
        "en": "months for which any consent holds (délib. 2021-131 reports three years)",
        "fr": "mois pendant lesquels vaut un consentement (la délib. 2021-131 rapporte trois ans)",
    },
    "housing_calls_banned_from": {
        "en": "calls on adapting a home banned from; a secondary source says 2025-07-01",
        "fr": "interdiction des appels sur l'adaptation du logement ; une source secondaire dit le 2025-07-01",
    },
    "late_after": {
        "en": "evidence that arrives later than this is looked at by a person (EVIDENCE-LATE)",
        "fr": "au-delà, une preuve reçue en retard est examinée par une personne (EVIDENCE-LATE)",
    },
    "unbalanced_review": {
        "en": "score (0 to 100) from which FORM-UNBALANCED asks for a person",
        "fr": "score (0 à 100) à partir duquel FORM-UNBALANCED demande un examen",
    },
    "unbalanced_invalid": {
        "en": "score from which FORM-UNBALANCED refuses",
        "fr": "score à partir duquel FORM-UNBALANCED refuse",
    },
    "automated_calls_keep_hours": {
        "en": "automated calls keep the hours and the number of calls of D.223-9",
        "fr": "les automates d'appel respectent les horaires et le nombre d'appels de D.223-9",
    },
    "alsace_moselle": {
        "en": "Good Friday and 26 December are holidays too (C. trav. L.3134-13)",
        "fr": "le Vendredi saint et le 26 décembre sont aussi fériés (C. trav. L.3134-13)",
    },
    "appointment_tolerance": {
        "en": "how far from an appointment expressly given a call may fall, outside the hours",
        "fr": "écart permis autour d'un rendez-vous expressément donné, hors des horaires",
    },
}
