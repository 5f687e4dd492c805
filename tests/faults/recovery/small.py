"""A copy of a few documents, made without engines."""

import gzip

import bson

from shared.backup.documents import Tally, path_of
from shared.backup.manifest import VERSION, Kept, Manifest


def small_copy(directory, documents=3, groups=None, begun_at="2026-11-27T02:00:00.000Z"):
    """One collection of `rights`."""
    path, tally = path_of(directory, "rights", "grants"), Tally()
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb") as file:
        for number in range(documents):
            file.write(tally.add(bson.encode({"_id": f"acme/{number}", "n": number})))
    kept = Kept("grants", tally.documents, tally.size, tally.sha256, {}, [])
    manifest = Manifest(VERSION, "opposable.test", begun_at, begun_at, {"rights": [kept]}, {}, groups or {}, {})
    manifest.write(directory)
    return manifest
