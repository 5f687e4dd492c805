"""The published contracts, generated: a JSON Schema of each event, and AsyncAPI 3 of the topics. Pure.

What a party sends is closed (an unknown field is an error, so that a misspelt one is noticed); what it receives is open: an optional
field may be added to a version at any time, and a reader ignores what it does not know.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.contracts.catalogue import CATALOGUE, EventType
from shared.contracts.types import EVENT_ID_PATTERN, PARTY_PATTERN
from shared.topics import TopicRow

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = "1.0.0"
_COMPONENTS = "#/components/schemas/{model}"

Json = dict[str, Any]


def schemas() -> dict[str, Json]:
    """A whole JSON Schema (draft 2020-12) by event type."""
    found = {}
    for event in CATALOGUE:
        _, document = models_json_schema([(event.model, _mode(event))], ref_template="#/$defs/{model}")
        definitions = _opened(event, document["$defs"])
        body = definitions.pop(event.model.__name__)
        found[event.name] = {
            "$schema": DIALECT, "$id": f"urn:opposable:{event.name}", "title": event.name, **body,
            **({"$defs": definitions} if definitions else {}),
        }  # fmt: skip
    return found


def asyncapi() -> Json:
    """AsyncAPI 3.0 of the parties' topics, seen from the platform."""
    rows = {event.topic.name: event.topic for event in CATALOGUE}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Opposable",
            "version": VERSION,
            "description": "Consents to commercial prospecting, proven; withdrawals, everywhere. Each party has its own topics: who may "
            "write `in.acme.consents` is `acme`. CloudEvents 1.0 in binary mode (attributes as `ce_*` headers); structured mode is "
            "accepted on `in.*` too. Time of receipt is the broker's (LogAppendTime).",
        },
        "defaultContentType": "application/json",
        "servers": {
            "production": {
                "host": "kafka.example:9093", "protocol": "kafka-secure",
                "description": "SASL/SCRAM-SHA-512 over TLS; the user is the party's id.",
                "security": [{"$ref": "#/components/securitySchemes/scram"}],
            }
        },
        "channels": {_channel_id(row): _channel(row) for row in rows.values()},
        "operations": {_channel_id(row): _operation(row) for row in rows.values()},
        "components": {
            "messages": {event.name: _message(event) for event in CATALOGUE},
            "schemas": _components(),
            "securitySchemes": {"scram": {"type": "scramSha512"}},
        },
    }  # fmt: skip


def _mode(event: EventType) -> JsonSchemaMode:
    return "validation" if event.is_sent_by_party else "serialization"


def _opened(event: EventType, definitions: Json) -> Json:
    cleaned: Json = {name: _without_titles(body) for name, body in definitions.items()}
    if not event.is_sent_by_party:
        for body in cleaned.values():
            body.pop("additionalProperties", None)
    return cleaned


def _without_titles(value: Any, *, names: bool = False) -> Any:
    """`title` repeats a field's name in other letters. `names`: the keys are names of fields, one of which may be `title`."""
    if isinstance(value, dict):
        return {
            key: _without_titles(item, names=key == "properties" and not names)
            for key, item in value.items()
            if names or key != "title" or not isinstance(item, str)
        }
    return [_without_titles(item) for item in value] if isinstance(value, list) else value


def _components() -> Json:
    _, document = models_json_schema([(event.model, _mode(event)) for event in CATALOGUE], ref_template=_COMPONENTS)
    received = {event.model.__name__ for event in CATALOGUE if not event.is_sent_by_party}
    found: Json = {name: _without_titles(body) for name, body in document["$defs"].items()}
    for name in received:
        found[name].pop("additionalProperties", None)
    return found


def _message(event: EventType) -> Json:
    headers: Json = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "const": event.name},
        "ce_id": {"type": "string", "pattern": EVENT_ID_PATTERN if event.is_sent_by_party else None},
        "ce_source": {"type": "string", "description": "The party's id." if event.is_sent_by_party else "The deployment."},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
    }  # fmt: skip
    if headers["ce_id"]["pattern"] is None:
        del headers["ce_id"]["pattern"]
    summary = (event.model.__doc__ or "").strip().split("\n")[0]
    return {
        "name": event.name,
        "title": event.name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {"type": "object", "properties": headers, "required": ["ce_specversion", "ce_type", "ce_id", "ce_source"]},
        "payload": {"$ref": f"#/components/schemas/{event.model.__name__}"},
    }  # fmt: skip


def _channel_id(row: TopicRow) -> str:
    return row.name.replace("{party}.", "").replace(".", "_")


def _events(row: TopicRow) -> list[EventType]:
    return [event for event in CATALOGUE if event.topic.name == row.name]


def _channel(row: TopicRow) -> Json:
    return {
        "address": row.name,
        "messages": {e.name: {"$ref": f"#/components/messages/{e.name}"} for e in _events(row)},
        "parameters": {"party": {"description": f"The party's id, {PARTY_PATTERN}."}},
        "bindings": {"kafka": {"topicConfiguration": {
            "cleanup.policy": ["delete"], "retention.ms": row.retention_ms, "max.message.bytes": row.max_message_bytes,
        }}},
        "description": f"Key: {row.key}.",
    }  # fmt: skip


def _operation(row: TopicRow) -> Json:
    channel = _channel_id(row)
    action = "receive" if row.name.startswith("in.") else "send"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event.name}"} for event in _events(row)],
    }
