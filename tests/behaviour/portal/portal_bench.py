"""The portal on a real database, with the index, the vault and the outside in memory, and the example registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import orjson
from fastapi import FastAPI

from services.rights_handler.deliveries import Answer, Times, answered, open_delivery
from services.rights_handler.domain import Grant, Line, Stop, verdict_id
from services.rights_handler.messaging import PersonMessages
from services.rights_handler.persons import CONSENT_KIND, Person, Persons
from services.rights_handler.portal.access import Access, Limits
from services.rights_handler.portal.acting import Acting
from services.rights_handler.portal.inside import Inside
from services.rights_handler.portal.inviting import Inviting
from services.rights_handler.portal.passes import Lifetimes, Seals
from services.rights_handler.portal.proofs import Proofs
from services.rights_handler.portal.reading import Reading
from services.rights_handler.portal.routes import Portal
from services.rights_handler.portal.store import PortalStore
from shared.clock import ManualClock
from shared.contracts.person_messages import KIND, Content
from shared.crypto.sealing import RecordKey, seal, unseal
from shared.instants import format_instant
from shared.keyring.ring import Fixed
from shared.problems import install
from shared.registry.load import load_dir
from shared.registry.view import RegistryView
from shared.tickets import Tickets
from shared.topics import IN_PLATFORM_RIGHTS, MESSAGES
from tests.conftest import EXAMPLE_REGISTRY
from tests.fakes.rights import Direct

START = datetime(2026, 9, 20, 9, 30, tzinfo=UTC)
COLLECTED = datetime(2026, 9, 14, 8, 31, tzinfo=UTC)
JEANNE, PHONE = "jeanne.martin@courriel.example", "+33612345678"
UUID = "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
RECORD = f"acme/{UUID}"
TIMES = Times((timedelta(hours=6),), timedelta(hours=24))


class Keys:
    def __init__(self):
        self.known = {}

    async def read(self, wanted):
        return {name: self.known[name] for name in wanted if name in self.known}


class Registry:
    def __init__(self):
        self.view = RegistryView()
        for offset, document in enumerate(load_dir(EXAMPLE_REGISTRY)):
            self.view.apply(document.key, document.body, offset=offset, archived_at=None)

    async def catch_up(self):
        pass


class Quiet:
    def __getattr__(self, _name):
        return lambda *_args, **_fields: None


class Bench:
    def __init__(self, client, name, *, offered=False, limits=None):
        self.ports, self.keys, self.registry, self.clock = Direct(), Keys(), Registry(), ManualClock(START)
        self.persons = Persons(self.keys, pepper=b"p" * 32, match_master=b"m" * 32)
        self.store, seals = PortalStore(client, name), Seals(b"p" * 32)
        self.rows = client[name]
        self.access = Access(
            self.store, seals, self.persons, self.clock, Lifetimes(timedelta(minutes=15), timedelta(minutes=30), timedelta(days=21)),
            limits or Limits(5, 30, 30),
        )  # fmt: skip
        self.inviting = Inviting(
            self.store, seals, self.persons, self.ports, PersonMessages(self.keys, self.ports, self.clock), self.clock,
            "https://mes-donnees.example", 15, 0.1, Quiet(),
        )  # fmt: skip
        reading = Reading(self.ports, self.ports, self.keys, self.registry, self.clock)
        proofs = Proofs(
            "http://archive.example" if offered else "", "token", Tickets(Fixed({1: b"t" * 32}), self.clock)
        )  # fmt: skip
        acting, self.app = Acting(self.ports, self.clock), FastAPI()
        install(self.app, Quiet())
        self.app.include_router(Portal(self.access, acting, Inside(self.access, acting, reading, proofs), 15).router())

    def browser(self, address="203.0.113.7"):
        transport = httpx.ASGITransport(self.app, client=(address, 40000))
        return httpx.AsyncClient(transport=transport, base_url="https://mes-donnees.example", follow_redirects=True)

    async def collected(self, *lines, contacts=(("email", JEANNE), ("phone", PHONE)), record=RECORD, context=None):
        """A consent, as the index and the vault have it."""
        collector, _, consent_id = record.partition("/")
        key = self.keys.known[record] = RecordKey(record.encode().ljust(32, b"k")[-32:])
        document = {"contacts": [{"type": t, "value": v} for t, v in contacts],
                    "context": context or {"source_url": "https://acme.example/jeu", "ip": "203.0.113.9"}}  # fmt: skip
        person = Person(tuple(contacts))
        at = format_instant(COLLECTED)
        grant = Grant(
            record, verdict_id(1, 1, at), collector, consent_id, at, at, True, (), self.persons.contact_keys(person),  # noqa: FBT003
            None, "1", lines or (line("canalvert"), line("hibou"), line("tisane", verdict="invalid", reasons=("LIST-NOT-NAMED",))),
            seal(key, CONSENT_KIND, record, document), form="form:jeu-rentree:7",
        )  # fmt: skip
        await self.ports.put_grants([grant])
        return grant

    async def stopped(self, grant, parties, *, stop="platform/s1", at=START, **change):
        """A withdrawal that reached these parties."""
        row = Stop(stop, "platform", "withdrawal", format_instant(at), grant.contact_keys, None, None, **change)
        await self.ports.put_stops([row])
        rows = [
            open_delivery(row, grant, party, may_hold=True, now=format_instant(at), ack_within=timedelta(hours=24), times=TIMES)
            for party in parties
        ]  # fmt: skip
        await self.ports.open_deliveries(rows)
        await self.ports.mark_published([one.order for one in rows])
        return rows

    async def applied(self, row, status="applied"):
        (stored,) = await self.ports.deliveries([row.order])
        report = Answer(row.order, row.party, status, "e1", format_instant(self.clock.now()))
        assert await self.ports.save_deliveries([answered(stored, report)])

    def messages(self):
        """What the notifier would send, opened."""
        found = []
        for out in self.ports.world.published:
            if out.topic == MESSAGES.name:
                body = orjson.loads(out.value)
                doc = unseal(
                    self.keys.known[body["facts"]["owner"]], KIND, body["facts"]["owner"], _unb64(body["sealed"])
                )
                found.append(Content.model_validate(doc, strict=False))
        return found

    def events(self):
        """What was written to `in.platform.rights`."""
        return [orjson.loads(out.value) for out in self.ports.world.published if out.topic == IN_PLATFORM_RIGHTS.name]

    async def inside(self, browser, contact=JEANNE):
        """Prove a contact; the address of the session."""
        await browser.post("/me", data={"contact": contact})
        await self.inviting.sweep()
        sent = next(message for message in reversed(self.messages()) if message.channel == "email")
        answer = await browser.post(next(word for word in sent.text.split() if word.startswith("https://")))
        assert answer.status_code == 200, answer.text
        return answer


def line(recipient, channel="email", **change):
    values = {"purpose": "prospecting", "sector": "general", "object": None, "value": "granted", "verdict": "valid",
              "basis": "consent", "valid_from": "2026-09-14T08:31:00.000Z", "valid_until": "2027-09-13T22:00:00.000Z",
              "reasons": ()}  # fmt: skip
    return Line(recipient, channel, **{**values, **change})


def _unb64(text):
    import base64  # noqa: PLC0415

    return base64.b64decode(text)
