"""Prepare a deployment of docker-compose.yml: secrets where there are none, the trust file, topics, the registry.

Run by the one-shot `provision` service before any other service starts; doing it again changes nothing that is there.
Usage: provision.py DIRECTORY, with the YAML documents of the registry. Exit code 2 when a document cannot be read or
would change a published version; the text names it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.errors import OpposableError
from shared.local_engines.secret_files import ensure_secrets
from shared.local_engines.trust import write_policy
from shared.provisioning import ProvisionReport, provision
from shared.registry.load import load_dir
from shared.settings import Settings

UNUSABLE = 2


def main() -> int:
    """Prepare, and say what was done in one line each."""
    settings = Settings()
    try:
        documents = load_dir(Path(sys.argv[1]))
        made = ensure_secrets(settings.secrets_dir)
        write_policy(settings.secrets_dir.parent / "policy", settings.deployment, settings.secrets_dir)
        report = asyncio.run(provision(settings, registry_documents=[(item.key, item.body) for item in documents]))
    except OpposableError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    _tell(made, report)
    return 0


def _tell(made: list[str], report: ProvisionReport) -> None:
    print(f"secrets: {', '.join(made) + ' made' if made else 'all there already'}")
    print(f"topics: {len(report.created)} created, {len(report.existing)} there already")
    print(f"registry: {len(report.registry.published)} published, {len(report.registry.unchanged)} unchanged")


if __name__ == "__main__":
    sys.exit(main())
