"""Persons of the example: Faker's French names, fictional telephone ranges, `.example` mailboxes, families that share a phone."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass

from faker import Faker

FICTION = ("019900", "026191", "035301", "046571", "053649", "063998")
"""First six digits of the ranges that ARCEP keeps for works of fiction (decision 2018-0881): 10 000 numbers each."""

MAIL_DOMAINS = ("courriel.example", "boite.example", "poste.example", "messagerie.example")
FAMILY_SHARE = 0.06
"""Share of persons who give the telephone number of the person before them."""

SECOND_MAILBOX_SHARE = 0.08
"""Share of persons who give two mailboxes: a stop that names only the second is a stop by a linked contact."""


@dataclass(frozen=True)
class Person:
    """Someone who fills in forms. `phone` is E.164; `mailboxes` has one or two."""

    number: int
    mailboxes: tuple[str, ...]
    phone: str
    address: str


def population(count: int, rng: random.Random) -> list[Person]:
    """`count` persons, the same for the same generator state."""
    fake = Faker("fr_FR")
    fake.seed_instance(rng.randrange(2**32))
    numbers = rng.sample(range(len(FICTION) * 10_000), count)
    people: list[Person] = []
    for index in range(count):
        first, last = fake.first_name(), fake.last_name()
        boxes = [_mailbox(first, last, index, rng)]
        if rng.random() < SECOND_MAILBOX_SHARE:
            boxes.append(_mailbox(first[0], last, index, rng))
        phone = f"+33{FICTION[numbers[index] // 10_000][1:]}{numbers[index] % 10_000:04d}"
        if people and rng.random() < FAMILY_SHARE:
            phone = people[-1].phone
        street = fake.street_address().replace("\n", " ").upper()
        address = f"{first.upper()} {last.upper()}\n{street}\n99{rng.randrange(1000):03d} VILLEXEMPLE\nFRANCE"
        people.append(Person(index, tuple(boxes), phone, address))
    return people


def _mailbox(first: str, last: str, index: int, rng: random.Random) -> str:
    return f"{_ascii(first)}.{_ascii(last)}{index}@{rng.choice(MAIL_DOMAINS)}"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(c if c.isalnum() else "-" for c in plain).strip("-")


def written(phone: str, rng: random.Random) -> str:
    """A number as people type it; every way means the same number."""
    national = "0" + phone.removeprefix("+33")
    pairs = [national[i : i + 2] for i in range(0, 10, 2)]
    return rng.choice([phone, national, " ".join(pairs), ".".join(pairs), f"+33 {national[1:2]} {' '.join(pairs[1:])}"])


def typed(mailbox: str, rng: random.Random) -> str:
    """A mailbox as people type it: capitals and blanks around mean nothing."""
    local, domain = mailbox.split("@")
    return rng.choice([mailbox, mailbox, f"{local.title()}@{domain}", f" {mailbox} "])
