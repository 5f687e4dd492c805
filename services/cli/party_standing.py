"""`opposable party suspend | reinstate`: a party's standing, changed through the registry with a reason, and its consents said anew.

Exit codes: 0 done (or already so), 2 unusable.
"""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import answered
from services.cli.target import AsJson, DataDir, print_json, resolve
from shared.local_engines.endpoints import Endpoints

Id = Annotated[str, typer.Argument(help="The party.")]
Reason = Annotated[str, typer.Option("--reason", help="Archived for ever: names a file, never a person.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    party = group(app, "party", tr("Parties.", "Organismes."))
    party.command("suspend", epilog="Example: opposable party suspend acme --reason 'contrôle du 26/11'")(suspend)
    party.command("reinstate", epilog="Example: opposable party reinstate acme --reason 'preuves fournies'")(reinstate)


def suspend(party: Id, *, reason: Reason, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Suspend a party from now: lines that rest on it go to review, and whoever held them is told."""
    _turn(party, "suspended", reason, resolve(data_dir), as_json=as_json)


def reinstate(party: Id, *, reason: Reason, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a suspension: its consents are assessed again."""
    _turn(party, "active", reason, resolve(data_dir), as_json=as_json)


def _turn(party: str, status: str, reason: str, endpoints: Endpoints, *, as_json: bool) -> None:
    body = {"status": status, "reason": reason}
    now = answered(endpoints, "POST", f"/v1/parties/{party}/standing", body, service="consent_validator").json()
    identity = f"{party}:{now['registry_offset']}"
    asked = {"party": party, "id": identity}
    again = answered(endpoints, "POST", "/v1/reassessments", asked, service="proof_archive").json()
    if as_json:
        print_json({**now, "reassessment": again})
    else:
        done = tr("already so", "déjà ainsi") if not now["changed"] else tr(now["status"], now["status"])
        typer.echo(tr(f"{party}: {done}; its consents are assessed again ({identity})",
                      f"{party} : {done} ; ses consentements sont évalués de nouveau ({identity})"))  # fmt: skip
