"""Messages as files: letters for whoever prints them, and mails and SMS where no server is set (a developer's machine).

Each file appears whole or not at all, readable by its owner alone: it holds the message in clear.
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass
from pathlib import Path

import orjson

from services.notifier.domain import Failed, Outcome, Row, Sent
from services.notifier.transports.letter import render
from services.notifier.transports.mail import compose
from shared.contracts.person_messages import Content
from shared.instants import parse_instant
from shared.keyring.ring import write_secret

_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class MailFiles:
    """`<id>.eml`."""

    folder: Path
    sender: str
    deployment: str

    async def send(self, row: Row, content: Content) -> Outcome:
        """Write the mail as it would leave."""
        mail = compose(content, sender=self.sender, deployment=self.deployment, at=parse_instant(row.ordered_at))
        return await _written({self.folder / f"{row.id}.eml": mail.as_bytes()})


@dataclass(frozen=True, slots=True)
class SmsFiles:
    """`<id>.sms.json`, the very body a gateway would receive."""

    folder: Path

    async def send(self, row: Row, content: Content) -> Outcome:
        """Write the SMS."""
        body = orjson.dumps({"id": row.id, "to": content.to, "text": content.text})
        return await _written({self.folder / f"{row.id}.sms.json": body})


@dataclass(frozen=True, slots=True)
class LetterFiles:
    """`<id>.pdf`, ready for a window envelope, and its annexes beside it."""

    folder: Path
    return_address: str

    async def send(self, row: Row, content: Content) -> Outcome:
        """Write the letter."""
        day = parse_instant(row.ordered_at)
        pdf = await asyncio.to_thread(render, content, row.id, day, self.return_address.split("|"))
        files = {self.folder / f"{row.id}.pdf": pdf}
        for number, file in enumerate(content.attachments, 1):
            suffix = Path(file.name).suffix.lower()
            name = f"{row.id}.annexe-{number}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
            files[self.folder / name] = base64.b64decode(file.content)
        return await _written(files)


async def _written(files: dict[Path, bytes]) -> Outcome:
    try:
        await asyncio.to_thread(_write, files)
    except OSError:
        return Failed("FILES", permanent=False)  # a full disk, a folder that is missing: the operator's to settle
    return Sent()


def _write(files: dict[Path, bytes]) -> None:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(path, content)
