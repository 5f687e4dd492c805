"""Versions of a secret as files: seen when they come, forgotten when they go, never made twice."""

import pytest

from shared.errors import ConfigurationError, Unavailable
from shared.keyring.ring import Ring, create_version, destroy_version, versions_present
from shared.local_engines.secret_files import ensure_secrets


def test_a_new_version_is_seen_and_a_destroyed_one_forgotten(tmp_path):
    (tmp_path / "kek").write_bytes(b"1" * 32)
    ring = Ring(tmp_path, "kek")
    assert (ring.newest(), ring.get(1)) == (1, b"1" * 32)
    two = create_version(tmp_path, "kek", 2)
    assert create_version(tmp_path, "kek", 2) == two, "made once"
    assert (ring.newest(), ring.get(2)) == (2, two)
    destroy_version(tmp_path, "kek", 1)
    destroy_version(tmp_path, "kek", 1)
    assert ring.newest() == 2
    with pytest.raises(Unavailable, match="version 1 of 'kek'"):
        ring.get(1)
    assert ensure_secrets(tmp_path)
    assert versions_present(tmp_path, "kek") == {2}, "a start never makes a destroyed version anew"


def test_other_names_are_not_versions(tmp_path):
    for name in (
        "kek",
        "kek.2",
        "kek.02",
        "kek.x",
        "kek.2.tmp",
        "kek.3.escrow.json",
        "pepper",
        "log.seed",
        "log.seed.2",
    ):
        (tmp_path / name).write_bytes(b"s" * 32)
    assert versions_present(tmp_path, "kek") == {1, 2}
    assert versions_present(tmp_path, "log.seed") == {1, 2}
    assert versions_present(tmp_path / "absent", "kek") == set()


def test_none_at_all_is_said_at_start(tmp_path):
    with pytest.raises(ConfigurationError, match="secret file 'kek' cannot be read"):
        Ring(tmp_path, "kek")
    (tmp_path / "kek").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="holds 5 bytes"):
        Ring(tmp_path, "kek")
