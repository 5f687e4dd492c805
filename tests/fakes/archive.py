"""Records and logs as tests of the archive need them; and the Merkle tree by its definition, as an oracle."""

import hashlib

from shared import canonical
from shared.kafka.record import StoredRecord

CONSENT = "0190f6c2-6f1e-7cc3-9a55-{:012x}"


def record_name(number, collector="acme"):
    return f"{collector}/{CONSENT.format(number)}"


def stored(topic, offset, facts, *, partition=0, sealed=None, key=b"k"):
    value = {"facts": facts} | ({"sealed": sealed} if sealed else {})
    return StoredRecord(topic, partition, offset, 1_790_000_000_000 + offset, key, canonical.dumps(value))


def simple(topic, offset, partition=0):
    """A record whose facts depend on its offset alone."""
    return stored(topic, offset, {"kind": "test", "record": record_name(offset), "v": 1}, partition=partition)


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def tree_hash(leaves):
    """MTH of RFC 6962 §2.1, by its definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()
