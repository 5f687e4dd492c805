"""The annotated picture: the page as it was seen, frames around what was found, and a column that a DPO can read alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape as escape_html
from typing import TYPE_CHECKING

from services.form_inspector.finding import Finding
from services.form_inspector.marks import Kind, Mark
from services.form_inspector.names import PART_NAMES
from services.form_inspector.questions import Question
from services.form_inspector.visit import WIDTH
from shared.registry.balance import INVALID_FROM, REVIEW_FROM, Parts

if TYPE_CHECKING:
    from playwright.async_api import Browser

COLUMN, GAP = 520, 56
COLOURS: dict[Kind, str] = {
    "accept": "#137333", "refuse": "#c5221f", "box": "#1a56b0", "bad_box": "#c5221f", "recipients": "#6a1b9a",
    "calls": "#00695c", "withdrawal": "#a3510b", "notice": "#5f6368",
}  # fmt: skip
_SEVERITY = {"error": ("#c5221f", "à corriger"), "warning": ("#a3510b", "à revoir"), "info": ("#5f6368", "à savoir")}
_STYLE = f"""
*{{box-sizing:border-box}} body{{margin:0;padding:24px;background:#f1f3f4;font:14px/1.4 'DejaVu Sans',Arial,sans-serif;color:#202124;
width:{WIDTH + COLUMN + GAP + 72}px;display:flex;gap:{GAP}px;align-items:flex-start}}
.screens{{width:{WIDTH}px;flex:none}} .screen{{position:relative;background:#fff;box-shadow:0 0 0 1px #bdc1c6;margin-bottom:20px}}
.screen img{{display:block;width:{WIDTH}px}} .path{{font-weight:bold;margin:0 0 8px}}
.frame{{position:absolute;border:2px solid;border-radius:3px}}
.tag{{position:absolute;left:100%;margin-left:-2px;top:-2px;white-space:nowrap}}
.over .tag{{left:auto;right:-2px;top:-24px}}
.n{{display:inline-block;min-width:22px;height:22px;line-height:22px;border-radius:11px;color:#fff;
font-weight:bold;font-size:13px;text-align:center;padding:0 5px}}
.column{{width:{COLUMN}px;flex:none;background:#fff;padding:20px;box-shadow:0 0 0 1px #bdc1c6}}
h1{{font-size:20px;margin:0}} h2{{font-size:16px;margin:20px 0 8px}} .small{{color:#5f6368;font-size:12px;overflow-wrap:anywhere}}
.bar{{height:14px;border-radius:7px;background:#e8eaed;overflow:hidden;margin:6px 0}} .bar i{{display:block;height:100%}}
.row{{display:flex;gap:10px;margin:8px 0}} .row b{{display:block}}
.word{{flex:none;width:84px;font-weight:bold;font-size:12px;padding-top:2px}}
ul{{margin:0;padding-left:18px}} li{{margin:6px 0}} code{{font-size:12px}}
"""


def escape(text: str) -> str:
    """Text as HTML, with the unbreakable spaces of French."""
    spaced = text.replace("« ", "«\u00a0").replace(" »", "\u00a0»")
    for sign in ":;?!":
        spaced = spaced.replace(f" {sign}", f"\u00a0{sign}")
    return escape_html(spaced)


def compose(
    *, title: str, source: str, balance: Parts | None, complete: bool, clicks: int | None, pictures: Mapping[tuple[str, ...], bytes],
    marks: Sequence[Mark], findings: Sequence[Finding], questions: Sequence[Question],
) -> str:  # fmt: skip
    """The picture as one HTML page without scripts, and without anything to load.

    `clicks`: before the refusal shows; None = there is no refusal.
    """
    used = [path for path in pictures if path == () or any(mark.path == path for mark in marks)]
    screens = "".join(_screen(path, pictures[path], marks) for path in used)
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style><div class="screens">{screens}</div><div class="column">'
        f'<h1>{escape(title)}</h1><p class="small">{escape(source)}</p>{_gauge(balance, complete, clicks)}'
        f"{_findings(findings)}{_legend(marks)}{_questions(questions)}</div>"
    )


async def draw(browser: Browser, html: str) -> bytes:
    """The composed page as PNG. Scripts off, no network."""
    context = await browser.new_context(
        viewport={"width": WIDTH + COLUMN + GAP + 72, "height": 400}, java_script_enabled=False, offline=True
    )
    try:
        page = await context.new_page()
        await page.set_content(html)
        return await page.screenshot(full_page=True)
    finally:
        await context.close()


def _screen(path: tuple[str, ...], picture: bytes, marks: Sequence[Mark]) -> str:
    image = f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    frames = "".join(_frame(number, mark) for number, mark in enumerate(marks, 1) if mark.path == path)
    opened = f"Après : {' › '.join(path)}" if path else "À l'ouverture"
    return f'<p class="path">{escape(opened)}</p><div class="screen">{image}{frames}</div>'


def _frame(number: int, mark: Mark) -> str:
    colour, rect = COLOURS[mark.kind], mark.rect
    place = (
        f"left:{rect.x - 4:.0f}px;top:{rect.y - 4:.0f}px;width:{rect.width + 8:.0f}px;height:{rect.height + 8:.0f}px"
    )
    above = " over" if mark.kind in {"accept", "refuse"} else ""
    tag = f'<span class="tag">{_badge(number, colour)}</span>'
    return f'<div class="frame{above}" style="{place};border-color:{colour}">{tag}</div>'


def _badge(number: int, colour: str) -> str:
    return f'<span class="n" style="background:{colour}">{number}</span>'


def _gauge(balance: Parts | None, complete: bool, clicks: int | None) -> str:
    if balance is None:
        return (
            "<h2>Équilibre : inconnu</h2><p>Le refus ou l'acceptation n'a pas pu être reconnu ; voir les questions.</p>"
        )
    score = balance.score
    if clicks is None:
        colour, word = "#c5221f", "aucun refus visible"
    elif score >= INVALID_FROM:
        colour, word = "#c5221f", "déséquilibré"
    elif score >= REVIEW_FROM:
        colour, word = "#a3510b", "à revoir"
    elif clicks:
        colour, word = "#a3510b", "mais sur un écran plus loin"
    else:
        colour, word = "#137333", "équilibré"
    parts = " · ".join(f"{name} {int(part)}" for name, part in zip(PART_NAMES, balance, strict=True))
    least = "" if complete else " au moins"
    later = f" Mesuré sur l'écran du refus, qui s'ouvre en {clicks} clic{'s' if clicks > 1 else ''}." if clicks else ""
    scale = f"0 = refuser se voit autant qu'accepter ; {REVIEW_FROM} = à revoir ; {INVALID_FROM} = invalide."
    return (
        f'<h2>Équilibre entre accepter et refuser :{least} {score} / 100, <span style="color:{colour}">{word}</span></h2>'
        f'<div class="bar"><i style="width:{max(score, 2)}%;background:{colour}"></i></div>'
        f'<p class="small">{scale} Points : {parts}.{later}</p>'
    )


def _findings(findings: Sequence[Finding]) -> str:
    rows = "".join(
        f'<div class="row"><span class="word" style="color:{_SEVERITY[f.severity][0]}">{_SEVERITY[f.severity][1]}</span>'
        f"<span>{escape(f.message)} <code>{f.code}</code></span></div>"
        for f in findings
    )
    return f"<h2>Constats</h2>{rows or '<p>Aucun.</p>'}"


def _legend(marks: Sequence[Mark]) -> str:
    rows = "".join(
        f'<div class="row"><span>{_badge(number, COLOURS[mark.kind])}</span>'
        f"<span><b>{escape(mark.title)}</b>{escape(mark.detail)}</span></div>"
        for number, mark in enumerate(marks, 1)
    )
    return f"<h2>Repères</h2>{rows}"


def _questions(questions: Sequence[Question]) -> str:
    rows = "".join(f"<li>{escape(question.text)} <code>{escape(question.field)}</code></li>" for question in questions)
    return f"<h2>À répondre par l'opérateur</h2><ul>{rows}</ul>" if questions else ""
