"""A mapping says which column of a CSV file becomes which field of an event; what it makes is judged by the worker.

    event_id: "{order}-{line}"        # text with {column} in it, or
    employee_id: operator             # the name of a column
    occurred_at: finished
    measures: {inspected: qty, accepted: ok}
    dims: {product: sku, stage: station}
    constants: {type: qc.inspection, source: line-3, dims: {line: L03}}
    timezone: Asia/Shanghai           # for times that carry no zone
    delimiter: ";"                    # default: ,
    encoding: gb18030                 # default: utf-8

An empty cell leaves its measure, dim or `corrects` out.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import orjson
import yaml

from agents.cli.errors import CommandError
from agents.cli.lines import Block
from schemas.instants import parse_rfc3339

AT_ONCE: Final = 5_000
_REQUIRED: Final = ("event_id", "type", "employee_id", "occurred_at", "source")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_COLUMN: Final = re.compile(r"\{([^{}]+)\}")


class Constants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that are the same in every event."""

    type: str | None = None
    employee_id: str | None = None
    occurred_at: str | None = None
    source: str | None = None
    measures: dict[str, int | float] = {}
    dims: dict[str, str] = {}


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file: the column, or the text with {column} in it, of each field, measure and dim."""

    event_id: str | None = None
    type: str | None = None
    employee_id: str | None = None
    occurred_at: str | None = None
    source: str | None = None
    corrects: str | None = None
    measures: dict[str, str] = {}
    dims: dict[str, str] = {}
    constants: Constants = Constants()
    timezone: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file; CommandError names file, field and what would be right."""
    try:
        mapping = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Mapping)
        codecs.lookup(mapping.encoding)
        _zone(mapping)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: not YAML: {error}") from None
    except msgspec.ValidationError as error:
        raise CommandError(f"{path}: {error}; fields are {', '.join(Mapping.__struct_fields__)}") from None
    except LookupError as error:
        raise CommandError(f"{path}: encoding: {error}; e.g. utf-8 or gb18030") from None
    except (ValueError, OSError) as error:
        raise CommandError(f"{path}: timezone {mapping.timezone!r}: {error}; e.g. Asia/Shanghai") from None
    if len(mapping.delimiter) != 1:
        raise CommandError(f"{path}: delimiter {mapping.delimiter!r}: it must be one character")
    for name in _REQUIRED:
        if getattr(mapping, name) is None and getattr(mapping.constants, name, None) is None:
            raise CommandError(f"{path}: {name} is missing; name its column, or give it under `constants`")
    return mapping


def csv_events(source: BinaryIO, mapping: Mapping, name: str) -> Iterator[Block]:
    """The events of a CSV file with a header line, as lines of JSON in blocks; CommandError for a missing column."""
    text = io.TextIOWrapper(
        source, encoding="utf-8-sig" if mapping.encoding == "utf-8" else mapping.encoding, newline=""
    )
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        header = next(reader, [])
        make = _maker(mapping, header, name)
        lines: list[bytes] = []
        numbers: list[int] = []
        for row in reader:
            if row:
                lines.append(make(row))
                numbers.append(reader.line_num)
            if len(lines) == AT_ONCE:
                yield Block(lines, numbers, sum(map(len, lines)))
                lines, numbers = [], []
        yield Block(lines, numbers, sum(map(len, lines)))
    except (csv.Error, UnicodeDecodeError) as error:
        raise CommandError(f"{name}: line {reader.line_num}: {error}; is it CSV in {mapping.encoding}?") from None
    finally:
        text.detach()  # the file is the caller's to close


Cell = Callable[[list[str]], str]


def _maker(mapping: Mapping, header: list[str], name: str) -> Callable[[list[str]], bytes]:
    """A function from a row to the JSON of its event."""
    given = [(field, text) for field in (*_REQUIRED, "corrects") if (text := getattr(mapping, field)) is not None]
    fields = [(field, _cell(header, text, f"{name}: {field}")) for field, text in given]
    measures = [(k, _cell(header, v, f"{name}: measures.{k}")) for k, v in mapping.measures.items()]
    dims = [(k, _cell(header, v, f"{name}: dims.{k}")) for k, v in mapping.dims.items()]
    zone = _zone(mapping)
    fixed: dict[str, Any] = {
        key: value for key, value in msgspec.structs.asdict(mapping.constants).items() if isinstance(value, str)
    }

    def make(row: list[str]) -> bytes:
        event = fixed | {field: text for field, cell in fields if (text := cell(row)) or field != "corrects"}
        event["occurred_at"] = _moment(event["occurred_at"], zone)
        event["measures"] = mapping.constants.measures | {
            k: _number(text) for k, cell in measures if (text := cell(row))
        }
        event["dims"] = mapping.constants.dims | {k: text for k, cell in dims if (text := cell(row))}
        return orjson.dumps(event)

    return make


def _cell(header: list[str], text: str, field: str) -> Cell:
    """Reads one field from a row: a column, or a text made of columns. A short row has empty cells at its end."""

    def column(name: str) -> Cell:
        if name not in header:
            raise CommandError(f"{field}: no column {name!r}; the file has {', '.join(header) or 'no header line'}")
        index = header.index(name)
        return lambda row: row[index] if index < len(row) else ""

    if text in header or not _COLUMN.search(text):
        return column(text)
    parts = _COLUMN.split(text)  # literal, column, literal, ...
    cells = [column(part) if i % 2 else (lambda row, part=part: part) for i, part in enumerate(parts)]
    return lambda row: "".join(cell(row) for cell in cells)


def _number(text: str) -> object:
    """A JSON number with the digits as written; what is none stays text, and the worker says so."""
    return orjson.Fragment(text) if _NUMBER.fullmatch(text) else text


def _moment(text: str, zone: zoneinfo.ZoneInfo | None) -> object:
    """An instant as it stands, milliseconds as a number, a local time in the mapping's zone with its offset."""
    if text.isascii() and text.isdigit():
        return int(text)
    if zone is None or parse_rfc3339(text) is not None:
        return text
    try:
        local = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return local.replace(tzinfo=local.tzinfo or zone).isoformat()


def _zone(mapping: Mapping) -> zoneinfo.ZoneInfo | None:
    # ZoneInfoNotFoundError is a KeyError: say it as the ValueError that a bad name in another form is.
    try:
        return None if mapping.timezone is None else zoneinfo.ZoneInfo(mapping.timezone)
    except zoneinfo.ZoneInfoNotFoundError as error:
        raise ValueError(error) from None
