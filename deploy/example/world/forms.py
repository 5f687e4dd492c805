"""Form versions of the example: fourteen pages, each of the faulty ones with one fault that a sanction punished."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from world.companies import NOTICES

STATEMENTS = ("professional", "choice", "period", "withdrawal", "proof_access")
"""The five statements a telephone consent needs (C. conso. R.223-1)."""


@dataclass(frozen=True)
class Button:
    """Looks of one of the two answers: label, size and font in pixels, text and background colours."""

    label: str
    width: int = 230
    height: int = 44
    font: int = 16
    colours: tuple[str, str] = ("#ffffff", "#1f4e79")


@dataclass(frozen=True)
class FormSpec:
    """One form version: what the registry says of it and what the page shows."""

    id: str
    version: int
    collector: str
    published_at: str
    title: str
    intro: str
    recipients: tuple[str, int]
    calls: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("email", "sms")
    together: bool = False
    default: str = "off"
    list_shown: str = "on_form"
    withdraw_steps: int = 1
    conditional: bool = False
    statements: tuple[str, ...] = STATEMENTS
    post: bool = False
    tracker: tuple[int, int] | None = None
    accept: Button = field(default_factory=lambda: Button("Valider et accepter"))
    refuse: Button = field(default_factory=lambda: Button("Valider sans accepter"))
    refusal_below: bool = False

    @property
    def stem(self) -> str:
        """File name of the page and of its screenshot, without the extension."""
        return f"{self.id}-v{self.version}"

    def boxes(self) -> list[dict[str, Any]]:
        """One registry box per thing that can be ticked."""
        if self.tracker:
            return [_box("t-publicite", ["tracker"], self.default, "ad_tracking")]
        groups = [list(self.channels)] if self.together else [[channel] for channel in self.channels]
        boxes = [_box("b-" + "-".join(group), group, self.default) for group in groups]
        boxes += [_box(f"b-appel-{party}", ["call"], self.default) for party in self.calls]
        return boxes + ([_box("o-courrier", ["post"], "off")] if self.post else [])

    def document(self, html_sha256: str, screenshot_sha256: str) -> dict[str, Any]:
        """The `form` document of the registry."""
        notice, version = NOTICES[self.collector]
        return {
            "kind": "form",
            "id": self.id,
            "version": self.version,
            "collector": self.collector,
            "published_at": self.published_at,
            "html_sha256": html_sha256,
            "screenshot_sha256": screenshot_sha256,
            "medium": "web",
            "notice": {"id": notice, "version": version},
            "list_shown": self.list_shown,
            "withdrawal_told": True,
            "steps": {"grant": 1, "withdraw": self.withdraw_steps},
            "service_conditional": self.conditional,
            "incentive": None,
            "targets_minors": False,
            "refusal": {
                "present": True,
                **_looks(self.refuse),
                "position": "below" if self.refusal_below else "beside",
            },
            "acceptance": _looks(self.accept),
            "boxes": self.boxes(),
            "phone_statements": list(self.statements) if self.calls else [],
            "post_information": {"transfer_told": True, "objection_offered": True} if self.post else None,
            "tracker": {"steps_accept": self.tracker[0], "steps_refuse": self.tracker[1]} if self.tracker else None,
        }


def _box(name: str, channels: list[str], default: str, purpose: str = "prospecting") -> dict[str, Any]:
    return {"id": name, "channels": channels, "purposes": [purpose], "default": default, "with_terms": False}


def _looks(button: Button) -> dict[str, Any]:
    return {
        "label": button.label,
        "width_px": button.width,
        "height_px": button.height,
        "font_px": button.font,
        "contrast": contrast(*button.colours),
    }


def contrast(front: str, back: str) -> float:
    """WCAG 2.2 contrast ratio of two `#rrggbb` colours, to one decimal."""
    light, dark = sorted((_luminance(front), _luminance(back)), reverse=True)
    return round((light + 0.05) / (dark + 0.05), 1)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


_JEU = ("Jeu de la rentrée", "Grattez la case et tentez de gagner un cartable garni. On joue avec ou sans les offres.")
_DEVIS = ("Le bon devis", "Décrivez votre besoin : les devis arrivent que vous acceptiez ou non les offres ci-dessous.")
_CARTE = ("Carte du Coing", "La carte et ses points sont à vous, avec ou sans les offres de nos partenaires.")
_BANDEAU = ("Vos choix de traceurs", "Le site fonctionne de la même façon si vous refusez la publicité ciblée.")
_GAME_CALLS = ("canalvert", "hibou", "tisane")
_QUOTE_CALLS = ("hibou", "tisane", "isobelette")
_ACME, _ACME_LATER, _CATEGORIES = ("acme-partners", 12), ("acme-partners", 13), ("acme-categories", 1)
_RUISSEAU, _COING, _TRACKERS = ("ruisseau-partenaires", 4), ("coing-partenaires", 2), ("coing-traceurs", 1)
_GREY = Button("continuer sans accepter", 110, 12, 9, ("#cfcfcf", "#ffffff"))
_SHOUT = Button("Je joue et je profite des offres", 420, 64, 22)
_AUGUST, _SEPTEMBER = "2026-08-20T06:00:00Z", "2026-09-21T06:00:00Z"

FORMS = (
    FormSpec("jeu-rentree", 4, "acme", "2026-08-03T06:00:00Z", *_JEU, _CATEGORIES, _GAME_CALLS),
    FormSpec("jeu-rentree", 5, "acme", _AUGUST, *_JEU, _ACME, accept=_SHOUT, refuse=_GREY, refusal_below=True),
    FormSpec("jeu-rentree", 6, "acme", _AUGUST, *_JEU, _ACME, _GAME_CALLS, default="on"),
    FormSpec("jeu-rentree", 7, "acme", _AUGUST, *_JEU, _ACME, _GAME_CALLS),
    FormSpec("jeu-rentree", 8, "acme", _SEPTEMBER, *_JEU, _ACME_LATER, (*_GAME_CALLS, "marmotte")),
    FormSpec("jeu-express", 1, "acme", _AUGUST, *_JEU, _ACME, together=True),
    FormSpec("jeu-express", 2, "acme", _SEPTEMBER, *_JEU, _ACME, conditional=True),
    FormSpec(
        "devis", 2, "ruisseau-devis", _AUGUST, *_DEVIS, _RUISSEAU, _QUOTE_CALLS, statements=("professional", "choice")
    ),
    FormSpec("devis", 3, "ruisseau-devis", _AUGUST, *_DEVIS, _RUISSEAU, _QUOTE_CALLS),
    FormSpec("devis-partenaire", 1, "ruisseau-devis", _AUGUST, *_DEVIS, _RUISSEAU, list_shown="absent"),
    FormSpec("carte", 1, "carte-coing", _AUGUST, *_CARTE, _COING, withdraw_steps=4),
    FormSpec("carte", 2, "carte-coing", _AUGUST, *_CARTE, _COING, ("marmotte",), post=True),
    FormSpec("bandeau", 1, "carte-coing", _AUGUST, *_BANDEAU, _TRACKERS, tracker=(1, 3)),
    FormSpec("bandeau", 2, "carte-coing", _AUGUST, *_BANDEAU, _TRACKERS, tracker=(1, 1)),
)
"""Every registered page. The page that tracks hides its refusal two screens away (version 1) or shows it (version 2)."""
