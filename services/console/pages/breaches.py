"""The register of breaches (RGPD 33, 34): open one, the 72 hours, who is affected, notices, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Response

from services.console.breach_words import WORDS
from services.console.render import HEADERS
from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.showing import instant
from services.console.visit import Visit, see
from shared.errors import InputError, Problem
from shared.instants import format_instant

PARIS = ZoneInfo("Europe/Paris")
RIGHTS = "rights_handler"
NATURES = ("confidentiality", "integrity", "availability")
DATA = ("contacts", "references", "choices", "connection", "evidence", "pseudonyms")
ORIGINS = ("unknown", "attack", "unauthorised_access", "misdirected", "misconfiguration", "loss", "processor")
RISKS = ("risk", "high", "unlikely")
EXEMPTIONS = ("risk_not_high", "data_unintelligible", "measures_taken_after", "public_communication")
ENDINGS = ("remedied", "no_breach", "authority_closed")


async def listed(visit: Visit) -> Response:
    """The register, and a form to open a breach."""
    closed = visit.query("closed") == "1"
    found = await visit.console.services.get(RIGHTS, "/v1/breaches", **({"closed": "true"} if closed else {}))
    now = visit.console.clock.now()
    return visit.page("breaches", found=found["breaches"], left={one["id"]: _left(one, now) for one in found["breaches"]},
                      closed=closed, **_choices(), now=f"{now.astimezone(PARIS):%Y-%m-%dT%H:%M}")  # fmt: skip


async def opened(visit: Visit) -> Response:
    """Open one."""
    identity = visit.field("id")
    await visit.note("breach.opened", "breach", identity)
    made = await visit.console.services.post(RIGHTS, "/v1/breaches", {
        "id": identity, "noticed_at": _paris(visit, "noticed"), "author": visit.me.role.value,
        "natures": visit.fields.get("nature", []), "data": visit.fields.get("data", []),
        "origin": visit.field("origin"), "risk": visit.field("risk"), "what": visit.field("what"),
        "effects": visit.field("effects"), "measures": visit.field("measures"),
    })  # fmt: skip
    return see(f"/breaches/{quote(made['id'])}")


async def one(visit: Visit) -> Response:
    """One breach, and what may be done next."""
    identity = quote(visit.path("id"))
    services = visit.console.services
    view = await services.get(RIGHTS, f"/v1/breaches/{identity}")
    text = (await services.answer(RIGHTS, "GET", f"/v1/breaches/{identity}/notification")).text
    parties = visit.console.registry.view.parties()
    return visit.page(
        "breach", view=view, text=text, left=_left(view, visit.console.clock.now()), **_choices(),
        collectors=[p.id for p in parties if "collector" in p.roles],
        recipients=[p.id for p in parties if "prospector" in p.roles],
    )  # fmt: skip


async def act(visit: Visit) -> Response:
    """One act on a breach: noted, then done by the rights handler, which archives it."""
    identity, what = visit.path("id"), visit.path("act")
    path, body = _asked(visit, what)
    await visit.note("breach.changed", "breach", identity, reason=what)
    await visit.console.services.post(RIGHTS, f"/v1/breaches/{quote(identity)}/{path}", body)
    return see(f"/breaches/{quote(identity)}")


async def register(visit: Visit) -> Response:
    """The printable register."""
    await visit.note("breach.exported", "register")
    pdf = await visit.console.services.answer(RIGHTS, "GET", "/v1/breaches/register.pdf")
    names = {"Content-Disposition": 'attachment; filename="registre-des-violations.pdf"'}
    return Response(pdf.content, media_type="application/pdf", headers={**HEADERS, **names})


def _asked(visit: Visit, what: str) -> tuple[str, Mapping[str, Any]]:
    """The route and the body of an act. Raises InputError for one that the page does not have."""
    make = ACTS.get(what)
    if make is None:
        raise InputError([Problem("BREACH-ACT", "", "no such act")])
    return make(visit)


def _amend(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    given = {name: visit.field(name) for name in ("what", "effects", "measures", "risk")}
    return "amend", {name: value for name, value in given.items() if value}


def _count(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    named = {"collectors": visit.field("collector"), "recipients": visit.field("recipient")}
    scope: dict[str, Any] = {name: [value] if value else [] for name, value in named.items()}
    scope |= {"received_from": _paris(visit, "from"), "received_until": _paris(visit, "until")}
    return "amend", {"scope": scope}


def _notify(visit: Visit) -> tuple[str, Mapping[str, Any]]:
    return "authority", {name: visit.field(name) or None for name in ("reference", "late_because")}


ACTS: Mapping[str, Callable[[Visit], tuple[str, Mapping[str, Any]]]] = {
    "amend": _amend,
    "count": _count,
    "notify": _notify,
    "waive": lambda _visit: ("authority", {"waived": True}),
    "tell": lambda _visit: ("parties", {"parties": []}),
    "acknowledged": lambda visit: (f"parties/{quote(visit.field('party'), safe='')}/acknowledged", {}),
    "inform": lambda visit: ("persons", {"informed_at": format_instant(visit.console.clock.now())}),
    "exempt": lambda visit: ("persons", {"exempt": visit.field("exempt")}),
    "close": lambda visit: ("close", {"ending": visit.field("ending")}),
}
"""What may be done with a breach: the route of the rights handler, and its body from the form."""


def _choices() -> dict[str, Any]:
    return {
        "natures": NATURES,
        "kinds": DATA,
        "origins": ORIGINS,
        "risks": RISKS,
        "exemptions": EXEMPTIONS,
        "endings": ENDINGS,
    }


def _left(view: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds until the 72 hours end; None once the clock is stopped."""
    due = instant(view["due_at"])
    stopped = view["authority"] is not None or view["closed_at"] is not None or due is None
    return None if stopped or due is None else (due - now).total_seconds()


def _paris(visit: Visit, name: str) -> str | None:
    """An instant from a field of date and time in Paris; None where it is empty. Raises InputError."""
    text = visit.field(name)
    if not text:
        return None
    try:
        return format_instant(datetime.fromisoformat(text).replace(tzinfo=PARIS))
    except ValueError:
        raise InputError([Problem("INSTANT", f"/{name}", "a date and a time")]) from None


PAGE = Page(
    "breaches", "/breaches", Ability.SEE,
    [
        Route("GET", "/breaches", listed, Ability.SEE),
        Route("POST", "/breaches", opened, Ability.DECIDE),
        Route("GET", "/breaches/register.pdf", register, Ability.SEE),
        Route("GET", "/breaches/{id}", one, Ability.SEE),
        Route("POST", "/breaches/{id}/{act}", act, Ability.DECIDE),
    ],
    WORDS, rank=70,
)  # fmt: skip
