"""Self-service: what a collector may put into the registry itself, what waits for the operator, what is refused and why."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from law_world import body, documents
from test_assessor import Sent

from services.consent_validator.announcing import changes, expiring
from services.consent_validator.registry_api import RegistryApi
from services.consent_validator.submitting import rule
from shared.auth import Caller
from shared.clock import ManualClock
from shared.crypto.note import Signer, sign
from shared.errors import InputError
from shared.problems import install
from shared.registry.check import check
from shared.registry.clauses import days_left
from shared.registry.hashing import list_hash
from shared.registry.load import Document, view_of
from shared.registry.models import key_of, parse
from shared.registry.submissions import DECIDED, Submission, decided, fold, note_text, submission_id, submitted

TODAY = date(2026, 9, 20)
KEY = Signer("ludibrume", b"s" * 32)
OTHER = Signer("ludibrume", b"o" * 32)


def world(*, self_service=True, **party: Any):
    """The cases' registry, ludibrume with a key of ours, its agreements delegated or not."""
    found = []
    for document in documents():
        changed = copy.deepcopy(document.body)
        if document.key == "party:ludibrume":
            changed |= {"public_keys": [KEY.verifier.vkey()], **party}
        if changed["kind"] == "agreement" and changed["collector"] == "ludibrume":
            changed["self_service"] = self_service
        found.append(Document(document.key, changed))
    return view_of(found)


def new_form(**change: Any):
    return body("form:jeu-tilleuls:12") | {"version": 13} | change


def new_list(**change: Any):
    document = body("list:ludibrume-partenaires:1") if "list:ludibrume-partenaires:1" in KEYS else body(LIST)
    document = document | {"version": 90, "signature": None} | change
    return document | {"sha256": list_hash(document)}


KEYS = {document.key for document in documents()}
LIST = next(
    d.key for d in documents() if d.body["kind"] == "list" and d.body["collector"] == "ludibrume" and d.body["entries"]
)


def signed(document, signer=KEY) -> str:
    return sign(note_text(document), [signer]).decode()


def codes(document, signature=None, *, view=None, party="ludibrume"):
    with pytest.raises(InputError) as refused:
        rule(document, signed(document) if signature is None else signature, party, view or world(), TODAY)
    return [problem.code for problem in refused.value.problems]


def test_a_signed_form_is_applied_where_every_agreement_delegates_it() -> None:
    ruling = rule(new_form(), signed(new_form()), "ludibrume", world(), TODAY)
    assert (ruling.key, ruling.reason) == ("form:jeu-tilleuls:13", None)


def test_it_waits_for_the_operator_where_one_does_not() -> None:
    ruling = rule(new_form(), signed(new_form()), "ludibrume", world(self_service=False), TODAY)
    assert ruling.reason == "an agreement leaves it to the operator"


def test_a_list_asks_each_company_it_names() -> None:
    assert rule(new_list(), signed(new_list()), "ludibrume", world(), TODAY).reason is None
    stranger = body("party:formabrume")
    entry = {"party": "formabrume", "legal_name": stranger["legal_name"], "siren": stranger["siren"],
             "purposes": ["prospecting"], "channels": ["email"]}  # fmt: skip
    wider = new_list(entries=[*body(LIST)["entries"], entry])
    assert (
        rule(wider, signed(wider), "ludibrume", world(), TODAY).reason
        == "the agreement with formabrume: none is in force"
    )
    empty = new_list(entries=[], nature="categories", categories=["assurance"])
    assert rule(empty, signed(empty), "ludibrume", world(), TODAY).reason == "a list that names nobody"


def test_a_notice_belongs_to_whoever_cites_it() -> None:
    cited = body("form:jeu-tilleuls:12")["notice"]["id"]
    notice = body(next(key for key in KEYS if key.startswith(f"notice:{cited}:"))) | {"version": "2026-10"}
    assert rule(notice, signed(notice), "ludibrume", world(), TODAY).reason is None
    own = notice | {"id": "mentions-nouvelles"}
    assert "no form of this collector cites" in str(rule(own, signed(own), "ludibrume", world(), TODAY).reason)
    foreign = body("form:devis:3")["notice"]["id"]
    theirs = notice | {"id": foreign}
    assert codes(theirs) == ["REGISTRY-OWNER"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (body("party:ludibrume"), "REGISTRY-KIND"),
        ([], "REGISTRY-KIND"),
        (new_form(surprise=1), "FIELD-UNKNOWN"),
        (new_form(boxes="none"), "FIELD-TYPE"),
        (new_form(collector="comparlune"), "REGISTRY-OWNER"),
        (new_form(incentive=0.5), "REGISTRY-JSON"),
    ],
)
def test_what_a_party_may_not_submit(document: Any, code: str) -> None:
    signature = signed(document) if isinstance(document, dict) and code != "REGISTRY-JSON" else "x"
    assert code in codes(document, signature)


def test_a_signature_is_over_this_very_document_by_a_registered_key() -> None:
    assert codes(new_form(), signed(new_form(), OTHER)) == ["REGISTRY-SIGNATURE"]
    assert codes(new_form(), signed(new_form(targets_minors=True))) == ["REGISTRY-SIGNATURE"]
    assert codes(new_form(), "nonsense") == ["REGISTRY-SIGNATURE"]
    assert codes(new_form(), view=view_of(documents())) == ["REGISTRY-SIGNATURE"], "no key is registered there"


def test_errors_of_registry_check_refuse_it() -> None:
    assert codes(new_form(notice={"id": "nowhere", "version": "1"})) == ["REGISTRY-REFERENCE"]
    assert codes(new_list() | {"sha256": "0" * 64}) == ["LIST-HASH"]


def test_a_suspended_party_or_a_prospecteur_submits_nothing() -> None:
    assert codes(new_form(), view=world(status="suspended")) == ["PARTY-SUSPENDED"]
    assert codes(new_form(), view=world(roles=["prospector"])) == ["REGISTRY-ROLE"]
    assert codes(new_form(), party="nobody") == ["PARTY-SUSPENDED"]


def test_where_a_submission_stands_is_the_fold_of_its_records() -> None:
    one = Submission(submission_id("ludibrume", new_form()), "ludibrume", new_form(), "sig", None, reason="waits")
    at = datetime(2026, 9, 20, tzinfo=UTC)
    records = [(submitted(one), at), (submitted(one), at)]
    (found,) = fold(records).values()
    assert (found.state, found.reason, found.submitted_at) == ("queued", "waits", at)
    after = [(decided(one, "refused", "illegible"), at), (decided(one, "applied", None), at)]
    (found,) = fold([*records, *after]).values()
    assert (found.state, found.reason) == ("refused", "illegible"), "the first decision counts"
    assert fold([({"kind": DECIDED, "id": "x", "state": "applied", "reason": None}, at)]) == {}
    assert found.as_dict()["key"] == "form:jeu-tilleuls:13"
    assert submission_id("ludibrume", new_form()) != submission_id("comparlune", new_form())


class Feed:
    def __init__(self, view) -> None:
        self.view = view

    async def catch_up(self) -> None:
        """Nothing is behind here."""


class Applying(Sent):
    """A publisher whose registry records come back through the feed, as Kafka would bring them."""

    def __init__(self, view) -> None:
        super().__init__()
        self.view = view

    async def send_all(self, messages) -> None:
        await super().send_all(messages)
        for message in messages:
            if message.topic == "registry":
                at = datetime(2026, 9, 20, 10, tzinfo=UTC)
                offset = self.view.offset + 1
                self.view.apply(message.key.decode(), orjson.loads(message.value), offset=offset, archived_at=at)


class Auth:
    def __init__(self, party="ludibrume", scopes=("collector",)) -> None:
        self.found = Caller(party, frozenset(scopes))

    def caller(self, _request: Any) -> Caller:
        return self.found


def client(view, auth=None):
    publisher = Applying(view)
    app = FastAPI()
    install(app, None)
    clock = ManualClock(datetime(2026, 9, 20, 12, tzinfo=UTC))
    app.include_router(RegistryApi(auth or Auth(), Feed(view), publisher, clock).router())  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://law"), publisher


def posted(document) -> bytes:
    return orjson.dumps({"document": document, "signature": signed(document)})


async def test_http_applies_and_shows_the_archived_time() -> None:
    http, publisher = client(world())
    answer = await http.post("/v1/registry", content=posted(new_form()))
    assert answer.status_code == 201, answer.text
    assert answer.json()["archived_at"] == "2026-09-20T10:00:00.000Z"
    assert [m.topic for m in publisher.messages] == ["registry.submissions", "registry", "registry.submissions"]
    again = await http.post("/v1/registry", content=posted(new_form()))
    assert (again.status_code, again.json()["status"]) == (200, "unchanged")
    changed = new_form(targets_minors=True)
    conflict = await http.post("/v1/registry", content=posted(changed))
    assert (conflict.status_code, conflict.json()["code"]) == (409, "REGISTRY-VERSION")
    listed = (await http.get("/v1/registry")).json()["documents"]
    assert "form:jeu-tilleuls:13" in {one["key"] for one in listed}
    assert not any(one["key"].startswith(("party:", "topic:", "form:devis")) for one in listed)


async def test_http_queues_what_no_agreement_delegates() -> None:
    http, publisher = client(world(self_service=False))
    answer = await http.post("/v1/registry", content=posted(new_form()))
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    (message,) = publisher.messages
    record = orjson.loads(message.value or b"")
    (found,) = fold([(record, None)]).values()
    assert found.id == answer.json()["id"]
    assert dict(found.document) == new_form()


@pytest.mark.parametrize(
    ("auth", "content", "status"),
    [
        (Auth(scopes=("prospector",)), posted(new_form()), 403),
        (Auth(None, ("operator", "collector")), posted(new_form()), 403),
        (Auth(), b"{", 422),
        (Auth(), orjson.dumps({"document": {}}), 422),
        (Auth(), posted(new_form(collector="comparlune")), 422),
        (Auth(), b" " * 1_048_577, 413),
    ],
)
async def test_http_refusals(auth: Auth, content: bytes, status: int) -> None:
    http, publisher = client(world(), auth)
    assert (await http.post("/v1/registry", content=content)).status_code == status
    assert publisher.messages == []


def follow(view, document):
    view.apply(key_of(document), document, offset=view.offset + 1, archived_at=datetime(2026, 9, 20, tzinfo=UTC))
    published = parse(document)
    return {(m.topic, orjson.loads(m.value)["change"]): orjson.loads(m.value) for m in changes(published, view)}


def test_a_new_version_tells_whom_it_adds_removes_or_changes() -> None:
    view = world()
    before = next(p for p in view.lists() if f"list:{p.id}:{p.version}" == LIST)
    latest = max((p for p in view.lists() if p.id == before.id), key=lambda p: p.version)
    entries = body(f"list:{latest.id}:{latest.version}")["entries"]
    removed, changed = entries[0]["party"], entries[1]["party"]
    stranger = body("party:formabrume")
    added = {**entries[0], "party": "formabrume", "legal_name": stranger["legal_name"], "siren": stranger["siren"]}
    kept = [{**e, "channels": ["email"]} if e["party"] == changed else e for e in entries[1:]]
    told = follow(view, new_list(id=latest.id, entries=[*kept, added]))
    assert told[f"out.{removed}.requests", "removed"]["channels"] == []
    assert told[f"out.{changed}.requests", "changed"]["channels"] == ["email"]
    assert told["out.formabrume.requests", "added"]["previous"] == latest.version
    assert len(told) == 3, "whoever is named as before hears nothing"


def test_a_first_version_and_an_equal_one_tell_nobody() -> None:
    assert follow(world(), new_list(id="nouvelle-liste")) == {}
    view = world()
    latest = max((p for p in view.lists() if p.id == body(LIST)["id"]), key=lambda p: p.version)
    same = body(f"list:{latest.id}:{latest.version}")["entries"]
    assert follow(view, new_list(entries=same)) == {}


@pytest.mark.parametrize(
    ("today", "code"),
    [
        ("2026-10-31", None), ("2026-11-01", "60"), ("2026-11-02", "60"), ("2026-11-30", "60"), ("2026-12-01", "30"),
        ("2026-12-02", "30"), ("2026-12-24", "7"), ("2026-12-31", "7"), ("2027-01-01", "ended"),
    ],
)  # fmt: skip
def test_the_end_of_an_agreement_is_told_in_three_steps(today: str, code: str | None) -> None:
    agreement = next(
        d.body for d in documents() if d.body["kind"] == "agreement" and d.body["valid_until"] == "2026-12-31"
    )
    day = date.fromisoformat(today)
    found = [
        f.problem for f in check(documents(), day)
        if f.key == f"agreement:{agreement['id']}:{agreement['version']}" and f.problem.code.startswith("AGREEMENT-E")
    ]  # fmt: skip
    left = (date(2026, 12, 31) - day).days
    if code is None:
        assert found == []
    elif code == "ended":
        assert [p.code for p in found] == ["AGREEMENT-ENDED"]
    else:
        assert [p.code for p in found] == ["AGREEMENT-EXPIRES"]
        assert f"less than {code} days" in found[0].message
    told = {(a.id, days) for a, days in expiring(view_of(documents()), day)}
    assert ((agreement["id"], left) in told) == (left in {60, 30, 7})


def test_a_later_version_that_takes_over_silences_the_warning() -> None:
    first = parse(
        next(d.body for d in documents() if d.body["kind"] == "agreement" and d.body["valid_until"] == "2026-12-31")
    )
    end = date(2026, 12, 31)
    renewed = first.model_copy(
        update={"version": first.version + 1, "valid_from": date(2027, 1, 1), "valid_until": None}
    )
    gap = renewed.model_copy(update={"valid_from": date(2027, 1, 2)})
    assert days_left(first, [first], end) == 0
    assert days_left(first, [first, renewed], end) is None
    assert days_left(first, [first, gap], end) == 0
    assert days_left(renewed, [first, renewed], end) is None


@pytest.mark.parametrize(("name", "words"), [("brand", "a brand"), ("Autre Société SA", "legal name"), (None, None)])
def test_a_list_names_companies_not_brands(name: str | None, words: str | None) -> None:
    entries = copy.deepcopy(body(LIST)["entries"])
    party = body(f"party:{entries[0]['party']}")
    assert party["brands"], "the cases give it a brand"
    if name is not None:
        entries[0]["legal_name"] = party["brands"][0] if name == "brand" else name
    else:
        entries[0]["legal_name"] = f"  {party['legal_name'].upper()} "
    changed = new_list(entries=entries)
    found = check([*documents(), Document(key_of(changed), changed)])
    messages = [f.problem.message for f in found if f.key == key_of(changed) and f.problem.code == "REGISTRY-NAME"]
    assert (words in messages[0]) if words else messages == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"screenshot_sha256": None}, "FORM-EVIDENCE"),
        ({"screenshot_sha256": None, "medium": "paper"}, "FORM-EVIDENCE"),
        ({"screenshot_sha256": None, "medium": "oral"}, None),
        ({"phone_objection_told": False}, "FORM-PHONE-MENTION"),
        ({"phone_objection_told": True}, None),
        ({"medium": "oral", "phone_statements": []}, "FORM-SCRIPT"),
    ],
)
def test_a_form_is_examined_by_its_medium(change: dict[str, Any], code: str | None) -> None:
    form = new_form(**change)
    found = check([*documents(), Document(key_of(form), form)])
    codes_found = {f.problem.code for f in found if f.key == key_of(form)}
    assert codes_found == ({code} if code else set())
