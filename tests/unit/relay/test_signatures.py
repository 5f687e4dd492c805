"""Signatures: the published vector, the public package in both directions, rotation, and everything that must be refused."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.webhook_relay.keys import PartySecrets, Sealer, private_key
from shared.errors import ConfigurationError, IntegrityError
from shared.webhooks import (
    SignatureError,
    format_public_key,
    format_secret,
    parse_public_key,
    parse_secret,
    sign,
    verify,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""Of the specification's own examples, with the message and the signature below."""
MESSAGE, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector():
    assert sign(MESSAGE, STAMP, BODY, secrets=[parse_secret(SECRET)])["webhook-signature"] == SIGNATURE


@settings(max_examples=25)
@given(body=st.dictionaries(st.text(), st.text(), max_size=4), secret=st.binary(min_size=24, max_size=64))
def test_the_public_package_accepts_what_we_sign_and_we_what_it_signs(body, secret):
    data, now = json.dumps(body).encode(), time.time()
    headers = sign("msg_1", int(now), data, secrets=[secret], private=Ed25519PrivateKey.generate())
    assert Webhook(format_secret(secret)).verify(data, headers) == body
    theirs = Webhook(secret).sign("msg_2", datetime.fromtimestamp(int(now), UTC), data.decode())
    given_ = {"webhook-id": "msg_2", "webhook-timestamp": str(int(now)), "webhook-signature": theirs}
    assert verify(given_, data, now=now, secrets=[secret]) == "msg_2"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret[::-1] + b"x").verify(data, headers)


def test_rotation_verifies_with_either_secret_and_the_platforms_key_without_any():
    old, new, key = b"o" * 32, b"n" * 32, Ed25519PrivateKey.generate()
    headers = sign("m", 1000, b"{}", secrets=[new, old], private=key)
    for secret in (old, new):
        assert verify(headers, b"{}", now=1000, secrets=[secret]) == "m"
    public = parse_public_key(format_public_key(key.public_key()))
    assert verify(headers, b"{}", now=1000, public=[public]) == "m"
    with pytest.raises(SignatureError):
        verify(headers, b"{}", now=1000, public=[Ed25519PrivateKey.generate().public_key()])


@pytest.mark.parametrize(("change", "reason"), [
    ({"webhook-id": "other"}, "signature"), ({"webhook-timestamp": "1001"}, "signature"),
    ({"webhook-timestamp": "1301"}, "old"), ({"webhook-timestamp": "699"}, "old"),
    ({"webhook-timestamp": "1e3"}, "timestamp"), ({"webhook-timestamp": "9" * 40}, "timestamp"),
    ({"webhook-timestamp": "-5"}, "timestamp"), ({"webhook-timestamp": ""}, "missing"), ({"webhook-id": ""}, "missing"),
    ({"webhook-signature": ""}, "missing"), ({"webhook-signature": "v1,"}, "signature"),
    ({"webhook-signature": "v1,%%%"}, "signature"), ({"webhook-signature": "v2," + "A" * 44}, "signature"),
    ({"webhook-signature": "nonsense"}, "signature"),
])  # fmt: skip
def test_what_is_not_believed(change, reason):
    headers = sign("m", 1000, b"{}", secrets=[b"s" * 32])
    with pytest.raises(SignatureError) as refused:
        verify(headers | change, b"{}", now=1000, secrets=[b"s" * 32])
    assert refused.value.reason == reason


def test_another_body_or_no_key_is_not_believed():
    headers = sign("m", 1000, b"{}", secrets=[b"s" * 32])
    for body, secrets in ((b"{ }", [b"s" * 32]), (b"{}", [])):
        with pytest.raises(SignatureError):
            verify(headers, body, now=1000, secrets=secrets)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_" + "A" * 8, "whsec_é", "whsec_!!!!", "whsec_" + "A" * 200])
def test_secrets_that_are_none(text):
    with pytest.raises(ConfigurationError) as refused:
        parse_secret(text)
    assert text == "" or text not in str(refused.value)


def test_secrets_are_read_again_when_the_directory_changes(tmp_path):
    secrets = PartySecrets(tmp_path)
    assert secrets.of("acme") == ()
    for version, byte in ((1, b"1"), (2, b"2"), (10, b"t")):
        (tmp_path / f"webhook.acme.v{version}").write_text(format_secret(byte * 32))
        (tmp_path / "webhook.acme-2.v1").write_text("whsec_")
    assert [s[:1] for s in secrets.of("acme")] == [b"t", b"2", b"1"]
    with pytest.raises(ConfigurationError, match=r"webhook\.acme-2\.v1"):
        secrets.of("acme-2")
    (tmp_path / "webhook.acme.v10").unlink()
    assert [s[:1] for s in secrets.of("acme")] == [b"2", b"1"]


def test_waiting_bodies_are_sealed_each_to_its_id():
    sealer = Sealer(b"a" * 32)
    sealed = sealer.seal("acme/m1", b"lead-007")
    assert b"lead" not in sealed
    assert sealer.open("acme/m1", sealed) == b"lead-007"
    assert sealed != sealer.seal("acme/m1", b"lead-007")
    for identity, other in (("acme/m2", sealer), ("acme/m1", Sealer(b"b" * 32))):
        with pytest.raises(IntegrityError):
            other.open(identity, sealed)


def test_the_platforms_key_derives_from_its_seed():
    assert format_public_key(private_key(b"a" * 32).public_key()) == format_public_key(
        private_key(b"a" * 32).public_key()
    )
    assert base64.b64decode(format_public_key(private_key(b"b" * 32).public_key())[5:])
