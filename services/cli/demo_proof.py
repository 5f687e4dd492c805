"""A proof leaves the house: fetched, verified offline by the command anyone can run, then altered by one byte and refused (P4)."""

from __future__ import annotations

import asyncio
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.cli.demo_promises import Promise
from shared.errors import Unavailable

NEVER = 99


@dataclass(frozen=True, slots=True)
class Proof:
    """A bundle on disk, and what the verifier said of it and of its altered copy."""

    path: Path
    bytes: int
    members: int
    promises: tuple[Promise, Promise]
    said: dict[str, Any]


async def prove(url: str, token: str, record: str, policy: Path, directory: Path) -> Proof:
    """Fetch the bundle of a record, verify it, alter one byte, verify again. Both files are left in `directory`.

    Raises Unavailable when the archive does not give it.
    """
    bundle, altered = directory / "proof.zip", directory / "proof-altered.zip"
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await client.get(f"/v1/proofs/{record}.zip", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"the archive answered {answer.status_code} instead of a proof")
    bundle.write_bytes(answer.content)
    place = _middle_of_evidence(bundle)
    data = bytearray(answer.content)
    data[place] ^= 1
    altered.write_bytes(data)
    (code, said), (altered_code, _) = await asyncio.gather(_verify(bundle, policy), _verify(altered, policy))
    with zipfile.ZipFile(bundle) as members:
        count = len(members.namelist())
    promises = (
        Promise("proof", code == 0, {"bytes": len(data), "members": count}, () if code == 0 else (f"exit {code}",)),
        Promise(
            "tampered", altered_code == 1, {"place": place}, () if altered_code == 1 else (f"exit {altered_code}",)
        ),
    )
    return Proof(bundle, len(data), count, promises, said)


def _middle_of_evidence(bundle: Path) -> int:
    """Offset, in the ZIP file, of the byte in the middle of the first log entry it holds."""
    with zipfile.ZipFile(bundle) as members:
        entry = next(info for info in members.infolist() if info.filename.startswith("entries/"))
        # Local header: 30 fixed bytes, then the name and the extra field, then the data (stored, not compressed).
        return entry.header_offset + 30 + len(entry.filename.encode()) + len(entry.extra) + entry.file_size // 2


async def _verify(bundle: Path, policy: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `opposable verify`, as a process of its own with no address of any server."""
    command = [sys.executable, "-m", "services.cli.main", "verify", str(bundle), "--policy", str(policy), "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    try:
        said = json.loads(out)
    except ValueError:
        said = {}
    return process.returncode if process.returncode is not None else NEVER, said if isinstance(said, dict) else {}
