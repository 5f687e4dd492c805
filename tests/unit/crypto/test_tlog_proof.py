import pytest
from vectors import b64_list, load

from shared.crypto.tlog_proof import HEADER, TlogProof
from shared.errors import IntegrityError

CASES = load("proof/tlog_proof_format.json")


@pytest.mark.parametrize("case", CASES["valid"])
def test_valid_texts_round_trip(case):
    proof = TlogProof.parse(case["text"].encode())
    assert proof.index == case["index"]
    assert list(proof.hashes) == b64_list(case["hashes_b64"])
    assert proof.extra == (case["extra_utf8"].encode() if case["extra_utf8"] else None)
    assert proof.marshal() == case["text"].encode()


@pytest.mark.parametrize("case", CASES["invalid"], ids=lambda case: case["why"])
def test_invalid_texts_are_refused(case):
    with pytest.raises(IntegrityError):
        TlogProof.parse(case["text"].encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{HEADER}\nindex 0\ncheckpoint\n",
        f"{HEADER}\nindex 0",
        f"{HEADER}\n0\n\nc\n",
        f"{HEADER}\nindex 00\n\nc\n",
        f"{HEADER}\nindex 0 \n\nc\n",
        f"{HEADER}\nindex é\n\nc\n",
        f"{HEADER}\nindex 0\n" + ("A" * 43 + "=\n") * 65 + "\nc\n",
        f"{HEADER}\n\nc\n",
    ],
)
def test_more_malformed_texts_are_refused(text):
    with pytest.raises(IntegrityError):
        TlogProof.parse(text.encode())


def test_an_empty_extra_is_not_no_extra():
    proof = TlogProof(0, (), b"c\n", extra=b"")
    assert TlogProof.parse(proof.marshal()) == proof != TlogProof(0, (), b"c\n")
