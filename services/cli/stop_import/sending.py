"""Sends a list in batches, each stored before the next, in constant memory whatever its length.

Not faster than `per_second`: these rows travel the same way as the stops of persons, who must not wait behind them.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from services.cli.rights_client import ask, problems
from services.cli.stop_import.journal import Journal, Reject
from services.cli.stop_import.layout import Layout
from services.cli.stop_import.rows import row_of
from shared.errors import InputError, Problem, Unavailable
from shared.local_engines.endpoints import Endpoints

ROWS = 500
"""Rows of one request, as many as the service takes."""
BYTES = 900_000
TRIES = 6
PAUSE_S = 2.0
PATH = "/v1/stops/import"
RowOf = Callable[[Sequence[str], Layout], dict[str, Any]]


@dataclass(slots=True)
class Batch:
    """Lines that go together: those to send, and those refused here."""

    lines: list[tuple[int, Sequence[str]]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0

    @property
    def count(self) -> int:
        """Lines of the file."""
        return len(self.lines) + len(self.rejects)


def lines_of(path: Path, layout: Layout, told: Callable[[int], None]) -> Iterator[tuple[int, Sequence[str] | Problem]]:
    """Every line after the header: its number, and its cells or what is wrong with it. `told`: bytes read so far."""
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=layout.encoding, errors="replace", newline="") as text:
        reader = csv.reader(text, delimiter=layout.separator, strict=True)
        next(reader, None)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield reader.line_num, Problem("CSV", "", "the quotes of this line do not close where they should")
                continue
            told(raw.tell())
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells


def batches(
    lines: Iterator[tuple[int, Sequence[str] | Problem]], layout: Layout, skip: int, row: RowOf = row_of
) -> Iterator[Batch]:
    """The lines in batches, but the first `skip` of them. `row`: what one line says; raises InputError."""
    batch = Batch()
    for place, (number, cells) in enumerate(lines):
        if place < skip:
            continue
        if isinstance(cells, Problem):
            batch.rejects.append((number, (), [cells]))
        else:
            _read(batch, number, cells, layout, row)
        if batch.count >= ROWS or batch.size >= BYTES:
            yield batch
            batch = Batch()
    if batch.count:
        yield batch


def _read(batch: Batch, number: int, cells: Sequence[str], layout: Layout, row_of_line: RowOf) -> None:
    try:
        row = row_of_line(cells, layout)
    except InputError as error:
        batch.rejects.append((number, cells, error.problems))
        return
    size = len(orjson.dumps(row))
    if size > BYTES // 4:
        batch.rejects.append((number, cells, [Problem("TOO-LARGE", "", "this line is far too long")]))
        return
    batch.lines.append((number, cells))
    batch.rows.append(row)
    batch.size += size


def send(endpoints: Endpoints, batch: Batch, journal: Journal) -> None:
    """Store one batch. Raises Unavailable after some tries: run again, it goes on where it stood."""
    rejects = list(batch.rejects)
    if batch.rows:
        results = _results(endpoints, batch.rows)
        for (number, cells), result in zip(batch.lines, results, strict=True):
            if result["status"] == "rejected":
                told = [Problem(p["code"], p["pointer"], p["message"]) for p in result["problems"]]
                rejects.append((number, cells, told))
    journal.batch(batch.count, batch.count - len(rejects), sorted(rejects, key=lambda reject: reject[0]))


def _results(endpoints: Endpoints, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for attempt in range(TRIES):
        try:
            answer = ask(endpoints, "POST", PATH, {"rows": rows})
        except Unavailable:
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE_S * (attempt + 1))
            continue
        body = answer.json()
        if "results" not in body:
            raise InputError(problems(answer))
        return list(body["results"])
    raise Unavailable("the rights handler does not take this batch")
