import stat

import pytest

from shared.errors import ConfigurationError
from shared.local_engines import java


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('java version "1.8.0_381"\nJava(TM) SE Runtime', 8),
        ('java version "9.0.4"', 9),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="1.2"\nopenjdk version "11.0.2" 2019-01-15', 11),
    ],
)
def test_version_is_read(text, version):
    assert java.parse_version(text) == version


def test_no_version_is_an_error():
    with pytest.raises(ValueError, match="no version"):
        java.parse_version("bash: java: command not found")


def fake_java(folder, monkeypatch, answer):
    binary = folder / "bin" / "java"
    binary.parent.mkdir()
    binary.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("JAVA_HOME", str(folder))
    return str(binary)


def test_java_home_comes_first(tmp_path, monkeypatch):
    binary = fake_java(tmp_path, monkeypatch, 'openjdk version "21.0.1" 2023-10-17')
    assert java.find_java() == java.Java(binary, 21)


def test_an_old_java_is_refused_with_its_version(tmp_path, monkeypatch):
    fake_java(tmp_path, monkeypatch, 'openjdk version "11.0.2" 2019-01-15')
    with pytest.raises(ConfigurationError, match=r"Java 11 .* needs 17"):
        java.find_java()


def test_no_java_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="no Java"):
        java.find_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="JAVA_HOME"):
        java.find_java()
