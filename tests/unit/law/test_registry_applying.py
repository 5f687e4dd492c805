"""What `registry apply` refuses before anything is published, and whose consents it has judged again."""

from __future__ import annotations

from law_world import body, documents

from services.cli.registry_apply import standing_changed, unfit
from shared.registry.load import Document
from shared.registry.models import key_of

STORED = {document.key: document.body for document in documents()}


def codes(key, **change):
    changed = body(key) | change
    document = Document(key_of(changed), changed, "new.yaml")
    return [problem.code for problem in unfit(STORED, [document], [document.key])]


def test_what_cannot_stand_beside_the_stored_documents_is_refused_with_why() -> None:
    agreement = next(key for key in STORED if key.startswith("agreement:"))
    form = next(key for key in STORED if key.startswith("form:"))
    assert codes("party:ludibrume") == []
    assert codes("party:ludibrume", siren="999000038") == ["REGISTRY-SIREN"]
    assert codes(agreement, prospector="nobody") == ["REGISTRY-REFERENCE"]
    assert codes(agreement, prospector="ludibrume") == ["REGISTRY-ROLE"]
    assert codes(agreement, valid_from="2030-01-02", valid_until="2030-01-01") == ["REGISTRY-DATES"]
    assert codes(form, notice={"id": "nowhere", "version": "1"}) == ["REGISTRY-REFERENCE"]
    assert codes("party:ludibrume", id="platform") == ["REGISTRY-RESERVED"]


def test_a_part_of_the_registry_refers_to_what_is_stored() -> None:
    agreement = next(key for key in STORED if key.startswith("agreement:"))
    alone = Document(agreement, body(agreement))
    assert unfit(STORED, [alone], [agreement]) == []
    assert {p.code for p in unfit({}, [alone], [agreement])} == {"REGISTRY-REFERENCE"}
    assert unfit({}, [alone], []) == [], "what is not going to be published is not looked at"


def test_a_lists_wrong_hash_is_assessed_not_refused() -> None:
    published = next(key for key in STORED if key.startswith("list:"))
    assert codes(published, sha256="0" * 64) == []


def test_only_a_partys_standing_has_its_consents_judged_again() -> None:
    fields = {
        "party:a": ["/legal_name"], "party:b": ["/status"], "party:c": ["/suspended_from", "/brands/0"],
        "agreement:x:1": ["/status"],
    }  # fmt: skip
    assert standing_changed(fields) == {"b", "c"}
