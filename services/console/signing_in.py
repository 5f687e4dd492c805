"""Signing in and out: the only routes that need no session. A sign-in form is bound to the browser that asked for it.

Tries are counted by login and by network address before the password is looked at; the answer is the same for an unknown login, a
wrong password and a disabled account.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from pymongo.errors import PyMongoError

from services.console.accounts import Account
from services.console.audit import NOBODY
from services.console.parts import Console
from services.console.routing import CSRF
from services.console.sessions import TOKEN_LONGEST, csrf_of, is_csrf_of, new_token
from services.console.visit import Visit, language_of, see
from services.console.words import Catalogue
from shared.posted import first, read_form
from shared.problems import Refusal

FORM_COOKIE = "opposable-console-form"
WORDS: Catalogue = {
    "login.title": ("Connexion", "Sign in"),
    "login.login": ("Identifiant", "Login"),
    "login.password": ("Mot de passe", "Password"),
    "login.enter": ("Se connecter", "Sign in"),
    "login.hint": (
        "Les comptes se créent par la commande « opposable console user add ». Chaque connexion est journalisée.",
        "Accounts are made with `opposable console user add`. Every sign-in is logged.",
    ),
    "login.wrong": ("Identifiant ou mot de passe inconnu.", "Unknown login or password."),
    "login.many": (
        "Trop d’essais. Attendez un quart d’heure, ou demandez à qui gère les comptes.",
        "Too many tries. Wait a quarter of an hour, or ask whoever manages accounts.",
    ),
    "login.stale": ("Cette page était restée ouverte : recommencez.", "This page had been left open: try again."),
}  # fmt: skip


class SigningIn:
    """The routes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter()
        for method, path, endpoint in (
            ("GET", "/login", self.form), ("POST", "/login", self.enter), ("POST", "/logout", self.leave),
        ):  # fmt: skip
            router.add_api_route(
                path, self._gently(endpoint), methods=[method], response_model=None, include_in_schema=False
            )
        return router

    async def form(self, visit: Visit) -> Response:
        """The empty form; whoever is signed in already goes to the overview."""
        console = self._console
        token = visit.request.cookies.get(console.cookie, "")
        session = await console.sessions.of(token, console.clock.now())
        account = None if session is None else await console.accounts.of_id(session.account)
        if account is not None and not account.disabled:
            return see("/")
        return self._page(visit, 200, "")

    async def enter(self, visit: Visit) -> Response:
        """Check and sign in."""
        console, now = self._console, self._console.clock.now()
        fields = await read_form(visit.request)
        login, password = first(fields, "login")[:TOKEN_LONGEST], fields.get("password", [""])[0]
        if not is_csrf_of(visit.request.cookies.get(FORM_COOKIE, ""), first(fields, CSRF)):
            return self._page(visit, 403, "login.stale", login)
        by_login = await console.sessions.tried("login", login.casefold(), now)
        by_address = await console.sessions.tried("address", visit.address(), now)
        settings = console.settings
        if by_login > settings.console_tries_per_login or by_address > settings.console_tries_per_address:
            return self._page(visit, 429, "login.many", login)
        account = await console.accounts.of_login(login)
        right = await console.passwords.matches(account.hash if account else None, password)
        if account is None or not right or account.disabled:
            who: Account | str = NOBODY if account is None else account
            await console.audit.note(who, "login.refused", archived=False)
            return self._page(visit, 401, "login.wrong", login)
        await console.audit.note(account, "login.done")
        session = await console.sessions.begin(account.id, now)
        answer = see("/")
        answer.set_cookie(
            console.cookie, session.token, httponly=True, samesite="strict", secure=settings.secure_cookies
        )
        answer.delete_cookie(FORM_COOKIE, httponly=True, samesite="strict", secure=settings.secure_cookies)
        return answer

    async def leave(self, visit: Visit) -> Response:
        """End the session at once."""
        console = self._console
        token = visit.request.cookies.get(console.cookie, "")
        session = await console.sessions.of(token, console.clock.now())
        fields = await read_form(visit.request)
        if session is not None:
            if not is_csrf_of(token, first(fields, CSRF)):
                return visit.told("stale", 403)
            account = await console.accounts.of_id(session.account)
            await console.audit.note(account or NOBODY, "logout.done")
            await console.sessions.end(token)
        answer = see("/login")
        answer.delete_cookie(console.cookie, httponly=True, samesite="strict", secure=console.settings.secure_cookies)
        return answer

    def _page(self, visit: Visit, status: int, error: str, login: str = "") -> Response:
        token = new_token()
        answer = visit.page(
            "login", status, token=csrf_of(token), error=visit.words(error) if error else "", login=login
        )
        answer.set_cookie(
            FORM_COOKIE, token, httponly=True, samesite="strict", secure=self._console.settings.secure_cookies
        )
        return answer

    def _gently(self, endpoint: Callable[[Visit], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def route(request: Request) -> Response:
            visit = Visit(request, self._console, language_of(request))
            try:
                return await endpoint(visit)
            except Refusal as refusal:
                return visit.told("refused", refusal.status, detail=str(refusal))
            except PyMongoError as error:
                self._console.log.warning("nobody can sign in: the database is away", exc_info=error)
                return visit.told("later", 503)

        return route
