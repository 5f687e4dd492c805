"""Why a restricted proof is opened, and what a person is told of what ends when."""

import orjson
import pytest

from services.proof_archive.claims import opened, reason_of
from services.rights_handler.erasing.ends import FOR_EVER, NOW, ends_of
from services.rights_handler.erasing.model import SOURCES, Cause, Erasure, Fate, Planned
from services.rights_handler.erasing.said import entry, is_owner
from services.rights_handler.erasing.table import TABLE
from shared.errors import InputError, IntegrityError

RECORD, AT = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11", "2026-11-27T10:00:00.000Z"


def body(claim):
    return orjson.dumps({"claim": claim})


@pytest.mark.parametrize(
    "claim", ["RG 26/01234, tribunal judiciaire de Paris", "réclamation CNIL 2026-4711", "  contrôle DDPP 75  "]
)
def test_a_reason_names_a_file(claim):
    assert reason_of(body(claim)) == claim.strip()


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "CLAIM-MISSING"), (b"[]", "CLAIM-MISSING"), (b'"x"', "CLAIM-MISSING"), (b"{}", "CLAIM-MISSING"), (body(7), "CLAIM-MISSING"),
     (body("ab"), "CLAIM-TEXT"), (body("x" * 201), "CLAIM-TEXT"), (body("deux\nlignes"), "CLAIM-TEXT"),
     (body("plainte de jeanne@exemple.example"), "CLAIM-PERSONAL"), (body("appel au +33 1 99 00 12 34"), "CLAIM-PERSONAL"),
     (body("appel au 01.99.00.12.34"), "CLAIM-PERSONAL"), (body("dossier 123456789"), "CLAIM-PERSONAL")],
)  # fmt: skip
def test_a_reason_that_could_name_a_person_is_refused_and_not_repeated(data, code):
    with pytest.raises(InputError) as refused:
        reason_of(data)
    (problem,) = refused.value.problems
    assert (problem.code, problem.pointer) == (code, "/claim")
    assert "jeanne" not in problem.message


def test_the_entry_of_a_claim_says_which_record_why_and_when():
    said = opened(RECORD, "RG 26/01234", AT)
    assert (said.topic, said.key) == ("erasures", RECORD.encode())
    assert orjson.loads(said.value) == {"facts": {
        "kind": "proof.opened", "v": 1, "record": RECORD, "claim": "RG 26/01234", "by": "operator", "at": AT,
    }}  # fmt: skip


def planned(fate=None, parties=("acme", "canalvert"), received="2026-11-25T10:00:00.000Z"):
    return Planned(RECORD, fate or Fate("erase"), None, parties, received)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_place_is_named_with_its_end(language):
    ends = ends_of(planned(), AT, language)
    assert ends[0].until == NOW
    by_place = {end.what: end.until for end in ends}
    assert "2026-12-02T10:00:00.000Z" in by_place.values()  # in.acme.consents: seven days from the receipt
    assert "2026-12-04T10:00:00.000Z" in by_place.values()  # dead: seven days from now
    queues = [end for end in ends if end.until == "2027-02-25T10:00:00.000Z"]  # out.*: ninety days
    assert sorted(word for end in queues for word in end.what.split() if word in ("acme", "canalvert")) == [
        "acme",
        "canalvert",
    ]
    assert list(by_place.values()).count(FOR_EVER) == 2  # the keyed hashes, and the log without personal data
    assert ends[-1].until is None  # proofs handed out are out of reach
    assert all(end.what and end.why for end in ends)
    assert {end.until for end in ends_of(planned(received="2026-01-01T00:00:00.000Z"), AT, language)} >= {NOW}


def test_what_is_kept_says_until_when_and_by_which_text():
    kept = ends_of(planned(Fate("restrict", "2029-09-14T08:31:07.120Z", ("PHONE-PROOF", "HOLD:case-1"))), AT, "fr")[0]
    assert kept.until == "2029-09-14T08:31:07.120Z"
    assert TABLE[0].text_fr in kept.why
    assert "R.223-3" in kept.why
    assert "gel décidé" in kept.why
    assert "case-1" not in kept.why  # the person is not told whose proceedings
    held = ends_of(planned(Fate("restrict", None, ("HOLD:case-1",))), AT, "en")[0]
    assert (held.until, "legal hold" in held.why) == (None, True)


def test_every_cause_has_its_source_and_an_entry_needs_a_settled_fate():
    assert set(SOURCES) == set(Cause)
    with pytest.raises(IntegrityError):
        entry(Erasure(RECORD, Cause.CHILD, AT, "deciding"))
    assert is_owner("stop/acme/s-1")
    assert not is_owner(RECORD)


def test_the_same_erasure_is_said_in_the_same_bytes():
    row = Erasure(
        RECORD, Cause.CHILD, AT, "decided", fate=Fate("restrict", AT, ("PHONE-PROOF",)), owners=("stop/acme/s",)
    )
    assert entry(row) == entry(row)
    facts = orjson.loads(entry(row).value)["facts"]
    assert (facts["kind"], facts["until"], facts["because"], facts["source"]) == (
        "record.restricted", AT, ["PHONE-PROOF"], "RGPD 17(1)(f)",
    )  # fmt: skip
    other = orjson.loads(entry(Erasure("stop/acme/s", Cause.CHILD, AT, "decided", fate=Fate("erase"))).value)["facts"]
    assert other["kind"] == "owner.shredded"
