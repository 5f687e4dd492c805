"""Bundles with timestamps: of the first entries by one authority, of all of them by another."""

import functools
from collections.abc import Mapping

from bundle_world import DEPLOYMENT, PAGE, PAGE_SHA256, POLICY, WITNESSED_POLICY, World, stopped_world
from tiny_tsa import Authority, authority

from services.proof_archive.bundles.build import BundleTimestamp
from services.proof_archive.timestamps.statement import Statement
from shared.crypto.merkle import CompactRange, consistency_proof, leaf_hash

EARLY, LATE = "20260915060000Z", "20261104120000Z"
EARLY_AT, LATE_AT = "2026-09-15T06:00:00.000Z", "2026-11-04T12:00:00.000Z"
FIRST = {"consents": 2, "registry": 3, "verdicts": 1}
"""Sizes of the logs at the first timestamp: the consent, not yet the stop; the verdict's entry is in, its neighbour's is not."""


def root_of(world: World, topic: str, size: int) -> bytes:
    return CompactRange().extend([leaf_hash(entry.data) for entry in world.logs[topic]][:size]).root()


def statement_of(world: World, sizes: Mapping[str, int]) -> bytes:
    trees = {world.origin(topic): (size, root_of(world, topic, size)) for topic, size in sizes.items()}
    return Statement.of(DEPLOYMENT, trees).marshal()


def growths_of(world: World, sizes: Mapping[str, int]) -> dict[str, tuple[bytes, ...]]:
    growths = {}
    for topic, size in sizes.items():
        leaves = [leaf_hash(entry.data) for entry in world.logs[topic]]
        nodes: dict[tuple[int, int], bytes] = {}
        CompactRange().extend(leaves, lambda level, at, node, nodes=nodes: nodes.__setitem__((level, at), node))
        if size < len(leaves) and any(topic == mine for mine, _ in world.mine):
            growths[world.origin(topic)] = tuple(
                consistency_proof(size, len(leaves), lambda level, at, nodes=nodes: nodes[level, at])
            )
    return growths


def stamp(
    world: World, sizes: Mapping[str, int] | None = None, by: Authority | None = None, at: str = LATE
) -> BundleTimestamp:
    """A timestamp of a world's logs at some sizes, by default all there is."""
    sizes = {topic: len(log) for topic, log in world.logs.items()} if sizes is None else sizes
    statement = statement_of(world, sizes)
    return BundleTimestamp(statement, (by or authority()).response(statement, at), growths_of(world, sizes))


@functools.cache
def stamped_world() -> World:
    return stopped_world()


@functools.cache
def stamped_bundle() -> bytes:
    """Everything that a bundle may hold: disclosures, evidence, an attestation, two timestamps."""
    world = stamped_world()
    stamps = [stamp(world, FIRST, authority("p256"), EARLY), stamp(world)]
    return world.bundle(
        disclosures=world.disclosures(), evidence={PAGE_SHA256: PAGE}, held={"a" * 64: 48211},
        attestation=b"%PDF-1.7 a retelling", timestamps=stamps,
    )  # fmt: skip


RSA_LINE, EC_LINE = authority().line("horloge"), authority("p256").line("sablier")
STAMPED_POLICY = POLICY + RSA_LINE + EC_LINE
STAMPED_WITNESSED_POLICY = WITNESSED_POLICY + RSA_LINE
