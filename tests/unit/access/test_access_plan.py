"""Who may do what, from the table of topics: parties see their own only, services what names them."""

import pytest

from shared.access.cluster import ours
from shared.access.plan import Entry, Operation, Pattern, Resource, service_principal, services, wanted
from shared.errors import ConfigurationError
from shared.topics import TABLE, topics_of_party

PARTIES = ["acme", "canalvert", "a"]


def allows(entries, who, operation, topic):
    return any(
        e.principal == who and e.resource is Resource.TOPIC and e.operation is operation
        and (e.name == topic if e.pattern is Pattern.LITERAL else topic.startswith(e.name))
        for e in entries
    )  # fmt: skip


def test_a_party_reads_and_writes_its_own_topics_and_no_other():
    entries = wanted(PARTIES)
    everything = [name for party in PARTIES for name, _ in topics_of_party(party)]
    everything += [row.name for row in TABLE if "{" not in row.name]
    for party in PARTIES:
        written = {t for t in everything if allows(entries, party, Operation.WRITE, t)}
        read = {t for t in everything if allows(entries, party, Operation.READ, t)}
        assert written == {f"in.{party}.consents", f"in.{party}.rights"}
        assert read == {
            *(f"out.{party}.{name}" for name in ("receipts", "permissions", "withdrawals", "requests")),
            "checkpoints", "checkpoints.latest",
        }  # fmt: skip


def test_party_groups_begin_with_its_name_and_a_dot():
    groups = {
        (e.principal, e.name, e.pattern)
        for e in wanted(PARTIES)
        if e.resource is Resource.GROUP and e.principal in PARTIES
    }
    assert groups == {(party, f"{party}.", Pattern.PREFIXED) for party in PARTIES}


def test_each_service_may_do_what_the_table_says_and_no_service_may_do_all():
    entries = wanted(["acme"])
    for row in TABLE:
        topic = row.of("acme")
        for service in services():
            who = service_principal(service)
            assert allows(entries, who, Operation.WRITE, topic) == (service in row.writers), (row.name, service)
            may_read = service in row.readers or "everyone" in row.readers
            assert allows(entries, who, Operation.READ, topic) == may_read, (row.name, service)
    assert not allows(entries, "svc.consent_validator", Operation.READ, "in.acme.consents")
    assert not allows(entries, "svc.proof_archive", Operation.WRITE, "consents")
    assert not allows(entries, "svc.collector", Operation.READ, "verdicts")


def test_nobody_but_the_super_user_creates_alters_or_deletes():
    assert {e.operation for e in wanted(PARTIES)} <= {Operation.READ, Operation.WRITE, Operation.DESCRIBE}


@pytest.mark.parametrize("name", ["collector", "operator", "notifier"])
def test_a_party_called_as_a_service_is_refused(name):
    with pytest.raises(ConfigurationError, match=name):
        wanted(["acme", name])


def test_what_an_operator_granted_to_others_is_left_alone():
    foreign = Entry("grafana", Resource.TOPIC, Pattern.LITERAL, "verdicts", Operation.READ)
    old = Entry("acme", Resource.TOPIC, Pattern.LITERAL, "verdicts", Operation.READ)
    assert ours({foreign, old}, ["acme"]) == {old}
