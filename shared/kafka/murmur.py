"""Kafka's hash of a key (murmur2, `org.apache.kafka.common.utils.Utils`), so that every client agrees on the partition. Pure.

aiokafka's own reads the key byte by byte in Python: four times as long, for each record of every service.
"""

from __future__ import annotations

import struct

SEED = 0x9747B28C
FACTOR = 0x5BD1E995
WORD = 0xFFFFFFFF
"""Arithmetic is on 32 bits."""


def murmur2(data: bytes) -> int:
    """The hash, unsigned."""
    whole = len(data) >> 2
    value = SEED ^ len(data)
    for word in struct.unpack_from(f"<{whole}I", data):
        mixed = word * FACTOR & WORD
        value = (value * FACTOR & WORD) ^ ((mixed ^ (mixed >> 24)) * FACTOR & WORD)
    rest = data[whole << 2 :]
    if rest:
        value = (value ^ int.from_bytes(rest, "little")) * FACTOR & WORD
    value = (value ^ (value >> 13)) * FACTOR & WORD
    return value ^ (value >> 15)
