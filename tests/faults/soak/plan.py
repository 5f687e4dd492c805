"""What a soak does, from a seed alone: people in families, their consents and stops, late, repeated, scoped, and the faults. Pure.

The same seed gives the same plan; only the clock of the machine it runs on differs.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.bench import world

COLLECTORS, PROSPECTORS = world.COLLECTORS, world.PROSPECTORS[:3]
KILLED = ("collector", "consent_validator", "rights_handler")
GROUPS = (("rights_handler.stops", "stops"), ("rights_handler.verdicts", "verdicts"))
STEPS_A_FAMILY = 40
"""Of a long soak there are more people, not more consents of each: the orders of a stop are as many as the records it covers."""


@dataclass(frozen=True)
class Member:
    """A person: an e-mail address of their own, a telephone that the family shares, a reference by collector."""

    email: str
    phone: str
    ref: str


@dataclass(frozen=True)
class Consent:
    """`age`: seconds between the collection and now. `held`: seconds between now and its sending."""

    id: str
    collector: str
    member: Member
    contacts: tuple[tuple[str, str], ...]
    confirmed: bool
    decisions: tuple[tuple[str, str], ...]
    via: tuple[str, ...]
    held: float


@dataclass(frozen=True)
class Stop:
    """`ago`: how long ago the person said so, in seconds; negative: a clock that runs ahead."""

    id: str
    source: str
    ago: float
    contacts: tuple[tuple[str, str], ...] = ()
    record: str | None = None
    subject_ref: str | None = None
    one_click: bool = False
    recipients: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    held: float = 0.0


@dataclass(frozen=True)
class Again:
    """Something sent before, sent once more: the same bytes."""

    place: int


@dataclass(frozen=True)
class Fault:
    """A service killed (−9), or a stranger that joins a group for a moment and takes partitions away."""

    at: float
    kill: str | None = None
    join: tuple[str, str] | None = None


@dataclass
class Plan:
    """Steps in order, spread over `seconds`; faults at their moments."""

    seed: int
    seconds: float
    steps: list[Consent | Stop | Again] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def make(seed: int, seconds: float, per_second: float) -> Plan:
    """The plan of a seed."""
    draw = random.Random(seed)
    plan = Plan(seed, seconds)
    steps = int(seconds * per_second)
    people = [_member(seed, family, who) for family in range(max(4, steps // STEPS_A_FAMILY)) for who in range(3)]
    consents: list[Consent] = []
    for place in range(steps):
        kind = draw.random()
        if not consents or kind < 0.62:
            consents.append(_consent(draw, place, draw.choice(people)))
            plan.steps.append(consents[-1])
        elif kind < 0.84:
            plan.steps.append(_stop(draw, place, draw.choice(people), draw.choice(consents[-60:])))
        else:
            plan.steps.append(Again(draw.randrange(len(plan.steps))))
    moment = 2.0
    while moment < seconds:
        wanted = draw.random() < 0.6
        plan.faults.append(
            Fault(moment, kill=draw.choice(KILLED)) if wanted else Fault(moment, join=draw.choice(GROUPS))
        )
        moment += draw.uniform(2.5, 6.0)
    return plan


def _member(seed: int, family: int, who: int) -> Member:
    return Member(
        email=f"soak.{seed}.{family}.{who}@courriel.example",
        phone=f"+3369{seed % 1000:03d}{family:04d}",
        ref=f"ref-{seed}-{family}-{who}",
    )


def _consent(draw: random.Random, place: int, member: Member) -> Consent:
    contacts = draw.choice((
        (("email", member.email),), (("email", member.email), ("phone", member.phone)), (("phone", member.phone),),
    ))  # fmt: skip
    values = ("granted", "granted", "granted", "refused")
    decisions = tuple(
        (channel, draw.choice(values)) for channel in draw.choice((("email",), ("email", "sms"), ("sms",)))
    )
    collector = draw.choice(COLLECTORS)
    others = [c for c in COLLECTORS if c != collector]
    return Consent(
        id=str(uuid.UUID(int=draw.getrandbits(128), version=4)), collector=collector, member=member, contacts=contacts,
        confirmed=draw.random() < 0.5, decisions=decisions, via=(draw.choice(others),) if draw.random() < 0.15 else (),
        held=draw.choice((0.0, 0.0, 0.3, 2.0, 6.0)) * draw.random(),
    )  # fmt: skip


def _stop(draw: random.Random, place: int, member: Member, consent: Consent) -> Stop:
    common: dict[str, Any] = {
        "id": f"soak-{place}-{draw.getrandbits(32):08x}", "ago": draw.choice((0.0, 0.0, 1.0, 4.0, -3600.0)) * draw.random(),
        "held": draw.choice((0.0, 0.0, 1.0, 3.0)) * draw.random(),
        "channels": draw.choice((None, None, None, ("email",), ("sms",))),
    }  # fmt: skip
    anyone = draw.choice((*COLLECTORS, *PROSPECTORS))
    recipients = draw.choice((None, None, (draw.choice(PROSPECTORS),)))
    how = draw.random()
    if how < 0.3:
        return Stop(source=anyone, contacts=(("email", member.email),), recipients=recipients, **common)
    if how < 0.45:
        return Stop(source=anyone, contacts=(("phone", member.phone),), recipients=recipients, **common)
    if how < 0.6:
        return Stop(source=draw.choice(COLLECTORS), subject_ref=member.ref, recipients=recipients, **common)
    if how < 0.8:
        return Stop(source=anyone, record=f"{consent.collector}/{consent.id}", recipients=recipients, **common)
    return Stop(
        source=draw.choice(PROSPECTORS), record=f"{consent.collector}/{consent.id}", one_click=True, **common
    )  # fmt: skip
