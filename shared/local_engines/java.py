"""Finds a Java that can run Apache Kafka 4 (JDK 17 or newer: Kafka documentation, "Java version")."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigurationError

LEAST_VERSION = 17
ANSWER_S = 20.0
_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java found: the command and its feature version (17, 21 …)."""

    command: str
    version: int


def parse_version(text: str) -> int:
    """The feature version in the output of `java -version` (`1.8.0_381` is 8). Raises ValueError when there is none."""
    found = _VERSION.search(text)
    if found is None:
        raise ValueError("no version in the output of `java -version`")
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


def find_java() -> Java:
    """The Java of JAVA_HOME, else of PATH. Raises ConfigurationError saying why there is none that will do."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if command is None or not Path(command).exists():
        raise ConfigurationError("no Java is installed" if not home else "JAVA_HOME holds no bin/java")
    try:
        answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=ANSWER_S, check=True)
        version = parse_version(answer.stderr + answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise ConfigurationError("the Java that is installed does not tell its version") from None
    if version < LEAST_VERSION:
        raise ConfigurationError(f"Java {version} is installed and Apache Kafka needs {LEAST_VERSION} or newer")
    return Java(command, version)
