"""`opposable rules docs DIR`: writes `law.md` (English, for developers) and `regles.md` (French, for DPOs) from the rules.

Nothing in these pages is written by hand but their sentences of introduction: adding or dating a rule changes them, and a
test fails while the committed pages say anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from services.cli.groups import group
from services.cli.rules_words import CHANNEL, CONFIDENCE, EFFECT, INTRODUCTION, OTHER, SETTING, Language
from services.consent_validator.rules.basis import BASIS_TABLE
from services.consent_validator.rules.book import CATALOGUE, VERSION
from services.consent_validator.rules.channel_rules import bans
from services.consent_validator.rules.model import Rule, RuleSettings
from services.rights_handler.sending.book import CATALOGUE as SENDING
from services.rights_handler.sending.model import SendingRule, SendingSettings
from shared.contracts.types import CHANNELS

AnyRule = Rule | SendingRule
FILES: dict[str, Language] = {"law.md": "en", "regles.md": "fr"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    rules = group(app, "rules", "The rules, as the law of a day. Not legal advice.")
    rules.command("docs", epilog="Example: opposable rules docs docs")(docs)


def docs(directory: Annotated[Path, typer.Argument(file_okay=False, exists=True, help="Where to write.")]) -> None:
    """Write law.md and regles.md from the rules."""
    for name, language in FILES.items():
        (directory / name).write_text(page(language), "utf-8")
        typer.echo(str(directory / name))


def page(language: Language) -> str:
    """The whole page in one language."""
    say = _speaker(language)
    parts = [
        INTRODUCTION[language].format(version=VERSION),
        _section(say("basis"), _basis(say)),
        _section(say("dates"), _dates(say, language)),
        _section(say("channels"), _channels(say)),
        _section(say("collection"), _rules(CATALOGUE, say, language)),
        _section(say("bans"), _bans(say)),
        _section(say("sending"), _rules(SENDING, say, language)),
        _section(say("open"), _settings(say, language)),
    ]
    return "\n\n".join(parts) + "\n"


Say = Callable[[str], str]


def _speaker(language: Language) -> Say:
    return lambda word: OTHER[word][language]


def _section(title: str, body: Iterator[str]) -> str:
    return f"## {title}\n\n" + "\n".join(body)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + " --- |" * len(cells)]


def _basis(say: Say) -> Iterator[str]:
    yield say("basis_text") + "\n"
    yield from _head(say("channel"), say("audience"), say("condition"), say("basis_word"), "Source")
    for row in BASIS_TABLE:
        conditions = [
            *([f"{say('sector')} {row.sector}"] if row.sector else []),
            *([f"{say('decision')} {row.value}"] if row.value else []),
            *([say(row.claim)] if row.claim else []),
            *([f"{say('until')} {row.until}"] if row.until else []),
        ]
        channels = ", ".join(name for name in CHANNELS if name in row.channels)
        yield _row(
            channels, row.audience or say("all"), "; ".join(conditions) or "—", f"`{row.basis}`", row.source
        )  # fmt: skip
    yield _row(say("all"), say("all"), say("otherwise"), "`consent`", say("consent_source"))


def _dates(say: Say, language: Language) -> Iterator[str]:
    changes: dict[date, list[str]] = {}
    rules: Sequence[AnyRule] = [*CATALOGUE, *SENDING]
    for rule in rules:
        if rule.applies_from is not None:
            changes.setdefault(rule.applies_from, []).append(f"+ `{rule.code}`")
        if rule.applies_until is not None:
            changes.setdefault(rule.applies_until, []).append(f"− `{rule.code}`")
    for row in BASIS_TABLE:
        if row.until is not None:
            changes.setdefault(row.until, []).append(
                f"− {say('row')} `{row.basis}` ({', '.join(sorted(row.channels))})"
            )
    for ban in bans(RuleSettings()):
        where = ", ".join(CHANNEL[c][language] for c in CHANNELS if c in ban.channels)
        changes.setdefault(ban.applies_from, []).append(f"+ {say('ban')} {ban.sector} ({where})")
    always = [f"`{rule.code}`" for rule in rules if rule.applies_from is None]
    yield say("dates_text") + "\n"
    yield from _head(say("day"), say("change"))
    yield _row(say("always"), ", ".join(always))
    for day, found in sorted(changes.items()):
        yield _row(day.isoformat(), ", ".join(found))


def _channels(say: Say) -> Iterator[str]:
    yield say("channels_text") + "\n"
    yield from _head(say("channel"), say("rules"))
    everywhere = [rule for rule in CATALOGUE if rule.channels is None]
    yield _row(say("all"), ", ".join(f"`{rule.code}`" for rule in everywhere))
    for channel in CHANNELS:
        own = [f"`{rule.code}`" for rule in CATALOGUE if rule.channels is not None and channel in rule.channels]
        banned = sorted({ban.sector for ban in bans(RuleSettings()) if channel in ban.channels})
        yield _row(channel, ", ".join([*own, *(f"{say('ban')} {sector}" for sector in banned)]) or "—")


def _rules(rules: Sequence[AnyRule], say: Say, language: Language) -> Iterator[str]:
    yield from _head(
        "Code", say("effect"), say("fires"), say("concerns"), say("since"), "Source", say("confidence"), say("cure")
    )
    for rule in rules:
        title, cure = (rule.title_fr, rule.cure_fr) if language == "fr" else (rule.title_en, rule.cure_en)
        since = str(rule.applies_from) if rule.applies_from is not None else say("always")
        until = "" if rule.applies_until is None else f" → {rule.applies_until}"
        yield _row(
            f"`{rule.code}`", EFFECT[rule.effect][language], title, _concerns(rule, say), since + until, rule.source,
            CONFIDENCE[rule.confidence][language], cure,
        )  # fmt: skip


def _concerns(rule: AnyRule, say: Say) -> str:
    if isinstance(rule, SendingRule):
        return say("permission") if rule.of_permission else say("send")
    parts = [
        *([", ".join(f"`{basis}`" for basis in sorted(rule.bases))] if rule.bases else []),
        *([", ".join(sorted(rule.channels))] if rule.channels else []),
        *([rule.audience] if rule.audience else []),
        *([say("third_party")] if rule.third_party else []),
    ]
    return "; ".join(parts) or say("all")


def _bans(say: Say) -> Iterator[str]:
    yield say("bans_text") + "\n"
    yield from _head(say("sector"), say("channel"), say("since"), "Source")
    for ban in bans(RuleSettings()):
        yield _row(
            ban.sector, ", ".join(c for c in CHANNELS if c in ban.channels), str(ban.applies_from), ban.source
        )  # fmt: skip


def _settings(say: Say, language: Language) -> Iterator[str]:
    yield say("open_text") + "\n"
    yield from _head(say("setting"), say("default"), say("meaning"))
    for settings in (RuleSettings(), SendingSettings()):
        for field in fields(settings):
            value = getattr(settings, field.name)
            yield _row(f"`{field.name}`", str(value), SETTING[field.name][language])
