"""A proof leaves the house: fetched, verified offline by the command anyone can run, then altered by one byte and refused (P4)."""

from __future__ import annotations

import asyncio
import sys
import zipfile
from pathlib import Path

import httpx

from services.cli.demo_promises import Promise, promise
from shared.errors import Unavailable
from shared.local_engines.plan import ROOT

BUNDLE, ALTERED = "proof.zip", "proof-altered.zip"
VALID, REFUSED = 0, 1
"""Exit codes of `opposable verify`."""


def no_proof(why: Exception) -> list[Promise]:
    """The promise when no bundle could be had at all."""
    return [promise("proof", [str(why) or type(why).__name__], bytes=0, members=0)]


async def prove(url: str, token: str, record: str, policy: Path, directory: Path) -> list[Promise]:
    """Fetch the bundle of a record, verify it, alter one byte, verify again. Both files are left in `directory`.

    Raises Unavailable when the archive does not give it, httpx's errors when it does not answer.
    """
    bundle, altered = directory / BUNDLE, directory / ALTERED
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await client.get(f"/v1/proofs/{record}.zip", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"the archive answered {answer.status_code} instead of a proof")
    bundle.write_bytes(answer.content)
    place = _middle_of_evidence(bundle)
    data = bytearray(answer.content)
    data[place] ^= 1
    altered.write_bytes(data)
    code, altered_code = await asyncio.gather(_verify(bundle, policy), _verify(altered, policy))
    with zipfile.ZipFile(bundle) as members:
        count = len(members.namelist())
    return [
        promise("proof", [f"exit {code}"] if code != VALID else [], bytes=len(data), members=count),
        promise("tampered", [f"exit {altered_code}"] if altered_code != REFUSED else [], place=place),
    ]


def _middle_of_evidence(bundle: Path) -> int:
    """Offset, in the ZIP file, of the byte in the middle of the first log entry it holds."""
    with zipfile.ZipFile(bundle) as members:
        entry = next(info for info in members.infolist() if info.filename.startswith("entries/"))
        # Local header: 30 fixed bytes, then the name and the extra field, then the data (stored, not compressed).
        return entry.header_offset + 30 + len(entry.filename.encode()) + len(entry.extra) + entry.file_size // 2


async def _verify(bundle: Path, policy: Path) -> int | None:
    """Exit code of `opposable verify`, as a process of its own with no address of any server."""
    command = [sys.executable, "-m", "services.cli.main", "verify", str(bundle), "--policy", str(policy), "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT
    )
    return await process.wait()
