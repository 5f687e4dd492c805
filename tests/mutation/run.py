"""Runs the law's tests on every mutant of the rules package, and says which changes nobody noticed.

    python -m tests.mutation.run [--only channel_rules] [--limit N] [--json FILE] [--again FILE]

Each mutant lives in a forked process that has imported everything but the service, so one costs a second or two. It is killed
when a test fails; one that outlives its time is killed too. Score and survivors: docs/mutation.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.util
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "services" / "consent_validator" / "rules"
CHANGED = [
    "act_rules", "basis", "book", "channel_rules", "days", "evidence", "evidence_rules", "model", "page", "recipient_rules",
]  # fmt: skip
"""Modules of the package; those with sentences for people are left out."""
STAGES = [
    ["test_rules_one_by_one.py", "test_dated_rules.py", "test_choices.py", "test_law_tables.py", "test_law_edges.py",
     "test_law_effects.py"],
    [
        "test_public_cases.py", "test_law_pages.py", "test_assessor.py", "test_law_commands.py", "test_time_machine.py",
        "test_reassessing.py",
    ],
]  # fmt: skip
"""Files of tests/unit/law, the quick ones first: a mutant they kill costs a second, one that lives costs them all."""
TIME_S = 180.0


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module another source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname, _path=None, _target=None):
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module):
        exec(compile(self.source, self.name, "exec"), module.__dict__)  # noqa: S102 - that is the mutant


def survives(name: str, mutant: Mutant) -> bool:
    """Whether no test fails with this source in place of the module."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _judge(name, mutant, write)
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], TIME_S)
        verdict = os.read(read, 1) if ready else b"t"
    finally:
        os.close(read)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return verdict == b"0"


def _judge(name, mutant, write):
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.meta_path.insert(0, Replaced(name, mutant.source))
    code = 0
    try:
        for stage in STAGES:
            files = [str(ROOT / "tests" / "unit" / "law" / file) for file in stage]
            code = code or pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--assert=plain", *files])
    except BaseException:  # noqa: BLE001 - a module that cannot even be imported is a killed mutant
        code = 1
    os.write(write, b"0" if code == 0 else b"1")
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="only these modules")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--again", type=Path, help="only the survivors of a former run (its --json file)")
    asked = parser.parse_args()
    _warm()
    work = [
        (f"services.consent_validator.rules.{path.stem}", path, mutant)
        for path in sorted(PACKAGE.glob("*.py")) if path.stem in (asked.only or CHANGED)
        for mutant in mutants(path.read_text("utf-8"))
    ]  # fmt: skip
    random.Random("mutants").shuffle(work)  # so that a run cut short is a fair sample
    if asked.again:
        lived = [(one["file"], one["line"], one["what"]) for one in json.loads(asked.again.read_text())["survivors"]]
        work = [item for item in work if (item[1].name, item[2].line, item[2].what) in lived]
    work = work[: asked.limit]
    started, alive = time.monotonic(), []
    for done, (name, path, mutant) in enumerate(work, 1):
        if survives(name, mutant):
            alive.append({"file": path.name, "line": mutant.line, "what": mutant.what})
            print(f"survives: {path.name}:{mutant.line} {mutant.what}", flush=True)
        if done % 10 == 0:
            print(f"{done} of {len(work)}, {len(alive)} alive", file=sys.stderr, flush=True)
    killed = len(work) - len(alive)
    seconds = time.monotonic() - started
    print(f"{killed} of {len(work)} mutants killed ({100 * killed / max(1, len(work)):.1f} %) in {seconds:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps({"mutants": len(work), "killed": killed, "survivors": alive}, indent=1))
    return 0


def _warm() -> None:
    """Import what mutants do not change, once, before forking."""
    for name in (
        "pytest", "hypothesis", "pytest_asyncio", "typer.testing", "pydantic", "fastapi", "faststream.kafka", "aiokafka",
        "httpx", "yaml", "pymongo", "shared.registry.load", "shared.intake.accept", "shared.service", "shared.auth",
        "rich.progress", "email_validator", "phonenumbers",
    ):  # fmt: skip
        importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main())
