"""What we read of a Kafka record. aiokafka's `ConsumerRecord` fits it; so does a plain object in tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Record(Protocol):
    """A consumed record: raw bytes, and where and when the broker stored it (`timestamp`: ms, LogAppendTime)."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as a value of our own (replays, fakes)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def coordinate(record: Record) -> str:
    """`topic/partition/offset`: where a record stands, for ever."""
    return f"{record.topic}/{record.partition}/{record.offset}"
