"""A console on a database of its own, with a clock of ours and services that answer from a table: no Kafka, no other process."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from services.console.accounts import Accounts
from services.console.app import install
from services.console.audit import Audit
from services.console.clients import Services
from services.console.lag import Lag
from services.console.parts import Console
from services.console.passwords import Passwords
from services.console.roles import Role
from services.console.sessions import Sessions
from services.console.settings import ConsoleSettings
from services.console.watch import Watch
from shared.clock import ManualClock
from shared.errors import InputError, Problem
from shared.kafka.letters import Letter
from shared.registry.view import RegistryView

URL, PASSWORD = "http://console.example", "cheval agrafe correcte"
RECORD, STOP = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11", "acme/s-1"
LETTER = Letter(
    partition=0, offset=4, timestamp=1_795_000_000_000, code="FIELD-MISSING", message="/consent_id a required field is missing",
    topic="in.acme.consents", source_partition=0, source_offset=10, attempts=1, key=b"k",
    value=b'{"contacts":[{"value":"claire@courriel.example"}]}', headers=(("ce_id", b"e-1"), ("odd", None)),
)  # fmt: skip
PROBLEM = {"type": "about:blank", "title": "Not known", "code": "NOT-FOUND", "status": 404}


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2id all the same; what it costs is the unit tests' business."""


class FakeLetters:
    """What `letters.Letters` does, on a list."""

    def __init__(self):
        self.kept, self.done, self.complete = {LETTER.id: LETTER}, {}, True

    def waiting(self):
        return [one for one in self.kept.values() if one.id not in self.done]

    def resolution(self, letter_id):
        return self.done.get(letter_id)

    async def open(self, letter_id):
        if letter_id not in self.kept:
            raise InputError([Problem("DEAD-UNKNOWN", "/letter", "no letter has this number")])
        return self.kept[letter_id]

    async def resolve(self, letter, how, _reason):
        self.done[letter.id] = how


class FakeLags:
    async def look(self):
        return [Lag("collector.consents", "in.acme.consents", 1, 7, 100), Lag("proof_archive", "consents", 3, 0, 90)]

    async def stop(self):
        pass


class Recorded:
    """A log that remembers what it was told."""

    def __init__(self):
        self.lines = []

    def warning(self, event, **values):
        self.lines.append((event, values))

    error = info = warning


class Bench:
    """The application and its parts. `answers`: (service, path) → a body, a (status, body), or an exception."""

    def __init__(self, client, name, tmp_path, **settings):
        (tmp_path / "operator-token").write_text("secret-token\n")
        self.clock, self.log, self.asked = ManualClock(datetime(2026, 11, 27, 4, tzinfo=UTC)), Recorded(), []
        self.answers = {}
        names = ("collector", "rights_handler", "proof_archive", "webhook_relay", "notifier", "consent_validator")
        urls = {f"{one}_url": f"http://{one.replace('_', '-')}" for one in names}
        self.settings = ConsoleSettings(secrets_dir=tmp_path, console_url=URL, **urls, **settings)
        services = Services(self.settings.instances(), tmp_path, httpx.MockTransport(self._answer))
        self.console = Console(
            settings=self.settings, clock=self.clock, log=self.log, services=services,
            registry=SimpleNamespace(view=RegistryView()), accounts=Accounts(client, name), passwords=Passwords(CHEAP),
            sessions=Sessions.of_settings(client, self.settings, name), audit=Audit(client, self.clock, name),
            watch=Watch(services, FakeLags(), self.clock, 3, self.log), letters=FakeLetters(),
        )  # fmt: skip
        self.database = client[name]
        self.app = FastAPI()
        install(self.app, self.console)

    async def prepare(self):
        console = self.console
        for prepare in (console.accounts.prepare, console.sessions.prepare, console.audit.prepare):
            await prepare()
        for rows in ("sessions", "tries"):
            await self.database[rows].drop_index("purge_at_1")  # the bench lives in its own time, the database in ours

    def _answer(self, request):
        service, path = request.url.host.replace("-", "_"), request.url.path
        self.asked.append(
            (service, request.method, str(request.url), request.headers.get("authorization"), request.content)
        )
        found = self.answers.get((service, path), (404, PROBLEM))
        if isinstance(found, Exception):
            raise found
        status, body = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, content=body) if isinstance(body, bytes) else httpx.Response(status, json=body)

    async def account(self, login, role=Role.OPERATOR):
        encoded = self.console.passwords.hashed(PASSWORD)
        return await self.console.accounts.add(login, encoded, role, self.clock.now())

    def browser(self):
        transport = httpx.ASGITransport(self.app, client=("203.0.113.7", 40000))
        return httpx.AsyncClient(transport=transport, base_url=URL, follow_redirects=True)

    async def sign_in(self, browser, login, password=PASSWORD):
        form = await browser.get("/login")
        return await browser.post("/login", data={"login": login, "password": password, "csrf": csrf(form)})

    async def signed_in(self, browser, role=Role.OPERATOR):
        await self.account(role.value, role)
        answer = await self.sign_in(browser, role.value)
        assert answer.status_code == 200, answer.text
        return csrf(answer)

    async def operations(self):
        return [row async for row in self.database.audit.find().sort("$natural", 1)]


def csrf(answer):
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', answer.text)
    return found[1] if found else ""


def lookup(**change):
    return {"type": "email", "key": "p1.AbCdEf", "more_records": 0, "more_stops": 0, "records": [summary()],
            "stops": [{"stop": STOP, "source": "acme", "kind": "withdrawal", "at": "2026-11-27T03:00:00.000Z"}], **change}  # fmt: skip


def summary():
    return {"record": RECORD, "collector": "acme", "collected_at": "2026-11-26T03:00:00.000Z", "received_at": "2026-11-26T03:00:01.000Z",
            "valid_lines": 1, "lines_count": 2, "recipients": ["canalvert"]}  # fmt: skip


def standing():
    line = {"recipient": "canalvert", "channel": "email", "purpose": "prospecting", "sector": "general", "value": "granted",
            "verdict": "valid", "granted": False, "valid_from": "2026-11-26", "valid_until": "2027-11-26", "reasons": ["STOPPED"]}  # fmt: skip
    tracker = {
        **line,
        "recipient": None,
        "channel": "tracker",
        "purpose": "ad_tracking",
        "granted": True,
        "reasons": [],
    }
    return {**summary(), "consent_id": "0190", "ruleset": "r", "form": "form:f:1", "via": [], "confirmed": True,
            "lines": [line, tracker], "stops": [stop()], "transfers": []}  # fmt: skip


def stop():
    branch = {"order": "ffee", "party": "canalvert", "record": RECORD, "state": "open", "status": None, "published": True,
              "ordered_at": "2026-11-27T03:00:00.000Z", "ack_due_at": "2026-11-28T03:00:00.000Z", "next_at": None, "reminders": 0,
              "owner": "canalvert", "cause": "no answer yet", "history": []}  # fmt: skip
    return {"stop": STOP, "source": "acme", "kind": "withdrawal", "at": "2026-11-27T03:00:00.000Z", "recipients": "all",
            "channels": ["email"], "purposes": "all", "state": "open", "branches": [branch]}  # fmt: skip


def dossier():
    def entry(kind, index, **facts):
        return {"origin": f"d/{kind}/x/p00", "index": index, "topic": kind, "kind": kind, "ts": "2026-11-27T03:00:00.000Z",
                "covered": index == 0, "facts": {"kind": kind, **facts}, "party": None, "text_fr": f"Phrase {kind}."}  # fmt: skip

    return {"record": RECORD, "erased": False, "entries": [
        entry("consent.recorded", 0, collector="acme"), entry("stop.recorded", 1, source="acme"),
        entry("form", 0, id="jeu-rentree", version=7),
    ]}  # fmt: skip


def obligations():
    owed = {"id": "order/ffee", "kind": "order", "owner": "canalvert", "cause": "no answer yet", "opened_at": "2026-11-20T03:00:00.000Z",
            "due_at": "2026-11-21T03:00:00.000Z", "next_at": None, "refs": {"stop": STOP, "record": RECORD}}  # fmt: skip
    return {"obligations": [owed]}


def answers():
    """Everything known: what the services answer of one record, its withdrawal, and what is stuck."""
    return {
        ("rights_handler", "/v1/lookups"): lookup(), ("rights_handler", f"/v1/records/{RECORD}"): standing(),
        ("rights_handler", f"/v1/stops/{STOP}"): stop(), ("proof_archive", f"/v1/dossiers/{RECORD}"): dossier(),
        ("proof_archive", f"/v1/proofs/{RECORD}.zip"): (200, b"PK-bundle"), ("rights_handler", "/v1/obligations"): obligations(),
        ("proof_archive", "/v1/obligations"): {"obligations": []}, ("webhook_relay", "/v1/obligations"): {"obligations": []},
        ("notifier", "/v1/obligations"): {"obligations": []},
    }  # fmt: skip
