"""One request as a page's handler sees it: who asks, in which language, what was posted, and how to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from services.console.accounts import Account
from services.console.parts import Console
from services.console.render import HEADERS, html
from services.console.roles import Ability, allows
from services.console.sessions import Session
from services.console.words import LANGUAGES, Language, Words
from shared.errors import Unavailable
from shared.posted import first
from shared.reasons import checked

LANGUAGE_COOKIE = "opposable-console-lang"
YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Visit:
    """A request. `account` and `session` are there for every handler of a page (`me`, `session_now`)."""

    request: Request
    console: Console
    language: Language
    account: Account | None = None
    session: Session | None = None
    fields: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def me(self) -> Account:
        """Who is signed in. Raises Unavailable where nobody is (a handler is only reached signed in)."""
        if self.account is None:
            raise Unavailable("nobody is signed in")
        return self.account

    @property
    def words(self) -> Words:
        """The words of this visit's language."""
        return Words(self.language, self.console.catalogue)

    def signed_in(self, account: Account, session: Session) -> Visit:
        """The same visit of an account."""
        return replace(self, account=account, session=session)

    def posted(self, fields: Mapping[str, list[str]]) -> Visit:
        """The same visit with the fields of its form."""
        return replace(self, fields=fields)

    def field(self, name: str) -> str:
        """A posted field, trimmed; empty where there is none."""
        return first(self.fields, name)

    def reason(self, name: str = "reason") -> str:
        """The posted reason. Raises InputError where it is missing or could name a person."""
        return checked(self.field(name), f"/{name}", "REASON")

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the query, trimmed."""
        return self.request.query_params.get(name, "").strip()[:200]

    def can(self, ability: Ability | str) -> bool:
        """Whether the account has an ability."""
        return self.account is not None and allows(self.account.role, Ability(ability))

    async def note(self, action: str, what: str = "", thing: str = "", *, keyed: bool = False, reason: str = "") -> str:
        """Write what is about to be done into the audit log, which is archived. Call it BEFORE doing or showing it."""
        return await self.console.audit.note(self.me, action, what, thing, keyed=keyed, reason=reason)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page: `templates/<template>.html.jinja`, which has `t`, `visit`, `menu`, `csrf` besides what is given."""
        answer = html(template, status, **self._common(), **values)
        if self.request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, self.language, max_age=YEAR_S, samesite="strict", httponly=True,
                              secure=self.console.settings.secure_cookies)  # fmt: skip
        return answer

    def told(self, what: str, status: int, *, detail: str = "") -> Response:
        """A page that says one thing: `<what>.title` and `<what>.text` of the words."""
        t = self.words
        text = t(f"{what}.text") if f"{what}.text" in self.console.catalogue else ""
        return self.page("told", status, title=t(f"{what}.title"), text=text, detail=detail)

    def away_to(self, path: str) -> Response:
        """To another page of ours, also where a part of a page asked."""
        if self.request.headers.get("hx-request"):
            return Response("", status_code=204, headers={**HEADERS, "HX-Redirect": path})
        return see(path)

    def address(self) -> str:
        """The visitor's network address, for counting; it is kept hashed only."""
        return self.request.client.host if self.request.client is not None else "unknown"

    def _common(self) -> dict[str, Any]:
        menu = [
            page for page in sorted(self.console.pages, key=lambda one: one.rank or 0)
            if page.rank is not None and self.can(page.ability)
        ]  # fmt: skip
        return {
            "t": self.words, "visit": self, "menu": menu, "lang": self.language, "here": self.request.url.path,
            "other_language": next(code for code in LANGUAGES if code != self.language),
            "csrf": self.session.csrf if self.session is not None else "",
        }  # fmt: skip


def see(path: str) -> Response:
    """See other: always a path of ours, never what a request said."""
    return RedirectResponse(path, status_code=303, headers=HEADERS)


def language_of(request: Request) -> Language:
    """`?lang=`, else the cookie, else French."""
    for said in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if said in LANGUAGES:
            return said
    return "fr"
