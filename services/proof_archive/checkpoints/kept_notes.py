"""Signed notes as they are kept: what witnesses add to their end, and what is another note."""

from __future__ import annotations

from collections.abc import Sequence

from bson.binary import Binary

from services.proof_archive.log.rows import checkpoint_id
from shared.crypto.note import RawSignature, split
from shared.mongo import Collection, Document


async def add_line(collection: Collection, key: Document, signature: RawSignature) -> None:
    """Add a signature to the note of a row, unless one by its key is there; nothing where there is no such row."""
    while (row := await collection.find_one(key, {"note": 1})) is not None:
        note = bytes(row["note"])
        if (signature.name, signature.key_id) in {(line.name, line.key_id) for line in split(note)[1]}:
            return
        more = Binary(note + signature.line().encode())
        result = await collection.update_one({**key, "note": row["note"]}, {"$set": {"note": more}})
        if result.matched_count:  # else another line was added meanwhile
            return


async def contradicted(
    checkpoints: Collection, rows: Sequence[tuple[int, int, bytes]], differing: set[tuple[int, int]]
) -> set[int]:
    """Of the notes `(log, size, note)` that differ from those kept, the logs where more differs than lines added to the end."""
    if not differing:
        return set()
    ours = {(log, size): note for log, size, note in rows}
    found = checkpoints.find({"_id": {"$in": [checkpoint_id(*key) for key in differing]}})
    kept = {tuple(row["_id"].values()): bytes(row["note"]) async for row in found}
    return {key[0] for key in differing if not kept.get(key, b"").startswith(ours[key])}
