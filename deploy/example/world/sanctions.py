"""Consents that follow what the CNIL and the law punish. Nothing is wrong in their form: only the assessment refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from world.events import Author, Line, decide
from world.people import Person
from world.sound import CARD, CARD_LIST, GAME, LIST, QUOTE, QUOTE_LIST, TRACKERS, accepted

HOUR_S, DAY_S = 3600, 86_400


class Pattern:
    """One punished practice: the page, the list, the decisions, and the reasons each refused line must carry."""

    def __init__(
        self,
        name: str,
        form: tuple[str, int],
        recipients: tuple[str, int] | None,
        decisions: Callable[[], list[dict[str, Any]]],
        *reasons: str,
        valid: int = 0,
        refused: int = 1,
        verdict: str = "invalid",
        bend: Callable[[Line], None] | None = None,
    ) -> None:
        self.name, self.form, self.recipients, self.decisions, self.reasons = name, form, recipients, decisions, reasons
        self.valid, self.refused, self.verdict, self.bend = valid, refused, verdict, bend

    def __call__(self, author: Author, person: Person) -> Line:
        """One line of this practice."""
        line = author.consent(person, self.form, self.recipients, self.decisions(), scenario=self.name)
        if self.bend:
            self.bend(line)
        counts = {self.verdict: self.refused}
        return accepted(line, valid=self.valid, reasons=dict.fromkeys(self.reasons, self.refused), **counts)


def _shift(pointer: str, seconds: float) -> Callable[[Line], None]:
    def bend(line: Line) -> None:
        line["after_s"][pointer] = seconds

    return bend


def _unknown_form(line: Line) -> None:
    line["data"]["form"]["version"] = 99


def _other_page(line: Line) -> None:
    line["data"]["form"]["sha256"] = "0" * 64


def _no_list(line: Line) -> None:
    del line["data"]["recipient_list"], line["after_s"]["/recipient_list/displayed_at"]


def _no_object(line: Line) -> None:
    del line["data"]["decisions"][0]["object"]


def _no_phone(line: Line) -> None:
    line["data"]["contacts"] = [c for c in line["data"]["contacts"] if c["type"] != "phone"]


def _typed_by_hand(line: Line) -> None:
    line["after_s"] |= {"/collected_at": -3 * DAY_S, "/recipient_list/displayed_at": -3 * DAY_S - 40}


def _email(*recipients: str) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [decide("email", "granted", *recipients)]


def _call(recipient: str) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [decide("call", "granted", recipient)]


def _tracker() -> list[dict[str, Any]]:
    return [decide("tracker", purpose="ad_tracking")]


_V4, _V5, _V6 = ("jeu-rentree", 4), ("jeu-rentree", 5), ("jeu-rentree", 6)
_BUNDLED, _CONDITIONAL = ("jeu-express", 1), ("jeu-express", 2)
_OLD_QUOTE, _NO_LIST_QUOTE, _DOORS, _MAZE = ("devis", 2), ("devis-partenaire", 1), ("carte", 1), ("bandeau", 1)
_CATEGORIES = ("acme-categories", 1)

SANCTIONS: tuple[tuple[Pattern, int], ...] = (
    (
        Pattern(
            "canalplus_categories_only", _V4, _CATEGORIES, _email("canalvert"), "LIST-CATEGORIES", "LIST-NOT-NAMED"
        ),
        25,
    ),
    (Pattern("criteo_refusal_hidden", _MAZE, TRACKERS, _tracker, "TRACKER-PARITY", refused=2), 20),
    (Pattern("hubside_buyer_absent_from_list", GAME, LIST, _email("marmotte"), "LIST-NOT-NAMED"), 20),
    (
        Pattern(
            "cosmospace_group_shares_base", GAME, LIST, _email("isobelette"), "LIST-NOT-NAMED", "AGREEMENT-MISSING"
        ),
        20,
    ),
    (Pattern("tagadamedia_small_grey_refusal", _V5, LIST, _email(), "FORM-UNBALANCED", refused=3), 25),
    (Pattern("edf_template_not_proof", GAME, LIST, _email("canalvert"), "FORM-UNKNOWN", bend=_unknown_form), 15),
    (Pattern("page_is_another", GAME, LIST, _email("canalvert"), "FORM-HASH", bend=_other_page), 10),
    (Pattern("preticked_box", _V6, LIST, _email(), "ACT-PRETICKED", refused=3), 25),
    (
        Pattern(
            "one_box_two_channels",
            _BUNDLED,
            LIST,
            lambda: [decide("email", "granted", "canalvert"), decide("sms", "granted", "canalvert")],
            "ACT-BUNDLED",
            refused=2,
        ),
        15,
    ),
    (Pattern("no_game_without_consent", _CONDITIONAL, LIST, _email("tisane"), "ACT-CONDITIONAL"), 15),
    (Pattern("caloga_four_doors", _DOORS, CARD_LIST, _email(), "WITHDRAWAL-HARDER", refused=2), 20),
    (Pattern("call_statements_missing", _OLD_QUOTE, QUOTE_LIST, _call("hibou"), "PHONE-STATEMENTS"), 15),
    (
        Pattern(
            "call_beyond_a_year",
            GAME,
            LIST,
            _call("canalvert"),
            "PHONE-PERIOD",
            bend=_shift("/decisions/0/valid_until", 400 * DAY_S),
        ),
        10,
    ),
    (Pattern("call_about_anything", GAME, LIST, _call("canalvert"), "PHONE-OBJECT", bend=_no_object), 10),
    (Pattern("renovation_call", QUOTE, QUOTE_LIST, _call("isobelette"), "SECTOR-BANNED"), 15),
    (Pattern("list_absent_from_page", _NO_LIST_QUOTE, QUOTE_LIST, _email("tisane"), "LIST-NOT-SHOWN"), 10),
    (Pattern("sold_without_list", GAME, LIST, _email("canalvert"), "LIST-MISSING", bend=_no_list), 10),
    (
        Pattern(
            "list_shown_after_click",
            GAME,
            LIST,
            _email("canalvert"),
            "LIST-LATER",
            bend=_shift("/recipient_list/displayed_at", 20),
        ),
        10,
    ),
    (
        Pattern(
            "silence_is_no_consent", GAME, LIST, lambda: [decide("email", "not_objected", "canalvert")], "ACT-NONE"
        ),
        10,
    ),
    (
        Pattern(
            "sms_without_number",
            GAME,
            LIST,
            lambda: [decide("email", "granted", "canalvert"), decide("sms", "granted", "canalvert")],
            "CHANNEL-UNCOVERED",
            valid=1,
            bend=_no_phone,
        ),
        10,
    ),
    (
        Pattern(
            "loyalty_reused_elsewhere",
            CARD,
            CARD_LIST,
            lambda: [decide("email", "granted", "hibou"), decide("email", "granted", "tisane")],
            "LIST-NOT-NAMED",
            "AGREEMENT-MISSING",
            valid=1,
        ),
        10,
    ),
    (
        Pattern(
            "clock_an_hour_ahead", GAME, LIST, _email("canalvert"), "TIME-FUTURE", bend=_shift("/collected_at", HOUR_S)
        ),
        10,
    ),
    (
        Pattern(
            "typed_by_hand_three_days_later",
            GAME,
            LIST,
            _email("canalvert"),
            "EVIDENCE-LATE",
            verdict="review",
            bend=_typed_by_hand,
        ),
        10,
    ),
)
"""(practice, how many): 340 of the 2 000 consents, the names of companies invented."""
