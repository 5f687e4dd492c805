"""The hash that puts a key on its partition: Kafka's own vectors, and aiokafka's implementation."""

from aiokafka.partitioner import murmur2 as by_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.murmur import murmur2
from shared.kafka.publisher import key_hash

KAFKA = {
    b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829, b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}  # fmt: skip
"""`UtilsTest.testMurmur2` of Apache Kafka (Apache 2.0), as signed 32-bit integers."""


def test_kafkas_own_vectors():
    assert {key: murmur2(key) for key in KAFKA} == {key: value & 0xFFFFFFFF for key, value in KAFKA.items()}


@given(st.binary(max_size=200))
def test_the_same_as_aiokafka_for_any_key(key):
    assert murmur2(key) == by_aiokafka(key) & 0xFFFFFFFF


@given(st.binary(max_size=64))
def test_a_partition_is_chosen_from_what_is_positive(key):
    assert key_hash(key) == by_aiokafka(key) & 0x7FFFFFFF
