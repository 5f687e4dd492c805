"""Who may have a proof, and what of it (P6)."""

import pytest

from services.proof_archive.bundles.dossier import Dossier, Item, latest_verdict
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.entitlement import audience_of, disclosable, may_see
from shared.auth import Caller
from tests.fakes.archive import record_name

RECORD = record_name(1)
DOCUMENT = {
    "contacts": [{"type": "email", "value": "a@exemple.fr"}, {"type": "phone", "value": "+33612345678"}],
    "subject_ref": "lead-1",
    "context": {"ip": "203.0.113.9", "user_agent": "x"},
}
POINTERS = ["/contacts/0/value", "/contacts/1/value", "/context/ip", "/context/user_agent", "/subject_ref"]


def item(topic, **facts):
    return Item("o", topic, 1, 0, 0, b"", facts, covered=True)


def line(recipient, channel="email", value="granted", verdict="valid"):
    return {"recipient": recipient, "channel": channel, "purpose": "prospecting", "value": value, "verdict": verdict}


def verdict(*lines, at="2026-09-14T08:31:07.120Z", seq=1, offset=3):
    return item("verdicts", kind="consent.assessed", record=RECORD, lines=list(lines), evaluated_at=at, ruleset_seq=seq,
                registry_offset=offset)  # fmt: skip


CONSENT = item(
    "consents", kind="consent.recorded", record=RECORD, collector="acme", commitments=dict.fromkeys(POINTERS, "c")
)
VERDICT = verdict(
    line("canalvert"), line("voltis", "sms", "refused", "invalid"), line("nordia", "call", "granted", "invalid")
)
DOSSIER = Dossier(RECORD, [CONSENT, VERDICT])


@pytest.mark.parametrize(
    ("party", "scopes", "scope"),
    [
        ("acme", {"collector"}, "collector"),
        ("acme", {"prospector"}, None),
        ("acm", {"collector"}, None),
        ("other", {"collector"}, None),
        ("canalvert", {"prospector"}, "prospector"),
        ("canalvert", {"collector"}, None),
        ("nordia", {"prospector"}, "prospector"),
        ("voltis", {"prospector"}, None),
        ("stranger", {"prospector", "collector"}, None),
        ("cabinet", {"auditor"}, "auditor"),
        (None, {"operator", "auditor"}, "operator"),
        (None, set(), None),
    ],
)
def test_who_is_entitled(party, scopes, scope):
    audience = audience_of(Caller(party, frozenset(scopes)), DOSSIER)
    assert (audience.scope if audience else None) == scope


def given(scope, party=None, verdicts=(VERDICT,), of=CONSENT):
    return disclosable(Audience(scope=scope, party=party), of, DOCUMENT, verdicts)


def test_the_collector_the_auditor_and_the_operator_read_all_of_the_consent():
    for scope in ("collector", "auditor", "operator"):
        assert given(scope, "acme") == POINTERS


def test_a_prospecteur_reads_the_contacts_of_its_channels_and_never_the_context():
    assert given("prospector", "canalvert") == ["/contacts/0/value", "/subject_ref"]
    both = verdict(line("canalvert"), line("canalvert", "sms"))
    assert given("prospector", "canalvert", [both]) == ["/contacts/0/value", "/contacts/1/value", "/subject_ref"]
    push = verdict(line("canalvert", "push"))
    assert given("prospector", "canalvert", [push]) == ["/contacts/0/value", "/contacts/1/value", "/subject_ref"]


@pytest.mark.parametrize("party", ["nordia", "voltis", "stranger"])
def test_a_prospecteur_whose_line_does_not_hold_reads_nothing_personal(party):
    assert given("prospector", party) == []


def test_a_stop_is_read_by_the_party_it_was_written_to():
    stop = item(
        "stops", kind="stop.recorded", stop="canalvert/s1", source="canalvert", commitments={"/contacts/0/value": "c"}
    )
    assert given("prospector", "canalvert", of=stop) == ["/contacts/0/value"]
    assert given("prospector", "nordia", of=stop) == []
    assert given("collector", "acme", of=stop) == []
    assert given("operator", of=stop) == ["/contacts/0/value"]
    portal = item(
        "stops", kind="stop.recorded", stop="platform/s1", source="platform", commitments={"/subject_ref": "c"}
    )
    assert given("prospector", None, of=portal) == []


@pytest.mark.parametrize(
    ("other", "seen"),
    [
        (item("deliveries", kind="delivery.ordered", party="canalvert"), True),
        (item("deliveries", kind="delivery.ordered", party="nordia"), False),
        (item("reports", kind="order.acknowledged", source="canalvert"), True),
        (item("reports", kind="order.acknowledged", source="nordia"), False),
        (item("reports", kind="data.transferred", source="acme", to="canalvert"), True),
        (item("reports", kind="data.transferred", source="acme", to="nordia"), False),
        (item("registry", kind="agreement", collector="acme", prospector="canalvert"), True),
        (item("registry", kind="agreement", collector="acme", prospector="nordia"), False),
        (item("registry", kind="list", collector="acme"), True),
        (item("erasures", kind="record.erased", record=RECORD), True),
        (item("erasures", kind="record.restricted", record=RECORD), True),
        (item("erasures", kind="proof.opened", record=RECORD), False),
        (item("erasures", kind="hold.released", record=RECORD), False),
        (CONSENT, True),
        (VERDICT, True),
    ],
)
def test_a_prospecteur_sees_no_other_partys_orders_and_contracts(other, seen):
    assert may_see(Audience(scope="prospector", party="canalvert"), other) is seen
    assert may_see(Audience(scope="collector", party="acme"), other)


def test_the_verdict_that_counts_is_the_highest_not_the_last_received():
    rows = [
        verdict(seq=2, offset=9),
        verdict(seq=10, offset=1),
        verdict(seq=10, offset=1, at="2026-01-01T00:00:00.000Z"),
    ]
    assert latest_verdict(rows) is rows[1]
    assert latest_verdict([]) is None
