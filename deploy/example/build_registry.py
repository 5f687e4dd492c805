"""Write the example's registry, pages, notices and contracts from `world/`, with real hashes and one real signature.

    python deploy/example/build_registry.py

The result is committed, and running it again gives the same bytes. Screenshots (`forms/*.png`) are taken apart, with
headless Chromium (`--screenshots chromium`): they are hashed as they stand, since no two Chromiums draw the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world.companies import AGREEMENTS, COMPANIES, LISTS, NOTICE_ITEMS, NOTICES, list_document, party_document
from world.forms import FORMS
from world.pages import page
from world.papers import VALID_FROM, VALID_UNTIL, agreement_text, clauses_of, notice_text

HERE = Path(__file__).parent
SIGNING_SEED = hashlib.sha256(b"opposable example: acme list key").digest()
"""Test key, public on purpose: acme signs its lists with it."""


class _Dumper(yaml.SafeDumper):
    """YAML as a person writes it: leaf collections on one line, texts of several lines as blocks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "default_flow_style": None})


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", metavar="CHROMIUM", help="take the screenshots again with this browser")
    browser = parser.parse_args().screenshots
    for folder in ("registry", "forms", "notices", "agreements"):
        (HERE / folder).mkdir(exist_ok=True)
    forms = []
    for form in FORMS:
        html, image = HERE / f"forms/{form.stem}.html", HERE / f"forms/{form.stem}.png"
        digest = _write(html, page(form))
        if browser:
            _photograph(browser, html, image)
        forms.append(form.document(digest, hashlib.sha256(image.read_bytes()).hexdigest()))
    parties = [party_document(c, [_vkey()] if c.id == "acme" else []) for c in COMPANIES.values()]
    for name, documents in (
        ("parties", parties),
        ("notices", [_notice(collector) for collector in NOTICES]),
        ("forms", forms),
        ("lists", _lists()),
        ("agreements", _agreements()),
    ):
        dumped = [yaml.dump(d, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=300) for d in documents]
        _write(HERE / f"registry/{name}.yaml", "---\n".join(dumped))


def _write(path: Path, text: str) -> str:
    data = text.encode()
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _photograph(browser: str, html: Path, image: Path) -> None:
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command += [f"--screenshot={image}", "--window-size=680,1300", html.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def _notice(collector: str) -> dict[str, Any]:
    notice, version = NOTICES[collector]
    digest = _write(HERE / f"notices/{notice}-{version}.txt", notice_text(collector))
    return {
        "kind": "notice",
        "id": notice,
        "version": version,
        "sha256": digest,
        "languages": ["fr"],
        "items": NOTICE_ITEMS,
    }


def _lists() -> list[dict[str, Any]]:
    documents = []
    for spec in LISTS:
        body = list_document(spec)
        canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"opposable-list\n{spec.id}\n{spec.version}\n{digest}\n"
        documents.append({**body, "sha256": digest, "signature": _signed(text) if spec.signed else None})
    return documents


def _agreements() -> list[dict[str, Any]]:
    documents = []
    for spec in AGREEMENTS:
        name = f"{spec.collector}-{spec.prospector}"
        digest = _write(HERE / f"agreements/{name}-v1.txt", agreement_text(spec))
        documents.append(
            {
                "kind": "agreement",
                "id": name,
                "version": 1,
                "collector": spec.collector,
                "prospector": spec.prospector,
                "qualification": "independent",
                "valid_from": VALID_FROM,
                "valid_until": VALID_UNTIL,
                "channels": list(spec.channels),
                "purposes": list(spec.purposes),
                "sectors": list(spec.sectors),
                "list_signature_required": spec.signature_required,
                "proof_sla": "PT24H",
                "stop_sla": "PT24H",
                "onward_transfer": False,
                "audit": {"sample_rate": "0.01", "correction": "P14D"},
                "document_sha256": digest,
                "signed_at": None,
                "clauses": list(clauses_of(spec)),
                "self_service": False,
            }
        )
    return documents


def _key_parts() -> tuple[Ed25519PrivateKey, bytes, bytes]:
    """The private key, `type ‖ public key`, and the 4-byte key id (C2SP signed-note)."""
    key = Ed25519PrivateKey.from_private_bytes(SIGNING_SEED)
    public = b"\x01" + key.public_key().public_bytes_raw()
    return key, public, hashlib.sha256(b"acme\n" + public).digest()[:4]


def _vkey() -> str:
    _, public, key_id = _key_parts()
    return f"acme+{key_id.hex()}+{base64.b64encode(public).decode()}"


def _signed(text: str) -> str:
    key, _, key_id = _key_parts()
    return f"{text}\n— acme {base64.b64encode(key_id + key.sign(text.encode())).decode()}\n"


if __name__ == "__main__":
    main()
