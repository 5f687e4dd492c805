"""The example registry: an invented world whose every hash is real."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def documents(example_dir: Path) -> list[dict[str, Any]]:
    return [
        document
        for path in sorted((example_dir / "registry").glob("*.yaml"))
        for document in yaml.load_all(path.read_text("utf-8"), yaml.CSafeLoader)
    ]


@pytest.fixture
def world(example_dir: Path) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for document in documents(example_dir):
        kinds.setdefault(document["kind"], []).append(document)
    return kinds


def luhn(number: str) -> bool:
    digits = [int(c) for c in reversed(number)]
    return sum(digits[::2] + [2 * d - 9 * (d > 4) for d in digits[1::2]]) % 10 == 0


def test_three_collectors_and_five_prospecteurs_with_invented_sirens(world: dict[str, list[dict[str, Any]]]) -> None:
    roles = [party["roles"] for party in world["party"]]
    assert roles.count(["collector"]) == 3
    assert roles.count(["prospector"]) == 5
    sirens = {party["siren"] for party in world["party"]}
    assert len(sirens) == 8
    assert all(luhn(siren) and siren.startswith("999000") for siren in sirens)
    assert {"acme", "canalvert"} <= {party["id"] for party in world["party"]}


def test_files_are_the_ones_that_the_registry_hashes(example_dir: Path, world: dict[str, list[dict[str, Any]]]) -> None:
    def digest(path: str) -> str:
        return hashlib.sha256((example_dir / path).read_bytes()).hexdigest()

    for form in world["form"]:
        stem = f"forms/{form['id']}-v{form['version']}"
        assert form["html_sha256"] == digest(f"{stem}.html")
        assert form["screenshot_sha256"] == digest(f"{stem}.png")
    for notice in world["notice"]:
        assert notice["sha256"] == digest(f"notices/{notice['id']}-{notice['version']}.txt")
    for agreement in world["agreement"]:
        assert agreement["document_sha256"] == digest(f"agreements/{agreement['id']}-v{agreement['version']}.txt")


def test_lists_hash_to_what_they_say_and_the_signed_ones_are_signed_by_their_collector(
    world: dict[str, list[dict[str, Any]]],
) -> None:
    signed = 0
    for document in world["list"]:
        body = {k: v for k, v in document.items() if k not in ("sha256", "signature")}
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert document["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        if document["signature"]:
            signed += 1
            collector = next(p for p in world["party"] if p["id"] == document["collector"])
            public = base64.b64decode(collector["public_keys"][0].split("+", 2)[2])[1:]
            message, _, signature = document["signature"].rpartition("\n\n")
            value = base64.b64decode(signature.strip().rpartition(" ")[2])[4:]
            Ed25519PublicKey.from_public_bytes(public).verify(value, (message + "\n").encode())
            with pytest.raises(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(public).verify(value, message.encode())
    assert signed == 2


def test_the_practices_that_sanctions_punished_are_there(world: dict[str, list[dict[str, Any]]]) -> None:
    assert any(document["nature"] == "categories" for document in world["list"])
    assert any(box["default"] == "on" for form in world["form"] for box in form["boxes"])
    assert any(form["refusal"]["contrast"] < 2 and form["refusal"]["font_px"] < 10 for form in world["form"])
    listed = {(d["id"], d["version"]): {e["party"] for e in d["entries"]} for d in world["list"]}
    assert "marmotte" not in listed["acme-partners", 12]
    assert "marmotte" in listed["acme-partners", 13]


def test_pages_show_their_boxes_in_their_registered_state(
    example_dir: Path, world: dict[str, list[dict[str, Any]]]
) -> None:
    for form in world["form"]:
        html = (example_dir / f"forms/{form['id']}-v{form['version']}.html").read_text("utf-8")
        for box in form["boxes"]:
            ticked = f'name="{box["id"]}" checked>' in html
            assert f'name="{box["id"]}"' in html
            assert ticked == (box["default"] == "on")
        assert form["refusal"]["label"] in html
