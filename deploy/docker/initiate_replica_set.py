"""Make the MongoDB of `MONGODB_URI` a replica set, once, and return when it has a primary.

Run by the one-shot `mongo-init` service of docker-compose.yml, with the driver the image has anyway: the database image
then needs no shell of its own. Doing it again changes nothing. A replica set initiated with one host name keeps it; the
name must be the one that clients resolve (https://www.mongodb.com/docs/manual/reference/replica-configuration/).
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure
from pymongo.uri_parser import parse_uri

ALREADY_INITIALIZED = 23
"""Server error code of a second `replSetInitiate`."""
PATIENCE_S = 60.0


def main() -> int:
    """Exit code 0 once there is a primary, 1 after a minute without one."""
    uri = parse_uri(os.environ["MONGODB_URI"])
    host, port = uri["nodelist"][0]
    address = f"{host}:{port}"
    client: MongoClient[dict[str, Any]] = MongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=2000)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return 0
            _initiate(client, uri["options"]["replicaSet"], address)
        except AutoReconnect:  # still starting, or electing
            pass
        time.sleep(0.2)
    print(f"no primary on {address} after {PATIENCE_S:.0f} s", file=sys.stderr)
    return 1


def _initiate(client: MongoClient[dict[str, Any]], name: str, address: str) -> None:
    try:
        client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": address}]})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise


if __name__ == "__main__":
    sys.exit(main())
