"""What the image is made of: an SBOM that names every locked package, Dockerfiles that hadolint has nothing to say against."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "deploy" / "docker" / "requirements.lock"
BIN = Path(sys.executable).parent
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)
DOCKERFILES = [ROOT / "deploy/docker/Dockerfile", *sorted((ROOT / "tests/container_host/images").glob("*/Dockerfile"))]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def recipe(target):
    """The commands of one target of the Makefile, variables filled in."""
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)[1].splitlines()
    return [line.strip().replace("$(BIN)/", f"{BIN}/").split() for line in lines]


@pytest.fixture(scope="module")
def sbom(tmp_path_factory):
    out = tmp_path_factory.mktemp("sbom") / "sbom.json"
    command = [str(out) if word == "build/sbom.cdx.json" else word for word in recipe("sbom")[-1]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def test_it_names_every_package_of_the_image_with_its_version_and_hashes(sbom):
    text = LOCK.read_text()
    locked = {(normal(name), version) for name, version in PIN.findall(text)}
    found = {(normal(one["name"]), one["version"]): one for one in sbom["components"]}
    assert len(locked) > 50
    assert found.keys() == locked
    listed = {
        digest["content"] for one in found.values() for reference in one["externalReferences"]
        for digest in reference.get("hashes", ()) if digest["alg"] == "SHA-256"
    }  # fmt: skip
    assert listed == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", text))
    assert {one["purl"] for one in found.values()} == {f"pkg:pypi/{name}@{version}" for name, version in locked}


def test_it_says_of_what_it_is(sbom):
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "opposable"
    assert "timestamp" not in sbom["metadata"], "the same lock gives the same bytes"


def test_the_image_holds_no_more_than_the_whole_lock():
    whole = {(normal(n), v) for n, v in PIN.findall((ROOT / "requirements.lock").read_text())}
    assert {(normal(n), v) for n, v in PIN.findall(LOCK.read_text())} <= whole, "make lock: two versions of one package"


def hadolint(path):
    tool = BIN / "hadolint"
    if not tool.exists():
        pytest.skip("hadolint is locked for Linux on x86-64 only")
    return subprocess.run([tool, path], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_hadolint_has_nothing_to_say(path):
    done = hadolint(path)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_have_something_to_say(tmp_path):
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN cd /tmp\n")
    done = hadolint(bad)
    assert done.returncode == 1
    assert "DL3006" in done.stdout
