"""Wires the collection of cosignatures into the signer: proofs from the tiles, notes in the store, what is owed by whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import httpx

from services.proof_archive.checkpoints.cosign import CosignatureCollector, Offered, Tell, WitnessAt
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.store import Store
from shared.crypto.merkle import consistency_nodes, consistency_proof
from shared.crypto.note import RawSignature
from shared.instants import format_instant
from shared.service import Context


class Cosigning:
    """The collectors of one signer, one a witness."""

    def __init__(self, context: Context, witnesses: Iterable[WitnessAt], reader: Reader, store: Store) -> None:
        self._context, self._reader, self._store = context, reader, store
        self._collectors = [
            CosignatureCollector(
                witness, prove=self._prove, keep=self._keep, tell=self._teller(witness), log=context.log
            )
            for witness in witnesses
        ]
        for number, collector in enumerate(self._collectors, start=1):
            context.background(f"cosign {number}", partial(_collect, collector))

    def offer(self, checkpoints: Sequence[Offered]) -> None:
        """Hand checkpoints to every collector; returns at once."""
        for collector in self._collectors:
            collector.offer(checkpoints)

    async def _prove(self, offered: Offered, old: int) -> list[bytes]:
        nodes = await self._reader.nodes({offered.log: (offered.size, consistency_nodes(old, offered.size))})
        known = nodes[offered.log]
        return consistency_proof(old, offered.size, lambda level, index: known[level, index])

    async def _keep(self, offered: Offered, signature: RawSignature) -> None:
        await self._store.add_cosignature(offered.log, offered.size, signature)

    def _teller(self, witness: WitnessAt) -> Tell:
        name = f"witness:{witness.key.name}"

        async def tell(cause: str | None) -> None:
            if cause is None:
                await self._store.discharge([name])
            else:
                now = format_instant(self._context.clock.now())
                await self._store.oblige(name, cause, now, witness=witness.key.name)

        return tell


async def _collect(collector: CosignatureCollector) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await collector.run(client)
