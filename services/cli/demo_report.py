"""The summary of a demonstration, for people to read in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.cli.demo_outcome import Outcome, permissions_by_party, quantile
from services.cli.demo_text import Words
from services.consent_validator.rules.book import CATALOGUE

STATUSES = ("accepted", "duplicate", "conflict", "rejected")
VERDICTS = (("valid", "green"), ("invalid", "red"), ("review", "yellow"))


def show(console: Console, outcome: Outcome, words: Words) -> None:
    """Print the summary."""
    for title, content in (
        ("inputs", _inputs(outcome, words)),
        ("verdicts", _verdicts(outcome, words)),
        ("permissions", _permissions(outcome, words)),
        ("withdrawals", _withdrawals(outcome, words)),
        ("log", _log(outcome, words)),
        ("promises", _promises(outcome, words)),
    ):
        console.print(
            Panel(content, title=f"[bold]{words(title)}", title_align="left", box=box.ROUNDED, padding=(0, 1))
        )


def _table(*columns: tuple[str, str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title, justify in columns:
        table.add_column(title, justify="right" if justify == "right" else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _inputs(outcome: Outcome, words: Words) -> Text:
    colours = {"accepted": "green", "duplicate": "cyan", "conflict": "yellow", "rejected": "red"}
    text = Text()
    for status in STATUSES:
        text.append(f"{words.number(outcome.statuses.get(status, 0))} ", style=f"bold {colours[status]}")
        text.append(f"{words(status)}   ")
    return text


def _verdicts(outcome: Outcome, words: Words) -> Group:
    lines = [line for facts in outcome.seen.verdicts.values() for line in facts["lines"]]
    verdicts = Counter(line["verdict"] for line in lines)
    reasons = Counter(code for line in lines for code in line["reasons"])
    text = Text()
    for verdict, colour in VERDICTS:
        text.append(f"{words.number(verdicts[verdict])} ", style=f"bold {colour}")
        text.append(f"{words(verdict)}   ")
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    rows = [(code, words.number(count), _meaning(code, words)) for code, count in ranked]
    columns = ((words("reason"), "left"), (words("lines"), "right"), (words("means"), "left"))
    return Group(text, Text(), _table(*columns, rows=rows))


def _meaning(code: str, words: Words) -> str:
    rule = next((rule for rule in CATALOGUE if rule.code == code), None)
    return escape((rule.title_en if words.language == "en" else rule.title_fr) if rule else "")


def _permissions(outcome: Outcome, words: Words) -> Table:
    counts = permissions_by_party(outcome)
    channels = sorted({c for counter in counts.values() for c in counter if c != "refused"})
    rows = [
        (
            _short(outcome, party),
            *(words.number(counter[channel]) if counter[channel] else "·" for channel in channels),
            f"[green]{words.number(sum(counter.values()) - counter['refused'])}",
            f"[red]{words.number(counter['refused'])}",
        )
        for party, counter in counts.items()
    ]
    return _table(
        (words("prospector"), "left"),
        *((channel, "right") for channel in channels),
        (words("may"), "right"),
        (words("may_not"), "right"),
        rows=rows,
    )


def _withdrawals(outcome: Outcome, words: Words) -> Group:
    def half(values: Sequence[int]) -> str:
        middle = quantile(values, 0.5)
        return "·" if middle is None else words.duration(middle)

    rows = [
        (
            _short(outcome, party),
            words(outcome.behaviours.get(party, "prompt")),
            words.number(one.orders),
            half(one.told_ms),
            half(one.answered_ms),
            words.number(one.reminders) if one.reminders else "·",
            f"[red]{words.number(one.open)}" if one.open else "[green]0",
        )
        for party, one in sorted(outcome.follow.items(), key=lambda item: -item[1].orders)
    ]
    titles = ("party", "behaviour", "orders", "told", "answered_in", "reminders", "open")
    table = _table(*((words(t), "left" if t in {"party", "behaviour"} else "right") for t in titles), rows=rows)
    everything = [ms for one in outcome.follow.values() for ms in one.told_ms]
    p50, p99 = (words.duration(quantile(everything, share) or 0) for share in (0.5, 0.99))
    late = words("late", who=", ".join(outcome.late)) if outcome.late else words("nobody_late")
    propagation = Text(words("propagation", orders=len(everything), p50=p50, p99=p99))
    return Group(table, Text(), propagation, Text(late, style="yellow" if outcome.late else "green"))


def _short(outcome: Outcome, party: str) -> str:
    """The legal name without its form (SA, SAS, SARL)."""
    return escape(outcome.names.get(party, party).rpartition(" ")[0] or party)


def _log(outcome: Outcome, words: Words) -> Table:
    topics = sorted({log.topic for log in outcome.archive.logs})
    rows = []
    for topic in topics:
        logs = [log for log in outcome.archive.logs if log.topic == topic]
        rows.append(
            (
                topic,
                words.number(len(logs)),
                words.number(sum(log.size for log in logs)),
                words.number(sum(log.checkpoints for log in logs)),
                f"{words.number(sum(log.bytes for log in logs) // 1024)} KiB",
            )
        )
    columns = (("topic", "left"), ("logs", "right"), ("entries", "right"), ("checkpoints", "right"), ("size", "right"))
    return _table(*((words(title), side) for title, side in columns), rows=rows)


def _promises(outcome: Outcome, words: Words) -> Text:
    text = Text()
    for one in outcome.promises:
        text.append("✓ " if one.kept else "✗ ", style="bold green" if one.kept else "bold red")
        text.append(words(f"promise.{one.key}", **one.detail) + "\n")
        for fault in one.faults:
            text.append(f"    {fault}\n", style="red")
    kept = sum(one.kept for one in outcome.promises)
    text.append("\n")
    text.append(
        words("kept", kept=kept, all=len(outcome.promises), seconds=outcome.seconds),
        style="bold green" if outcome.kept else "bold red",
    )
    return text
