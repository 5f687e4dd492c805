"""OpenAPI of each service, from its own wiring: every route it serves, built without connecting to anything."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from pathlib import Path
from typing import Any

from shared.local_engines.secret_files import ensure_secrets
from shared.service import Context

SETTINGS = {
    "collector": "CollectorSettings",
    "consent_validator": "ValidatorSettings",
    "rights_handler": "RightsSettings",
    "proof_archive": "ArchiveSettings",
    "webhook_relay": "RelaySettings",
    "notifier": "NotifierSettings",
}
"""Each service that others call, and the class of its settings."""


def openapi() -> dict[str, dict[str, Any]]:
    """OpenAPI 3.1 by service."""
    return {service: asyncio.run(_document(service, name)) for service, name in SETTINGS.items()}


async def _document(service: str, settings_class: str) -> dict[str, Any]:
    app_module = importlib.import_module(f"services.{service}.app")
    make = getattr(importlib.import_module(f"services.{service}.settings"), settings_class)
    with tempfile.TemporaryDirectory(prefix="opposable-contracts-") as folder:
        secrets_dir = Path(folder) / "secrets"
        ensure_secrets(secrets_dir)
        context = Context(service, make(secrets_dir=secrets_dir, state_dir=Path(folder)))
        try:
            await app_module.build(context)
            document: dict[str, Any] = context.app.openapi()
        finally:
            await context.mongo.close()
    document["info"]["description"] = (
        "Errors are problem details (RFC 9457) with a `problems` array of {code, pointer, message}."
    )
    document["components"] = _with_bearer(document.get("components", {}))
    return document


def _with_bearer(components: dict[str, Any]) -> dict[str, Any]:
    scheme = {"type": "http", "scheme": "bearer", "description": "An API key of a party, or the operator's token."}
    return {**components, "securitySchemes": {**components.get("securitySchemes", {}), "bearer": scheme}}
