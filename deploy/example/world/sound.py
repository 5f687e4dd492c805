"""Sound consents: what a careful collector publishes. Each scenario tells how many lines it gives and of what verdict."""

from __future__ import annotations

from collections.abc import Callable

from world.events import Author, Line, decide
from world.people import Person

GAME, GAME_LATER = ("jeu-rentree", 7), ("jeu-rentree", 8)
QUOTE, CARD, BANNER = ("devis", 3), ("carte", 2), ("bandeau", 2)
LIST, LIST_LATER = ("acme-partners", 12), ("acme-partners", 13)
QUOTE_LIST, CARD_LIST, TRACKERS = ("ruisseau-partenaires", 4), ("coing-partenaires", 2), ("coing-traceurs", 1)


def accepted(
    line: Line, *, valid: int = 0, invalid: int = 0, review: int = 0, reasons: dict[str, int] | None = None
) -> Line:
    """Write the expectation in the line: verdict lines by verdict, and how often each reason appears."""
    verdicts = {"valid": valid, "invalid": invalid, "review": review}
    return {**line, "expect": {"status": "accepted", "verdicts": verdicts, "reasons": reasons or {}}}


def game_email(author: Author, person: Person) -> Line:
    """E-mail yes for the three listed companies, nothing else."""
    return accepted(author.consent(person, GAME, LIST, [decide("email")], scenario="game_email"), valid=3)


def game_email_no_sms(author: Author, person: Person) -> Line:
    """E-mail yes, SMS no: the refusal is recorded, and nobody may send a text."""
    decisions = [decide("email"), decide("sms", "refused")]
    line = author.consent(person, GAME, LIST, decisions, scenario="game_email_no_sms")
    return accepted(line, valid=3, invalid=3, reasons={"REFUSED": 3})


def game_everything(author: Author, person: Person) -> Line:
    """E-mail and SMS for four listed companies, calls for two of them, each with its object and its period."""
    decisions = [
        decide("email"),
        decide("sms"),
        decide("call", "granted", "canalvert"),
        decide("call", "granted", "hibou"),
    ]
    return accepted(author.consent(person, GAME_LATER, LIST_LATER, decisions, scenario="game_everything"), valid=10)


def game_call(author: Author, person: Person) -> Line:
    """A call from one company only."""
    decisions = [decide("call", "granted", "canalvert")]
    return accepted(author.consent(person, GAME, LIST, decisions, scenario="game_call"), valid=1)


def quote_email(author: Author, person: Person) -> Line:
    """Quotes by e-mail and SMS from two of the three listed companies."""
    decisions = [decide("email", "granted", "hibou", "tisane"), decide("sms", "granted", "tisane")]
    return accepted(author.consent(person, QUOTE, QUOTE_LIST, decisions, scenario="quote_email"), valid=3)


def quote_call(author: Author, person: Person) -> Line:
    """Quotes by telephone from two companies."""
    decisions = [decide("call", "granted", "hibou"), decide("call", "granted", "tisane")]
    return accepted(author.consent(person, QUOTE, QUOTE_LIST, decisions, scenario="quote_call"), valid=2)


def card_email(author: Author, person: Person) -> Line:
    """Loyalty card, e-mail offers of both listed partners."""
    return accepted(author.consent(person, CARD, CARD_LIST, [decide("email")], scenario="card_email"), valid=2)


def card_post(author: Author, person: Person) -> Line:
    """Letters by legitimate interest (told, did not object), e-mail by consent."""
    decisions = [decide("email"), decide("post", "not_objected")]
    return accepted(author.consent(person, CARD, CARD_LIST, decisions, scenario="card_post"), valid=4)


def banner(author: Author, person: Person) -> Line:
    """Advertising trackers accepted on a banner where refusing is as easy."""
    decisions = [decide("tracker", purpose="ad_tracking")]
    return accepted(author.consent(person, BANNER, TRACKERS, decisions, scenario="banner"), valid=2)


SOUND: tuple[tuple[Callable[[Author, Person], Line], int], ...] = (
    (game_email, 420),
    (game_email_no_sms, 230),
    (game_everything, 250),
    (game_call, 130),
    (quote_email, 170),
    (quote_call, 130),
    (card_email, 170),
    (card_post, 90),
    (banner, 70),
)
"""(scenario, how many): 1 660 of the 2 000 consents."""
