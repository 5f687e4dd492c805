import stat

import pytest

from shared.crypto.note import Signer, sign
from shared.crypto.policy import open_checkpoint, open_manifest, parse_policy
from shared.errors import ConfigurationError, IntegrityError
from shared.local_engines.secret_files import RAW, TOKEN, ensure_secrets
from shared.local_engines.trust import policy_text, write_policy


def test_secrets_are_made_once_and_kept_private(tmp_path):
    folder = tmp_path / "secrets"
    assert ensure_secrets(folder) == [*RAW, TOKEN]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {*RAW, TOKEN}
    assert all(len(before[name]) == 32 for name in RAW)
    assert len(set(before.values())) == len(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    (folder / "pepper").unlink()
    assert ensure_secrets(folder) == ["pepper"]
    assert all((folder / name).read_bytes() == content for name, content in before.items() if name != "pepper")


def test_an_empty_secret_is_never_replaced(tmp_path):
    ensure_secrets(tmp_path)
    (tmp_path / "kek").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="kek"):
        ensure_secrets(tmp_path)


def test_a_verifier_opens_with_the_trust_file_what_the_deployment_signed(tmp_path):
    ensure_secrets(tmp_path)
    write_policy(tmp_path / "policy", "opposable.test", tmp_path)
    policy = parse_policy((tmp_path / "policy").read_text())
    log = Signer("opposable.test", (tmp_path / "log.seed").read_bytes())
    bundle = Signer("opposable.test/bundle", (tmp_path / "bundle.seed").read_bytes())
    checkpoint = "opposable.test/consents/0123456789abcdef/p00\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert open_checkpoint(sign(checkpoint, [log]), policy).checkpoint.size == 0
    assert open_manifest(sign("x\n", [bundle]), "opposable.test", policy) == "x\n"
    with pytest.raises(IntegrityError):
        open_checkpoint(sign(checkpoint, [bundle]), policy)
    with pytest.raises(IntegrityError):
        open_checkpoint(sign(checkpoint, [Signer("opposable.test", b"\x01" * 32)]), policy)


def test_the_trust_file_is_a_function_of_the_seeds():
    one, two = policy_text("d", b"\x01" * 32, b"\x02" * 32), policy_text("d", b"\x01" * 32, b"\x03" * 32)
    assert one == policy_text("d", b"\x01" * 32, b"\x02" * 32)
    assert one != two
