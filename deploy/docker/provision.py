"""Prepare a deployment of docker-compose.yml: topics, the registry, who may do what in Kafka and in MongoDB.

Run by the one-shot `provision` service before any other service starts; doing it again changes nothing that is there. Every registered
party has a Kafka user whose password is `secrets/kafka/<party>.password` in the operator's volume (`opposable party rotate` draws another).
Usage: provision.py DIRECTORY, with the YAML documents of the registry. Exit code 2 when a document cannot be read or
would change a published version; the text names it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.access.provision import apply_access, give_credentials
from shared.errors import OpposableError
from shared.local_engines.kafka_secure import SecureFiles
from shared.mongo_access.provision import apply_mongo
from shared.provisioning import ProvisionReport, provision
from shared.registry.load import Document, load_dir
from shared.registry.publish import registered_parties
from shared.settings import Settings

UNUSABLE = 2


def main() -> int:
    """Prepare, and say what was done in one line each."""
    try:
        print(asyncio.run(prepare(Settings(), load_dir(Path(sys.argv[1])))))
    except OpposableError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return 0


async def prepare(settings: Settings, documents: list[Document]) -> str:
    """Topics and registry, then Kafka's users and lists, then MongoDB's; what was done."""
    report: ProvisionReport = await provision(
        settings, registry_documents=[(item.key, item.body) for item in documents]
    )
    parties = await registered_parties(settings)
    await give_credentials(settings, parties, SecureFiles(settings.secrets_dir / "kafka").password)
    access = await apply_access(settings, parties)
    rights = await apply_mongo(settings, settings.secrets_dir / "mongodb")
    return "\n".join((
        f"topics: {len(report.created)} created, {len(report.existing)} there already",
        f"registry: {len(report.registry.published)} published, {len(report.registry.unchanged)} unchanged",
        f"access to Kafka: {len(access.missing)} entries added, {len(access.stray)} removed, {len(parties)} parties",
        f"access to MongoDB: {len(rights.missing)} rights added, {len(rights.stray)} removed",
    ))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
