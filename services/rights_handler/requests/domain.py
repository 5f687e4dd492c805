"""The life of one request as pure transitions: open, identity asked, answered or refused, closed (RGPD 12, 15 to 20).

Every function gives a new value from an old one and a moment; what the law or the state does not allow raises InputError with
a stable code. The delays are those of RGPD 12(3); the model: `model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.table import REQUEST_YEARS, years_after
from services.rights_handler.kinds import REVERSIBLE
from services.rights_handler.moments import months_after
from services.rights_handler.requests.model import Letter, Request
from shared.errors import InputError, Problem
from shared.instants import format_instant, parse_instant

REMIND_BEFORE = (timedelta(days=15), timedelta(days=7), timedelta(days=2))
"""Before the due time, the operator is reminded so many days ahead."""
REPEAT = timedelta(days=1)
"""How often an overdue request is raised again."""
CLAIM = timedelta(seconds=60)
"""Whoever decides has so long to order the letter; then any instance does."""
IDENTITY_WAIT = timedelta(days=30)
"""How long the person's proof of identity is waited for before the operator must decide."""


def opened(request: Request) -> Request:
    """A request as it enters: its month, its first reminder."""
    due = months_after(request.asked_at, 1)
    first = replace(request, due_at=due, history=({"at": request.received_at, "what": "received"},))
    return replace(first, next_at=_next(first, request.received_at))


def acts_at_once(request: Request) -> bool:
    """Suspensions do, since they can be undone; an erasure where the identity was checked; the rest when it is answered."""
    return request.right in REVERSIBLE or (request.right == "erasure" and request.verified)


def acting(request: Request, now: Instant) -> Request:
    """The request now stands among the stops."""
    return request if request.acted else _with(request, now, "acted", acted=True)


def identity_asked(request: Request, now: Instant, letter: Letter) -> Request:
    """Ask who it is (RGPD 12(6)): once, and only while an answer is owed; the clock stands still from here."""
    _must_be_open(request)
    if any(entry["what"] == "identity-asked" for entry in request.history):
        raise _refused("REQUEST-IDENTITY-TWICE", "identity has been asked for already: decide on what is known")
    return _written(request, now, "identity-asked", letter, state="identity", paused_at=now)


def identity_given(request: Request, now: Instant) -> Request:
    """The person showed who it is: the time it took does not count."""
    if request.state != "identity" or request.paused_at is None:
        raise _refused("REQUEST-STATE", "no identity is being waited for")
    stood_still = parse_instant(now) - parse_instant(request.paused_at)
    due = _later(request.due_at, stood_still)
    after = _with(request, now, "identity-given", state="open", paused_at=None, verified=True, due_at=due)
    return replace(after, next_at=_next(after, now))


def extended(request: Request, now: Instant, reason: str, letter: Letter) -> Request:
    """Two more months, told to the person with the reason before the first one ends (RGPD 12(3))."""
    _must_be_open(request)
    if request.extended:
        raise _refused("REQUEST-EXTENDED", "the delay was extended already: the law allows it once")
    if now > request.due_at:
        raise _refused("REQUEST-EXTEND-LATE", "the first month has ended: an extension had to be told within it")
    return _written(
        request, now, "extended", letter, extended=True, reason=reason, due_at=until_extended(request), reminders=0
    )


def answered(request: Request, now: Instant, letter: Letter, outcome: str | None = None) -> Request:
    """The answer is ready to go; the request closes once every recipient has applied it."""
    if not request.live:
        raise _refused("REQUEST-CLOSED", "this request has been answered")
    return _written(request, now, "answered", letter, state="answered", outcome=outcome, paused_at=None)


def refused(request: Request, now: Instant, reason: str, letter: Letter) -> Request:
    """Refused, with reasons and where to complain (RGPD 12(4)); what it had suspended is free again."""
    if not request.live:
        raise _refused("REQUEST-CLOSED", "this request has been answered")
    return _written(request, now, "refused", letter, state="refused", reason=reason, paused_at=None)


def lifted(request: Request, now: Instant, letter: Letter) -> Request:
    """A restriction ends: the person is told before (RGPD 18(3))."""
    if request.right != "restriction" or request.outcome == "lifted" or request.state not in ("answered", "closed"):
        raise _refused("REQUEST-STATE", "only a restriction that was granted can be lifted, once")
    return _written(request, now, "lifted", letter, outcome="lifted")


def until_extended(request: Request) -> Instant:
    """The due time after an extension."""
    return months_after(request.due_at, 2)


def waiting(request: Request, now: Instant) -> Request:
    """Answered, with orders still open: looked at again each day, though an answer of the last party closes it at once."""
    return replace(request, next_at=_later(now, REPEAT), rev=request.rev + 1)


def told(request: Request, now: Instant, ordered: int) -> Request:
    """Its first `ordered` letters have been ordered; one that was added meanwhile still waits, and is looked at now."""
    letters = tuple(replace(one, sent=one.sent or n < ordered) for n, one in enumerate(request.letters))
    after = replace(request, letters=letters, rev=request.rev + 1)
    if ordered < len(letters):
        return replace(after, next_at=now)
    if after.state == "identity" and after.paused_at is not None:
        return replace(after, next_at=_later(after.paused_at, IDENTITY_WAIT))
    if after.live:
        return replace(after, next_at=_next(after, now))
    return replace(
        after, next_at=_later(now, REPEAT) if after.closed_at is None else years_after(after.closed_at, REQUEST_YEARS)
    )


def erased_records(request: Request, records: Sequence[str], now: Instant) -> Request:
    """These records' data are gone."""
    new = sorted(set(records) - set(request.erased))
    if not new:
        return request
    return _with(request, now, "erased", erased=(*request.erased, *new))


def settled(request: Request, now: Instant) -> Request:
    """Every recipient has applied it."""
    if request.state not in ("answered", "refused"):
        return request
    return _with(request, now, "closed", state="closed", next_at=years_after(now, REQUEST_YEARS), closed_at=now)


def is_past(request: Request, now: Instant) -> bool:
    """Whether its personal part has served: kept as long as an answer may have to be proven, and no longer."""
    return request.closed_at is not None and now >= years_after(request.closed_at, REQUEST_YEARS)


def forgotten(request: Request, now: Instant) -> Request:
    """Nothing of the person stands on the request any more; what was done, and when, remains."""
    bare = replace(
        request, sealed=None, contact_keys=frozenset(), subject_key=None,
        letters=tuple(replace(letter, sealed=b"") for letter in request.letters),
    )  # fmt: skip
    return _with(bare, now, "forgotten", next_at=None)


def leased(request: Request, until: Instant) -> Request:
    """Claimed by one instance until a moment: if that instance dies, another one looks at it then."""
    return replace(request, next_at=until, rev=request.rev + 1)


def chased(request: Request, now: Instant) -> Request:
    """The operator is reminded; past the due time (or the wait for an identity) the request is overdue, and raised daily."""
    late = now >= request.due_at if request.state == "open" else _waited(request, now)
    number = request.reminders + 1
    what = ("overdue" if not request.overdue else "raised") if late else "reminded"
    after = _with(request, now, what, reminders=number, overdue=request.overdue or (late and request.state == "open"))
    return replace(after, next_at=_later(now, REPEAT) if late else _next(after, now))


def stands(request: Request) -> bool:
    """Whether it still withholds: a lifted restriction, a withdrawn dispute and whatever was refused do not."""
    return request.acted and request.state != "refused" and request.outcome not in ("lifted", "withdrawn")


def _waited(request: Request, now: Instant) -> bool:
    return request.paused_at is not None and now >= _later(request.paused_at, IDENTITY_WAIT)


def _next(request: Request, now: Instant) -> Instant:
    """The next reminder, else the due time itself."""
    due = parse_instant(request.due_at)
    moments = [*(format_instant(due - before) for before in REMIND_BEFORE), request.due_at]
    return next((moment for moment in moments if moment > now), _later(now, REPEAT))


def _later(moment: Instant, by: timedelta) -> Instant:
    return format_instant(parse_instant(moment) + by)


def _with(request: Request, now: Instant, what: str, **changes: Any) -> Request:
    return replace(request, **changes, rev=request.rev + 1, history=(*request.history, {"at": now, "what": what}))


def _written(request: Request, now: Instant, what: str, letter: Letter, **changes: Any) -> Request:
    """A change with a letter: its author orders it now; if that instance dies, another looks when the claim ends."""
    return _with(request, now, what, letters=(*request.letters, letter), next_at=_later(now, CLAIM), **changes)


def _must_be_open(request: Request) -> None:
    if request.state != "open":
        raise _refused("REQUEST-STATE", "this request waits for something else, or has been answered")


def _refused(code: str, message: str) -> InputError:
    return InputError([Problem(code, "", message)])
