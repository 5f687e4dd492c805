"""A signed acknowledgement counts when its note opens under the party's registered key and signs this very answer."""

from datetime import UTC, datetime

import orjson
import pytest

from shared.contracts.envelope import Envelope
from shared.crypto.note import Signer, sign
from shared.errors import InputError
from shared.intake.accept import accept
from shared.intake.signatures import ack_text
from shared.registry.view import RegistryView

NOW = datetime(2026, 10, 2, 18, 0, tzinfo=UTC)
ORDER = "ab" * 20
APPLIED = "2026-10-02T17:59:00.000Z"
KEY, OTHER = Signer("canalvert", b"\x01" * 32), Signer("canalvert", b"\x02" * 32)


def registry(*vkeys):
    view = RegistryView()
    body = {
        "kind": "party", "id": "canalvert", "legal_name": "Canal Vert SA", "siren": "999000029", "country": "FR",
        "roles": ["prospector"], "public_keys": list(vkeys),
    }  # fmt: skip
    view.apply("party:canalvert", body, offset=-1, archived_at=None)
    return view


KNOWN = (KEY.verifier.vkey(),)


def answer(signature=None, *, vkeys=KNOWN, **change):
    body = {"order_id": ORDER, "status": "applied", "applied_at": APPLIED, "signature": signature, **change}
    return accept(
        Envelope("ack-1", "canalvert", "opposable.order.acknowledged.v1"), orjson.dumps(body), party="canalvert",
        received_at=NOW, registry=registry(*vkeys),
    )  # fmt: skip


def signed(signer=KEY, order=ORDER, status="applied", applied=APPLIED, last=None):
    return sign(ack_text(order, status, applied, last), [signer]).decode()


def test_a_good_signature_is_kept_with_the_name_of_its_key():
    facts = answer(signed()).facts
    assert facts["signed_by"] == "canalvert"
    assert facts["signature"] == signed()


def test_an_answer_may_do_without():
    assert answer().facts["signed_by"] is None


def test_an_instant_written_otherwise_is_the_same_instant():
    assert answer(signed(), applied_at="2026-10-02T19:59:00+02:00").facts["signed_by"] == "canalvert"


@pytest.mark.parametrize(
    ("signature", "vkeys", "word"),
    [
        (signed(OTHER), KNOWN, "registered keys"),
        (signed(), (), "holds no public key"),
        (signed(order="cd" * 20), KNOWN, "another text"),
        (signed(status="refused"), KNOWN, "another text"),
        (signed(applied="2026-10-01T00:00:00.000Z"), KNOWN, "another text"),
        (signed(last=APPLIED), KNOWN, "another text"),
        (signed().replace("applied", "refused"), KNOWN, "registered keys"),
        ("not a note", KNOWN, "registered keys"),
        ("\ud800", KNOWN, None),
    ],
)
def test_a_signature_that_does_not_hold_is_no_acknowledgement(signature, vkeys, word):
    if word is None:
        body = b'{"order_id":"' + ORDER.encode() + b'","status":"applied","signature":"\\ud800"}'
        with pytest.raises(InputError):
            accept(Envelope("a", "canalvert", "opposable.order.acknowledged.v1"), body, party="canalvert",
                   received_at=NOW, registry=registry(*vkeys))  # fmt: skip
        return
    with pytest.raises(InputError) as caught:
        answer(signature, vkeys=vkeys)
    (problem,) = caught.value.problems
    assert problem.code == "ACK-SIGNATURE"
    assert problem.pointer == "/signature"
    assert word in problem.message
    assert "stays open" in problem.message
