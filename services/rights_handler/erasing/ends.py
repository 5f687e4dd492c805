"""What ends when, in words for the person: each place that held the data, until when at most, and why. French and English. Pure.

Whoever erases says what cannot be erased at once (RGPD 12(1), 17, 19): messages that were already handed out, the few days
that a queue keeps what came in. Retentions are those of the one table of topics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.model import Planned
from services.rights_handler.erasing.table import TABLE
from shared.instants import format_instant, parse_instant
from shared.topics import DEAD, IN_CONSENTS, OUT_PERMISSIONS, OUT_WITHDRAWALS, TopicRow

Language = Literal["fr", "en"]
NOW = "now"
FOR_EVER = "for_ever"
_TEXTS = {row.code: (row.text_fr, row.text_en, row.source) for row in TABLE}


@dataclass(frozen=True, slots=True)
class End:
    """One place: what is there, until when (an instant, `now`, `for_ever`, or None: until a hold is released), and why."""

    what: str
    until: Instant | None
    why: str


def ends_of(planned: Planned, now: Instant, language: Language) -> list[End]:
    """What ends when for one record, as if its erasure began `now`. Names of companies are their ids in the registry."""
    fr = language == "fr"
    received = planned.received_at or now
    collector = planned.parties and planned.record.partition("/")[0]
    return [
        _main(planned, fr=fr),
        End(
            "les empreintes chiffrées de vos coordonnées qui bloquent tout nouvel import" if fr
            else "the keyed hashes of your contacts that keep any new import blocked",
            FOR_EVER,
            "pour que votre opposition soit respectée après l’effacement (RGPD 17(3)(b), 21(3)) ; elles ne servent à rien d’autre"
            if fr else "so that your objection is respected after the erasure (RGPD 17(3)(b), 21(3)); they serve nothing else",
        ),
        End(
            f"la file d’entrée du collecteur {collector}" if fr else f"the inbound queue of {collector}",
            _later(received, IN_CONSENTS, now),
            "copie de ce qui a été reçu, supprimée automatiquement" if fr else "a copy of what was received, deleted by itself",
        ),
        End(
            "les messages refusés qui pourraient vous concerner" if fr else "refused messages that may be about you",
            _after(now, DEAD),
            "lisibles par l’opérateur seul, supprimés automatiquement" if fr
            else "readable by the operator alone, deleted by themselves",
        ),
        *_told(planned.parties, now, fr=fr),
        End(
            "les entrées du journal de preuve" if fr else "the entries of the proof log",
            FOR_EVER,
            "elles ne contiennent aucune donnée personnelle ; sans la clé, leurs empreintes ne mènent à personne" if fr
            else "they hold no personal data; without the key their commitments lead to nobody",
        ),
        End(
            "les preuves déjà remises à ceux qui y avaient droit" if fr else "proofs already handed to those entitled to them",
            None,
            "elles sont hors de notre portée ; chaque détenteur en répond" if fr
            else "they are out of our reach; each holder answers for them",
        ),
    ]  # fmt: skip


def _main(planned: Planned, *, fr: bool) -> End:
    what = (
        "vos coordonnées et le détail de votre choix, chiffrés" if fr
        else "your contacts and the detail of your choice, encrypted"
    )  # fmt: skip
    fate = planned.fate
    if fate.outcome == "erase":
        why = "la clé qui les chiffre est détruite" if fr else "the key that encrypts them is destroyed"
        return End(what, NOW, why)
    reasons = [f"{_TEXTS[c][0 if fr else 1]} ({_TEXTS[c][2]})" for c in fate.codes if c in _TEXTS]
    if any(code.startswith("HOLD:") for code in fate.codes):
        reasons.append(
            "gel décidé pour une procédure en cours (RGPD 17(3)(e))" if fr
            else "a legal hold for proceedings under way (RGPD 17(3)(e))"
        )  # fmt: skip
    return End(what, fate.until, " ; ".join(reasons))


def _told(parties: Sequence[str], now: Instant, *, fr: bool) -> list[End]:
    """One line per company: what waits for it in its own queue names the person by pseudonyms of that company alone."""
    last = max(_after(now, OUT_PERMISSIONS), _after(now, OUT_WITHDRAWALS))
    why = (
        "ordres et autorisations qui lui sont destinés, sous un pseudonyme propre à cette entreprise et la référence du "
        "collecteur ; elle a reçu l’ordre de cesser et doit effacer ses propres données (RGPD 19)" if fr
        else "orders and permissions meant for it, under a pseudonym of that company alone and the collector’s reference; it was "
        "ordered to stop and must erase its own data (RGPD 19)"
    )  # fmt: skip
    return [End(f"la file de l’entreprise {party}" if fr else f"the queue of {party}", last, why) for party in parties]


def _later(start: Instant, row: TopicRow, now: Instant) -> Instant:
    """The end of a queue's retention; `now` where it is past."""
    end = _after(start, row)
    return end if end > now else NOW


def _after(start: Instant, row: TopicRow) -> Instant:
    return format_instant(parse_instant(start) + timedelta(milliseconds=row.retention_ms))
