"""Who has done its part of an erasure, read from what is public: signed checkpoints, and the position of a consumer group.

The archive: a signed checkpoint of the log of `erasures` covers the entry (an entry's index is its offset: the logs of this
system begin at offset 0 and have no gap), so that the erasure is provable before it is final. Its committed offset would
prove nothing: a halted log lets its neighbours flow. The index: the group `rights_handler.erasures` commits an offset only
once the tombstones below it are durable, and never skips one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.crypto.checkpoint import Checkpoint, Origin
from shared.crypto.note import Verifier, open_note
from shared.crypto.policy import parse_policy
from shared.errors import ConfigurationError, IntegrityError
from shared.kafka.connection import client_options
from shared.kafka.partitions import partitions_of
from shared.registry.feed import RegistryFeed
from shared.settings import Settings
from shared.topics import CHECKPOINTS_LATEST, ERASURES

ARCHIVE = "the signed log"
INDEX = "rights_handler.erasures"
RETRY_S = 1.0
TRUST_FILE_S = 0.5
POLL_MS = 200


class Confirmations(Protocol):
    """How far each party to an erasure is, by name and partition of `erasures`."""

    async def passed(self) -> Mapping[str, Mapping[int, int]]:
        """Offsets below which all is done."""
        ...


class KafkaConfirmations:
    """`Confirmations` from the cluster."""

    def __init__(self, settings: Settings, trust_file: Path, registry: RegistryFeed, log: Any) -> None:
        self._options, self._deployment = client_options(settings, "eraser"), settings.deployment
        self._trust_file, self._registry, self._log = trust_file, registry, log
        self._sizes: dict[str, int] = {}
        self._admin: AIOKafkaAdminClient | None = None

    async def passed(self) -> Mapping[str, Mapping[int, int]]:
        """One request; checkpoints are followed in the background."""
        admin = await self._asker()
        try:
            offsets = await admin.list_consumer_group_offsets(INDEX)
        except (KafkaError, OSError):
            await self._forget_admin()
            raise
        committed = {tp.partition: entry.offset for tp, entry in offsets.items() if tp.topic == ERASURES.name}
        return {ARCHIVE: self._signed(), INDEX: committed}

    def _signed(self) -> dict[int, int]:
        """Size by partition of the log of the topic's present incarnation; none while the registry does not name it."""
        topic = self._registry.view.topic(ERASURES.name)
        if topic is None:
            return {}
        sizes: dict[int, int] = {}
        for text, size in self._sizes.items():
            origin = Origin.parse(text)
            if (origin.deployment, origin.topic, origin.incarnation) == (
                self._deployment, ERASURES.name, topic.incarnation,
            ):  # fmt: skip
                sizes[origin.partition] = size
        return sizes

    async def follow(self) -> None:
        """Read `checkpoints.latest` from its beginning, for ever."""
        if not self._trust_file.exists():
            self._log.info("waiting for the trust file: nothing is destroyed before it is there")
        while not self._trust_file.exists():  # noqa: ASYNC110 - written once the whole system is ready, by another process
            await asyncio.sleep(TRUST_FILE_S)
        keys = self._keys()
        consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            await consumer.start()
            partitions = await partitions_of(await self._asker(), [CHECKPOINTS_LATEST.name])
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    for record in records:
                        self._take(record.value or b"", keys)
        finally:
            await consumer.stop()

    async def stop(self) -> None:
        """Disconnect."""
        await self._forget_admin()

    def _take(self, note: bytes, keys: tuple[Verifier, ...]) -> None:
        """A checkpoint of a log of erasures, signed by the log's key; any other is not believed."""
        try:
            checkpoint = Checkpoint.parse(open_note(note, keys).text)
            mine = Origin.parse(checkpoint.origin).topic == ERASURES.name
        except IntegrityError as error:
            self._log.error("a checkpoint is not believed", exc_info=error)
            return
        if mine:
            self._sizes[checkpoint.origin] = max(checkpoint.size, self._sizes.get(checkpoint.origin, 0))

    def _keys(self) -> tuple[Verifier, ...]:
        try:
            keys = parse_policy(self._trust_file.read_text()).logs
        except OSError as error:
            raise ConfigurationError(
                f"the trust file cannot be read ({error.strerror}): OPPOSABLE_POLICY_FILE"
            ) from None

        return tuple(key for key in keys if key.name == self._deployment)  # not the key that signs bundles

    async def _asker(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._options)
            await admin.start()
            self._admin = admin
        return self._admin

    async def _forget_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(KafkaError, OSError, asyncio.TimeoutError):
                await admin.close()
