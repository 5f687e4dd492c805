"""Registry files: read without coercion, refused with their place, first body wins, checked as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from law_world import CASES, bent_registry, body, documents, registry
from typer.testing import CliRunner

from services.cli.main import build
from shared import canonical
from shared.contracts.types import instant
from shared.errors import InputError
from shared.registry.balance import unbalance
from shared.registry.check import check, luhn
from shared.registry.load import Document, load_dir, read_dir, view_of
from shared.registry.models import key_of, parse
from shared.registry.view import RegistryView

LIST = """kind: list
id: l
version: 1
collector: acme
published_at: 2026-09-10T06:00:00Z
nature: categories
entries: []
categories: [assurance]
sha256: {sha256}
signature: null
"""


def written(folder: Path, text: str) -> Path:
    (folder / "r.yaml").write_text(text, "utf-8")
    return folder


def problems(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        load_dir(written(folder, text))
    return [(p.code, p.pointer) for p in caught.value.problems]


def test_the_cases_load_and_publish_in_the_public_profile() -> None:
    assert len(documents()) == 90
    for document in documents():
        canonical.check(document.body)
        assert key_of(document.body) == document.key
    form = registry().form("jeu-tilleuls", 6)
    assert form is not None
    assert body("form:jeu-tilleuls:6")["refusal"]["contrast"] == "5.0"  # a decimal becomes text
    assert form.refusal.contrast == 5


def test_unquoted_dates_stay_texts_and_keep_their_hash(tmp_path: Path) -> None:
    (document,) = load_dir(written(tmp_path, LIST.format(sha256="a" * 64)))
    assert document.body["published_at"] == "2026-09-10T06:00:00Z"
    assert document.place == "r.yaml#1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: list\nid: l\nid: m\n", ("REGISTRY-YAML", "r.yaml line 3")),
        ("a: [", ("REGISTRY-YAML", "r.yaml line 1")),
        ("- 1", ("REGISTRY-KIND", "r.yaml#1")),
        ("kind: animal", ("REGISTRY-KIND", "r.yaml#1")),
        ("kind: topic\nid: consents\nincarnation: 0123456789abcdef\npartitions: 3", ("REGISTRY-KIND", "r.yaml#1")),
        (LIST.format(sha256="a" * 64) + "note: x\n", ("FIELD-UNKNOWN", "r.yaml#1/note")),
        (LIST.format(sha256="XYZ"), ("FIELD-FORMAT", "r.yaml#1/sha256")),
        ("---\n" + LIST.format(sha256="a" * 64) + "---\n" + LIST.format(sha256="b1"), ("FIELD-FORMAT", "r.yaml#2/sha256")),
        ("kind: party\nid: a-b\nlegal_name: A\ncountry: FR\nroles: [collector]\n", ("FIELD-FORMAT", "r.yaml#1")),
        ("kind: party\nid: a-b\nsiren: '999000011'\nlegal_name: A\ncountry: NO\nroles: [x]\n", ("FIELD-TYPE", "r.yaml#1/country")),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(text: str, expected: tuple[str, str], tmp_path: Path) -> None:
    assert expected in problems(tmp_path, text)


def test_a_folder_without_files(tmp_path: Path) -> None:
    assert read_dir(tmp_path)[1][0].code == "REGISTRY-EMPTY"


def test_first_body_wins_and_parties_follow() -> None:
    view, when = RegistryView(), instant("2026-01-01T00:00:00Z")
    first = body("list:ludibrume-partenaires:1")
    second = {**first, "entries": [], "sha256": "a" * 64}
    key = "list:ludibrume-partenaires:1"
    assert view.apply(key, first, offset=3, archived_at=when) == "applied"
    assert view.apply(key, second, offset=4, archived_at=when) == "ignored"
    assert view.offset == 4
    assert len(view.list_("ludibrume-partenaires", 1).entries) == 4  # type: ignore[union-attr]
    reference = view.reference(key)
    assert reference is not None
    assert (reference.offset, reference.archived_at) == (3, when)
    party = body("party:televerveine")
    assert view.apply("party:televerveine", party, offset=5, archived_at=when) == "applied"
    suspended = {**party, "status": "suspended"}
    assert view.apply("party:televerveine", suspended, offset=6, archived_at=when) == "applied"
    assert view.party("televerveine").status == "suspended"  # type: ignore[union-attr]
    assert view.apply("party:televerveine", party, offset=5, archived_at=when) == "ignored"  # a replay
    assert view.party("televerveine").status == "suspended"  # type: ignore[union-attr]
    topic = {"kind": "topic", "id": "consents", "incarnation": "0123456789abcdef", "partitions": 3}
    assert view.apply("topic:consents", topic, offset=7, archived_at=when) == "applied"
    assert view.topic("consents").partitions == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "document"),
    [
        ("party:x", {"kind": "party", "id": "y"}),
        ("party:x", {"kind": "party", "id": "x"}),
        ("None:None", {}),
        ("x", None),
        ("x", [1]),
        ("topic:t", {"kind": "topic", "id": "t", "incarnation": "zz", "partitions": 1}),
    ],
)
def test_readers_refuse_what_is_no_document(key: str, document: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RegistryView().apply(key, document, offset=0, archived_at=None)


def codes(*documents_: dict[str, Any]) -> set[tuple[str, str, str]]:
    docs = [Document(key_of(b), b, "f", n) for n, b in enumerate(documents_, 1)]
    return {(f.severity, f.problem.code, f.problem.pointer) for f in check(docs)}


def test_check_of_the_cases_and_of_the_example() -> None:
    for folder in (CASES / "registry", CASES.parents[1] / "deploy/example/registry"):
        assert [f for f in check(load_dir(folder)) if f.severity == "error"] == []


def test_check_finds_each_fault() -> None:
    collector, prospector = body("party:ludibrume"), body("party:televerveine")
    form, notice = body("form:jeu-tilleuls:1"), body("notice:mentions-jeux:2026-05")
    agreement, published = body("agreement:ludibrume-televerveine:1"), body("list:ludibrume-partenaires:1")
    published["entries"] = published["entries"][:1]
    base = [collector, prospector, form, notice, agreement, published]
    assert ("error", "LIST-HASH", "f#6/sha256") in codes(*base)
    assert ("error", "REGISTRY-SIREN", "f#1/siren") in codes({**collector, "siren": "999000038"})
    assert ("error", "REGISTRY-RESERVED", "f#1/id") in codes({**collector, "id": "platform"})
    assert ("error", "REGISTRY-REFERENCE", "f#1/notice") in codes(form)
    assert ("error", "REGISTRY-REFERENCE", "f#1/collector") in codes(form)
    assert ("error", "REGISTRY-ROLE", "f#2/collector") in codes(prospector, {**form, "collector": "televerveine"})
    assert ("error", "REGISTRY-TWICE", "f#2") in codes(notice, notice)
    assert ("error", "REGISTRY-DATES", "f#1/valid_until") in codes({**agreement, "valid_until": "2025-01-01"})
    assert ("error", "REGISTRY-REFERENCE", "f#1/prospector") in codes(agreement)
    assert ("warning", "AGREEMENT-INCOMPLETE", "f#1/clauses") in codes(agreement)
    signed = {**published, "signature": "x"}
    assert ("error", "LIST-SIGNATURE", "f#1/signature") in codes(signed)
    renamed = {**published, "entries": [{**published["entries"][0], "siren": "999000128"}]}
    assert ("error", "REGISTRY-REFERENCE", "f#2/entries/0/siren") in codes(prospector, renamed)
    assert ("warning", "FORM-UNBALANCED", "f#1/refusal") in codes(body("form:jeu-tilleuls:7"))
    assert not {c for c in codes(*base) if c[1] == "FORM-UNBALANCED"}


def test_luhn() -> None:
    assert luhn("999000011")
    assert luhn("732829320")
    assert not any(luhn(f"99900001{n}") for n in range(10) if n != 1)


@pytest.mark.parametrize(("version", "score"), [(1, 0), (12, 0), (6, 31), (7, 81)])
def test_unbalance_on_the_calibration(version: int, score: int) -> None:
    form = registry().form("jeu-tilleuls", version)
    assert form is not None
    assert form.unbalance == unbalance(form.refusal, form.acceptance) == score


def test_unbalance_of_words_and_of_what_was_not_measured() -> None:
    def scored(**refusal: Any) -> int:
        document = body("form:jeu-tilleuls:1")
        document["refusal"] = {"present": True, **refusal}
        return parse(document).unbalance  # type: ignore[union-attr]

    assert scored() == 0
    assert scored(label="Plus tard peut-être") == 10
    assert scored(label="Tout refuser") == 0
    assert scored(position="below") == 20
    assert scored(width_px=0, height_px=0, contrast=0, position="below", label="bof") == 100


def test_registry_check_command(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(build(["registry"]), ["registry", "check", *words])

    good = run(str(CASES / "registry"))
    assert good.exit_code == 0, good.output
    answer = json.loads(run(str(CASES / "registry"), "--json").stdout)
    assert (answer["documents"], answer["errors"]) == (90, 0)
    bad = run(str(written(tmp_path, LIST.format(sha256="a" * 64))))
    assert bad.exit_code == 1
    assert "r.yaml#1/sha256" in bad.output
    with pytest.raises(InputError):
        CliRunner().invoke(
            build(["registry"]), ["registry", "check", str(written(tmp_path, "kind: x"))], catch_exceptions=False
        )


def test_a_bent_registry_is_another_view() -> None:
    assert bent_registry(body("party:ludibrume")) is not registry()
    assert view_of(documents()).offset == -1
