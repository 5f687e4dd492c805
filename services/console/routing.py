"""Pages and their routes: every route names the ability it needs, and passes the same walls before its handler runs.

Session, role, then for a POST: same site, bounded form, CSRF token. What fails is answered by a page in words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from pymongo.errors import PyMongoError

from services.console.clients import Refused
from services.console.parts import Console
from services.console.roles import Ability, allows
from services.console.sessions import is_csrf_of
from services.console.visit import Visit, language_of, see
from services.console.words import Catalogue
from shared.errors import InputError, Unavailable
from shared.kafka.batch import INFRASTRUCTURE
from shared.posted import first, read_form
from shared.problems import Refusal

Handler = Callable[[Visit], Awaitable[Response]]
CSRF = "csrf"
LOGIN = "/login"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `polls`: asked by the page itself, which keeps no session alive. Path parameters are in `visit.path(name)`."""

    method: str
    path: str
    handler: Handler
    ability: Ability
    polls: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a module of `services/console/pages` gives as `PAGE`. `rank`: place in the menu, None = not in it."""

    name: str
    path: str
    ability: Ability
    routes: Sequence[Route]
    words: Catalogue
    rank: int | None = None


def router_of(console: Console, pages: Sequence[Page]) -> APIRouter:
    """Every route of every page, behind the walls."""
    router = APIRouter()
    for page in pages:
        for route in page.routes:
            router.add_api_route(
                route.path,
                _walled(console, route),
                methods=[route.method],
                response_model=None,
                include_in_schema=False,
            )
    return router


def _walled(console: Console, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = Visit(request, console, language_of(request))
        try:
            return await _enter(visit, route)
        except Refused as refused:
            known = refused.status == 404  # noqa: PLR2004
            return visit.told(
                "missing" if known else "refused", 404 if known else 409, detail=f"{refused} [{refused.code}]"
            )
        except InputError as error:
            detail = "; ".join(f"{problem.message} [{problem.code}]" for problem in error.problems)
            return visit.told("refused", 422, detail=detail)
        except Refusal as refusal:
            return visit.told("refused", refusal.status, detail=str(refusal))
        except (Unavailable, PyMongoError, *INFRASTRUCTURE) as error:
            console.log.warning("a page could not be made: something is away", page=route.path, exc_info=error)
            return visit.told("later", 503)
        except Exception as error:  # a fault of ours: told in words, and logged without what it was about
            console.log.error("unexpected error", page=route.path, exc_info=error)
            return visit.told("broken", 500)

    return endpoint


async def _enter(visit: Visit, route: Route) -> Response:
    console, request = visit.console, visit.request
    token = request.cookies.get(console.cookie, "")
    session = await console.sessions.of(token, console.clock.now(), active=not route.polls)
    account = None if session is None else await console.accounts.of_id(session.account)
    if session is None or account is None or account.disabled:
        return visit.away_to(LOGIN)
    visit = visit.signed_in(account, session)
    if not allows(account.role, route.ability):
        await console.audit.note(account, "access.refused", "page", route.path.split("{")[0], archived=False)
        return visit.told("forbidden", 403)
    if request.method == "POST":
        fields: Mapping[str, list[str]] = await read_form(request)
        if not is_csrf_of(session.token, first(fields, CSRF)):
            return visit.told("stale", 403)
        visit = visit.posted(fields)
    return await route.handler(visit)


__all__ = ["Handler", "Page", "Route", "router_of", "see"]
