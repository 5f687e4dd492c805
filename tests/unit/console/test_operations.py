"""What the transparency log keeps of an operation: who, when, what; never a contact, nor a key that a pepper could reopen."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
import pytest

from services.console.operations import Operation, facts_of, outgoing
from services.proof_archive.domain import entry_of
from shared.errors import InputError
from shared.reasons import checked

AT = datetime(2026, 11, 27, 4, 5, 6, 789_000, tzinfo=UTC)
VIEWED = Operation(
    "op-1", AT, "ac-7", "dpo", "record.viewed", "record", "acme/0190f6c2", keyed=False, reason="", salt=b"s" * 32
)
SEARCHED = replace(VIEWED, id="op-2", action="search.done", what="contact", object="p1.AbCd", keyed=True)


def test_a_record_is_named_and_a_contact_is_only_committed_to():
    assert facts_of(VIEWED) == {
        "kind": "operation.recorded", "v": 1, "operation": "op-1", "at": "2026-11-27T04:05:06.789Z", "account": "ac-7", "role": "dpo",
        "action": "record.viewed", "object": "acme/0190f6c2", "what": "record",
    }  # fmt: skip
    facts = facts_of(SEARCHED)
    assert "p1.AbCd" not in orjson.dumps(facts).decode()
    expected = base64.urlsafe_b64encode(hmac.digest(b"s" * 32, b"contact\0p1.AbCd", "sha256")).rstrip(b"=").decode()
    assert facts["commitment"] == expected
    assert (
        facts_of(replace(SEARCHED, salt=b"t" * 32))["commitment"] != expected
    )  # one salt each: two looks cannot be linked


def test_the_archive_finds_it_by_its_own_name_and_not_as_a_part_of_the_records_proof():
    sent = outgoing(replace(VIEWED, reason="dossier 2026-14"))
    assert (sent.topic, sent.key) == ("operations", b"ac-7")
    entry = entry_of(_record(sent))
    assert entry.flaw is None
    assert entry.refs == ("operation:op-1",)
    assert b"dossier 2026-14" in entry.data


def _record(sent):
    return SimpleNamespace(
        topic=sent.topic, partition=0, offset=0, timestamp=1, key=sent.key, value=sent.value, headers=sent.headers
    )


@pytest.mark.parametrize(
    "bad", [{"action": "Viewed"}, {"action": "viewed"}, {"object": "jeanne@courriel.example"}, {"object": "06 12"}]
)
def test_an_action_and_an_object_have_a_form(bad):
    with pytest.raises(ValueError, match="named"):
        replace(VIEWED, **bad)


@pytest.mark.parametrize(
    "bad", ["", "ok", "demande de jeanne@courriel.example", "au 06 12 34 56 78", "numéro 123456789", "deux\nlignes ici"]
)
def test_reasons_name_a_file_and_no_person(bad):
    with pytest.raises(InputError) as refused:
        checked(bad, "/reason", "REASON")
    assert refused.value.problems[0].code.startswith("REASON-")
    assert checked("  dossier 2026-14  ", "/reason", "REASON") == "dossier 2026-14"
