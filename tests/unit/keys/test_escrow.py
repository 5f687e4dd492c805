"""Escrow files: what opens them, what does not, and the drill of a lost secret."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from typer.testing import CliRunner

from services.cli.main import build
from shared.errors import ConfigurationError, IntegrityError
from shared.keyring import escrow as escrow_module
from shared.keyring.escrow import Passphrase, PrivateKey, PublicKey, Secret, lock, read_head, unlock
from shared.keyring.inventory import NAMES
from shared.local_engines.secret_files import ensure_secrets

AT = "2026-11-02T00:00:00.000Z"
SECRET = Secret("kek", 2, bytes(range(32)))
WORDS = "correct horse battery staple"


def pem_pair(private, password=None):
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return (
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
    )


@pytest.fixture(scope="module")
def rsa():
    return generate_private_key(65537, 3072)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(escrow_module, "SCRYPT_N", 2**10)


@pytest.mark.parametrize("kind", ["scrypt", "x25519", "rsa"])
def test_only_its_keeper_opens_it(kind, rsa):
    if kind == "scrypt":
        keeper, key, stranger = Passphrase(WORDS), Passphrase(WORDS), Passphrase(WORDS + "!")
    else:
        public, private = pem_pair(rsa if kind == "rsa" else X25519PrivateKey.generate(), b"pw")
        other = generate_private_key(65537, 2048) if kind == "rsa" else X25519PrivateKey.generate()
        keeper, key, stranger = PublicKey(public), PrivateKey(private, b"pw"), PrivateKey(pem_pair(other)[1])
    data = lock(SECRET, keeper, AT)
    assert read_head(data)["params"]["method"] == kind
    assert unlock(data, key) == SECRET
    assert SECRET.content.hex() not in data.decode()
    assert lock(SECRET, keeper, AT) != data, "never the same bytes twice"
    with pytest.raises(IntegrityError):
        unlock(data, stranger)
    with pytest.raises(IntegrityError):
        unlock(data, PrivateKey(pem_pair(X25519PrivateKey.generate())[1]))


def test_every_field_is_bound():
    key = Passphrase(WORDS)
    doc = json.loads(lock(SECRET, key, AT))
    changes = {"name": "pepper", "version": 1, "check": "0" * 16, "created_at": AT[:-2] + "1Z", "format": "other"}
    changes |= {field: "AAAA" + doc[field][4:] for field in ("nonce", "content")}
    for field, value in changes.items():
        with pytest.raises(IntegrityError):
            unlock(json.dumps({**doc, field: value}).encode(), key)
    for broken in (b"", b"{}", b"[]", json.dumps({**doc, "params": 3}).encode()):
        with pytest.raises(IntegrityError, match="no escrow file"):
            unlock(broken, key)
    with pytest.raises(IntegrityError, match="out of bounds"):
        unlock(json.dumps({**doc, "params": {**doc["params"], "n": 2**40}}).encode(), key)


def test_weak_keepers_are_refused(rsa):
    with pytest.raises(ConfigurationError, match="16 characters"):
        Passphrase("short")
    with pytest.raises(ConfigurationError, match="3072 bits"):
        PublicKey(pem_pair(generate_private_key(65537, 2048))[0])
    for pem in (b"", pem_pair(rsa)[1]):
        with pytest.raises(ConfigurationError, match="no PEM public key"):
            PublicKey(pem)
    with pytest.raises(ConfigurationError, match="password is missing or wrong"):
        PrivateKey(pem_pair(rsa, b"pw")[1], b"other")


def test_a_check_value_tells_versions_and_names_apart():
    checks = {Secret(name, version, b"s" * 32).check for name in ("kek", "pepper") for version in (1, 2)}
    assert len(checks) == 4
    assert repr(SECRET) == "Secret(kek, 2)"


class Desk:
    """The command, on a secrets directory without a system."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.secrets = folder, folder / "secrets"
        ensure_secrets(self.secrets)
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        monkeypatch.setenv("OPPOSABLE_SECRETS_DIR", str(self.secrets))
        public, private = pem_pair(X25519PrivateKey.generate())
        (folder / "keeper.pem").write_bytes(public)
        (folder / "keeper.key").write_bytes(private)
        self.open = ["--from", str(folder / "kept"), "--private-key", str(folder / "keeper.key")]

    def __call__(self, *words):
        return CliRunner().invoke(build(["keys"]), ["--lang", "en", "keys", *words])

    def escrow(self):
        return self("escrow", "--output", str(self.folder / "kept"), "--public-key", str(self.folder / "keeper.pem"))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return Desk(tmp_path, monkeypatch)


@pytest.mark.parametrize("lost", NAMES)
def test_drill_of_a_lost_secret(desk, lost):
    content = (desk.secrets / lost).read_bytes()
    assert desk.escrow().exit_code == 0
    assert desk("restore", *desk.open, "--check").exit_code == 0
    (desk.secrets / lost).unlink()
    done = desk("restore", *desk.open, "--json")
    assert done.exit_code == 0
    files = json.loads(done.stdout)["files"]
    assert files == dict.fromkeys(NAMES, "present") | {lost: "restored"}
    assert (desk.secrets / lost).read_bytes() == content
    assert (desk.secrets / lost).stat().st_mode & 0o777 == 0o600
    assert content.hex() not in done.stdout
    # The wrong secret in its place is found by the drill, and never written over.
    (desk.secrets / lost).write_bytes(b"w" * 32)
    drill = desk("restore", *desk.open, "--check", "--json")
    assert drill.exit_code == 1
    assert json.loads(drill.stdout)["wrong"] == [f"{lost} 1: another one in this escrow"]
    refused = desk("restore", *desk.open)
    assert isinstance(refused.exception, ConfigurationError)
    assert (desk.secrets / lost).read_bytes() == b"w" * 32


def test_an_escrow_older_than_a_rotation_fails_its_drill(desk):
    desk.escrow()
    (desk.secrets / "pepper.2").write_bytes(b"2" * 32)
    drill = desk("restore", *desk.open, "--check", "--json")
    assert (drill.exit_code, json.loads(drill.stdout)["wrong"]) == (1, ["pepper 2: not in this escrow"])


def test_an_escrow_is_whole_and_never_mixed(desk):
    (desk.secrets / "pepper").unlink()
    assert isinstance(desk.escrow().exception, ConfigurationError)
    assert not (desk.folder / "kept").exists()
    ensure_secrets(desk.secrets)
    assert desk.escrow().exit_code == 0
    assert "not empty" in str(desk.escrow().exception)
    (desk.folder / "empty").mkdir()
    nothing = desk("restore", "--from", str(desk.folder / "empty"), *desk.open[2:])
    assert "no escrow files" in str(nothing.exception)


def test_secrets_of_parties_are_kept_too(desk):
    (desk.secrets / "webhook.canalvert.v2").write_text("whsec_x")
    assert desk.escrow().exit_code == 0
    (desk.secrets / "webhook.canalvert.v2").unlink()
    assert desk("restore", *desk.open).exit_code == 0
    assert (desk.secrets / "webhook.canalvert.v2").read_text() == "whsec_x"


def test_a_passphrase_opens_them_too(desk):
    (desk.folder / "words").write_text(WORDS + "\n")
    words = ["--passphrase-file", str(desk.folder / "words")]
    assert desk("escrow", "--output", str(desk.folder / "kept"), *words).exit_code == 0
    assert desk("restore", "--from", str(desk.folder / "kept"), *words, "--check").exit_code == 0
    (desk.folder / "words").write_text(WORDS + "?")
    wrong = desk("restore", "--from", str(desk.folder / "kept"), *words, "--check")
    assert wrong.exit_code == 1
    assert "does not open" in wrong.stderr
    both = desk("escrow", "--output", "x", *words, "--public-key", str(desk.folder / "keeper.pem"))
    assert "KEYS-KEEPER" in str(both.exception)
