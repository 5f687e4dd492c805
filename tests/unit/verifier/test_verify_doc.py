"""The commands of docs/verify.md, run as a hostile expert would: they hold on sound bundles, and fail on altered ones."""

import json
import re
import shutil
import subprocess

import pytest
from bundle_world import LOGS, POLICY, WITNESSES
from mutants_base import bundle_of, flipped, members_of
from mutants_file import Draw
from stamped import STAMPED_POLICY, stamped_bundle
from three import ROOT

from services.proof_archive.bundles.canonical_zip import read_zip, write_zip
from services.proof_archive.verifying.codes import REASONS

DOCUMENT = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh run\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
TRUST = (
    LOGS
    + "".join(f"witness w{n} {w.verifier.vkey()}\n" for n, w in enumerate(WITNESSES, 1))
    + "group g 2 w1 w2 w3\nquorum g\n"
)

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("bash") is None,
    reason="OpenSSL and bash are what the document uses",
)


def by_hand(folder, bundle, trust=POLICY, commands=COMMANDS):
    (folder / "proof.zip").write_bytes(bundle)
    (folder / "policy").write_text(trust)
    script = "set -euo pipefail\n" + "\n".join(commands)
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def test_the_document_has_the_steps():
    assert len(COMMANDS) == 7
    for code, said in REASONS.items():
        assert f"| `{code}` | {said.en} | {said.fr} |" in DOCUMENT


@pytest.mark.parametrize("name", ["plain", "erased", "own", "wide"])
def test_sound_bundles_hold_by_hand(tmp_path, name):
    run = by_hand(tmp_path, bundle_of(name))
    assert run.returncode == 0, run.stderr
    proofs = sum(name.endswith(".tlog-proof") for name in members_of(name))
    assert run.stdout.count("Signature Verified Successfully") == 1 + proofs


def test_witnesses_are_checked_by_hand(tmp_path):
    run = by_hand(tmp_path, bundle_of("plain"), TRUST)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Signature Verified Successfully") == 1 + 4 * 3  # the manifest; the log and two witnesses
    assert run.stdout.count("w1 saw it at 2026-09-14T08:31:") == 4
    assert run.stdout.count("w3 has not seen it") == 4


def test_timestamps_are_checked_by_hand(tmp_path):
    run = by_hand(tmp_path, stamped_bundle(), STAMPED_POLICY)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Verification: OK") + run.stderr.count("Verification: OK") == 2
    assert "Time stamp: Sep 15 06:00:00 2026 GMT" in run.stdout
    assert run.stdout.count("entries 0 to 1 are covered") == 2  # of the consents first, of the verdicts last
    unknown = by_hand(tmp_path, stamped_bundle(), commands=[*COMMANDS[:1], COMMANDS[6]])
    assert unknown.stdout.count("an unknown authority: proves nothing") == 2


@pytest.mark.parametrize("suffix", [".json", ".tsr", ".consistency"])
def test_an_altered_timestamp_is_seen_by_hand(tmp_path, suffix):
    members = dict(read_zip(stamped_bundle()))
    for name in [name for name in members if name.endswith(suffix) and len(members[name]) > 30]:
        data = bytearray(members[name])
        data[-10 if suffix == ".tsr" else -20] ^= 1
        members[name] = bytes(data)
    assert by_hand(tmp_path, write_zip(members), STAMPED_POLICY, [COMMANDS[0], COMMANDS[6]]).returncode != 0


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "manifest.note",
        "timeline.json",
        "disclosures.json",
        "entries/002.bin",
        "entries/001.tlog-proof",
    ],
)
def test_an_altered_member_is_seen_by_hand(tmp_path, name):
    members = dict(members_of("plain"))
    members[name] = flipped(Draw(name), members[name])
    assert by_hand(tmp_path, write_zip(members)).returncode != 0


@pytest.mark.parametrize(
    ("name", "step"), [("entries/002.bin", 3), ("entries/001.tlog-proof", 4), ("disclosures.json", 5)]
)
def test_each_step_sees_what_is_its_own(tmp_path, name, step):
    """The steps that an honest manifest would have stopped before, alone."""
    members = dict(members_of("plain"))
    if name == "disclosures.json":
        lines = json.loads(members[name])
        lines[0]["value"] = "someone.else@exemple.fr"
        members[name] = json.dumps(lines).encode()
    elif step == 3:
        members[name] = members[name].replace(b"jeu", b"jen") if b"jeu" in members[name] else members[name] + b" "
    else:
        members[name] = members[name].replace(b"\n2\n", b"\n3\n").replace(b"\n3\n", b"\n4\n")
    pem = COMMANDS[2].split("grep")[0]
    run = by_hand(tmp_path, write_zip(members), commands=[COMMANDS[0], pem, COMMANDS[step]])
    assert run.returncode != 0
