"""Runs a plan against a system: sends, repeats, kills, disturbs groups; remembers when Kafka stored each thing first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.local_engines.supervisor import Supervisor
from tests.bench import world
from tests.faults.soak.oracle import Given, Said
from tests.faults.soak.plan import Again, Consent, Fault, Plan, Stop

CONSENT, STOP = "opposable.consent.collected.v1", "opposable.stop.requested.v1"
Sent = tuple[str, list[tuple[str, bytes]], bytes]


def text(ms: int) -> str:
    """RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Soak:
    """One run. `givens`, `saids`: what the oracle needs, by identity."""

    def __init__(self, system: Supervisor, plan: Plan) -> None:
        self.system, self.plan = system, plan
        self.givens: dict[str, Given] = {}
        self.saids: dict[str, Said] = {}
        self.kills = self.joins = 0
        self._sent: dict[int, tuple[Sent, Consent | Stop, int]] = {}
        self._first: dict[str, int] = {}

    async def run(self) -> None:
        """The whole plan."""
        bootstrap = self.system.endpoints().kafka
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
        await producer.start()
        started = time.monotonic()
        faults = asyncio.create_task(self._faults(bootstrap, started))
        sending: set[asyncio.Task[None]] = set()
        try:
            for place, step in enumerate(self.plan.steps):
                due = started + place * self.plan.seconds / len(self.plan.steps)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                sending.add(asyncio.create_task(self._step(producer, place, step)))
            await asyncio.gather(*sending)
            await faults
        finally:
            faults.cancel()
            await producer.stop()

    async def _step(self, producer: AIOKafkaProducer, place: int, step: Consent | Stop | Again) -> None:
        if isinstance(step, Again):
            repeated = self._sent.get(step.place)
            if repeated is not None:
                await self._send(producer, *repeated)
            return
        when = now_ms()
        message = consent_message(step, when) if isinstance(step, Consent) else stop_message(step, when)
        await asyncio.sleep(step.held)
        self._sent[place] = (message, step, when)
        await self._send(producer, message, step, when)

    async def _send(self, producer: AIOKafkaProducer, message: Sent, step: Consent | Stop, when: int) -> None:
        topic, headers, value = message
        stored = await (await producer.send(topic, value=value, headers=headers, partition=0))
        if stored.offset >= self._first.get(step.id, stored.offset + 1):
            return  # of two copies the one stored first counts
        self._first[step.id] = stored.offset
        if isinstance(step, Consent):
            self.givens[step.id] = Given(step, when, stored.timestamp)
        else:
            self.saids[step.id] = Said(step, min(when - int(step.ago * 1000), stored.timestamp))

    async def _faults(self, bootstrap: str, started: float) -> None:
        for fault in self.plan.faults:
            await asyncio.sleep(max(0.0, started + fault.at - time.monotonic()))
            if fault.kill is not None:
                self.system.kill(fault.kill)
                self.kills += 1
            else:
                await self._join(bootstrap, fault)
                self.joins += 1

    async def _join(self, bootstrap: str, fault: Fault) -> None:
        """A stranger in the group: it is given partitions, commits nothing, and leaves."""
        assert fault.join is not None
        group, topic = fault.join
        stranger = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="latest"
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(6):
                await stranger.start()
                await stranger.getmany(timeout_ms=500)
        await stranger.stop()


def consent_message(step: Consent, when: int) -> Sent:
    name = f"{step.collector}-three"
    body: dict[str, Any] = {
        "consent_id": step.id, "collected_at": text(when), "zone": "Europe/Paris", "country": "FR",
        "subject_ref": step.member.ref, "audience": "consumer", "age_band": "adult",
        "contacts": [{"type": kind, "value": value} for kind, value in step.contacts],
        "form": {"id": f"{step.collector}-form", "version": 1, "sha256": world.SHA},
        "notice": {"version": "2026", "sha256": world.SHA, "language": "fr"},
        "recipient_list": {"id": name, "version": 1, "sha256": world.HASHES[name], "displayed_at": text(when)},
        "action": {"type": "checkbox", "default_state": "off",
                   "confirmed_by": "double_opt_in" if step.confirmed else None},
        "decisions": [{"channel": channel, "purpose": "prospecting", "value": value, "recipients": "all_listed"}
                      for channel, value in step.decisions],
        "relationship": None, "medium": "web", "via": list(step.via),
    }  # fmt: skip
    headers = world.headers(step.collector, f"c-{step.id}", CONSENT)
    return f"in.{step.collector}.consents", headers, json.dumps(body).encode()


def stop_message(step: Stop, when: int) -> Sent:
    body: dict[str, Any] = {
        "stop_id": step.id, "at": text(when - int(step.ago * 1000)), "kind": "withdrawal",
        "via": "one_click" if step.one_click else "api",
        "contacts": [{"type": kind, "value": value} for kind, value in step.contacts],
        "record": step.record, "subject_ref": step.subject_ref,
        "recipients": list(step.recipients) if step.recipients else None,
        "channels": list(step.channels) if step.channels else "all",
    }  # fmt: skip
    headers = world.headers(step.source, f"e-{step.id}", STOP)
    return f"in.{step.source}.rights", headers, json.dumps({k: v for k, v in body.items() if v}).encode()
