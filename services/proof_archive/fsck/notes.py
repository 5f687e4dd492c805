"""The signed checkpoints of a log, checked as its tree is grown again; and what was published of logs that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from services.proof_archive.checkpoints.published import latest_notes
from services.proof_archive.fsck.report import LogReport
from services.proof_archive.log.reader import Reader, SignedCheckpoint
from services.proof_archive.log.rows import Head, checkpoint_id
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import MAX_SIZE, CompactRange
from shared.crypto.policy import Policy, open_checkpoint
from shared.errors import IntegrityError
from shared.mongo import Database
from shared.settings import Settings


class Notes:
    """Every stored checkpoint of one log, smallest first, read as a stream; from the last at or below `after` on."""

    def __init__(
        self, database: Database, reader: Reader, head: Head, policy: Policy, report: LogReport, after: int = 0
    ) -> None:
        self._reader, self._head, self._policy, self._report = reader, head, policy, report
        self._stream = _stored(database, head.log, after)
        self._next: SignedCheckpoint | None = None
        self._last: SignedCheckpoint | None = None
        self._begun = False

    async def next_size(self, after: int, most: int) -> int:
        """The size of the next checkpoint, where it is above `after` and at most `most`; else `most`."""
        if not self._begun:
            self._begun = True
            await self._advance()
        while self._next is not None and self._next.size <= after:
            await self._advance()
        return self._next.size if self._next is not None and self._next.size <= most else most

    def check(self, frontier: CompactRange) -> None:
        """Compare the next checkpoint with the tree, if it is of this size."""
        if self._next is None or self._next.size != frontier.size:
            return
        self._report.checkpoints += 1
        place = f"checkpoint {frontier.size}"
        try:
            checkpoint = self._opened(self._next)
        except IntegrityError:
            self._report.find("CHECKPOINT-REFUSED", place)
            return
        if (checkpoint.size, checkpoint.root) != (frontier.size, frontier.root()):
            self._report.find("CHECKPOINT-DIFFERS", place)

    async def finish(self) -> None:
        """What is left was signed of a larger tree than the head's; the newest kept apart is the newest of all."""
        while self._next is not None or not self._begun:
            await self.next_size(MAX_SIZE, MAX_SIZE)
        last = self._last
        if last is None:
            return
        if last.size > self._head.size:
            head = await self._reader.head(self._head.origin)  # the log may have grown since its head was read
            if head is None or head.size < last.size:
                self._report.find("HEAD-BEHIND", f"checkpoint {last.size}")
        newest = await self._reader.latest_of(self._head.log)
        if newest is None or newest.size < last.size or (newest.size == last.size and _text(newest) != _text(last)):
            self._report.find("CHECKPOINT-DIFFERS", "newest checkpoint")

    def _opened(self, signed: SignedCheckpoint) -> Checkpoint:
        checkpoint = open_checkpoint(signed.note, self._policy).checkpoint
        if checkpoint.origin != self._head.origin:
            raise IntegrityError("the note names another log")
        return checkpoint

    async def _advance(self) -> None:
        self._next = await anext(self._stream, None)
        self._last = self._next or self._last


def _text(signed: SignedCheckpoint) -> bytes:
    """What was signed; witnesses may be adding their lines to one of two copies while they are compared."""
    return signed.note.partition(b"\n\n")[0]


async def _stored(database: Database, log: int, after: int) -> AsyncIterator[SignedCheckpoint]:
    before = {"$gte": checkpoint_id(log, 0), "$lte": checkpoint_id(log, after)}
    last = await database.checkpoints.find_one({"_id": before}, {"_id": 1}, sort=[("_id", -1)])
    bounds = {"$gte": checkpoint_id(log, last["_id"]["size"] if last else 0), "$lte": checkpoint_id(log, MAX_SIZE)}
    async for row in database.checkpoints.find({"_id": bounds}).sort("_id", 1):
        yield SignedCheckpoint(log, row["_id"]["size"], bytes(row["note"]))


async def check_published(
    settings: Settings, policy: Policy, reader: Reader, logs: Sequence[LogReport]
) -> list[LogReport]:
    """Compare the heads with `checkpoints.latest`. Returns reports on logs that were published and are not stored."""
    known = {report.origin: report for report in logs}
    missing = []
    for origin, note in sorted((await latest_notes(settings)).items()):
        if not origin.startswith(f"{settings.deployment}/"):
            continue
        report = known.get(origin) or LogReport(origin)
        head = await reader.head(origin)
        if head is None:
            report.find("HEAD-MISSING", "head")
        try:
            published = open_checkpoint(note, policy).checkpoint
        except IntegrityError:
            report.find("CHECKPOINT-REFUSED", "published checkpoint")
        else:
            if head is not None and head.size < published.size:
                report.find("HEAD-BEHIND", f"published checkpoint {published.size}")
        if origin not in known:
            missing.append(report)
    return missing
