"""Make the MongoDB beside us a replica set, once, with an operator who may do all, and return when it has a primary.

Run by the one-shot `mongo-init` service of docker-compose.yml, with the driver the image has anyway: the database image
then needs no shell of its own. It shares MongoDB's network, since the first user can only be made from its own machine
(https://www.mongodb.com/docs/manual/core/localhost-exception/). Doing it again changes nothing. A replica set initiated with one
host name keeps it; the name must be the one that clients resolve (https://www.mongodb.com/docs/manual/reference/replica-configuration/).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure
from pymongo.uri_parser import parse_uri

ALREADY_INITIALIZED, UNAUTHORIZED = 23, 13
"""Server error codes: a second `replSetInitiate`, before and after there is a user."""
PATIENCE_S = 60.0


def main() -> int:
    """Exit code 0 once there is a primary, 1 after a minute without one."""
    uri = parse_uri(os.environ["MONGODB_URI"])
    host, port = uri["nodelist"][0]
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=2000
    )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                _operator(client)
                return 0
            _once(
                client,
                {
                    "replSetInitiate": {
                        "_id": uri["options"]["replicaSet"],
                        "members": [{"_id": 0, "host": f"{host}:{port}"}],
                    }
                },
            )
        except AutoReconnect:  # still starting, or electing
            pass
        time.sleep(0.2)
    print(f"no primary on {host}:{port} after {PATIENCE_S:.0f} s", file=sys.stderr)
    return 1


def _operator(client: MongoClient[dict[str, Any]]) -> None:
    """The first user. There is one already: nobody may make it without credentials."""
    password = Path(os.environ["OPPOSABLE_MONGODB_PASSWORD_FILE"]).read_text().strip()
    _once(client, {"createUser": os.environ["OPPOSABLE_MONGODB_USERNAME"], "pwd": password, "roles": ["root"]})


def _once(client: MongoClient[dict[str, Any]], command: dict[str, Any]) -> None:
    try:
        client.admin.command(command)
    except OperationFailure as error:
        if error.code not in (ALREADY_INITIALIZED, UNAUTHORIZED):
            raise


if __name__ == "__main__":
    sys.exit(main())
