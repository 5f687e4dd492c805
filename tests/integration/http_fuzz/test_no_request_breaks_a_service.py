"""Any request, well formed or not, is answered as the OpenAPI of its service says: no 5xx, no answer of another form.

Each running service is asked for its own OpenAPI; schemathesis makes requests from it, some that keep to it and some that do not.
Bounded: a few requests for each operation, kind of caller and manner. What only the registry could spoil is left whole.
"""

import asyncio
import hashlib
import zlib

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.cli.target import settings_of
from services.cli.up import SERVICES
from shared.registry.load import load_dir
from shared.registry.publish import publish
from tests.conftest import EXAMPLE_REGISTRY
from tests.waiting import operator_token

pytestmark = [
    pytest.mark.engines, pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # sockets of kept-alive sessions
]  # fmt: skip
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
EXAMPLES = {"operator": {POSITIVE: 2, NEGATIVE: 2}, "party": {POSITIVE: 1}, "nobody": {NEGATIVE: 1}}
"""Requests of each operation: making them from a schema is what takes time."""
KEY = "key-of-acme-for-fuzzing-0123456789"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
QUIET = hypothesis.settings(
    deadline=None, database=None, derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
)  # fmt: skip
JSON_SERVICES = [spec.name for spec in SERVICES if spec.name != "console"]
"""The console serves pages behind a login of its own (tests/integration/console)."""


@pytest.fixture(scope="module")
def endpoints(system):
    """The system, once the key of a party that is collector and prospector has travelled to every service."""
    at = system.wait_ready()
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    own = {"id": "fuzz", "sha256": digest, "scopes": ["collector", "prospector"], "expires_at": None}
    (acme,) = [d for d in load_dir(EXAMPLE_REGISTRY) if d.key == "party:acme"]
    asyncio.run(publish(settings_of(at), [(acme.key, {**acme.body, "api_keys": [own]})]))
    return at


def callers(endpoints):
    return {"operator": operator_token(endpoints), "party": KEY, "nobody": None}


def told_in_time(case):
    """A long poll is a promise to wait: asked for, it is kept. Not here."""
    if isinstance(case.query, dict) and "wait" in case.query:
        case.query["wait"] = "0"
    return case


def exercise(operation, strategies, mode, session, url, count):
    """A few requests of one operation; what is wrong with their answers, or nothing."""

    @hypothesis.seed(zlib.crc32(operation.label.encode()))
    @hypothesis.settings(QUIET, max_examples=count)
    @hypothesis.given(case=strategies[operation.label, mode])
    def ask(case):
        case = told_in_time(case)
        answer = case.call(base_url=url, session=session, timeout=40)
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        return []  # nothing can be wrong with a request that has no parts
    except (AssertionError, BaseExceptionGroup, requests.RequestException) as error:
        return [f"{operation.label} ({mode.name}): {_short(error)}"]
    return []


def _short(error):
    """What was found, without the whole of the request that found it."""
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return "; ".join(f"{type(part).__name__} {' '.join(str(part).split())[:900]}" for part in parts)


@pytest.mark.parametrize("service", JSON_SERVICES)
def test_no_request_breaks_it(endpoints, service):
    url = endpoints.url(service)
    schema = schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json").json())
    operations = [result.ok() for result in schema.get_all_operations()]
    strategies = {
        (o.label, mode): o.as_strategy(generation_mode=mode) for o in operations for mode in (POSITIVE, NEGATIVE)
    }
    found = []
    for who, token in callers(endpoints).items():
        with requests.Session() as session:
            if token is not None:
                session.headers["Authorization"] = f"Bearer {token}"
            for operation in operations:
                for mode, count in EXAMPLES[who].items():
                    found += exercise(operation, strategies, mode, session, url, count)
    assert not found, "\n\n".join(found)
    assert httpx.get(f"{url}/health/live").status_code == 200
