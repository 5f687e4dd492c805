"""The page on architecture names every topic and every service, with the readers and retention the code has."""

import re
from pathlib import Path

import pytest

from shared.topics import DAY_MS, SERVICES, TABLE

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "architecture.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| `")]


def row_of(name):
    (row,) = [line for line in ROWS if f"`{name}`" in line.split("|")[1]]
    return row


@pytest.mark.parametrize("topic", TABLE, ids=lambda row: row.name)
def test_each_topic_is_named_with_who_reads_it_and_how_long_it_is_kept(topic):
    row = row_of(topic.name.replace("{party}", "<party>"))
    said = row.split("|")[4]
    days = topic.retention_ms // DAY_MS
    assert "for ever" if topic.retention_ms == -1 else re.search(rf"\b{days}\b", said), row
    for reader in set(topic.readers) & set(SERVICES) if topic.readers != SERVICES else set():
        assert f"`{reader}`" in row or "the same" in row, (reader, row)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_named_with_what_it_holds(service):
    assert any(f"`{service}`" in line.split("|")[1] for line in ROWS)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_links_between_documents_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target
