"""A whole system on a MongoDB that asks everyone for credentials: it works, and no service may do what the table does not grant."""

import asyncio
import json
import re
import subprocess
import sys
import uuid

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure

from services.cli.target import settings_of
from shared.errors import Unavailable
from shared.local_engines.choose import Wishes
from shared.local_engines.endpoints import Endpoints
from shared.mongo_access import plan
from shared.mongo_access.plan import Entry, Role
from shared.mongo_access.provision import password_file, plan_mongo, read_password
from shared.mongo_access.server import mongo_access
from shared.topics import SERVICES
from tests.e2e.partner import consent, stop
from tests.integration.access.client import Client
from tests.waiting import operator_http, until

pytestmark = [
    pytest.mark.engines, pytest.mark.timeout(300),
    # The driver forgets a connection that was refused at authentication.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]  # fmt: skip

DENIED = 13
ORDER = "opposable.order.acknowledged.v1"


@pytest.fixture(scope="module")
def system(make_system, tmp_path_factory):
    """A service that cannot start for want of a right fails here, with the row that the table lacks."""
    try:
        return make_system(wishes=Wishes(real_kafka=True, use_environment=False, secured=True))
    except Unavailable as error:
        folder = tmp_path_factory.getbasetemp()
        said = "".join(path.read_text() for path in folder.glob("system*/logs/*.log"))
        lacks = sorted(set(re.findall(r"not authorized on (\w+) to execute command \{ (\w+): \W*([\w.]+)", said)))
        pytest.fail(f"{error}; shared/mongo_access/plan.py does not grant: {lacks}")


@pytest.fixture
def at(system):
    return system.endpoints()


@pytest.fixture
def directory(at):
    return at.secrets_dir / "mongodb"


def connected(at, user, password=None):
    secret = password or read_password(at.secrets_dir / "mongodb", user)
    return MongoClient(at.mongodb, username=user, password=secret, authSource="admin", serverSelectionTimeoutMS=20_000)


def opposable(at, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, "--data-dir", str(at.secrets_dir.parent)],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


def opposable_alone(*words):
    """The exit code of a command that needs no running system."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *words], capture_output=True, check=False
    ).returncode


async def test_from_consent_to_erasure_with_no_more_rights_than_the_table_grants(system, at, tmp_path):
    acme, canalvert = Client(at, "acme"), Client(at, "canalvert")
    email = f"{uuid.uuid4().hex}@courriel.example"
    body = consent(email)
    record = f"acme/{body['consent_id']}"
    await acme.write("in.acme.consents", "opposable.consent.collected.v1", body)
    granted = await canalvert.read("out.canalvert.permissions", lambda b: b["consent_id"] == body["consent_id"])
    assert granted["basis"] == "consent"

    withdrawal = stop([("email", email)])
    await acme.write("in.acme.rights", "opposable.stop.requested.v1", withdrawal)
    order = await canalvert.read("out.canalvert.withdrawals", lambda b: b["stop_id"].endswith(withdrawal["stop_id"]))
    await canalvert.write(
        "in.canalvert.rights", ORDER,
        {"order_id": order["order_id"], "status": "applied", "applied_at": order["at"]},
    )  # fmt: skip
    async with operator_http(at) as rights, operator_http(at, "proof_archive") as archive:

        def acknowledged(answer):
            return any(
                b["party"] == "canalvert" and b["status"] == "applied" for b in answer.json().get("branches", ())
            )

        await until(lambda: rights.get(f"/v1/stops/{order['stop_id']}"), acknowledged)
        await until(lambda: archive.get(f"/v1/proofs/{record}.json"), lambda a: a.status_code == 200)
        await asyncio.to_thread(opposable, at, "proof", "get", record, "--output", str(tmp_path / "proof.zip"))
        verified = ["verify", str(tmp_path / "proof.zip"), "--policy", str(at.secrets_dir.parent / "policy")]
        assert await asyncio.to_thread(opposable_alone, *verified) == 0

        await asyncio.to_thread(opposable, at, "erase", "--contact", f"email:{email}", "--yes", "--wait", "90")
        erased = (await rights.get(f"/v1/erasures/{record}")).json()
        assert erased["state"] == "done"
    with connected(at, "operator") as client:
        row = client.vault["keys"].find_one({"_id": record})
        assert row is not None
        assert "key" not in row
        assert row["erased"]
    assert await asyncio.to_thread(opposable, at, "fsck")


def test_no_service_was_refused_anything(system):
    for path in (system.plan.data_dir / "logs").glob("*.log"):
        said = path.read_text()
        assert "not authorized" not in said, path
        assert "Unauthorized" not in said, path


ATTEMPTS = {
    # Each is refused or harmless: nothing is stored, changed or removed where it is allowed.
    plan.FIND: lambda name: {"find": name, "filter": {"_id": "nobody"}, "limit": 1},
    plan.INSERT: lambda name: {"insert": name, "documents": [{"_id": ["not", "allowed"]}]},
    plan.UPDATE: lambda name: {"update": name, "updates": [{"q": {"_id": "nobody"}, "u": {"$set": {"x": 1}}}]},
    plan.REMOVE: lambda name: {"delete": name, "deletes": [{"q": {"_id": "nobody"}, "limit": 1}]},
    plan.INDEX: lambda name: {"createIndexes": name, "indexes": [{"key": {"x": "no such type"}, "name": "never"}]},
    plan.INDEXES: lambda name: {"listIndexes": name},
    plan.DROP_INDEX: lambda name: {"dropIndexes": name, "index": "no-such-index"},
}
NEVER = {
    "drop": lambda name: {"drop": name},
    "collMod": lambda name: {"collMod": name, "validator": {}},
    "create": lambda name: {"create": f"{name}-of-mine"},
    "rename": lambda name: {"renameCollection": f"rights.{name}", "to": "rights.mine"},
}


def refused(database, command):
    try:
        answer = database.command(command)
    except OperationFailure as error:
        return error.code == DENIED
    return any(one.get("code") == DENIED for one in answer.get("writeErrors", ()))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_what_the_table_grants_and_is_refused_all_else(at, service):
    granted = {(one.database, one.collection, one.action) for one in plan.may(service)}
    places = sorted({(one.database, one.collection) for one in plan.entries()})
    found = set()
    with connected(at, f"svc.{service}") as client:
        for database, collection in places:
            for action, attempt in ATTEMPTS.items():
                if not refused(client[database], attempt(collection)):
                    found.add((database, collection, action))
            for name in ("drop", "collMod", "create"):
                assert refused(client[database], NEVER[name](collection)), (database, collection, name)
        assert refused(client.admin, NEVER["rename"]("grants"))
    assert found == granted


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gives_itself_nothing(at, service):
    user = f"svc.{service}"
    with connected(at, user) as client:
        for command in (
            {"createUser": "mine", "pwd": "x", "roles": []},
            {"updateUser": user, "roles": ["root"]},
            {"grantRolesToUser": user, "roles": [{"role": "vault.erase", "db": "vault"}]},
            {"createRole": "mine", "privileges": [], "roles": ["root"]},
            {"updateUser": "operator", "pwd": "guessed"},
            {"shutdown": 1},
            {"getParameter": "*"},
        ):
            assert refused(client.admin, command), command
        assert refused(client.vault, {"updateRole": "vault.read", "privileges": [], "roles": ["root"]})
        for name in ("system.users", "system.roles"):
            assert refused(client.admin, {"find": name})
        assert client.list_database_names() == sorted({one.database for one in plan.may(service)})


def test_nobody_gets_in_without_a_password_or_with_a_wrong_one(at):
    with MongoClient(at.mongodb, serverSelectionTimeoutMS=20_000) as nobody:
        for database, collection in (("vault", "keys"), ("rights", "grants"), ("archive", "entries")):
            assert refused(nobody[database], {"find": collection})
        assert refused(nobody.admin, {"createUser": "mine", "pwd": "x", "roles": ["root"]}), "the first user exists"
    with connected(at, "svc.collector", "guessed") as wrong, pytest.raises(OperationFailure) as caught:
        wrong.admin.command("ping")
    assert caught.value.code == 18


def test_an_index_could_delete_nothing_that_its_maker_may_not_remove(at):
    """A time to live acts on dates alone: where a service may make an index and not remove, rows hold none."""
    actions = {}
    for one in plan.entries():
        actions.setdefault((one.role, one.database, one.collection), set()).add(one.action)
    looked_at = 0
    with connected(at, "operator") as client:
        for (_role, database, collection), may in actions.items():
            if plan.INDEX in may and plan.REMOVE not in may and database in ("archive", "rights"):
                pipeline = [{"$project": {"fields": {"$objectToArray": "$$ROOT"}}}, {"$unwind": "$fields"},
                            {"$match": {"$expr": {"$eq": [{"$type": "$fields.v"}, "date"]}}}, {"$limit": 1}]  # fmt: skip
                assert list(client[database][collection].aggregate(pipeline)) == [], f"{database}.{collection}"
                looked_at += client[database][collection].estimated_document_count()
    assert looked_at > 5, "the main job left rows to look at"


async def test_apply_restores_what_was_changed_by_hand_and_leaves_strangers(at, directory):
    settings = settings_of(at)
    assert not await plan_mongo(settings, directory)
    with connected(at, "operator") as client:
        wide = {"resource": {"db": "vault", "collection": "keys"}, "actions": ["remove"]}
        client.vault.command("grantPrivilegesToRole", "vault.read", privileges=[wide])
        narrow = {"resource": {"db": "rights", "collection": "stops"}, "actions": ["insert"]}
        client.admin.command("revokePrivilegesFromRole", "svc.rights_handler", privileges=[narrow])
        client.admin.command("grantRolesToUser", "svc.eraser", roles=["root"])
        client.admin.command("updateUser", "svc.notifier", pwd="another")
        client.admin.command("dropUser", "svc.signer")
        client.admin.command("createUser", "svc.gone", pwd="x", roles=["root"])
        client.admin.command("createRole", "svc.gone", privileges=[wide], roles=[])
        client.admin.command("createUser", "backup", pwd="x", roles=["backup"])
    shown = await asyncio.to_thread(opposable, at, "mongo", "plan", "--json", code=1)
    assert {(one["subject"], one["kind"], one["what"]) for one in json.loads(shown)} == {
        ("vault.read", "stray", "remove vault.keys"), ("svc.rights_handler", "missing", "insert rights.stops"),
        ("svc.eraser", "roles", "roles"), ("svc.notifier", "password", "password"), ("svc.signer", "missing", "user"),
        ("svc.gone", "stray", "user"), ("svc.gone", "stray", "role"),
    }  # fmt: skip
    before = password_file(directory, "svc.signer").read_text()
    said = await asyncio.to_thread(opposable, at, "mongo", "apply")
    assert "rights: 1 added, 1 removed" in said
    assert "as the table says" in await asyncio.to_thread(opposable, at, "mongo", "plan")
    assert password_file(directory, "svc.signer").read_text() == before, "a password that is known is kept"
    with connected(at, "operator") as client:
        users = {one["user"] for one in client.admin.command("usersInfo")["users"]}
        assert {"backup", "operator"} <= users
        assert "svc.gone" not in users
        client.admin.command("dropUser", "backup")


async def test_a_password_whose_file_is_gone_is_drawn_anew(at, directory):
    former = read_password(directory, "svc.eraser")
    password_file(directory, "svc.eraser").unlink()
    assert (await plan_mongo(settings_of(at), directory)).passwords == {"svc.eraser"}
    await asyncio.to_thread(opposable, at, "mongo", "apply")
    now = read_password(directory, "svc.eraser")
    assert now != former
    assert password_file(directory, "svc.eraser").stat().st_mode & 0o777 == 0o600
    async with mongo_access(settings_of(at)) as access:
        assert await access.opens("svc.eraser", now)
        assert not await access.opens("svc.eraser", former)


def test_a_mongodb_that_asks_for_nothing_is_said_to(mongo_uri, tmp_path):
    Endpoints("127.0.0.1:1", mongo_uri, tmp_path / "secrets", "d").write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "en", "mongo", "plan", "--data-dir", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "asks for no credentials" in done.stderr


async def test_the_vaults_index_is_asked_for_where_it_may_not_be_made(at):
    from shared.errors import ConfigurationError  # noqa: PLC0415
    from shared.vault import Vault  # noqa: PLC0415

    client = AsyncMongoClient(
        at.mongodb, username="svc.collector", password=read_password(at.secrets_dir / "mongodb", "svc.collector"),
        authSource="admin",
    )  # fmt: skip
    async with client:
        vault = Vault(client, b"k" * 32)
        await vault.prepare()
        with connected(at, "operator") as operator:
            operator.vault["keys"].drop_index("ce_1")
            try:
                with pytest.raises(ConfigurationError, match="opposable mongo apply"):
                    await vault.prepare()
            finally:
                operator.vault["keys"].create_index("ce", unique=True)


def test_the_table_names_roles_as_mongodb_holds_them(at):
    with connected(at, "operator") as client:
        found = client.vault.command("rolesInfo", 1, showPrivileges=True)["roles"]
    assert {Role(one["role"], one["db"]) for one in found} == {Role(name, "vault") for name in plan.VAULT_ROLES}
    held = {
        Entry(r["role"], p["resource"]["db"], p["resource"]["collection"], a)
        for r in found
        for p in r["privileges"]
        for a in p["actions"]
    }
    assert held == {one for one in plan.entries() if one.database == "vault"}
