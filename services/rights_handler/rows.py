"""How domain values stand in MongoDB. Fields are named in full: the index is read by operators too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from bson.binary import Binary

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant, Line, Scope, Stop, Transfer
from services.rights_handler.ports import Obligation
from shared.mongo import Document

REVIEWING = "reviewing"
"""Of a record with a line in review: since when, so that an index holds these records alone."""
_LINE_FIELDS = tuple(field.name for field in fields(Line))
_line_values = attrgetter(*_LINE_FIELDS)
_DELIVERY_FIELDS = tuple(field.name for field in fields(Delivery) if field.name != "order")
_delivery_values = attrgetter(*_DELIVERY_FIELDS)
_FIXED = frozenset({"stop", "party", "record", "kind", "at", "recipients", "channels", "purposes"})
_CHANGING = tuple(name for name in _DELIVERY_FIELDS if name not in _FIXED)
_changing_values = attrgetter(*_CHANGING)


def grant_row(grant: Grant) -> Document:
    """A row of `grants`. A key that is absent is left out: its index holds only rows that have it."""
    row: Document = {
        "_id": grant.record,
        "vid": grant.vid,
        "collector": grant.collector,
        "consent_id": grant.consent_id,
        "collected_at": grant.collected_at,
        "received_at": grant.received_at,
        "confirmed": grant.confirmed,
        "via": list(grant.via),
        "cks": sorted(grant.contact_keys),
        "aks": list(grant.aliases),
        "ruleset": grant.ruleset,
        "lines": [dict(zip(_LINE_FIELDS, _line_values(line), strict=True)) for line in grant.lines],
        "sealed": None if grant.sealed is None else Binary(grant.sealed),
    }
    if any(line.verdict == "review" for line in grant.lines):
        row[REVIEWING] = grant.vid.split(".", 2)[2]
    owing = _owing(grant)
    if owing:
        row["owes"] = owing
    if grant.near_keys:
        row["nks"] = sorted(grant.near_keys)
    if grant.form is not None:
        row["form"] = grant.form
    return row if grant.subject_key is None else {**row, "sref": grant.subject_key}


def _owing(grant: Grant) -> list[str]:
    """Whoever receives the data by this verdict owes the person the information of RGPD 14 (see `informing`)."""
    receiving = {line.recipient for line in grant.lines if line.verdict == "valid" and line.recipient is not None}
    return sorted(receiving - {grant.collector})


def grant_of(row: Mapping[str, Any]) -> Grant:
    """The grant of a row."""
    return Grant(
        record=row["_id"],
        vid=row["vid"],
        collector=row["collector"],
        consent_id=row["consent_id"],
        collected_at=row["collected_at"],
        received_at=row["received_at"],
        confirmed=row["confirmed"],
        via=tuple(row["via"]),
        contact_keys=frozenset(row["cks"]),
        subject_key=row.get("sref"),
        ruleset=row["ruleset"],
        lines=tuple(Line(**{**line, "reasons": tuple(line["reasons"])}) for line in row["lines"]),
        sealed=None if row.get("sealed") is None else bytes(row["sealed"]),
        aliases=tuple(row.get("aks", ())),
        near_keys=frozenset(row.get("nks", ())),
        stopped_by=frozenset(row.get("sby", ())),
        form=row.get("form"),
    )


def stop_row(stop: Stop) -> Document:
    """A row of `stops`; absent keys are left out, as in `grants`."""
    row: Document = {
        "_id": stop.id,
        "source": stop.source,
        "kind": stop.kind,
        "at": stop.at,
        "cks": sorted(stop.contact_keys),
        "recipients": _scope_value(stop.recipients),
        "channels": _scope_value(stop.channels),
        "purposes": _scope_value(stop.purposes),
    }
    named = ("sref", stop.subject_key), ("record", stop.record), ("nks", sorted(stop.near_keys) or None)
    row.update({k: v for k, v in named if v is not None})
    return row


def stop_of(row: Mapping[str, Any]) -> Stop:
    """The stop of a row."""
    return Stop(
        id=row["_id"],
        source=row["source"],
        kind=row["kind"],
        at=row["at"],
        contact_keys=frozenset(row["cks"]),
        subject_key=row.get("sref"),
        record=row.get("record"),
        recipients=scope_of(row["recipients"]),
        channels=scope_of(row["channels"]),
        purposes=scope_of(row["purposes"]),
        near_keys=frozenset(row.get("nks", ())),
    )


def transfer_row(transfer: Transfer) -> Document:
    """A row of `transfers`. `owed`: nothing says yet that its receiver owes the person no information (see `informing`)."""
    identity = transfer_id(transfer.record, transfer.to)
    return {"_id": identity, "record": transfer.record, "to": transfer.to, "at": transfer.at, "owed": True}


def transfer_id(record: str, to: str) -> str:
    """A transfer counts once."""
    return f"{record}|{to}"


def transfer_of(row: Mapping[str, Any]) -> Transfer:
    """The transfer of a row."""
    return Transfer(row["record"], row["to"], row["at"])


def delivery_row(delivery: Delivery) -> Document:
    """A row of `deliveries`."""
    row: Document = dict(zip(_DELIVERY_FIELDS, _delivery_values(delivery), strict=True))
    row["history"] = list(delivery.history)
    return {"_id": delivery.order, **row}


def changing_values(delivery: Delivery) -> Document:
    """What may change of a delivery once its row is there."""
    row: Document = dict(zip(_CHANGING, _changing_values(delivery), strict=True))
    row["history"] = list(delivery.history)
    return row


def delivery_of(row: Mapping[str, Any]) -> Delivery:
    """The delivery of a row."""
    values = {name: row[name] for name in _DELIVERY_FIELDS}
    for scope in ("recipients", "channels", "purposes"):
        values[scope] = values[scope] if isinstance(values[scope], str) else tuple(values[scope])
    values["history"] = tuple(values["history"])
    return Delivery(order=row["_id"], **values)


def obligation_row(obligation: Obligation) -> Document:
    """A row of `obligations`."""
    row: Document = {field.name: getattr(obligation, field.name) for field in fields(Obligation)}
    row["_id"] = row.pop("id")
    row["refs"] = dict(obligation.refs)
    return row


def obligation_of(row: Mapping[str, Any]) -> Obligation:
    """The obligation of a row."""
    values = {field.name: row[field.name] for field in fields(Obligation) if field.name not in ("id", "refs")}
    return Obligation(id=row["_id"], refs=tuple(sorted(row["refs"].items())), **values)


def scope_of(value: str | Iterable[str]) -> Scope:
    """A scope from its stored or wire form; anything that is no list is the widest."""
    return "all" if isinstance(value, str) else frozenset(value)


def _scope_value(scope: Scope) -> str | list[str]:
    return "all" if scope == "all" else sorted(scope)
