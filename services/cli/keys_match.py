"""`opposable keys rotate match`, `keys confirm`, `keys deliver`: the match key of one party, from one version to the next.

Exit codes: 0 done, 2 the input or the system cannot be used (an unknown party, a version that was not downloaded).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.keys import HELP
from services.cli.keys_rotate import ROTATE_HELP, bar, on_mongodb
from services.cli.language import tr
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from services.rights_handler.match_versions import MatchKeys, Standing
from services.rights_handler.naming import Naming
from services.rights_handler.persons import Persons
from services.rights_handler.rematching import MatchRotation
from shared.clock import SystemClock
from shared.errors import InputError, Problem
from shared.keyring.ring import Ring
from shared.mongo import Client
from shared.registry.publish import stored_bodies
from shared.settings import Settings, read_secret
from shared.vault import Vault

Party = Annotated[str, typer.Option("--party", help="Id of a registered party.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = group(app, "keys", HELP)
    rotate = group(keys, "rotate", ROTATE_HELP)
    rotate.command("match", epilog="Example: opposable keys rotate match --party canalvert")(match)
    keys.command("confirm", epilog="Example: opposable keys confirm --party canalvert --version 2")(confirm)
    keys.command("deliver", epilog="Example: opposable keys deliver --party canalvert")(deliver)


def match(
    party: Party, batch: Annotated[int, typer.Option("--batch", min=1, max=5000, help="Records of one write.")] = 500,
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Put the next version of a party's match key beside the present one, and offer it to the party.

    Permissions and orders carry both until the party has downloaded the new one (`GET /v1/match-key`, once) and confirmed it
    (`POST /v1/match-key/confirm`, or `opposable keys confirm`).
    """
    settings = settings_of(resolve(data_dir))

    async def work(client: Client) -> Standing:
        naming = Naming(Ring(settings.secrets_dir, "pepper"), client)
        await naming.load()
        vault = Vault(client, Ring(settings.secrets_dir, "kek"))
        persons = Persons(vault, pepper=naming, match_master=read_secret(settings.secrets_dir, "match-master"))
        return await MatchRotation(client, MatchKeys(client, SystemClock()), naming, persons, batch=batch).run(
            party, tick
        )

    run(_registered(settings, party))
    with bar(tr("records", "enregistrements"), quiet=as_json) as tick:
        standing = run(on_mongodb(settings, work))
    _say_match(standing, as_json=as_json)


def confirm(
    party: Party, version: Annotated[int, typer.Option("--version", min=1, help="The version that the party uses now.")],
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say in a party's place that it uses the new version of its match key: the older one is carried no longer."""
    settings = settings_of(resolve(data_dir))
    standing = run(on_mongodb(settings, lambda client: MatchKeys(client, SystemClock()).confirm(party, version)))
    _say_match(standing, as_json=as_json)


def deliver(party: Party, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let a party download its match key once more: the answer was lost on its way."""
    settings = settings_of(resolve(data_dir))

    async def work(client: Client) -> Standing:
        keys = MatchKeys(client, SystemClock())
        await keys.deliver_again(party)
        return await keys.standing(party)

    run(_registered(settings, party))
    _say_match(run(on_mongodb(settings, work)), as_json=as_json)


async def _registered(settings: Settings, party: str) -> None:
    if f"party:{party}" not in await stored_bodies(settings):
        raise InputError(
            [Problem("PARTY-UNKNOWN", "--party", "no party of this id is registered (`opposable party list`)")]
        )


def _say_match(standing: Standing, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(standing))
        return
    versions = ", ".join(f"m{version}" for version in standing.versions)
    waits = standing.phase == "offered"
    given = standing.offered in standing.delivered
    typer.echo(tr(f"{standing.party}: {versions} in use", f"{standing.party} : {versions} en service"))
    if not given:
        typer.echo(
            tr(f"m{standing.offered} may be downloaded, once", f"m{standing.offered} peut être téléchargée, une fois")
        )
    if waits:
        typer.echo(tr(
            f"both are carried until the party confirms m{standing.offered}",
            f"les deux sont transmises jusqu’à ce que la partie confirme m{standing.offered}",
        ))  # fmt: skip
