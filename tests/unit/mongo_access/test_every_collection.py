"""Every collection that a service's code names stands in the table: a new one is seen here, before a secured system refuses it."""

import re
from pathlib import Path

import pytest

from shared.mongo_access import plan

ROOT = Path(__file__).parents[3]
FOLDERS = {
    "rights_handler": ("rights_handler",), "proof_archive": ("proof_archive", "signer"), "notifier": ("notifier",),
    "webhook_relay": ("webhook_relay",), "console": ("console",), "collector": ("collector",), "eraser": ("eraser",),
    "consent_validator": ("consent_validator",),
}  # fmt: skip
"""A folder and the users that its code runs as. What the operator's commands alone do is no service's (`fsck`, rotations)."""
OPERATORS = ("fsck",)
NOT_ROWS = {"get_collection", "command", "client", "name", "list_collections", "create_collection"}
OPENED = re.compile(r"(\w+(?:\.\w+)?)(?:: \w+)? = database\(\w+(?:\.\w+)*, [\w\"]+\)$", re.MULTILINE)
AT_ONCE = re.compile(r"database\(\w+(?:\.\w+)*, [\w\"]+\)(?:\[\"([\w.]+)\"\]|\.get_collection\(\"([\w.]+)\"\)|\.(\w+))")


def named_in(text):
    """Collections that a module names, through `database(…)` or what it was assigned to."""
    found = {name for match in AT_ONCE.finditer(text) for name in match.groups() if name}
    for variable in {match[1] for match in OPENED.finditer(text)}:
        uses = re.compile(
            rf"(?<![\w.]){re.escape(variable)}(?:\[\"([\w.]+)\"\]|\.get_collection\(\"([\w.]+)\"\)|\.([a-z_]+))"
        )
        found |= {name for match in uses.finditer(text) for name in match.groups() if name}
    return found - NOT_ROWS


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_what_the_code_names_is_in_the_table(folder):
    granted = {one.collection for service in FOLDERS[folder] for one in plan.may(service)}
    for path in sorted((ROOT / "services" / folder).rglob("*.py")):
        if not set(OPERATORS) & set(path.parts):
            missing = named_in(path.read_text()) - granted
            assert not missing, f"{path.relative_to(ROOT)} uses {missing}: add the row to shared/mongo_access/plan.py"


def test_the_reading_of_modules_finds_each_way_of_naming():
    text = """
        rights = database(client, name)
        self._a, self._b = rights["grants"], rights["stops"]
        self._db = database(client, "archive")
        await self._db.heads.find_one({})
        self._rows = database(client, "archive").sla
        self._keys = database(client, "vault").get_collection("keys")
        rows = database(client, name)["messages"]
        rows = database(client, DATABASE)
        self._x = rows.sessions
    """
    assert named_in(text) == {"grants", "stops", "heads", "sla", "keys", "messages", "sessions"}


def test_it_reads_real_modules():
    found = set().union(*(named_in(p.read_text()) for p in (ROOT / "services").rglob("*.py")))
    assert {"grants", "stops", "heads", "entries", "messages", "deliveries", "outbox"} <= found
