"""A record as a line of JSON and back, byte for byte: what `log` prints, `send --raw-records` takes.

`{"key", "timestamp", "value", "headers", "partition", "offset"}`: bytes that are UTF-8 as text, others under
`key_base64`, `value_base64`. Headers are an object; where a name occurs twice or a value is no text, a list of
`[name, value]` with `{"base64": ...}` for such a value.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import msgspec
import orjson

from agents.cli.routing import topic_of_value
from agents.transport.log import Outgoing, Record, pack_headers, partition_for, unpack_headers


class BadRecord(Exception):
    """A line is no record; the text names field and value."""


class _Base64(msgspec.Struct, forbid_unknown_fields=True):
    base64: str


_Value = str | _Base64 | None


class _Line(msgspec.Struct, gc=False):
    timestamp: int
    key: str | None = None
    key_base64: str | None = None
    value: str | msgspec.UnsetType | None = msgspec.UNSET
    value_base64: str | None = None
    headers: dict[str, str | None] | list[tuple[str, _Value]] | None = None
    partition: int | None = None


_decode: Final = msgspec.json.Decoder(_Line).decode


def to_line(record: Record | tuple[int, int, bytes | None, bytes | None, bytes | None], partition: int) -> bytes:
    """The JSON of a record, without a line end."""
    offset, timestamp, key, value, headers = record
    fields = {**_field("key", key), "timestamp": timestamp, **_field("value", value)}
    return orjson.dumps(fields | {"headers": _headers(headers), "partition": partition, "offset": offset})


def _field(name: str, value: bytes | None) -> dict[str, Any]:
    try:
        return {name: None if value is None else value.decode()}
    except UnicodeDecodeError:
        return {name + "_base64": base64.b64encode(value or b"").decode("ascii")}


def _headers(packed: bytes | None) -> object:
    pairs = unpack_headers(packed)
    plain = len({name for name, _ in pairs}) == len(pairs)
    values = [_header_value(value) for _, value in pairs]
    if plain and not any(isinstance(value, dict) for value in values):
        return {name: value for (name, _), value in zip(pairs, values, strict=True)}
    return [[name, value] for (name, _), value in zip(pairs, values, strict=True)]


def _header_value(value: bytes | None) -> object:
    found = _field("", value)
    return found[""] if "" in found else {"base64": found["_base64"]}


def from_line(line: bytes, topic: str | None, partitions: int) -> Outgoing:
    """The record of a line, for `topic` (None: by the type of the event that its value is); BadRecord."""
    try:
        fields = _decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRecord(f"not a record ({error})") from None
    if not -(2**63) <= fields.timestamp < 2**63:
        raise BadRecord(f"timestamp {fields.timestamp}: it must be milliseconds since 1970 UTC")
    if fields.value is msgspec.UNSET and fields.value_base64 is None:
        raise BadRecord("no value: it must have `value` (null for none) or `value_base64`")
    key = _bytes("key", fields.key, fields.key_base64)
    value = _bytes("value", None if fields.value is msgspec.UNSET else fields.value, fields.value_base64)
    where = topic or topic_of_value(value)
    if where is None:
        raise BadRecord("its value names no topic (--topic gives it)")
    return Outgoing(where, _partition(fields.partition, key, partitions), fields.timestamp, key, value, _packed(fields))


def _bytes(name: str, text: str | None, encoded: str | None) -> bytes | None:
    if text is not None and encoded is not None:
        raise BadRecord(f"both {name} and {name}_base64: it must be one of them")
    try:
        return (
            text.encode() if text is not None else _unbase64(name + "_base64", encoded) if encoded is not None else None
        )
    except UnicodeError as error:
        raise BadRecord(f"{name}: {error}") from None


def _unbase64(name: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRecord(f"{name} {encoded[:40]!r}: {error}") from None


def _partition(given: int | None, key: bytes | None, partitions: int) -> int:
    if given is None:
        return 0 if key is None else partition_for(key, partitions)
    if not 0 <= given < partitions:
        raise BadRecord(f"partition {given}: this log has 0 to {partitions - 1}")
    return given


def _packed(fields: _Line) -> bytes | None:
    headers = fields.headers
    pairs = list(headers.items()) if isinstance(headers, dict) else headers or []
    return pack_headers([(name, _header_bytes(name, value)) for name, value in pairs])


def _header_bytes(name: str, value: str | _Base64 | None) -> bytes | None:
    if isinstance(value, _Base64):
        return _unbase64(f"header {name!r}", value.base64)
    return _bytes(f"header {name!r}", value, None)
