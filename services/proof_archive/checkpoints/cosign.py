"""Cosignatures: asks a witness outside the operator to sign each checkpoint, beside signing and never in its way.

The client of C2SP tlog-witness 1.0. A checkpoint is offered once it is signed and published; the newest of each log waits
for its turn, and what a witness does not answer is asked again, ever more slowly. A cosignature is verified before it is
kept (C2SP tlog-cosignature 1.0.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from shared.crypto import note
from shared.crypto.checkpoint import parse_decimal
from shared.crypto.encoding import b64
from shared.crypto.note import COSIGNATURE, RawSignature, Verifier
from shared.errors import ConfigurationError, IntegrityError
from shared.kafka.batch import INFRASTRUCTURE

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 60.0
TIMEOUT_S = 5.0
AT_ONCE = 8
"""Logs asked for at once of one witness."""
MAX_ANSWER = 64 * 1024
"""Bytes read of a witness's answer."""
_TRIES = 3
"""A conflict tells where to start from; a witness that others serve too may move meanwhile."""
_OK, _CONFLICT = 200, 409


@dataclass(frozen=True, slots=True)
class Offered:
    """A checkpoint to be cosigned: its log (name and number), its size, the note as signed by the log."""

    origin: str
    log: int
    size: int
    note: bytes


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness: its cosignature key and the address before `/add-checkpoint`."""

    key: Verifier
    url: str


class Declined(Exception):  # noqa: N818 - the witness declines; nothing failed here
    """A witness does not cosign a checkpoint now. The text says why."""


Prove = Callable[[Offered, int], Awaitable[Sequence[bytes]]]
"""`prove(offered, old)`: the consistency proof from size `old` (at least 1) to the checkpoint's."""
Keep = Callable[[Offered, RawSignature], Awaitable[None]]
"""Adds a verified cosignature to the stored note."""
Tell = Callable[[str | None], Awaitable[None]]
"""Told why a witness does not cosign, and None once it does again."""


def parse_witnesses(text: str) -> tuple[WitnessAt, ...]:
    """The setting `OPPOSABLE_SIGNER_WITNESSES`: `<vkey> <url>`, several separated by `;`. Raises ConfigurationError."""
    found = []
    for item in filter(None, (part.strip() for part in text.split(";"))):
        words = item.split()
        if len(words) != len(("vkey", "url")) or not words[1].startswith(("http://", "https://")):
            raise ConfigurationError("OPPOSABLE_SIGNER_WITNESSES is `<vkey> <url>`, several separated by `;`")
        try:
            key = Verifier.parse(words[0])
        except IntegrityError as error:
            raise ConfigurationError(f"OPPOSABLE_SIGNER_WITNESSES: {error}") from error
        if key.algorithm != COSIGNATURE:
            raise ConfigurationError(f"OPPOSABLE_SIGNER_WITNESSES: {key.name} is no witness key (type 04)")
        found.append(WitnessAt(key, words[1].rstrip("/")))
    return tuple(found)


class CosignatureCollector:
    """Asks one witness. `offer` never waits; `run` does the asking until it is cancelled."""

    def __init__(self, witness: WitnessAt, *, prove: Prove, keep: Keep, tell: Tell, log: Any) -> None:
        self._witness = witness
        self._prove, self._keep, self._tell, self._log = prove, keep, tell, log
        self._held: dict[str, int] = {}
        """Size of each log at the witness, as far as it said; it says so itself where this is wrong or unknown."""
        self._waiting: dict[str, Offered] = {}
        self._not_before: dict[str, float] = {}
        self._delays: dict[str, float] = {}
        self._offered = asyncio.Event()
        self._cause: str | None = ""
        """What was told last; nothing yet, so that what an earlier process told is taken back."""

    def offer(self, checkpoints: Iterable[Offered]) -> None:
        """Take checkpoints to be cosigned; a newer one of a log takes the place of an older one that still waits."""
        for offered in checkpoints:
            self._waiting[offered.origin] = offered
        self._offered.set()

    async def run(self, client: httpx.AsyncClient) -> None:
        """Ask for what waits, for ever."""
        while True:
            self._offered.clear()
            now = asyncio.get_running_loop().time()
            due = [o for o in self._waiting.values() if self._not_before.get(o.origin, 0.0) <= now]
            if due:
                await self._ask(client, due)
                continue
            later = [self._not_before[origin] - now for origin in self._waiting]
            with suppress(TimeoutError):
                async with asyncio.timeout(min(later, default=None)):
                    await self._offered.wait()

    async def _ask(self, client: httpx.AsyncClient, due: Sequence[Offered]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(offered: Offered) -> str | None:
            async with gate:
                return await self._try(client, offered)

        causes = [cause for cause in await asyncio.gather(*(one(offered) for offered in due)) if cause]
        cause = causes[0] if causes else None
        if cause != self._cause:
            with suppress(*INFRASTRUCTURE):  # told with the next change
                await self._tell(cause)
                self._cause = cause

    async def _try(self, client: httpx.AsyncClient, offered: Offered) -> str | None:
        """One attempt; why it failed, if it did. What failed waits longer each time, unless it was replaced."""
        try:
            await self._keep(offered, await self.cosign(client, offered))
        except (Declined, IntegrityError, httpx.HTTPError, *INFRASTRUCTURE) as error:
            delay = self._delays.get(offered.origin, FIRST_DELAY_S)
            self._delays[offered.origin] = min(2 * delay, LONGEST_DELAY_S)
            self._not_before[offered.origin] = asyncio.get_running_loop().time() + delay
            cause = str(error) or type(error).__name__
            self._log.warning("not cosigned", witness=self._witness.key.name, origin=offered.origin, reason=cause)
            return cause
        self._delays.pop(offered.origin, None)
        self._not_before.pop(offered.origin, None)
        if self._waiting.get(offered.origin) is offered:
            del self._waiting[offered.origin]
        return None

    async def cosign(self, client: httpx.AsyncClient, offered: Offered) -> RawSignature:
        """The witness's verified cosignature of a checkpoint. Raises Declined, or httpx.HTTPError where it does not answer."""
        old = self._held.get(offered.origin, 0)
        for _ in range(_TRIES):
            if old > offered.size:
                raise Declined(f"the witness holds {old} entries, more than this checkpoint of {offered.size}")
            proof = await self._prove(offered, old) if 0 < old < offered.size else ()
            status, answer = await self._post(client, old, proof, offered.note)
            if status == _OK:
                signature = self._verified(offered, answer)
                self._held[offered.origin] = offered.size
                return signature
            if status != _CONFLICT:
                raise Declined(f"the witness answered {status}: {_shown(answer)}")
            held = _size_of(answer)
            if held == old:
                raise Declined(f"the witness has cosigned another tree of {held} entries: one of the two is a fork")
            self._held[offered.origin] = old = held
        raise Declined("the witness moves faster than it is asked")

    async def _post(
        self, client: httpx.AsyncClient, old: int, proof: Sequence[bytes], signed: bytes
    ) -> tuple[int, bytes]:
        head = "".join([f"old {old}\n", *(f"{b64(node)}\n" for node in proof), "\n"]).encode()
        answer = bytearray()
        async with client.stream(
            "POST", f"{self._witness.url}/add-checkpoint", content=head + signed, timeout=TIMEOUT_S
        ) as response:
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    raise Declined("the witness's answer is too long")
        return response.status_code, bytes(answer)

    def _verified(self, offered: Offered, answer: bytes) -> RawSignature:
        """The cosignature among the lines of an answer; lines by other keys are ignored, as the specification asks."""
        key = self._witness.key
        try:
            text, before = note.split(offered.note)
            _, after = note.split(offered.note + answer)
            for signature in after[len(before) :]:
                if (signature.name, signature.key_id) == (key.name, key.key_id):
                    key.verify(text, signature.value)
                    return signature
        except IntegrityError as error:
            raise Declined(f"the witness's answer is no cosignature: {error}") from error
        raise Declined("the witness's answer holds no cosignature by its key")


def _size_of(answer: bytes) -> int:
    try:
        return parse_decimal(answer.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, IntegrityError):
        raise Declined("the witness answered a conflict without its size") from None


def _shown(answer: bytes) -> str:
    """The first line of an answer, fit to be logged."""
    text = answer.partition(b"\n")[0][:200].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
