"""What every family of mutants starts from: honest bundles of several histories, and how bytes are altered."""

import functools
import random
from typing import NamedTuple

from bundle_world import (
    OTHERS,
    OWN,
    PAGE,
    PAGE_SHA256,
    POLICY,
    WITNESSED_POLICY,
    World,
    consent_facts,
    erased_world,
    line,
    plain_world,
    stopped_world,
    verdict_facts,
)

from services.proof_archive.bundles.canonical_zip import read_zip

SEED = 20261124
Draw = random.Random


class Mutant(NamedTuple):
    """One altered pair of files; `name` makes it again."""

    name: str
    trust: bytes
    bundle: bytes


@functools.cache
def worlds() -> dict[str, World]:
    """The histories that bundles are made of."""
    long = World()
    long.facts("consents", consent_facts())
    long.facts("verdicts", verdict_facts([], lines=[line(f"party-{n:04d}", "email") for n in range(400)]))
    lines = [line(*one) for one in OTHERS]
    wide = World()
    wide.facts("consents", consent_facts())
    wide.verdict([], lines=[line(f"party-{n % 90:04d}", "email") for n in range(1100)])
    return {
        "plain": plain_world(), "stopped": stopped_world(), "erased": erased_world(), "long": long,
        "own": plain_world(version=2, lines=lines), "whole": stopped_world(version=2, lines=lines),
        "gone": erased_world(version=2, lines=lines), "wide": wide,
    }  # fmt: skip


@functools.cache
def bundle_of(name: str) -> bytes:
    """An honest bundle of each history."""
    world = worlds()[name]
    if name in {"erased", "long"}:
        return world.bundle()
    if name in {"gone", "wide"}:
        shown = ("/lines/2", "/lines/10", "/lines/1000") if name == "wide" else OWN
        return world.bundle(disclosures=world.lines(*shown))
    if name in {"own", "whole"}:
        shown = OWN if name == "own" else ()
        return world.bundle(disclosures=[*world.disclosures(), *world.lines(*shown)])
    attestation = b"%PDF-1.7 a retelling" if name == "stopped" else None
    return world.bundle(disclosures=world.disclosures(), evidence={PAGE_SHA256: PAGE}, attestation=attestation)


@functools.cache
def members_of(name: str) -> dict[str, bytes]:
    """Its members."""
    return read_zip(bundle_of(name))


def some_world(draw: Draw) -> str:
    """Mostly the small one."""
    return draw.choices(["plain", "own", "stopped", "erased", "gone", "long"], [8, 8, 3, 1, 1, 1])[0]


def flipped(draw: Draw, data: bytes) -> bytes:
    """One to three bits of some bytes flipped, or a byte set to what formats are sensitive to."""
    mutant = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        at = draw.randrange(len(mutant))
        mutant[at] = draw.choice([mutant[at] ^ 1 << draw.randrange(8)] * 3 + [0, 10, 32, 34, 48, 255])
    return bytes(mutant) if mutant != data else flipped(draw, data)


def edited(draw: Draw, data: bytes) -> bytes:
    """A part cut, doubled, inserted or moved."""
    start, end = sorted(draw.choices(range(len(data) + 1), k=2))
    mutant = draw.choice([
        lambda: data[:start], lambda: data[start:], lambda: data[:start] + data[end:],
        lambda: data[:start] + draw.randbytes(draw.randrange(1, 40)) + data[start:],
        lambda: data[:start] + data[start:end] * 2 + data[end:],
        lambda: data[start:] + data[:start],
    ])()  # fmt: skip
    return mutant if mutant != data else edited(draw, data)


def pair(bundle: bytes, draw: Draw | None = None) -> Mutant:
    """With a trust file that wants witnesses, or one that does not."""
    trust = WITNESSED_POLICY if draw is not None and draw.random() < 0.5 else POLICY
    return Mutant("", trust.encode(), bundle)
