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
    rows = [
        (code, words.number(count), escape(outcome.scenarios.get(code, "").replace("_", " ")))
        for code, count in reasons.most_common()
    ]
    columns = ((words("reason"), "left"), (words("lines"), "right"), (words("seen_in"), "left"))
    return Group(text, Text(), _table(*columns, rows=rows))


def _permissions(outcome: Outcome, words: Words) -> Table:
    counts = permissions_by_party(outcome)
    channels = sorted({c for counter in counts.values() for c in counter if c != "refused"})
    rows = [
        (
            escape(outcome.names.get(party, party)),
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
    def delays(values: Sequence[int]) -> str:
        half, most = quantile(values, 0.5), quantile(values, 0.99)
        return "·" if half is None or most is None else f"{words.duration(half)} / {words.duration(most)}"

    rows = []
    for party, one in sorted(outcome.follow.items(), key=lambda item: -item[1].orders):
        half = quantile(one.answered_ms, 0.5)
        answers = ", ".join(f"{count} {status}" for status, count in sorted(one.answers.items())) or "·"
        owed = f"[red]{one.open}" if one.open else "[green]0"
        rows.append(
            (
                escape(outcome.names.get(party, party)),
                words(outcome.behaviours.get(party, "prompt")),
                words.number(one.orders),
                delays(one.told_ms),
                "·" if half is None else words.duration(half),
                answers,
                words.number(one.reminders),
                owed,
            )
        )
    everything = [ms for one in outcome.follow.values() for ms in one.told_ms]
    total = words.number(sum(one.orders for one in outcome.follow.values()))
    rows.append((f"[bold]{words('all_parties')}", "", f"[bold]{total}", f"[bold]{delays(everything)}", "", "", "", ""))
    titles = ("party", "behaviour", "orders", "told", "answered_in", "answers", "reminders", "open")
    right = {"orders", "told", "answered_in", "reminders", "open"}
    table = _table(*((words(t), "right" if t in right else "left") for t in titles), rows=rows)
    late = words("late", who=", ".join(outcome.late)) if outcome.late else words("nobody_late")
    return Group(table, Text(), Text(late, style="yellow" if outcome.late else "green"))


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
