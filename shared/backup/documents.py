"""Streams of documents: out of a collection into a file, out of a file into a collection, and their hashes on the way."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from shared.errors import IntegrityError
from shared.mongo import Client

BATCH = 1000
BATCH_BYTES = 8 * 1_048_576
"""Of one insertion: below the 48 MB that a command may hold."""
SMALLEST = 5
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


@dataclass(slots=True)
class Tally:
    """Counts and hashes what passes."""

    documents: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, raw: bytes) -> bytes:
        """One more document."""
        self.documents += 1
        self.size += len(raw)
        self.digest.update(raw)
        return raw

    @property
    def sha256(self) -> str:
        """Of all documents, one after the other."""
        return str(self.digest.hexdigest())


def path_of(directory: Path, database: str, collection: str) -> Path:
    """The file of a collection."""
    return directory / database / f"{collection}.bson.gz"


async def stored(client: Client, database: str, collection: str) -> AsyncIterator[bytes]:
    """The documents of a collection in the order of `_id`, byte for byte."""
    rows: Any = client.get_database(database).get_collection(collection, codec_options=_RAW)
    async for row in rows.find({}, sort=[("_id", 1)], batch_size=BATCH):
        yield row.raw


async def save(client: Client, directory: Path, database: str, collection: str) -> Tally:
    """Write the file of a collection."""
    path, tally = path_of(directory, database, collection), Tally()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with gzip.open(path, "wb", compresslevel=5) as file:
        async for raw in stored(client, database, collection):
            file.write(tally.add(raw))
    path.chmod(0o600)
    return tally


def saved(directory: Path, database: str, collection: str) -> Iterator[bytes]:
    """The documents of a file. Raises IntegrityError where it is cut or is no file of documents."""
    path = path_of(directory, database, collection)
    try:
        with gzip.open(path, "rb") as file:
            while head := file.read(4):
                length = int.from_bytes(head, "little")
                raw = head + file.read(length - 4) if length >= SMALLEST else b""
                if len(raw) != length or not length:
                    raise IntegrityError(f"{path} is cut")
                yield raw
    except (OSError, EOFError) as error:
        raise IntegrityError(f"{path} cannot be read ({type(error).__name__})") from None


async def load(client: Client, directory: Path, database: str, collection: str) -> int:
    """Insert the documents of a file; how many. A validator that is stricter now than when a row was written does not refuse it."""
    rows: Any = client.get_database(database).get_collection(collection, codec_options=_RAW)
    batch: list[RawBSONDocument] = []
    size = total = 0

    async def flush() -> None:
        if batch:
            await rows.insert_many(batch, ordered=False, bypass_document_validation=True)
            batch.clear()

    for raw in saved(directory, database, collection):
        try:
            batch.append(RawBSONDocument(raw))
        except InvalidBSON:
            raise IntegrityError(f"{path_of(directory, database, collection)} holds what is no document") from None
        size, total = size + len(raw), total + 1
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            await flush()
            size = 0
    await flush()
    return total
