"""The logs as static files (C2SP tlog-tiles): `/log/<origin>/checkpoint`, `/log/<origin>/tile/…`.

Checkpoints and hash tiles are public; entry bundles show every party's facts and need the scope `auditor` or `operator`.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.proof_archive.log.reader import Reader
from shared.auth import Authenticator
from shared.crypto.tiles import ENTRIES, TILE_WIDTH, Tile, encode_bundle, parse_path, width_at
from shared.errors import IntegrityError
from shared.problems import Refusal

FOR_EVER = "max-age=31536000, immutable"
"""A full tile never changes (RFC 8246)."""
SOON = "max-age=60"
"""A partial tile of one width never changes either, but the wider one is what readers will want."""


def make_log_router(auth: Authenticator, reader: Reader) -> APIRouter:
    """The routes of the logs."""
    router = APIRouter()

    @router.get("/log/{path:path}")
    async def log(path: str, request: Request) -> Response:
        origin, slash, last = path.rpartition("/")
        if slash and last == "checkpoint":
            return await _checkpoint(reader, origin)
        origin, found, rest = path.partition("/tile/")
        if not found:
            raise Refusal(404, "NOT-FOUND", "A log has /checkpoint and /tile/…")
        try:
            tile = parse_path(f"tile/{rest}")
        except IntegrityError as error:
            raise Refusal(404, "NOT-FOUND", "This is no tile path (C2SP tlog-tiles)") from error
        if tile.level == ENTRIES:
            auth.caller(request).require("auditor", "operator")
        return await _tile(reader, origin, tile)

    return router


async def _checkpoint(reader: Reader, origin: str) -> Response:
    head = await reader.head(origin)
    signed = await reader.latest_of(head.log) if head else None
    if signed is None:
        raise Refusal(404, "NOT-FOUND", "No such log, or nothing of it is signed yet")
    return Response(
        signed.note,
        media_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"},
    )


async def _tile(reader: Reader, origin: str, tile: Tile) -> Response:
    head = await reader.head(origin)
    if head is None or tile.width > width_at(tile.level, tile.number, head.size):
        raise Refusal(404, "NOT-FOUND", "The log does not hold this tile")
    public = tile.level != ENTRIES
    if public:
        data = await reader.tile(head.log, tile)
    else:
        entries = await reader.entries(head.log, tile.number, tile.width)
        data = encode_bundle(entries) if len(entries) == tile.width else None
    if data is None:
        raise IntegrityError(f"{tile.path()} of {origin} is missing below the log's head")
    cache = f"{'public' if public else 'private'}, {FOR_EVER if tile.width == TILE_WIDTH else SOON}"
    headers = {"Cache-Control": cache, **({"Access-Control-Allow-Origin": "*"} if public else {})}
    return Response(data, media_type="application/octet-stream", headers=headers)
