"""`opposable subprocessor list | add | end | notice`: the operator's sub-processors (RGPD 28(2) and (4)).

They stand in the registry, one version a change: the archived time proves when it was announced, and every party is told by
`opposable.subprocessor.changing.v1`, with the notice in French. Exit codes: 0 done, 1 the change comes too soon or contradicts
what is registered, 2 unusable.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from services.consent_validator.rules.days import paris_day
from shared.clock import SystemClock
from shared.errors import ConfigurationError, InputError
from shared.intake.schema import problems_of
from shared.kit.subprocessors import markdown, notice_text
from shared.provisioning import require_topics
from shared.registry.load import load_dir
from shared.registry.models import parse
from shared.registry.publish import publish, stored_bodies
from shared.registry.subprocessors import SubProcessor, change_of, earliest_start, newest, serving
from shared.settings import Settings
from shared.topics import REGISTRY

NOTICE_DAYS = 30
"""Days between the notice and its effect, as the model contract has it (docs/conformite/modele-article-28.md)."""
KIND = "subprocessor"
Id = Annotated[str, typer.Argument(help="Id of the sub-processor: hebergeur-acme.")]
Notice = Annotated[int, typer.Option("--notice-days", min=0, help="Days between the notice and its effect.")]
Day = Annotated[str | None, typer.Option("--on", help="Day it takes effect, YYYY-MM-DD. Default: as soon as may be.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in French; told to the parties.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sub = group(app, KIND, "The operator's sub-processors (RGPD 28): register, changes, notices.")
    sub.command("list", epilog="Example: opposable subprocessor list --markdown")(list_)
    sub.command("add", epilog=(
        "Example: opposable subprocessor add hebergeur --name 'Nuage du Nord SAS' --siren 999000300 --country FR --location FR "
        "--service 'hébergement des serveurs' --data 'toutes, chiffrées'"
    ))(add)  # fmt: skip
    sub.command(
        "end", epilog="Example: opposable subprocessor end hebergeur --on 2027-06-30 --reason 'fin de contrat'"
    )(end)
    sub.command("notice", epilog="Example: opposable subprocessor notice hebergeur --party acme")(notice)


def list_(
    registry: Annotated[
        Path | None, typer.Option("--registry", exists=True, help="Registry YAML, instead of a system.")
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The register in French, for a contract's annex.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the sub-processors as last announced."""
    found = _known(registry, data_dir)
    today = paris_day(SystemClock().now())
    rows = [found[name] for name in sorted(found)]
    if as_json:
        print_json([{**_body(one), "serving": serving(one, today)} for one in rows])
    elif as_markdown:
        typer.echo(markdown(rows, today), nl=False)
    else:
        for one in rows:
            until = f" – {one.ends_on}" if one.ends_on is not None else ""
            mark = "●" if serving(one, today) else "○"
            typer.echo(
                f"{mark} {one.id:<24} v{one.version:<3} {one.starts_on}{until:<13} {one.legal_name}: {one.service}"
            )


def add(
    name: Id,
    *,
    legal_name: Annotated[str, typer.Option("--name", help="Its legal name.")],
    siren: Annotated[str | None, typer.Option("--siren", help="Its SIREN.")] = None,
    foreign_id: Annotated[str | None, typer.Option("--foreign-id", help="Its registration abroad.")] = None,
    country: Annotated[str, typer.Option("--country", help="Where it is established (ISO 3166).")],
    location: Annotated[list[str], typer.Option("--location", help="Where data is processed; repeatable.")],
    service: Annotated[str, typer.Option("--service", help="What it does, in French.")],
    data: Annotated[str, typer.Option("--data", help="Which data, in French.")],
    guarantee: Annotated[
        str | None, typer.Option("--guarantee", help="Outside the EEA: what RGPD 45 or 46 asks.")
    ] = None,
    on: Day = None,
    reason: Reason = None,
    notice_days: Notice = NOTICE_DAYS,
    already: Annotated[
        bool, typer.Option("--already", help="It serves already (register being opened): --on is since when.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Announce a new sub-processor, or a change of one: the next version, told to every party, open to objection."""
    settings = settings_of(resolve(data_dir))
    before = run(_stored(settings)).get(name)
    today = paris_day(SystemClock().now())
    first = earliest_start(today, notice_days)
    start = _day(on) if on is not None else first
    if already and before is not None:
        raise ConfigurationError(f"{name} is registered already: a change of it is announced")
    if not already and start < first:
        _too_soon(first)
    body: dict[str, Any] = {
        "kind": KIND, "id": name, "version": 1 if before is None else before.version + 1, "legal_name": legal_name, "siren": siren,
        "foreign_id": foreign_id, "country": country, "locations": location, "service": service, "data": data,
        "transfer_guarantee": guarantee, "starts_on": str(start), "ends_on": None, "reason": reason,
        "objections_until": None if already else str(date.fromordinal(start.toordinal() - 1)),
    }  # fmt: skip
    _announce(settings, body, before, as_json=as_json)


def end(
    name: Id, on: Day = None, reason: Reason = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:  # fmt: skip
    """Announce that a sub-processor is used no longer, from the day after `--on` (default: today)."""
    settings = settings_of(resolve(data_dir))
    before = run(_stored(settings)).get(name)
    if before is None or before.ends_on is not None:
        raise ConfigurationError(f"no sub-processor {name!r} is in service or announced")
    last = _day(on) if on is not None else paris_day(SystemClock().now())
    body = _body(before) | {
        "version": before.version + 1, "ends_on": str(max(last, before.starts_on)), "objections_until": None, "reason": reason,
    }  # fmt: skip
    _announce(settings, body, before, as_json=as_json)


def notice(
    name: Id,
    party: Annotated[str | None, typer.Option("--party", help="To whom; default: every party.")] = None,
    registry: Annotated[
        Path | None, typer.Option("--registry", exists=True, help="Registry YAML, instead of a system.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the notice of the newest version, in French, for a letter or a mail besides the event."""
    bodies = _bodies(registry, data_dir)
    versions = [one for one in _read(bodies) if one.id == name]
    if not versions:
        raise ConfigurationError(f"no sub-processor {name!r} is registered")
    one = newest(versions)[name]
    change = change_of(one, newest(versions, one.version - 1).get(name))
    names = {body["id"]: body["legal_name"] for body in bodies.values() if body["kind"] == "party"}
    if party is not None and party not in names:
        raise ConfigurationError(f"no party {party!r} is registered")
    texts = {who: notice_text(one, change, names[who]) for who in ([party] if party is not None else sorted(names))}
    if as_json:
        print_json(texts)
    else:
        typer.echo("\n---\n\n".join(texts.values()), nl=False)


def _announce(settings: Settings, body: dict[str, Any], before: SubProcessor | None, *, as_json: bool) -> None:
    try:
        one = parse(body)
    except ValidationError as error:
        raise InputError(problems_of(error, body, skip=1)) from None
    if not isinstance(one, SubProcessor):
        raise ConfigurationError("this is no sub-processor")
    report = run(publish(settings, [(f"{KIND}:{one.id}:{one.version}", body)]))
    if report.refused:
        typer.echo(
            tr(
                "another change came first: look, then try again",
                "un autre changement est arrivé d’abord : regardez, puis recommencez",
            ),
            err=True,
        )
        raise typer.Exit(NEGATIVE)
    if as_json:
        print_json({**body, "change": change_of(one, before)})
        return
    if one.objections_until is not None:
        typer.echo(tr(
            f"{one.id} v{one.version} announced to every party; objections until {one.objections_until}, in effect on {one.starts_on}",
            f"{one.id} v{one.version} annoncé à chaque partie ; opposition jusqu’au {one.objections_until}, effet le {one.starts_on}",
        ))  # fmt: skip
    else:
        typer.echo(tr(f"{one.id} v{one.version} registered and told", f"{one.id} v{one.version} inscrit et annoncé"))


def _too_soon(first: date) -> None:
    typer.echo(tr(
        f"too soon: parties have time to object (RGPD 28(2)); the first possible day is {first}, or give --already",
        f"trop tôt : les parties doivent pouvoir s’opposer (RGPD, 28(2)) ; premier jour possible : {first}, ou --already",
    ), err=True)  # fmt: skip
    raise typer.Exit(NEGATIVE)


def _known(registry: Path | None, data_dir: Path | None) -> dict[str, SubProcessor]:
    return newest(_read(_bodies(registry, data_dir)))


def _bodies(registry: Path | None, data_dir: Path | None) -> dict[str, dict[str, Any]]:
    if registry is not None:
        return {document.key: dict(document.body) for document in load_dir(registry)}
    settings = settings_of(resolve(data_dir))

    async def work() -> dict[str, dict[str, Any]]:
        await require_topics(settings, [REGISTRY.name])
        return await stored_bodies(settings)

    return run(work())


async def _stored(settings: Settings) -> dict[str, SubProcessor]:
    await require_topics(settings, [REGISTRY.name])
    return newest(_read(await stored_bodies(settings)))


def _read(bodies: dict[str, dict[str, Any]]) -> list[SubProcessor]:
    entries = (parse(body) for key, body in bodies.items() if key.startswith(f"{KIND}:"))
    return [one for one in entries if isinstance(one, SubProcessor)]


def _body(one: SubProcessor) -> dict[str, Any]:
    """Its document, as it stands in the registry."""
    values = ((name, getattr(one, name)) for name in type(one).model_fields)
    return {name: str(v) if isinstance(v, date) else list(v) if isinstance(v, tuple) else v for name, v in values}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--on is a day: YYYY-MM-DD") from None
