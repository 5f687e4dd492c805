"""All that was understood of one page, before it is judged or written down: the input of findings, questions and document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.form_inspector import boxes as box_reading
from services.form_inspector import conditions, recipients, statements
from services.form_inspector.boxes import Box
from services.form_inspector.choices import Choices, choose
from services.form_inspector.conditions import Told
from services.form_inspector.facts import Page
from services.form_inspector.recipients import Recipients
from services.form_inspector.statements import WITHDRAWS
from services.form_inspector.texts import Line, lines
from shared.forms.wording import any_of, normal
from shared.registry.shown import Notice, RecipientList

_NOTICE_LINK = any_of(
    r"mentions? (?:d'information|legales|rgpd)", r"donnees personnelles\b", r"confidentialite\b", r"protection des donnees\b",
    r"vie privee$", r"notice\b",
)  # fmt: skip
_CONSENT_FIELD = re.compile(r"opt[-_ ]?in|consent|newsletter|partenaire|partner|prospect|offres?\b")
_PHONE = re.compile(r"\btel|phone|mobile|portable")
_SMALLEST_FRAME = 400
"""Frames of fewer square pixels are beacons, not content."""
_LATE_CONTENT = frozenset({"script", "xhr", "fetch", "document"})
_LOOKS = frozenset({"stylesheet"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """`unread`: codes of what could not be read (absence proves nothing then). `restyled`: a style sheet was not loaded."""

    page: Page
    lines: Sequence[Line]
    boxes: Sequence[Box]
    choices: Choices
    recipients: Recipients
    calls_asked: bool
    calls_told: dict[str, list[Line]]
    withdrawal: tuple[Line, ...]
    denied: tuple[Line, ...]
    withdrawal_steps: Told[int] | None
    service: Told[bool] | None
    incentive: tuple[Line, ...]
    minors: Told[bool] | None
    post: dict[str, bool] | None
    notice_link: tuple[str, str] | None
    items_on_page: tuple[str, ...]
    items_linked: tuple[str, ...]
    unread: tuple[str, ...]
    restyled: bool

    @property
    def asked(self) -> list[Box]:
        """Boxes that ask for something and can be seen: those the registry keeps."""
        return [box for box in self.boxes if box.asks and box.hidden is None]

    @property
    def consents(self) -> list[Box]:
        """Those whose tick says yes."""
        return [box for box in self.asked if not box.objects]

    @property
    def asks(self) -> bool:
        """Whether consent is asked at all: by a box, by a banner, or by a button that is said to mean it."""
        return bool(self.consents) or self.choices.banner or self.choices.named is not None

    @property
    def grant_steps(self) -> int | None:
        """Gestures to consent: clicks to reach the acceptance, a tick where a box is empty, and the acceptance."""
        depth = self.choices.accept_depth
        if depth is None:
            return None
        ticks = any(box.default != "on" for box in self.consents) and not self.choices.banner
        return depth + int(ticks) + 1

    @property
    def refuse_steps(self) -> int | None:
        """Gestures to refuse: clicks to reach the refusal, a tick off for each box ticked beforehand, and the refusal."""
        refuse = self.choices.refusal
        if refuse is None:
            return None
        undo = sum(box.default == "on" for box in self.consents) if refuse.by == "unticked" else 0
        return refuse.depth + undo + 1

    @property
    def refusal_gone_on_phone(self) -> str | None:
        """Why the refusal of the first screen cannot be seen at a telephone's width, or None."""
        refuse, narrow = self.choices.refusal, self.page.narrow
        if refuse is None or refuse.depth or refuse.by != "control" or narrow is None or refuse.label in narrow.shown:
            return None
        reason = narrow.missing.get(refuse.label, "gone")
        return None if refuse.covered and reason == "covered" else reason

    @property
    def concealed_consents(self) -> tuple[str, ...]:
        """Names of hidden fields that look like a consent sent without the person."""
        names = (name for screen in self.page.screens for name in screen.seen.concealed)
        return tuple(dict.fromkeys(name for name in names if _CONSENT_FIELD.search(normal(name))))

    @property
    def unseen_consents(self) -> list[Box]:
        """Boxes ticked beforehand that no person can see, and that ask for something by their label or name."""
        hidden = [box for box in self.boxes if box.hidden and box.default == "on" and not box.objects]
        return [box for box in hidden if box.asks or _CONSENT_FIELD.search(box.id)]

    @property
    def asks_phone(self) -> bool:
        """Whether a telephone number is asked for (or any field that could take one)."""
        fields = [field for screen in self.page.screens for field in screen.seen.fields]
        return not fields or any(
            f.type == "tel" or _PHONE.search(normal(f"{f.label} {f.name} {f.hint}")) for f in fields
        )

    @property
    def illegible_withdrawal(self) -> tuple[Line, ...]:
        """Lines that tell of withdrawal in letters too small or too pale to be read."""
        return tuple(line for line in self.lines if not line.legible and WITHDRAWS.search(line.plain))


def understand(page: Page, registered: RecipientList | None) -> Evidence:
    """Reads everything that can be read."""
    told = lines(page)
    found = box_reading.read(page)
    choices = choose(page, found)
    withdrawal = conditions.withdrawal(told)
    link = _notice_link(told)
    return Evidence(
        page=page, lines=told, boxes=found, choices=choices, recipients=recipients.find(page, told, registered),
        calls_asked=statements.asks_for_calls(found, told), calls_told=statements.of_calls(found, told),
        withdrawal=withdrawal, denied=conditions.denied(told), withdrawal_steps=conditions.withdrawal_steps(withdrawal),
        service=conditions.service(told, found, choices), incentive=conditions.incentive(told),
        minors=conditions.minors(told), post=conditions.post(told, found), notice_link=link,
        items_on_page=tuple(statements.items_of([line.text for line in told if line.legible and not line.label])),
        items_linked=tuple(statements.items_of(page.linked.get(link[1].partition("#")[0], ()))) if link else (),
        unread=_unread(page), restyled=any(kind in _LOOKS for kind in page.blocked),
    )  # fmt: skip


def notice_of(evidence: Evidence, notices: Sequence[Notice]) -> Notice | None:
    """The registered notice that the page's link names by version (and by id where several have that version)."""
    if evidence.notice_link is None:
        return None
    words = " ".join(evidence.notice_link)
    named = [n for n in notices if re.search(rf"(?<![\w-]){re.escape(n.version)}(?![\w-])", words)]
    exact = [n for n in named if n.id in words]
    return exact[0] if len(exact) == 1 else named[0] if len(named) == 1 else None


def list_of(page: Page, lists: Sequence[RecipientList]) -> RecipientList | None:
    """The registered list that the page names by id and version; the only one given where it names none."""
    text = " ".join(normal(block.text) for screen in page.screens for block in screen.seen.blocks)
    named = [one for one in lists if re.search(rf"\b{re.escape(one.id)}\b.{{0,12}}\bversion {one.version}\b", text)]
    return named[0] if named else lists[0] if len(lists) == 1 else None


def _notice_link(told: Sequence[Line]) -> tuple[str, str] | None:
    """The notice's link; a partner's own (`vie privée` in a list of companies) is not it."""
    links = [(text, url) for line in told if line.list < 0 or "siren" not in line.plain for text, url in line.addresses]
    return next(((text, url) for text, url in links if _NOTICE_LINK.search(normal(text))), None)


def _unread(page: Page) -> tuple[str, ...]:
    frames = [
        f for s in page.screens for f in s.seen.frames if f.hidden is None and f.rect and f.rect.area > _SMALLEST_FRAME
    ]
    found = {
        "frame": any(frame.tag != "canvas" for frame in frames),
        "canvas": any(frame.tag == "canvas" for frame in frames),
        "blocked": any(kind in _LATE_CONTENT for kind in page.blocked),
        "closed": page.closed_roots > 0,
        "screens": page.incomplete,
    }
    return tuple(code for code, present in found.items() if present)
