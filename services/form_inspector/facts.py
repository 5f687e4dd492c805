"""What the scripts of `in_page/` saw on one screen of a page, before any reading of it.

Lengths are CSS pixels of the whole page, not of the window; colours are (red, green, blue 0–255, alpha 0–1). `hidden` is why
a person cannot see the thing, or None.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Colour = tuple[float, float, float, float]


class Fact(BaseModel):
    """Strict about its fields: the scripts and these models change together."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rect(Fact):
    """Top left corner and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


class Layer(Fact):
    """One element's contribution to what lies behind a text. `odd`: filters, blending, masks."""

    background: Colour
    image: bool
    opacity: float
    odd: bool


class Paint(Fact):
    """How a text is drawn; layers go from its own element up to the root. `behind`: something else is painted under it."""

    font_px: float
    bold: bool
    color: Colour
    layers: tuple[Layer, ...]
    canvas: Colour
    behind: bool


class Scope(Fact):
    """The form, dialog or floating panel something belongs to; key -1 is the page itself."""

    key: int
    kind: Literal["form", "dialog", "panel", "page"]


class Link(Fact):
    """A link inside a text."""

    text: str
    address: str


class Control(Fact):
    """Something to click. `text` is what is seen, `name` what assistive technology says, `around` the text it stands in."""

    key: int
    order: int
    tag: str
    type: str
    text: str
    name: str
    href: str
    rect: Rect | None
    hidden: str | None
    disabled: bool
    around: str
    paint: Paint
    scope: Scope
    opens: bool

    @property
    def shown(self) -> bool:
        """Whether a person can see and use it."""
        return self.hidden is None and not self.disabled

    @property
    def label(self) -> str:
        """What is written on it, else what it is named."""
        return self.text or self.name


class Option(Fact):
    """One line of a drop-down."""

    text: str
    selected: bool


class Tickable(Fact):
    """A box, switch, radio button or drop-down. `guessed`: the label is only the text that stands beside it."""

    key: int
    order: int
    kind: Literal["checkbox", "radio", "select"]
    id: str
    name: str
    value: str
    checked: bool
    options: tuple[Option, ...]
    required: bool
    label: str
    guessed: bool
    legend: str
    rect: Rect | None
    label_rect: Rect | None
    hidden: str | None
    label_hidden: str | None
    paint: Paint
    scope: Scope
    group: str


class Block(Fact):
    """A paragraph, list item or cell as it is read. `list` and `row`: the list or table it is in, its item or row there, or -1."""

    order: int
    text: str
    rect: Rect | None
    heading: str
    list: int
    row: int
    label: bool
    title: bool
    paint: Paint
    links: tuple[Link, ...]


class Field(Fact):
    """Something the person is asked to type."""

    type: str
    name: str
    label: str
    hint: str


class Frame(Fact):
    """Content that cannot be read from here."""

    tag: str
    rect: Rect | None
    hidden: str | None


class Seen(Fact):
    """One screen of the page."""

    title: str
    language: str
    address: str
    width: float
    height: float
    blocks: tuple[Block, ...]
    fields: tuple[Field, ...]
    concealed: tuple[str, ...]
    boxes: tuple[Tickable, ...]
    frames: tuple[Frame, ...]
    controls: tuple[Control, ...]


class Screen(Fact):
    """What was seen after opening `path`, the labels clicked one after the other (none: the page as it opens)."""

    path: tuple[str, ...]
    seen: Seen

    @property
    def depth(self) -> int:
        """Clicks to get here."""
        return len(self.path)


class Narrow(Fact):
    """What a telephone shows, 390 px wide: labels of the controls seen there, and of those that are not (with why)."""

    shown: tuple[str, ...]
    missing: dict[str, str]


class Page(Fact):
    """Everything read from one page. `blocked` counts what the page asked of other hosts, by kind of resource.

    `linked` holds the texts of pages on the same host that a link of the form leads to, by address.
    """

    source: str
    browser: str
    html_sha256: str
    screenshot_sha256: str
    screens: tuple[Screen, ...]
    incomplete: bool
    narrow: Narrow | None
    blocked: dict[str, int]
    closed_roots: int
    linked: dict[str, tuple[str, ...]]
