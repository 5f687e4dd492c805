"""Every language of the partner guide normalises, names and verifies as we do, on the published vectors."""

import base64
import json
import subprocess

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.cli.partner_vectors import key_text, vectors
from tests.unit.partner_guide.languages import EXACT, FOLDER, KEYS, ROOT, java, php

VECTORS = [json.loads(line) for line in (ROOT / "docs/contracts/vectors.jsonl").read_text().splitlines()]
CONTACTS = [v for v in VECTORS if v["vector"] == "contact"]
WEBHOOKS = [v for v in VECTORS if v["vector"] == "webhook"]


def test_the_published_vectors_are_those_of_our_own_code():
    assert (ROOT / "docs/contracts/vectors.jsonl").read_text() == vectors()
    assert len(CONTACTS) >= 40
    assert {v["valid"] for v in WEBHOOKS} == {True, False}


@pytest.mark.parametrize("language", sorted(KEYS))
def test_contacts_are_normalised_and_named_as_ours(language, tmp_path):
    key = tmp_path / "match-key.json"
    key.write_text(json.dumps({"version": 1, "key": key_text(), "check": "…"}))
    lines = ["\t".join((v["type"], v["region"] or "", v["value"].replace("\n", "|"))) for v in CONTACTS]
    done = subprocess.run(
        KEYS[language](str(key)), input="\n".join(lines) + "\n", capture_output=True, text=True, check=True, timeout=90,
        encoding="utf-8",
    )  # fmt: skip
    told = [line.split("\t", 1) for line in done.stdout.splitlines()]
    assert len(told) == len(CONTACTS)
    wrong, refused = [], 0
    for vector, (name, normal) in zip(CONTACTS, told, strict=True):
        exact = (name, normal.replace("|", "\n")) == (vector["match_key"], vector["normal"])
        refuses = name == "-"
        refused += refuses and vector["normal"] is not None
        if vector["normal"] is None:
            good = refuses or (vector["level"] == "full" and language not in EXACT)
        else:  # another value than ours would be a person who is never found: refusing is the only other answer
            good = exact or (refuses and vector["level"] == "full" and language not in EXACT)
        if not good:
            wrong.append((vector["type"], vector["region"], vector["value"], vector["normal"], name, normal))
    assert wrong == []
    assert refused == 0 or language not in EXACT


def verify_php(vector):
    script = (
        "require $argv[1]; [, , $id, $t, $s, $secret, $now] = $argv; "
        "exit(verify($id, $t, $s, stream_get_contents(STDIN), $secret, (int) $now) ? 0 : 1);"
    )
    return php("-r", script, "--", str(FOLDER / "partner.php"), *words(vector))


def words(vector):
    return (vector["id"], vector["timestamp"], vector["signature"], vector["secret"], str(vector["now"]))


@pytest.mark.parametrize("vector", WEBHOOKS, ids=lambda v: v["name"])
@pytest.mark.parametrize("command", [verify_php, lambda v: java("verify", *words(v))], ids=["php", "java"])
def test_signatures_are_verified_as_ours(command, vector):
    done = subprocess.run(command(vector), input=vector["body"].encode(), capture_output=True, check=False, timeout=60)
    assert done.stderr == b""
    assert done.returncode == (0 if vector["valid"] else 1)


@pytest.mark.parametrize("vector", WEBHOOKS, ids=lambda v: v["name"])
def test_the_library_named_in_the_guide_agrees(vector, monkeypatch):
    from datetime import UTC, datetime  # noqa: PLC0415

    import standardwebhooks.webhooks as library  # noqa: PLC0415

    class At(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(vector["now"], tz or UTC)

    monkeypatch.setattr(library, "datetime", At)
    headers = {
        "webhook-id": vector["id"],
        "webhook-timestamp": vector["timestamp"],
        "webhook-signature": vector["signature"],
    }
    try:
        Webhook(vector["secret"]).verify(vector["body"], headers)
    except (WebhookVerificationError, base64.binascii.Error):
        assert not vector["valid"]
    else:
        assert vector["valid"]
