"""`opposable breach open | list | show | amend | count | notify | tell | inform | close | register`: breaches of personal data.

The register of RGPD 33(5). The 72 hours run from when the breach was noticed; each act is an entry of the log, without the words.
Exit codes: 0 done, 1 (for `list`) the 72 hours of a breach have passed, 2 unusable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import answered, minute
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.clock import SystemClock
from shared.instants import format_instant

Id = Annotated[str, typer.Argument(help="Your id of the breach, such as V-2026-01.")]
Instant = Annotated[str | None, typer.Option(help="An instant, such as 2026-11-27T08:00:00Z.")]
Words = Annotated[str | None, typer.Option(help="About systems, never about a person.")]
Many = Annotated[list[str] | None, typer.Option(help="Repeatable.")]
OPEN = (
    "opposable breach open V-2026-01 --noticed 2026-11-27T08:00:00Z --nature confidentiality --data contacts --what '…'"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    breach = group(app, "breach", tr("Breaches of personal data.", "Violations de données."))
    breach.command("open", epilog=f"Example: {OPEN}")(open_)
    breach.command("list", epilog="Example: opposable breach list --closed --json")(listed)
    breach.command("show", epilog="Example: opposable breach show V-2026-01 --text")(show)
    breach.command("amend", epilog="Example: opposable breach amend V-2026-01 --measures '…' --risk high")(amend)
    breach.command(
        "count", epilog="Example: opposable breach count V-2026-01 --recipient canalvert --until 2026-11-27T00:00:00Z"
    )(count)
    breach.command("notify", epilog="Example: opposable breach notify V-2026-01 --reference CNIL-4411")(notify)
    breach.command("tell", epilog="Example: opposable breach tell V-2026-01 --party canalvert")(tell)
    breach.command("inform", epilog="Example: opposable breach inform V-2026-01 --exempt risk_not_high")(inform)
    breach.command("close", epilog="Example: opposable breach close V-2026-01 --ending remedied")(close)
    breach.command("register", epilog="Example: opposable breach register --output registre.pdf")(printed)


def open_(
    breach: Id,
    *,
    noticed: Annotated[str, typer.Option("--noticed", help="When it was noticed: the 72 hours run from then.")],
    nature: Annotated[
        list[str], typer.Option("--nature", help="confidentiality, integrity, availability; repeatable.")
    ],
    data: Annotated[
        list[str],
        typer.Option("--data", help="contacts, references, choices, connection, evidence, pseudonyms; repeatable."),
    ],
    what: Annotated[str, typer.Option("--what", help="What happened: about systems, never about a person.")],
    origin: Annotated[str, typer.Option("--origin", help="attack, misconfiguration, loss, processor, …")] = "unknown",
    risk: Annotated[str, typer.Option("--risk", help="unlikely, risk, high.")] = "risk",
    author: Annotated[str, typer.Option("--author", help="A role, never a name.")] = "dpo",
    began: Instant = None,
    ended: Instant = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Open a breach in the register."""
    body = {
        "id": breach, "noticed_at": noticed, "natures": nature, "data": data, "what": what, "origin": origin,
        "risk": risk, "author": author, "began_at": began, "ended_at": ended,
    }  # fmt: skip
    _done(_call("POST", "/v1/breaches", data_dir, body), as_json=as_json)


def listed(
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are closed.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The register, the newest first."""
    found = _call("GET", f"/v1/breaches{'?closed=true' if closed else ''}", data_dir)["breaches"]
    if as_json:
        print_json(found)
    else:
        table = Table(
            tr("breach", "violation"), tr("noticed", "constatée"), tr("72 h end", "fin des 72 h"),
            tr("persons", "personnes"), tr("state", "état"), box=None,
        )  # fmt: skip
        for one in found:
            persons = "—" if one["persons"] is None else str(one["persons"])
            table.add_row(one["id"], minute(one["noticed_at"]), minute(one["due_at"]), persons, _state(one))
        Console().print(table if found else tr("No breach.", "Aucune violation."))
    if any(one["overdue"] for one in found):
        raise typer.Exit(NEGATIVE)


def show(
    breach: Id,
    text: Annotated[bool, typer.Option("--text", help="The text for the authority, in French.")] = False,
    data_dir: DataDir = None,
) -> None:
    """One breach as JSON, or the text of its notification."""
    if text:
        typer.echo(answered(resolve(data_dir), "GET", f"/v1/breaches/{quote(breach)}/notification").text)
        return
    print_json(_call("GET", _at(breach), data_dir))


def amend(
    breach: Id,
    *,
    what: Words = None,
    effects: Words = None,
    measures: Words = None,
    risk: Annotated[str | None, typer.Option(help="unlikely, risk, high.")] = None,
    began: Instant = None,
    ended: Instant = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """More is known: only what is given changes."""
    body = {"what": what, "effects": effects, "measures": measures, "risk": risk, "began_at": began, "ended_at": ended}
    given = {name: value for name, value in body.items() if value is not None}
    _done(_call("POST", _at(breach, "amend"), data_dir, given), as_json=as_json)


def count(
    breach: Id,
    *,
    collector: Many = None,
    recipient: Many = None,
    since: Instant = None,
    until: Instant = None,
    records: Annotated[Path | None, typer.Option("--records", exists=True, help="A file with a record a line.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Count who is affected, by party: named records, or those received in a time range. From keyed hashes alone."""
    named = records.read_text("utf-8").split() if records is not None else []
    scope = {
        "records": named, "collectors": collector or [], "recipients": recipient or [], "received_from": since,
        "received_until": until,
    }  # fmt: skip
    _done(_call("POST", _at(breach, "amend"), data_dir, {"scope": scope}), as_json=as_json)


def notify(
    breach: Id,
    *,
    at: Instant = None,
    reference: Annotated[str | None, typer.Option(help="The authority's reference.")] = None,
    late_because: Annotated[str | None, typer.Option(help="After 72 hours: the reasons for the delay.")] = None,
    waived: Annotated[bool, typer.Option("--not-needed", help="A risk is unlikely (RGPD 33(1)).")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Record that the authority was notified, or need not be; the text to file is `show --text`."""
    body = {"notified_at": at, "reference": reference, "late_because": late_because, "waived": waived}
    _done(_call("POST", _at(breach, "authority"), data_dir, body), as_json=as_json)


def tell(breach: Id, *, party: Many = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Tell parties on their own topic, with their own numbers (none named: all that were counted)."""
    _done(_call("POST", _at(breach, "parties"), data_dir, {"parties": party or []}), as_json=as_json)


def inform(
    breach: Id,
    *,
    at: Annotated[str | None, typer.Option(help="When the persons were told.")] = None,
    exempt: Annotated[
        str | None,
        typer.Option(help="risk_not_high, data_unintelligible, measures_taken_after, public_communication."),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Record that the persons were told, or why they need not be (RGPD 34)."""
    body = {"informed_at": at, "exempt": exempt}
    _done(_call("POST", _at(breach, "persons"), data_dir, body), as_json=as_json)


def close(
    breach: Id,
    *,
    ending: Annotated[str, typer.Option("--ending", help="remedied, no_breach, authority_closed.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Close a breach: refused while something of articles 33 and 34 is not settled."""
    _done(_call("POST", _at(breach, "close"), data_dir, {"ending": ending}), as_json=as_json)


def printed(
    output: Annotated[Path, typer.Option("--output", help="Where the PDF goes.")], data_dir: DataDir = None
) -> None:
    """The register as a printable PDF, in French."""
    answer = answered(resolve(data_dir), "GET", "/v1/breaches/register.pdf")
    output.write_bytes(answer.content)
    typer.echo(tr(f"{output}: {len(answer.content)} bytes", f"{output} : {len(answer.content)} octets"))


def _state(one: dict[str, Any]) -> str:
    if one["closed_at"]:
        return tr("closed", "close")
    if one["authority"]:
        return tr("authority settled", "autorité : fait")
    left = tr("to notify", "à notifier")
    return f"[red]{left}[/]" if one["due_at"] <= format_instant(SystemClock().now()) else left


def _at(breach: str, act: str = "") -> str:
    return f"/v1/breaches/{quote(breach)}" + (f"/{act}" if act else "")


def _done(view: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        last = view["history"][-1]["what"]
        until = minute(view["due_at"])
        typer.echo(
            tr(
                f"{view['id']}: {last}; the 72 hours end {until}",
                f"{view['id']} : {last} ; les 72 h finissent le {until}",
            )
        )


def _call(method: str, path: str, data_dir: DataDir, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(answered(resolve(data_dir), method, path, body).json())
