"""The HTTP edges of the rights handler on fakes: parties with keys, a clock, a freshness that can lag."""

from __future__ import annotations

import hashlib

import httpx
import orjson
from fastapi import FastAPI
from rights_world import PERSONS, START, TOKENS, make_crossing

from services.rights_handler.api import Api
from services.rights_handler.check_api import CheckApi
from services.rights_handler.checking import Checking
from services.rights_handler.noticing import Noticing
from services.rights_handler.one_click import make_router
from services.rights_handler.requesting import Requesting
from services.rights_handler.requests.asking import Asking
from services.rights_handler.requests.link import erasure_router
from services.rights_handler.sending.model import SendingSettings
from shared.auth import Authenticator
from shared.clock import ManualClock
from shared.metrics import Metrics
from shared.pace import Pace
from shared.problems import install
from tests.fakes.rights import Direct


def sha(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Key:
    expires_at = None

    def __init__(self, token, *scopes):
        self.id, self.sha256, self.scopes = token, sha(token), scopes


class Party:
    def __init__(self, name, *scopes):
        self.id, self.legal_name, self.siren, self.contact_dpo, self.privacy_url = (
            name,
            f"{name.title()} <SA>",
            None,
            None,
            None,
        )
        self.roles = ("processor",) if "processor" in scopes else ("prospector",)
        self.api_keys = [Key(f"key-{name}", *scopes)]


class Agreement:
    qualification = "processor"


class Registry:
    class view:  # noqa: N801
        _all = (Party("canalvert", "prospector"), Party("acme", "collector"), Party("assurbrelle", "prospector"),
                Party("allocentre", "processor"), Party("autrecentre", "processor"))  # fmt: skip

        @classmethod
        def parties(cls):
            return cls._all

        @classmethod
        def party(cls, name):
            return next((party for party in cls._all if party.id == name), None)

        @staticmethod
        def agreements(collector, prospector):
            return [Agreement()] if (collector, prospector) == ("allocentre", "canalvert") else []


class Fresh:
    late = False

    def lagging(self):
        return self.late


class Quiet:
    def warning(self, *_args, **_fields):
        pass

    error = warning


class Bench:
    def __init__(self, ports=None, reports=None):
        self.ports, self.fresh, self.clock = ports or Direct(), Fresh(), ManualClock(START)
        self.crossing = make_crossing(self.ports)
        requesting = Requesting(self.ports, self.clock)
        auth = Authenticator(Registry, self.clock, sha("operator"))
        self.asking = Asking(self.ports, Registry, self.clock)
        api = Api(
            auth=auth, index=self.ports, ledger=self.ports, requesting=requesting, asking=self.asking, requests=self.ports,
        )  # fmt: skip
        checking = Checking(self.ports, reports or self.ports, self.fresh, Registry, SendingSettings())
        noticing = Noticing(Registry, TOKENS, "https://oppo.example/")
        self.metrics, self.moment = Metrics(), [0.0]
        self.pace = Pace(10.0, 30, 0, lambda: self.moment[0], "contacts")
        checks = CheckApi(auth=auth, checking=checking, persons=PERSONS, noticing=noticing, clock=self.clock,
                          pace=self.pace, metrics=self.metrics)  # fmt: skip
        app = FastAPI()
        install(app, Quiet())
        app.include_router(api.router())
        app.include_router(checks.router())
        app.include_router(make_router(TOKENS, Registry, requesting))
        app.include_router(erasure_router(TOKENS, self.asking))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")

    async def ask(self, method, path, token="key-canalvert", **more):  # noqa: S107
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, headers=headers, **more)

    def queued(self):
        return [(m, orjson.loads(m.value)) for m in self.ports.world.published if m.topic == "in.platform.rights"]
