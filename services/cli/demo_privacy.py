"""Looks for clear personal data where none may be: every topic but `in.*` and `dead`, and every log file.

The needles are the contacts, references and addresses that the demonstration itself published, in each spelling used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.cli.demo_ledger import Ledger
from services.cli.demo_promises import Promise, promise
from services.cli.demo_stream import Line
from shared.topics import DEAD

SHORTEST = 6
"""Shorter texts would be found by chance."""


def needles(lines: Iterable[Line]) -> set[bytes]:
    """Everything personal that was published, as it may appear: as typed, lower-case, digits alone, +33 form."""
    found: set[str] = set()
    for line in lines:
        data = line.get("data", {})
        for contact in data.get("contacts", []):
            value = str(contact["value"]).strip()
            found |= {value, value.lower()}
            if contact["type"] == "phone":
                digits = re.sub(r"\D", "", value)
                national = "0" + digits.removeprefix("33") if digits.startswith("33") else digits
                found |= {digits, national, "+33" + national[1:]}
            elif contact["type"] == "post":
                found |= {part for part in value.split("\n") if part != "FRANCE"}
        found |= {str(v) for v in data.get("context", {}).values() if str(v).startswith("203.0.113.")}
    return {needle.encode() for needle in found if len(needle) >= SHORTEST}


def references(lines: Iterable[Line]) -> set[bytes]:
    """The collectors' own references: the parties concerned may read them, internal topics may not hold them."""
    return {ref.encode() for line in lines if (ref := line.get("data", {}).get("subject_ref"))}


def nothing_in_clear(ledger: Ledger, lines: Sequence[Line], log_files: Iterable[Path]) -> Promise:
    """No needle in any record (key, value, headers) of the topics that must be free of them, nor in any log file."""
    wanted = needles(lines)
    internal = wanted | references(lines)
    # One pass per text for all needles: candidates are cut out first, then looked up.
    shapes = re.compile(
        rb"[\w.+-]+@[\w.-]+|\+?\d(?:[ .]?\d){8,12}|203\.0\.113\.\d+|(?:b|lead)-[0-9a-f]{8,16}|[A-Z0-9' -]{6,}"
    )
    faults, scanned = [], 0
    for topic in ledger.topics():
        if topic.startswith("in.") or topic == DEAD.name:
            continue
        for record in ledger.of(topic):
            scanned += 1
            text = b"\n".join([record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers)])
            forbidden = wanted if topic.startswith("out.") else internal
            if any(hit.strip() in forbidden for hit in shapes.findall(text)):
                faults.append(f"{topic} p{record.partition} offset {record.offset}")
    files = sorted(log_files)
    faults += [path.name for path in files if any(hit.strip() in internal for hit in shapes.findall(path.read_bytes()))]
    return promise("clear", faults, records=scanned, files=len(files), needles=len(internal))
