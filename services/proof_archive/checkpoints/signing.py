"""One round of signing: every log that grew, proven consistent with what was signed before, then signed and published.

Order matters: the memory is on disk before a signature exists outside this process (then it is published and stored at once), so that after any crash at most the
same note is made again (Ed25519 is deterministic). A head that is behind the memory (an older database was restored) or
inconsistent with it is not signed: the log is halted by name, and looked at again each round, since a replay from Kafka
that gives the same root makes it sound. A fork is never signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.proof_archive.checkpoints.cosign import Offered
from services.proof_archive.checkpoints.memory import Memory
from services.proof_archive.checkpoints.published import open_latest
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.inserts import at_once
from services.proof_archive.log.reader import Node, Reader
from services.proof_archive.log.rows import Head
from services.proof_archive.log.store import Store
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import consistency_nodes, consistency_proof, fold_right, perfect_nodes, verify_consistency
from shared.crypto.note import Signer, sign
from shared.errors import IntegrityError
from shared.kafka.publisher import Outgoing, Publisher
from shared.metrics import Metrics
from shared.topics import CHECKPOINTS, CHECKPOINTS_LATEST


class Signing:
    """The state of one signer: what it remembers, and what it published since it started.

    `offer` is handed what was signed, for witnesses to cosign; it returns at once. `after` is told of each step done
    (`memory`, `published`, `stored`): the place where tests of faults fail.
    """

    def __init__(
        self,
        signer: Signer,
        memory: Memory,
        *,
        reader: Reader,
        store: Store,
        publisher: Publisher,
        halts: Halts,
        metrics: Metrics,
        log: Any,
        offer: Callable[[Sequence[Offered]], None] = lambda _checkpoints: None,
        after: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._signer, self._memory = signer, memory
        self._reader, self._store, self._publisher = reader, store, publisher
        self._halts, self._metrics, self._log, self._after = halts, metrics, log, after
        self._offer = offer
        self._done: dict[str, int] = {}
        self._refused: dict[str, str] = {}

    def recover(self, notes: dict[str, bytes]) -> None:
        """Take in what was published (`checkpoints.latest`): the larger of it and of the file is what was signed."""
        larger: dict[str, Checkpoint] = {}
        for origin, note in notes.items():
            try:
                published = open_latest(origin, note, self._signer.verifier)
            except IntegrityError as error:
                self._refused[origin] = f"what was published of it is not ours to go on from: {error}"
                continue
            known = self._memory.get(origin)
            if known is None or known.size < published.size:
                larger[origin] = published
            elif known.size == published.size and known.root != published.root:
                self._refused[origin] = f"two different trees of {known.size} entries were signed"
        if larger:
            self._memory.remember(larger)
            self._log.warning("signer's memory recovered from what was published", count=len(larger))

    async def round(self) -> int:
        """Sign what grew; how many logs were signed. Raises what the engines raise: the next round does it again."""
        heads = [
            head
            for head in await self._reader.heads(self._signer.name)  # the key of a deployment signs its logs only
            if head.size and self._done.get(head.origin) != head.size
        ]
        sound = [head for head in heads if await self._may_be_proven(head)]
        proven = await self._proven(sound)
        if not proven:
            return 0
        checkpoints = {head.origin: Checkpoint(head.origin, head.size, head.root) for head in proven}
        self._memory.remember(checkpoints)
        self._after("memory")
        notes = {origin: sign(c.marshal(), [self._signer]) for origin, c in checkpoints.items()}
        _, contradicted = await at_once(
            self._publish(notes), self._store.keep_checkpoints([(h.log, h.size, notes[h.origin]) for h in proven])
        )
        self._after("stored")
        self._offer([Offered(h.origin, h.log, h.size, notes[h.origin]) for h in proven if h.log not in contradicted])
        for head in proven:
            self._done[head.origin] = head.size
            if head.log in contradicted:
                await self._halts.halt(head.origin, f"another checkpoint of {head.size} entries is stored")
        await self._halts.forget(
            [head.origin for head in proven if self._halts.is_halted(head.origin) and head.log not in contradicted]
        )
        self._metrics.checkpoints.inc(len(proven))
        return len(proven)

    async def _publish(self, notes: dict[str, bytes]) -> None:
        rows = (CHECKPOINTS, CHECKPOINTS_LATEST)
        await self._publisher.send_all([
            Outgoing(row.name, origin.encode(), note) for origin, note in notes.items() for row in rows
        ])  # fmt: skip
        self._after("published")

    def problems(self) -> list[str]:
        """The logs that are not signed, for readiness."""
        return self._halts.sentences()

    async def _may_be_proven(self, head: Head) -> bool:
        """Whether a proof from the memory to this head can exist at all; if not, the log is halted by name."""
        known = self._memory.get(head.origin)
        cause = self._refused.get(head.origin)
        if cause is None and known is not None and head.size < known.size:
            cause = f"the database is behind what was signed ({known.size} entries): let it be replayed from Kafka"
        if cause is not None:
            await self._halt(head.origin, cause)
        return cause is None

    async def _halt(self, origin: str, cause: str) -> None:
        """Halt a log by name. It is looked at each round from now on: a replay may end at the very size that was signed."""
        self._done.pop(origin, None)
        await self._halts.halt(origin, cause)

    async def _proven(self, heads: Iterable[Head]) -> list[Head]:
        """Those of these heads that the tiles prove consistent with the memory; the others are halted by name."""
        heads = list(heads)
        try:
            nodes = await self._reader.nodes({head.log: (head.size, self._nodes(head)) for head in heads})
        except IntegrityError as error:
            if len(heads) == 1:
                await self._halt(heads[0].origin, str(error))
                return []
            return [proven for head in heads for proven in await self._proven([head])]
        proven = []
        for head in heads:
            try:
                self._check(head, nodes[head.log])
            except IntegrityError as error:
                await self._halt(head.origin, f"inconsistent with what was signed: {error}")
            else:
                proven.append(head)
        return proven

    def _nodes(self, head: Head) -> list[Node]:
        known = self._memory.get(head.origin)
        steps = consistency_nodes(known.size, head.size) if known else []
        return [*steps, *perfect_nodes(0, head.size)]

    def _check(self, head: Head, nodes: dict[Node, bytes]) -> None:
        if fold_right([nodes[node] for node in perfect_nodes(0, head.size)]) != head.root:
            raise IntegrityError("the tiles do not lead to the head's root")
        known = self._memory.get(head.origin)
        if known is not None:
            proof = consistency_proof(known.size, head.size, lambda level, index: nodes[level, index])
            verify_consistency(known.size, head.size, proof, known.root, head.root)
