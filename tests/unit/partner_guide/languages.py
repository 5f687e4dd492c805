"""The partner guide's snippets, run as a partner would run them; where a language is not here its tests are skipped, or fail in CI."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from shared.local_engines.jars import cache_dir, present

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "partners.md"
FOLDER = ROOT / "docs" / "partners"
JAVA_FLAGS = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8")


def _missing(variable, sentence):
    if os.environ.get(variable):
        pytest.fail(f"{variable} is set: {sentence}")
    pytest.skip(sentence)


def php(*words):
    """The command that runs the PHP file."""
    if shutil.which("php") is None:
        _missing("OPPOSABLE_REQUIRE_PHP", "no PHP here: the PHP snippet does not run (apt-get install php-cli)")
    return ["php", *words]


@functools.cache
def _classes():
    jars = present(cache_dir())
    if shutil.which("javac") is None or jars is None:
        return None
    out = Path(tempfile.mkdtemp(prefix="opposable-guide-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    clients = sorted(jars.glob("kafka-clients-*.jar"))
    done = subprocess.run(
        ["javac", "-encoding", "UTF-8", "-Xlint:all,-path,-classfile", "-Werror", "-cp", str(clients[0]), "-d", out,
         FOLDER / "Partner.java"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return f"{out}:{jars}/*"


def java(*words):
    """The command that runs the Java file; it is compiled against kafka-clients alone."""
    path = _classes()
    if path is None:
        _missing(
            "OPPOSABLE_REQUIRE_JAVAC", "no JDK (javac), or Kafka's jars are not here: the Java snippet does not run"
        )
    return ["java", *JAVA_FLAGS, "-cp", path, "Partner", *words]


def python(name, *words):
    """The command that runs a Python file of the guide."""
    return [sys.executable, "-X", "utf8", str(FOLDER / name), *words]


KEYS = {
    "python": lambda key: python("contacts.py", key),
    "php": lambda key: php(str(FOLDER / "partner.php"), "keys", key),
    "java": lambda key: java("keys", key),
}
EXACT = {"python"}
"""Those that have the platform's own libraries: they give every vector exactly."""
