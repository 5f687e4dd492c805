"""Who may do what in MongoDB, from the one table: least privilege, and the same words as the code's."""

from shared.mongo_access import plan
from shared.mongo_access.plan import FIND, INDEX, INSERT, REMOVE, UPDATE, Entry, Role
from shared.topics import SERVICES


def actions(service, collection, database="vault"):
    return {one.action for one in plan.may(service) if (one.database, one.collection) == (database, collection)}


def test_the_vault_has_one_role_for_each_right():
    assert actions("collector", "keys") == {FIND, INSERT, "listIndexes"}
    assert actions("eraser", "keys") == {FIND, UPDATE}
    for service in ("rights_handler", "proof_archive", "notifier"):
        assert actions(service, "keys") == {FIND}
    for service in ("consent_validator", "signer", "webhook_relay"):
        assert not [one for one in plan.may(service) if one.database == "vault"]


def test_nobody_removes_a_key_or_an_entry_of_a_log_nor_alters_one():
    assert not [one for one in plan.entries() if one.database == "vault" and one.action in (REMOVE, INDEX)]
    kept = {"entries", "bodies", "erased", "restricted", "stamped"}
    assert not [e for e in plan.entries() if e.collection in kept and e.action in (UPDATE, REMOVE)]
    assert not [
        e
        for e in plan.entries()
        if e.database == "rights" and e.collection in ("grants", "stops") and e.action == REMOVE
    ]


def test_no_service_works_in_anothers_database():
    own = {service: database for service, (database, _) in plan.OWN.items()}
    for service in SERVICES:
        assert {one.database for one in plan.may(service)} <= {"vault", own.get(service)}
    shared = {"archive": {"proof_archive", "signer"}}
    for database in set(own.values()):
        assert {s for s, d in own.items() if d == database} <= shared.get(
            database, {next(s for s in own if own[s] == database)}
        )


def test_nothing_grants_a_whole_database_or_an_act_of_an_administrator():
    known = plan.ALL | plan.LISTED | {plan.DROP_INDEX}
    assert {one.action for one in plan.entries()} <= known
    assert all(one.collection and one.collection != "*" for one in plan.entries())


def test_every_service_connects_as_itself_and_strangers_are_left_alone():
    assert set(plan.users()) == {f"svc.{service}" for service in SERVICES}
    assert plan.users()["svc.consent_validator"] == frozenset()
    assert plan.is_ours(Role("vault.other", "vault"))
    assert not plan.is_ours(Role("backup", "admin"))
    assert plan.ours(["svc.gone", "operator", "grafana"]) == {"svc.gone"}
    assert Entry("vault.erase", "vault", "keys", UPDATE) in plan.entries()
