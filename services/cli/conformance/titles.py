"""The kit's sentences, English and French: what each item asks, and why one fails or is not looked at."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]
"""Code → (English, French)."""

TITLES: Words = {
    "SIGN-WRONG": ("Refuses an event signed with another secret", "Refuse un événement signé avec un autre secret"),
    "SIGN-MISSING": ("Refuses an event without a signature", "Refuse un événement sans signature"),
    "SIGN-OLD": ("Refuses a signature an hour old", "Refuse une signature vieille d’une heure"),
    "SIGN-BODY": ("Refuses a body other than the one signed", "Refuse un corps différent de celui qui est signé"),
    "SIGN-ROTATION": (
        "Accepts one good signature among several (rotation)", "Accepte une bonne signature parmi plusieurs (rotation)",
    ),
    "GRANT-USED": ("Uses a permission", "Utilise une autorisation"),
    "UNKNOWN-PERSON": ("Does not contact whom it was not told of", "Ne contacte pas une personne dont on ne lui a rien dit"),
    "REFUSED": ("Does not use a refused line", "N’utilise pas une ligne refusée"),
    "ENDED": ("Stops when a permission ends", "S’arrête quand une autorisation prend fin"),
    "EXPIRED": ("Stops after `valid_until`", "S’arrête après « valid_until »"),
    "ACK-IN-TIME": ("Acknowledges an order in time, as applied", "Acquitte un ordre à temps, comme appliqué"),
    "ACK-UNKNOWN": ("Acknowledges an order about a stranger", "Acquitte un ordre sur une personne inconnue"),
    "ACK-TRUE": ("What it says is applied is applied", "Ce qu’elle dit appliqué l’est"),
    "STOP-FIRST": (
        "Keeps a stop that comes before its permission", "Conserve un retrait arrivé avant son autorisation",
    ),
    "NEWER-CONSENT": (
        "Uses a consent collected after the stop", "Utilise un consentement recueilli après le retrait",
    ),
    "TIE": ("At the same instant, the stop wins", "Au même instant, le retrait l’emporte"),
    "OLDER-STOP-LATER": (
        "An older stop told later hides no newer one", "Un retrait ancien annoncé plus tard n’en cache pas un récent",
    ),
    "MATCH-KEY": (
        "Applies a stop to the person’s other consents (match key)",
        "Applique un retrait aux autres consentements de la personne (clé de rapprochement)",
    ),
    "SCOPE": ("Keeps to the channels of a stop", "S’en tient aux canaux du retrait"),
    "REPEATED-EVENT": ("Counts a repeated event once", "Ne compte qu’une fois un événement répété"),
    "REPEATED-ORDER": ("Answers a repeated order alike", "Répond de même à un ordre répété"),
    "UNKNOWN-TYPE": ("Takes and ignores an event of a new type", "Accepte et ignore un événement d’un type nouveau"),
    "ACK-ONLY-ORDERS": ("Acknowledges only orders it was given", "N’acquitte que des ordres reçus"),
}  # fmt: skip

REASONS: Words = {
    "event-refused": (
        "a correctly signed event was answered with an error", "un événement bien signé a reçu une réponse d’erreur",
    ),
    "unsigned-taken": (
        "it was not answered 4xx: anyone could send you permissions",
        "la réponse n’est pas 4xx : n’importe qui pourrait vous envoyer des autorisations",
    ),
    "unsigned-counted": (
        "the event was refused, and counted all the same", "l’événement a été refusé, et pourtant pris en compte",
    ),
    "rotation-refused": (
        "every signature of `webhook-signature` must be tried: one is enough",
        "il faut essayer chaque signature de « webhook-signature » : une seule suffit",
    ),
    "no-signatures": ("this transport signs no single event", "ce transport ne signe pas chaque événement"),
    "no-question": (
        "give --ask, an address that says whether a person may be contacted",
        "donnez --ask, une adresse qui dit si une personne peut être contactée",
    ),
    "question-unanswered": (
        'the address of --ask must answer {"allowed": true | false}',
        'l’adresse de --ask doit répondre {"allowed": true | false}',
    ),
    "grant-unused": ("the permission is not used", "l’autorisation n’est pas utilisée"),
    "unknown-used": ("a person nobody told of is contacted", "une personne jamais annoncée est contactée"),
    "refused-used": ("a refused line is used", "une ligne refusée est utilisée"),
    "ended-used": ("the permission is used after its end", "l’autorisation est utilisée après sa fin"),
    "expired-used": ("`valid_until` is not looked at", "« valid_until » n’est pas regardé"),
    "no-acknowledgement": ("no acknowledgement came in time", "aucun acquittement n’est venu à temps"),
    "known-not-applied": (
        "the person was known, and the order is not answered `applied`",
        "la personne était connue, et l’ordre n’est pas acquitté « applied »",
    ),
    "unknown-refused": (
        "an order about a stranger is kept and answered `unknown_person` or `applied`, never `refused`",
        "un ordre sur une personne inconnue est conservé et acquitté « unknown_person » ou « applied », jamais « refused »",
    ),
    "applied-untrue": (
        "the order was answered, and the person is still contacted", "l’ordre est acquitté, et la personne reste contactée",
    ),
    "stop-forgotten": (
        "the stop came first and was forgotten: keep stops about people you do not know",
        "le retrait est venu d’abord et a été oublié : conservez les retraits de personnes inconnues",
    ),
    "newer-unused": (
        "compare the stop’s `at` with the consent’s `collected_at`: this consent is newer",
        "comparez « at » du retrait et « collected_at » du consentement : celui-ci est plus récent",
    ),
    "tie-used": ("at the same instant the stop must win", "au même instant, le retrait doit l’emporter"),
    "newer-stop-lost": (
        "keep every stop, not the last one told", "conservez chaque retrait, pas seulement le dernier annoncé",
    ),
    "match-key-ignored": (
        "the order names the person by match key too", "l’ordre désigne aussi la personne par sa clé de rapprochement",
    ),
    "scope-too-wide": ("a stop of SMS ended e-mail", "un retrait des SMS a arrêté les courriels"),
    "scope-ignored": ("the channels of the stop are not looked at", "les canaux du retrait ne sont pas regardés"),
    "repetition-counted": (
        "an event told twice (same id) reopened what had ended", "un événement répété (même id) a rouvert ce qui avait pris fin",
    ),
    "answers-differ": ("the same order had two different answers", "le même ordre a eu deux réponses différentes"),
    "unknown-type-refused": (
        "an unknown type must be answered 2xx: types are added", "un type inconnu doit recevoir 2xx : des types s’ajoutent",
    ),
    "unknown-type-blocks": ("nothing works after an unknown type", "plus rien ne marche après un type inconnu"),
    "invented-acknowledgement": (
        "an order was acknowledged that nobody gave", "un ordre que personne n’a donné a été acquitté",
    ),
}  # fmt: skip
