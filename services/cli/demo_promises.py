"""Reconciliation of the topics, promise by promise: what went in, what came out, and whether anything is missing (P1, P2).

Pure. Each function answers with one `Promise`; `detail` holds figures for the summary, `faults` the first things found wrong
(identifiers only, never a contact).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.cli.demo_picture import Picture, identity
from services.cli.demo_stream import Line, Place
from shared.topics import party_of

FAULTS_SHOWN = 5

Sent = Mapping[Place, Line]
"""Which line of the example stands where in the `in.*` topics."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that must hold. `key` names its sentence, `detail` the figures in it."""

    key: str
    kept: bool
    detail: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def promise(key: str, faults: Sequence[str], **detail: Any) -> Promise:
    """A promise is kept when nothing was found wrong."""
    return Promise(key, not faults, detail, tuple(faults[:FAULTS_SHOWN]))


def every_input_answered(seen: Picture) -> Promise:
    """Each input has exactly one receipt, and no receipt is without an input."""
    wanted = Counter(identity(record) for record in seen.inputs.values())
    given = Counter((party, event) for party, event, _ in seen.receipts)
    faults = [f"{party}: {event}: {wanted[party, event]} in, {given[party, event]} answered"
              for party, event in sorted(set(wanted | given)) if wanted[party, event] != given[party, event]]  # fmt: skip
    return promise("answered", faults, inputs=len(seen.inputs), receipts=len(seen.receipts))


def receipts_as_expected(seen: Picture, sent: Sent) -> Promise:
    """The receipts of the example's lines say what the file expects of each."""
    wanted: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    given: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for where, line in sent.items():
        wanted[identity(seen.inputs[where])][_expected(line)] += 1
    for party, event, receipt in seen.receipts:
        if (party, event) in wanted:
            given[party, event][_said(receipt)] += 1
    faults = [
        f"{event}: expected {dict(statuses)}, told {dict(given[party, event])}"
        for (party, event), statuses in wanted.items()
        if statuses != given[party, event]
    ]
    expected = Counter(line["expect"]["status"] for line in sent.values())
    return promise(
        "expected", faults, **{name: expected[name] for name in ("accepted", "duplicate", "conflict", "rejected")}
    )


def _expected(line: Line) -> str:
    """`accepted`, or `rejected: CODE`."""
    expect = line["expect"]
    return f"{expect['status']}: {expect['code']}" if "code" in expect else str(expect["status"])


def _said(receipt: dict[str, Any]) -> str:
    status = str(receipt["status"])
    return f"{status}: {receipt['problems'][0]['code']}" if status == "rejected" else status


def rejected_are_kept(seen: Picture, sent: Sent) -> Promise:
    """Every refused input sits in `dead` with its exact bytes."""
    refused = [where for where, line in sent.items() if line["expect"]["status"] == "rejected"]
    faults = [
        f"{topic}/{partition}/{offset}"
        for topic, partition, offset in refused
        if (topic, partition, offset) not in seen.dead
        or (seen.dead[topic, partition, offset].value or b"") != (seen.inputs[topic, partition, offset].value or b"")
    ]
    faults += [f"unexpected: {'/'.join(map(str, where))}" for where in seen.dead if where not in refused]
    return promise("dead", faults, dead=len(seen.dead), rejected=len(refused))


def nothing_lost(seen: Picture, archived: Mapping[str, Counter[str]]) -> Promise:
    """Every accepted consent is recorded, assessed and archived under a signed checkpoint. `archived`: kind → record → entries."""
    accepted = {
        f"{party}/{receipt['consent_id']}"
        for party, _, receipt in seen.receipts
        if receipt["status"] == "accepted" and receipt.get("consent_id")
    }
    sets = {
        "consents": set(seen.consents),
        "verdicts": set(seen.verdicts),
        "archived": set(archived["consent.recorded"]),
        "archived_verdicts": set(archived["consent.assessed"]),
    }
    faults = [f"{name}: {record}" for name, found in sets.items() for record in sorted(found ^ accepted)]
    return promise("lost", faults, accepted=len(accepted), **{name: len(found) for name, found in sets.items()})


def verdicts_as_expected(seen: Picture, sent: Sent) -> Promise:
    """The verdicts say what the file expects: lines by verdict, and how often each reason."""
    faults, lines = [], 0
    for line in accepted_lines(sent):
        record = record_of(line)
        found = seen.lines(record)
        lines += len(found)
        verdicts = Counter(item["verdict"] for item in found)
        reasons = Counter(code for item in found for code in item["reasons"])
        if +verdicts != +Counter(line["expect"]["verdicts"]) or reasons != Counter(line["expect"]["reasons"]):
            faults.append(f"{line['scenario']} {record}: {dict(verdicts)} {dict(reasons)}")
    return promise("verdicts", faults, lines=lines)


def every_line_told(seen: Picture) -> Promise:
    """Each verdict line that names a party was told to it exactly once, and "you may" only if valid (P2)."""
    wanted = {
        (line["recipient"], record, line["channel"], line["purpose"]): line["verdict"]
        for record, facts in seen.verdicts.items()
        for line in facts["lines"]
        if line["recipient"] is not None
    }
    faults = [f"untold: {'/'.join(key)}" for key in wanted if key not in seen.permissions]
    faults += [f"about nothing: {'/'.join(key)}" for key in seen.permissions if key not in wanted]
    granted = 0
    for key, told in seen.permissions.items():
        kinds = [kind for kind, _ in told if kind != "ended"]
        if len(kinds) != 1:
            faults.append(f"told {len(kinds)} times: {'/'.join(key)}")
        granted += "granted" in kinds
        if "granted" in kinds and wanted.get(key) != "valid":
            faults.append(f"granted though not valid: {'/'.join(key)}")
    return promise("told", faults, lines=len(wanted), granted=granted, refused=len(seen.permissions) - granted)


def reimports_held(seen: Picture, sent: Sent) -> Promise:
    """A consent that comes back after the stop stays closed, unless it is new and confirmed."""
    faults, held, reopened = [], 0, 0
    for line in accepted_lines(sent):
        if "held" not in line["expect"]:
            continue
        record, reason = record_of(line), line["expect"]["held"]
        for key, told in seen.permissions.items():
            if key[1] != record:
                continue
            kind, said = told[0]
            held, reopened = held + (kind == "refused"), reopened + (kind == "granted")
            if (kind == "granted") != (reason is None) or (reason and reason not in said["reasons"]):
                faults.append(f"{line['scenario']} {'/'.join(key)}: {kind}")
    return promise("reimports", faults, held=held, reopened=reopened)


def accepted_lines(sent: Sent) -> list[Line]:
    """Consent lines of the example that must be accepted."""
    return [line for line in sent.values() if line["expect"]["status"] == "accepted" and "consent_id" in line["data"]]


def record_of(line: Line) -> str:
    """`<collector>/<consent id>`."""
    return f"{party_of(line['topic'])}/{line['data']['consent_id']}"
