"""Normalisation, match key and signature vectors for partners (`docs/contracts/vectors.jsonl`): made by our own code.

A partner's code is right when it gives exactly these. `plain` vectors need no library; for `full` ones (other countries'
numbers in national form, internationalised domains) a partner without the libraries of docs/partners.md must *refuse*: a value
that differs from ours would be a person who is never found.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Literal

from shared.contracts.types import ContactType
from shared.crypto.keys import match_key
from shared.intake.contacts import ContactFault, normalise
from shared.webhooks import SIGNATURE, format_secret, sign

FILE = "vectors.jsonl"
KEY = bytes(range(32))
"""Everybody knows it: the match key of these vectors alone."""
SECRET, OTHER = b"\x2a" * 32, b"\x2b" * 32
Level = Literal["plain", "full"]

_PLAIN: tuple[tuple[ContactType, str | None, str], ...] = (
    ("email", None, "jeanne.martin@exemple.fr"),
    ("email", None, "  Jeanne.MARTIN@Exemple.FR "),
    ("email", None, "jeanne+jeux@exemple.fr"),
    ("email", None, "j.e.a.n.n.e@poste.example"),
    ("email", None, "jeanne_martin-2@sous.domaine.exemple.fr"),
    ("email", None, "jeanne"),
    ("email", None, "jeanne@"),
    ("email", None, "jeanne@@exemple.fr"),
    ("email", None, "jeanne martin@exemple.fr"),
    ("email", None, "jeanne..martin@exemple.fr"),
    ("email", None, ".jeanne@exemple.fr"),
    ("phone", "FR", "06 12 34 56 78"),
    ("phone", "FR", "06.12.34.56.78"),
    ("phone", "FR", "0612345678"),
    ("phone", "FR", "06-12-34-56-78"),
    ("phone", "FR", "+33 6 12 34 56 78"),
    ("phone", "FR", "+33612345678"),
    ("phone", "FR", "0033612345678"),
    ("phone", None, "+33612345678"),
    ("phone", "FR", "01 99 00 12 34"),
    ("phone", "FR", "06\u00a012\u00a034\u00a056\u00a078"),
    ("phone", "FR", "+44 20 7946 0958"),
    ("phone", "FR", "+32 470 12 34 56"),
    ("phone", "FR", "06 12 34 56"),
    ("phone", "FR", "pas de numéro"),
    ("post", "FR", "Jeanne Martin\n12  rue des Lilas\n\n75011   Paris "),
    ("post", "FR", "Mme Zoé Lefèvre\n3 bis, allée de l'Œuvre\n69003 LYON"),
    ("post", "FR", "  \n  "),
    ("browser", None, " 0190f6c2-6f1e-7cc3 "),
    ("handle", None, "@Jeanne_M"),
    ("handle", None, "   "),
)
_FULL: tuple[tuple[ContactType, str | None, str], ...] = (
    ("email", None, "jeanne@Bücher.example"),
    ("email", None, "jeanne@straße.example"),
    ("email", None, "Zoé@exemple.fr"),
    ("email", None, "jeanne@exemple.local"),
    ("phone", "BE", "0470 12 34 56"),
    ("phone", "RE", "0262 12 34 56"),
    ("phone", "FR", "+33 (0)6 12 34 56 78"),
    ("phone", "FR", "+44 (0)20 7946 0958"),
    ("phone", "FR", "+44 020 7946 0958"),
    ("phone", "FR", "+39 06 1234 5678"),
    ("phone", "FR", "+44 123"),
    ("phone", "FR", "+999 12345678"),
    ("phone", "FR", "(06) 12 34 56 78"),
    ("phone", None, "06 12 34 56 78"),
    ("post", "FR", "Zoe\u0301 Martin\n1 rue du Port\n29200 Brest"),
    ("post", "FR", "Γιώργος Παπαδόπουλος\n1 rue du Port\n29200 Brest"),
)


def vectors() -> str:
    """The file's text: one JSON object a line."""
    found = [*_contacts(_PLAIN, "plain"), *_contacts(_FULL, "full"), *_webhooks()]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found)


def _contacts(inputs: tuple[tuple[ContactType, str | None, str], ...], level: Level) -> Iterator[dict[str, Any]]:
    for kind, region, value in inputs:
        given = {"vector": "contact", "level": level, "type": kind, "region": region, "value": value}
        try:
            normal = normalise(kind, value, region).value
        except ContactFault as fault:
            yield {**given, "normal": None, "code": fault.code, "match_key": None}
        else:
            key = match_key(1, KEY, kind, normal)
            yield {**given, "normal": normal, "code": None, "match_key": key}


def _webhooks() -> Iterator[dict[str, Any]]:
    """Signatures at 1795737600 (2026-11-27T00:00:00Z): good, rotated, wrong, of other bytes, old, future."""
    now, body = 1_795_737_600, '{"specversion":"1.0","id":"a","type":"opposable.stop.ordered.v1","data":{"é":1}}'
    cases: tuple[tuple[str, int, str, list[bytes], bool], ...] = (
        ("good", now, body, [SECRET], True),
        ("rotated, ours second", now, body, [OTHER, SECRET], True),
        ("rotated, ours first", now, body, [SECRET, OTHER], True),
        ("another secret", now, body, [OTHER], False),
        ("299 s old", now - 299, body, [SECRET], True),
        ("301 s old", now - 301, body, [SECRET], False),
        ("301 s ahead", now + 301, body, [SECRET], False),
        ("other bytes", now, body + " ", [SECRET], False),
    )
    for name, timestamp, signed, secrets, valid in cases:
        headers = sign("msg_1", timestamp, signed.encode(), secrets=secrets)
        yield {
            "vector": "webhook", "name": name, "now": now, "secret": format_secret(SECRET), "id": "msg_1",
            "timestamp": str(timestamp), "body": body, "signature": headers[SIGNATURE], "valid": valid,
        }  # fmt: skip
    yield {
        "vector": "webhook", "name": "no signature", "now": now, "secret": format_secret(SECRET), "id": "msg_1",
        "timestamp": str(now), "body": body, "signature": "", "valid": False,
    }  # fmt: skip


def key_text() -> str:
    """The key as `GET /v1/match-key` gives one."""
    return base64.b64encode(KEY).decode()
