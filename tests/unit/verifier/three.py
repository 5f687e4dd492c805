"""The three verifiers, asked the same way: the command's, the single file's, the page's (its script, run by Node)."""

import functools
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.proof_archive.verifying.verify import verify_bundle
from shared.errors import IntegrityError

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "services" / "proof_archive" / "verifier"
SINGLE_FILE, PAGE = FOLDER / "verify_opposable.py", FOLDER / "verifier.html"
RUNNER = Path(__file__).with_name("run_verifier.js")
LEAST_NODE = 16
"""The first version with everything that the page's script is written in."""

Answer = dict[str, Any]
Case = tuple[bytes, bytes]
"""Trust file, bundle."""


def load_single_file() -> Any:
    """The single file as a module of its own, its signatures each checked once."""
    specification = importlib.util.spec_from_file_location("verify_opposable_alone", SINGLE_FILE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.ed25519_verify = functools.lru_cache(100_000)(module.ed25519_verify)
    module.ecdsa_verify = functools.lru_cache(10_000)(module.ecdsa_verify)
    return module


single = load_single_file()


def by_command(trust: bytes, bundle: bytes) -> Answer:
    """What `opposable verify --json` says."""
    try:
        answer: Answer = json.loads(json.dumps(verify_bundle(bundle, trust.decode()).as_dict()))
    except IntegrityError as error:
        return {"unusable": str(error)}
    return answer


def by_single_file(trust: bytes, bundle: bytes) -> Answer:
    """What the single file says."""
    try:
        answer: Answer = json.loads(json.dumps(single.verify_bundle(bundle, trust.decode())))
    except single.Bad as error:
        return {"unusable": str(error)}
    return answer


@functools.cache
def node() -> str:
    """Node's path; skips the test, saying why, where there is none that can run the page's script."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("Node is not installed: the page's script cannot be run")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < LEAST_NODE:
        pytest.skip(f"Node {version} is older than {LEAST_NODE}")
    return path


class InNode:
    """A run of the page's script on many cases, in one process, while this one does something else."""

    def __init__(self, cases: Iterable[Case], folder: Path) -> None:
        file = folder / "cases.bin"
        with file.open("wb") as out:
            for case in cases:
                for part in case:
                    out.write(len(part).to_bytes(4, "big") + part)
        self._answers = folder / "answers.jsonl"
        self._out = self._answers.open("wb")
        self._process = subprocess.Popen([node(), str(RUNNER), str(PAGE), str(file)], stdout=self._out)

    def answers(self) -> list[Answer]:
        """Its answers, in order."""
        status = self._process.wait()
        self._out.close()
        assert status == 0
        return [json.loads(line) for line in self._answers.read_text(encoding="utf-8").split("\n")[:-1]]


def call_page(calls: Sequence[Sequence[Any]], folder: Path) -> list[Answer]:
    """Functions of the page's script, called one by one: `{"value": …}` or `{"bad": …}`."""
    file = folder / "calls.json"
    file.write_text(json.dumps(calls))
    run = subprocess.run([node(), str(RUNNER), str(PAGE), "--calls", str(file)], capture_output=True, check=True)
    return [json.loads(line) for line in run.stdout.decode().split("\n")[:-1]]
