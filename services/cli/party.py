"""`opposable party list`: who is registered (`simulate`, `check`, `onboard`: modules of their own)."""

from __future__ import annotations

from typing import Any

import typer

from services.cli.groups import group
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from shared.provisioning import require_topics
from shared.registry.publish import stored_bodies
from shared.topics import REGISTRY


def register(app: typer.Typer) -> None:
    """Add the commands."""
    party = group(app, "party", "Parties: collectors and prospecteurs.")
    party.command("list", epilog="Example: opposable party list --json")(list_)


def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the registered parties."""
    settings = settings_of(resolve(data_dir))

    async def work() -> dict[str, dict[str, Any]]:
        await require_topics(settings, [REGISTRY.name])
        return await stored_bodies(settings)

    bodies = run(work())
    parties = [body for key, body in sorted(bodies.items()) if key.startswith("party:")]
    if as_json:
        fields = ("id", "legal_name", "roles", "status", "country")
        print_json([{name: party.get(name) for name in fields} for party in parties])
        return
    for party in parties:
        roles = ", ".join(party.get("roles", ()))
        typer.echo(f"{party['id']:<20} {party.get('status', 'active'):<10} {roles:<26} {party.get('legal_name', '')}")
