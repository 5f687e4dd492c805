"""The published contracts: made from the code, read by parsers that are not ours, agreeing with what the services accept."""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from services.cli.contracts import files
from services.cli.main import build
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.compatibility import breaking
from shared.contracts.published import asyncapi, schemas

ROOT = Path(__file__).parents[2]
CASES = [json.loads(line) for line in (ROOT / "tests" / "cases" / "public.jsonl").read_text().splitlines()]
PARSER = "@asyncapi/parser@3.4.0"
PARSE = """
const {Parser} = require('@asyncapi/parser');
new Parser().parse(require('fs').readFileSync(0, 'utf8')).then(({document, diagnostics}) => {
  const errors = diagnostics.filter(d => d.severity === 0).map(d => d.path.join('/') + ': ' + d.message);
  const operations = document ? document.operations().all().map(o => [o.action(), o.channels().all()[0].address(), o.messages().all().length]) : [];
  console.log(JSON.stringify({errors, operations}));
});
"""


def test_the_files_of_the_repository_are_what_the_code_makes():
    folder = ROOT / "docs" / "contracts"
    differing = [
        path for path, text in files().items() if not (folder / path).exists() or (folder / path).read_text() != text
    ]
    assert differing == [], "run `opposable contracts write`"


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.name)
def test_each_schema_is_a_json_schema(event):
    jsonschema.Draft202012Validator.check_schema(schemas()[event.name])


def test_an_independent_validator_accepts_every_event_that_the_collector_does():
    sent = {
        event.name: (TypeAdapter(event.model), jsonschema.Draft202012Validator(schemas()[event.name]))
        for event in CATALOGUE
    }
    accepted = refused = 0
    for case in CASES:
        adapter, validator = sent[case["input"]["ce"]["type"]]
        try:
            adapter.validate_json(json.dumps(case["input"]["data"]))
        except ValidationError:
            refused += 1
            continue
        accepted += 1
        assert list(validator.iter_errors(case["input"]["data"])) == [], case["name"]
    assert accepted > 60, (accepted, refused)


def test_the_schema_refuses_what_no_collector_would_accept():
    validator = jsonschema.Draft202012Validator(schemas()["opposable.consent.collected.v1"])
    good = next(case["input"]["data"] for case in CASES if case["name"] == "email-one-named-recipient")
    assert validator.is_valid(good)
    for change in (
        {"conset_id": "x"},
        {"country": "France"},
        {"contacts": []},
        {"collected_at": "hier"},
        {"decisions": None},
    ):
        assert not validator.is_valid({**good, **change}), change
    less = copy.deepcopy(good)
    del less["form"]
    assert not validator.is_valid(less)


def test_what_a_party_receives_may_gain_fields():
    for event in CATALOGUE:
        closed = schemas()[event.name].get("additionalProperties") is False
        assert closed == (event.is_sent_by_party and event.name != "opposable.stop.requested.v1"), event.name


@pytest.fixture(scope="module")
def node_modules():
    """The AsyncAPI initiative's own parser under Node, installed once in the cache of the user."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are needed for the AsyncAPI parser")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opposable" / "asyncapi-parser"
    if not (cache / "node_modules" / "@asyncapi" / "parser").exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(cache), "--no-audit", "--no-fund", "--no-save", PARSER]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode:
            pytest.skip("the AsyncAPI parser cannot be installed (npm)")
    return cache / "node_modules"


def test_the_asyncapi_parser_reads_it(node_modules):
    def parse(document):
        done = subprocess.run(
            ["node", "-e", PARSE], input=yaml.safe_dump(document, sort_keys=False), capture_output=True, text=True, timeout=120,
            env={**os.environ, "NODE_PATH": str(node_modules)}, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    read = parse(asyncapi())
    assert read["errors"] == []
    assert min(read["operations"]) == ["receive", "in.{party}.consents", 1]
    assert sum(count for *_, count in read["operations"]) == len(CATALOGUE)
    bent = asyncapi()
    del bent["channels"]["in_consents"]["address"]
    bent["operations"]["in_consents"]["channel"]["$ref"] = "#/channels/nowhere"
    assert parse(bent)["errors"], "the parser would say so"


@pytest.mark.parametrize("service", ["collector", "consent_validator", "rights_handler", "proof_archive"])
def test_openapi_is_valid_and_names_the_routes_of_the_contracts(service):
    document = json.loads(files()[f"openapi/{service}.json"])
    OpenAPIV31SpecValidator(document).validate()
    routes = {
        "collector": {"/v1/events"},
        "consent_validator": {"/v1/assess", "/v1/rules", "/v1/registry"},
        "rights_handler": {"/v1/permissions/check", "/v1/stops", "/v1/requests", "/u/{token}"},
        "proof_archive": {"/v1/verify", "/v1/evidence/{sha256}"},
    }[service]
    assert routes <= set(document["paths"]), sorted(document["paths"])


def bent(name, bend):
    old = schemas()[name]
    new = copy.deepcopy(old)
    bend(new)
    return old, new


def drop(name):
    return lambda schema: schema["properties"].pop(name)


SENT, RECEIVED = "opposable.order.acknowledged.v1", "opposable.stop.ordered.v1"


@pytest.mark.parametrize(
    ("name", "bend", "said"),
    [
        (SENT, drop("reason"), "/reason: removed"),
        (SENT, lambda s: s["required"].append("reason"), "/reason: required now"),
        (SENT, lambda s: s["properties"]["status"]["enum"].remove("refused"), "'refused' no longer accepted"),
        (SENT, lambda s: s["properties"]["order_id"].update(maxLength=3), "maxLength changed"),
        (RECEIVED, drop("ack_due_at"), "/ack_due_at: removed"),
        (RECEIVED, lambda s: s["required"].remove("ack_due_at"), "/ack_due_at: no longer always there"),
        (RECEIVED, lambda s: s["properties"]["kind"]["enum"].append("whim"), "'whim' may now be received"),
        (RECEIVED, lambda s: s["$defs"]["MatchKey"]["properties"].pop("key"), "/match_keys/*/key: removed"),
    ],
)
def test_what_breaks_is_said(name, bend, said):
    direction = "sent" if name == SENT else "received"
    assert any(said in sentence for sentence in breaking(*bent(name, bend), direction)), breaking(
        *bent(name, bend), direction
    )


@pytest.mark.parametrize(
    ("name", "bend"),
    [
        (SENT, lambda s: s["properties"].update(note={"type": "string"})),
        (SENT, lambda s: s["properties"]["status"]["enum"].append("later")),
        (RECEIVED, lambda s: s["properties"].update(note={"type": "string"})),
        (RECEIVED, lambda s: s["required"].append("reminder")),
    ],
)
def test_what_only_adds_does_not_break(name, bend):
    assert breaking(*bent(name, bend), "sent" if name == SENT else "received") == []


def test_the_commands_write_check_and_compare(tmp_path):
    def run(*words):
        return CliRunner().invoke(build(["contracts"]), ["contracts", *words], catch_exceptions=False)

    folder = tmp_path / "contracts"
    assert run("write", "--output", str(folder)).exit_code == 0
    assert run("check", "--output", str(folder)).exit_code == 0
    assert run("diff", str(folder / "schemas"), str(folder / "schemas")).exit_code == 0
    changed = tmp_path / "changed"
    shutil.copytree(folder / "schemas", changed)
    file = changed / f"{RECEIVED}.json"
    body = json.loads(file.read_text())
    del body["properties"]["ack_due_at"]
    file.write_text(json.dumps(body))
    answer = run("diff", str(folder / "schemas"), str(changed), "--json")
    assert (answer.exit_code, list(json.loads(answer.stdout))) == (1, [RECEIVED])
    (folder / "schemas" / f"{SENT}.json").write_text("{}")
    (folder / "openapi" / "gone.json").write_text("{}")
    assert json.loads(run("check", "--output", str(folder), "--json").stdout) == [
        "openapi/gone.json",
        f"schemas/{SENT}.json",
    ]
