"""The files themselves, in GridFS, under their SHA-256 (database `archive`).

evidence_files {_id: "<sha256> <record or ->", sha256, record, file, bytes, salt} · evidence_uploads {_id: file, at} · GridFS
bucket `evidence`. A row of `evidence_files` is the commit point: what a broken upload leaves is swept by its row of
`evidence_uploads`. A file about one person is kept once per record, encrypted under that record's key (`chunks.py`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bson import ObjectId
from bson.binary import Binary
from gridfs import NoFile
from gridfs.asynchronous import AsyncGridFSBucket, AsyncGridIn
from pymongo.errors import DuplicateKeyError

from services.proof_archive.evidence.chunks import SALT_SIZE, PieceOpener, PieceSealer
from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError
from shared.mongo import Client, database

ABANDONED = timedelta(hours=1)
"""Age at which an upload that did not end is swept."""

Name = tuple[str, str | None]
"""(SHA-256, record): the record where the file is about one person, else None."""


class TooLong(Exception):  # noqa: N818 - an answer to the sender
    """The stream is longer than a file may be."""


class OtherHash(Exception):  # noqa: N818 - an answer to the sender
    """The stream is not the file that its name says."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is kept. `salt` is set where it is encrypted."""

    sha256: str
    record: str | None
    file: ObjectId
    size: int
    salt: bytes | None


class Files:
    """Files by hash. Streams both ways: a file is never whole in memory, but where a bundle takes it in."""

    def __init__(self, client: Client) -> None:
        db = database(client, "archive")
        self._rows, self._uploads = db.evidence_files, db.evidence_uploads
        self._bucket = AsyncGridFSBucket(db, bucket_name="evidence")
        self._chunks = db.get_collection("evidence.chunks")

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index("record", sparse=True)
        await self._rows.create_index("file")
        await self._uploads.create_index("at")

    async def held(self, names: Iterable[Name]) -> dict[Name, Stored]:
        """Those of these files that are kept, in one query."""
        wanted = [_id(name) for name in names]
        if not wanted:
            return {}
        found = self._rows.find({"_id": {"$in": sorted(wanted)}})
        stored = [
            Stored(row["sha256"], row.get("record"), row["file"], row["bytes"], row.get("salt")) async for row in found
        ]
        return {(item.sha256, item.record): item for item in stored}

    async def put(
        self,
        sha256: str,
        data: AsyncIterable[bytes],
        keys: Mapping[str | None, RecordKey | None],
        *,
        most: int,
        now: datetime,
    ) -> list[Name]:
        """Store a stream once for each of `keys` (record → its key; None → None: for everyone). Returns what was stored.

        Raises TooLong or OtherHash, storing nothing. A file that another upload stored meanwhile is kept as it is.
        """
        sinks = [await self._sink(sha256, record, key, now) for record, key in keys.items()]
        try:
            size = await _pump(sha256, data, sinks, most)
        except BaseException:
            for sink in sinks:
                await sink.abort()
            await self._forget(sink.file for sink in sinks)
            raise
        for sink in sinks:
            await self._commit(sha256, sink, size)
        return [(sha256, sink.record) for sink in sinks]

    async def stream(self, stored: Stored, key: RecordKey | None) -> AsyncIterator[bytes]:
        """The bytes of a file, in clear. Raises IntegrityError where they are not there or do not open."""
        opener = PieceOpener(key, stored.salt, stored.sha256) if key is not None and stored.salt is not None else None
        try:
            source = await self._bucket.open_download_stream(stored.file)
            while part := await source.readchunk():
                clear = opener.add(part) if opener is not None else part
                if clear:
                    yield clear
        except NoFile as error:
            raise IntegrityError("a file that is listed as kept is not there") from error
        if opener is not None:
            yield opener.finish()

    async def erase(self, records: Sequence[str]) -> None:
        """Delete the files about these records' persons."""
        rows = [row async for row in self._rows.find({"record": {"$in": list(records)}})]
        for row in rows:
            await self._drop(row["file"])
        await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    async def sweep(self, now: datetime) -> int:
        """Remove what broken uploads left; returns how many."""
        found = [row["_id"] async for row in self._uploads.find({"at": {"$lt": now - ABANDONED}}).limit(1000)]
        kept = {row["file"] async for row in self._rows.find({"file": {"$in": found}}, {"file": 1})}
        for file in found:
            if file not in kept:
                await self._drop(file)
        await self._forget(found)
        return len(found) - len(kept)

    async def _sink(self, sha256: str, record: str | None, key: RecordKey | None, now: datetime) -> _Sink:
        file = ObjectId()
        await self._uploads.insert_one({"_id": file, "at": now})
        salt = os.urandom(SALT_SIZE) if key is not None else None
        sealer = PieceSealer(key, salt, sha256) if key is not None and salt is not None else None
        return _Sink(file, record, salt, sealer, self._bucket.open_upload_stream_with_id(file, sha256))

    async def _commit(self, sha256: str, sink: _Sink, size: int) -> None:
        row = {"_id": _id((sha256, sink.record)), "sha256": sha256, "file": sink.file, "bytes": size}
        row |= {"record": sink.record} if sink.record is not None else {}
        row |= {"salt": Binary(sink.salt)} if sink.salt is not None else {}
        try:
            await self._rows.insert_one(row)
        except DuplicateKeyError:
            await self._drop(sink.file)
        await self._forget([sink.file])

    async def _drop(self, file: ObjectId) -> None:
        try:
            await self._bucket.delete(file)
        except NoFile:  # chunks of an upload that did not end have no row of their own
            await self._chunks.delete_many({"files_id": file})

    async def _forget(self, files: Iterable[ObjectId]) -> None:
        await self._uploads.delete_many({"_id": {"$in": list(files)}})


@dataclass(slots=True)
class _Sink:
    """One copy being written."""

    file: ObjectId
    record: str | None
    salt: bytes | None
    sealer: PieceSealer | None
    out: AsyncGridIn

    async def write(self, part: bytes) -> None:
        data = self.sealer.add(part) if self.sealer is not None else part
        if data:
            await self.out.write(data)

    async def close(self) -> None:
        if self.sealer is not None:
            await self.out.write(self.sealer.finish())
        await self.out.close()

    async def abort(self) -> None:
        await self.out.abort()


async def _pump(sha256: str, data: AsyncIterable[bytes], sinks: Sequence[_Sink], most: int) -> int:
    """Write a stream to every sink, checking it on the way; returns its size."""
    digest, size = hashlib.sha256(), 0
    async for part in data:
        size += len(part)
        if size > most:
            raise TooLong
        digest.update(part)
        for sink in sinks:
            await sink.write(part)
    if digest.hexdigest() != sha256:
        raise OtherHash
    for sink in sinks:
        await sink.close()
    return size


def _id(name: Name) -> str:
    return f"{name[0]} {name[1] or '-'}"
