import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.note import Signer
from shared.crypto.policy import open_checkpoint, open_manifest, parse_policy
from shared.errors import IntegrityError

LOG = Signer("opposable.local", b"l" * 32)
BUNDLE = Signer("opposable.local/bundle", b"b" * 32)
WITNESSES = [Cosigner(f"w{n}.example", bytes([n]) * 32) for n in range(1, 6)]
LOGS = f"log {LOG.verifier.vkey()}\nlog {BUNDLE.verifier.vkey()}\n"
NAMES = "".join(f"witness W{n} {w.verifier.vkey()} https://w{n}.example\n" for n, w in enumerate(WITNESSES, start=1))
CHECKPOINT = Checkpoint("opposable.local/consents/00112233445566ff/p00", 7, bytes(32))


def checkpoint_note(signers=(LOG,), witnesses=(), checkpoint=CHECKPOINT) -> bytes:
    text = checkpoint.marshal()
    return note.join(text, [*(s.sign(text) for s in signers), *(w.cosign(text, 1_790_000_000) for w in witnesses)])


def test_a_policy_without_witnesses_is_not_independent():
    policy = parse_policy("# trust\n\n" + LOGS + "\tquorum  none \n")
    opened = open_checkpoint(checkpoint_note(), policy)
    assert opened.checkpoint == CHECKPOINT
    assert (opened.origin.topic, opened.origin.partition, opened.witnesses) == ("consents", 0, ())
    assert not policy.independent


def test_the_quorum_of_the_specification_example():
    groups = "group X 2 W1 W2 W3\ngroup Y any W4 W5\ngroup both all X Y\nquorum both\n"
    policy = parse_policy(LOGS + NAMES + groups)
    w1, w2, w3, w4, w5 = WITNESSES
    assert policy.independent
    assert open_checkpoint(checkpoint_note(witnesses=[w1, w3, w5]), policy).witnesses == ("W1", "W3", "W5")
    for few in ([], [w1, w2], [w1, w4], [w4, w5], [w1, w4, w5]):
        with pytest.raises(IntegrityError, match="too few"):
            open_checkpoint(checkpoint_note(witnesses=few), policy)


@given(st.sets(st.integers(1, 5)), st.integers(1, 5))
def test_k_of_n(seen, threshold):
    policy = parse_policy(LOGS + NAMES + f"group all5 {threshold} W1 W2 W3 W4 W5\nquorum all5\n")
    assert policy.satisfied(frozenset(f"W{n}" for n in seen)) == (len(seen) >= threshold)


def test_a_checkpoint_needs_the_key_of_its_own_deployment():
    other = Signer("other.example", b"o" * 32)
    policy = parse_policy(LOGS + f"log {other.verifier.vkey()}\nquorum none\n")
    with pytest.raises(IntegrityError, match="not signed by"):
        open_checkpoint(checkpoint_note([other]), policy)
    with pytest.raises(IntegrityError, match="not signed by"):
        open_checkpoint(checkpoint_note([BUNDLE]), policy)


def test_the_bundle_key_is_for_manifests_only():
    policy = parse_policy(LOGS + "quorum none\n")
    forged = Checkpoint("opposable.local/bundle/consents/00112233445566ff/p00", 7, bytes(32))
    with pytest.raises(IntegrityError, match="bundles"):
        open_checkpoint(checkpoint_note([BUNDLE], checkpoint=forged), policy)
    assert open_manifest(note.sign("m\n", [BUNDLE]), "opposable.local", policy) == "m\n"
    with pytest.raises(IntegrityError):
        open_manifest(note.sign("m\n", [LOG]), "opposable.local", policy)
    with pytest.raises(IntegrityError, match="no log keys"):
        open_manifest(note.sign("m\n", [BUNDLE]), "elsewhere.example", policy)


def test_two_keys_of_one_name_are_not_chosen_between():
    policy = parse_policy(LOGS + f"log {Signer(LOG.name, b'n' * 32).verifier.vkey()}\nquorum none\n")
    with pytest.raises(IntegrityError, match="2 log keys"):
        open_checkpoint(checkpoint_note(), policy)


W1, W2 = NAMES.splitlines(keepends=True)[:2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LOGS, "no quorum"),
        (LOGS + "quorum none\nquorum none\n", "one quorum"),
        (LOGS + "quorum W1\n", "defined before"),
        ("quorum W1\n" + W1, "defined before"),
        (LOGS + LOGS + "quorum none\n", "stands once"),
        (W1 + W1.replace("witness W1", "witness W9") + "quorum none\n", "stands once"),
        (W1 + W2.replace("W2", "W1") + "quorum none\n", "name of its own"),
        (W1.replace("W1", "none") + "quorum none\n", "name of its own"),
        (W1 + "group W1 any W1\nquorum none\n", "name of its own"),
        (W1 + "group g any W2\nquorum g\n", "before it"),
        (W1 + "group g any g\nquorum g\n", "before it"),
        (W1 + "group g any none\nquorum g\n", "before it"),
        (W1 + W2 + "group g any W1 W1\nquorum g\n", "of one group"),
        (W1 + W2 + "group g any W1\ngroup h any W1 W2\nquorum g\n", "of one group"),
        (W1 + "group g 2 W1\nquorum g\n", "threshold"),
        (W1 + "group g 0 W1\nquorum g\n", "threshold"),
        (W1 + "group g 01 W1\nquorum g\n", "threshold"),
        (W1 + "group g any\nquorum g\n", "number of items"),
        ("quorum\n", "number of items"),
        ("quorum none none\n", "number of items"),
        ("log\nquorum none\n", "number of items"),
        ("trust me\nquorum none\n", "starts with"),
        ("log x+00000000+AA==\nquorum none\n", "line 1"),
        (f"log {WITNESSES[0].verifier.vkey()}\nquorum none\n", "Ed25519"),
        (f"witness W {LOG.verifier.vkey()}\nquorum none\n", "cosignature key"),
        ("quorum none\r\n", "control character"),
        ("# \x7f\nquorum none\n", "control character"),
        ("\n" * 5000, "too long"),
    ],
)
def test_malformed_policies_are_refused_by_name(text, why):
    with pytest.raises(IntegrityError, match=why):
        parse_policy(text)
