"""What the person of a record receives: everything of the consent, nobody's contracts, nothing that somebody else wrote."""

import pytest

from services.proof_archive.delivering.person import PERSON
from services.proof_archive.entitlement import disclosable, may_see
from tests.unit.archive.test_entitlement import CONSENT, DOCUMENT, POINTERS, VERDICT, item


def test_all_of_the_consent():
    assert disclosable(PERSON, CONSENT, DOCUMENT, (VERDICT,)) == POINTERS
    assert disclosable(PERSON, CONSENT, DOCUMENT, ()) == POINTERS


@pytest.mark.parametrize("source", ["canalvert", "platform", None])
def test_not_what_was_written_with_a_stop(source):
    stop = item("stops", kind="stop.recorded", stop="s", source=source, commitments={"/contacts/0/value": "c"})
    assert disclosable(PERSON, stop, DOCUMENT, (VERDICT,)) == []


@pytest.mark.parametrize(
    ("other", "seen"),
    [
        (CONSENT, True),
        (VERDICT, True),
        (item("registry", kind="agreement", collector="acme", prospector="canalvert"), False),
        (item("registry", kind="list", collector="acme"), True),
        (item("deliveries", kind="delivery.ordered", party="nordia"), True),
        (item("reports", kind="data.transferred", source="acme", to="nordia"), True),
        (item("erasures", kind="proof.opened", record="acme/x"), False),
        (item("erasures", kind="record.erased", record="acme/x"), True),
    ],
)
def test_which_entries(other, seen):
    assert may_see(PERSON, other) is seen
