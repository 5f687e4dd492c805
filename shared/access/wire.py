"""The three admin requests that aiokafka's client lacks: SCRAM credentials (KIP-554), client quotas (KIP-546), ACLs of any user.

Numbers and layouts are those of the Kafka protocol guide. Everything goes to the controller.
"""

from __future__ import annotations

from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Float64,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

SCRAM_SHA_512 = 2
_UTF8 = "utf-8"


class AlterScramResponseV0(Response):
    """AlterUserScramCredentials response."""

    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", CompactArray(
            ("user", CompactString(_UTF8)), ("error_code", Int16), ("error_message", CompactString(_UTF8)),
            ("tags", TaggedFields),
        )),
        ("tags", TaggedFields),
    )  # fmt: skip


class AlterScramRequestV0(RequestStruct):
    """AlterUserScramCredentials request."""

    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 51, 0, True, AlterScramResponseV0
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString(_UTF8)), ("mechanism", Int8), ("tags", TaggedFields))),
        ("upsertions", CompactArray(
            ("name", CompactString(_UTF8)), ("mechanism", Int8), ("iterations", Int32), ("salt", CompactBytes),
            ("salted_password", CompactBytes), ("tags", TaggedFields),
        )),
        ("tags", TaggedFields),
    )  # fmt: skip


class AlterScram(Request[AlterScramRequestV0]):
    """Delete and set SCRAM credentials."""

    API_KEY = 51

    def __init__(self, deletions: list[tuple[Any, ...]], upsertions: list[tuple[Any, ...]]) -> None:
        self._deletions, self._upsertions = deletions, upsertions

    def build(self, request_struct_class: type[AlterScramRequestV0]) -> AlterScramRequestV0:
        """The structure sent."""
        return request_struct_class(self._deletions, self._upsertions, {})


class AlterQuotasResponseV0(Response):
    """AlterClientQuotas response."""

    API_KEY, API_VERSION = 49, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(
            ("error_code", Int16), ("error_message", String(_UTF8)),
            ("entity", Array(("entity_type", String(_UTF8)), ("entity_name", String(_UTF8)))),
        )),
    )  # fmt: skip


class AlterQuotasRequestV0(RequestStruct):
    """AlterClientQuotas request."""

    API_KEY, API_VERSION, RESPONSE_TYPE = 49, 0, AlterQuotasResponseV0
    SCHEMA = Schema(
        ("entries", Array(
            ("entity", Array(("entity_type", String(_UTF8)), ("entity_name", String(_UTF8)))),
            ("ops", Array(("key", String(_UTF8)), ("value", Float64), ("remove", Boolean))),
        )),
        ("validate_only", Boolean),
    )  # fmt: skip


class AlterQuotas(Request[AlterQuotasRequestV0]):
    """Set quotas of users."""

    API_KEY = 49

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[AlterQuotasRequestV0]) -> AlterQuotasRequestV0:
        """The structure sent."""
        return request_struct_class(self._entries, False)  # noqa: FBT003 - validate_only


Filter = tuple[int, str | None, int, str | None, str | None, int, int]
"""Resource type, name, pattern type, principal, host, operation, permission: of an entry, or of what it matches."""


class CreateAclBatch(Request[CreateAclsRequest_v1]):
    """Create entries, all in one request (aiokafka's own takes one)."""

    API_KEY = 30

    def __init__(self, entries: list[Filter]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        """The structure sent."""
        return request_struct_class(self._entries)


class DeleteAclBatch(Request[DeleteAclsRequest_v1]):
    """Delete entries, all in one request."""

    API_KEY = 31

    def __init__(self, filters: list[Filter]) -> None:
        self._filters = filters

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        """The structure sent."""
        return request_struct_class(self._filters)
