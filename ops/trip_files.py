"""Trips from files: CSV with a header, or JSON Lines in DynamoDB JSON."""

import base64
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Item = dict[str, dict[str, Any]]
"""An item as boto3's client takes it: attribute names to ``{"S": "…"}`` and the like."""

STREAM_KEY = "trip_id"
"""What events of one trip share in the files of a stream producer."""
_EXAMPLE_LINE = '{"Item": {"trip_id": {"S": "a1"}, "fare_amount": {"N": "12.5"}}}'


class TripFileError(Exception):
    """A file cannot be read as trips. The message names file, line and value."""


@dataclass(slots=True, kw_only=True)
class Trips:
    """The items of all files, by key; rows of CSV files that share the key are one item."""

    hash_key: str
    sort_key: str | None
    items: dict[tuple[str, ...], Item] = field(default_factory=dict)
    overwritten: list[str] = field(default_factory=list)
    """CSV values that a later row of the same trip replaced by another one, each as a sentence"""

    @property
    def key_attributes(self) -> tuple[str, ...]:
        return (self.hash_key,) if self.sort_key is None else (self.hash_key, self.sort_key)


def read_trips(files: Sequence[Path], *, hash_key: str, sort_key: str | None = None) -> Trips:
    """Reads every file, CSV or JSON Lines by its first character, gzip or not.

    A CSV value is a String, as a stream producer writes it; an empty cell is an empty String, and
    does not replace what another row of the trip says. Where a CSV has no column `hash_key` but a
    `trip_id`, that gives the key. Raises TripFileError.
    """
    trips = Trips(hash_key=hash_key, sort_key=sort_key)
    for file in files:
        text = _text(file)
        match text.lstrip()[:1]:
            case "":
                raise TripFileError(f"{file} is empty: a CSV has at least a header")
            case "[":
                raise TripFileError(
                    f"{file} is a JSON array: write one item a line, {_EXAMPLE_LINE}"
                )
            case "{":
                _add_json_lines(trips, file, text)
            case _:
                _add_csv(trips, file, text)
    return trips


def _text(file: Path) -> str:
    try:
        body = file.read_bytes()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if body[:2] == b"PK":
            raise TripFileError(
                f"{file} is a spreadsheet or a zip archive: export it as CSV, or unpack it"
            )
        return body.decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TripFileError(f"{file} is no whole gzip file ({error}): fetch it again") from error
    except OSError as error:
        raise TripFileError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TripFileError(f"{file} is not UTF-8 text (byte {error.start}): convert it") from error


def _add_csv(trips: Trips, file: Path, text: str) -> None:
    csv.field_size_limit(len(text) + 1)
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = list(rows.fieldnames or ())
    source = trips.hash_key if trips.hash_key in columns else STREAM_KEY
    for wanted, option in ((source, "--key"), (trips.sort_key, "--sort-key")):
        if wanted is not None and wanted not in columns:
            raise TripFileError(
                f"{file} has no column {wanted!r} for the table's key, only {', '.join(columns)}: "
                f"name the column with {option}; columns are separated by commas"
            )
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise TripFileError(f"{file} has the column {twice[0]!r} twice: rename one")
    try:
        for row in rows:
            line = rows.line_num
            if None in row or None in row.values():
                raise TripFileError(
                    f"{file} line {line} has not the {len(columns)} fields of the header: mend it"
                )
            values = {**row, trips.hash_key: row[source]}
            _merge(trips, {name: {"S": value} for name, value in values.items()}, file, line)
    except csv.Error as error:
        raise TripFileError(f"{file} line {rows.line_num} is no CSV: {error}") from error


def _add_json_lines(trips: Trips, file: Path, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = {name: _value(value) for name, value in json.loads(line)["Item"].items()}
        except (ValueError, ArithmeticError, KeyError, TypeError, AttributeError) as error:
            raise TripFileError(
                f"{file} line {number} is no item in DynamoDB JSON: a line looks like "
                f"{_EXAMPLE_LINE}"
            ) from error
        key = _key(trips, item, file, number)
        if key in trips.items:
            raise TripFileError(
                f"{file} line {number} has the key {', '.join(key)} a second time: if the table "
                "has a sort key, name it with --sort-key; a key has one type in all of its items"
            )
        trips.items[key] = item


def _merge(trips: Trips, item: Item, file: Path, line: int) -> None:
    key = _key(trips, item, file, line)
    there = trips.items.setdefault(key, {})
    for name, value in item.items():
        before = there.get(name, value)["S"]
        if before and not value["S"]:
            continue
        if before and before != value["S"]:
            trips.overwritten.append(
                f"{file} line {line} replaces the {name} {before!r} of trip {', '.join(key)} by "
                f"{value['S']!r}"
            )
        there[name] = value


def _key(trips: Trips, item: Item, file: Path, line: int) -> tuple[str, ...]:
    key = []
    for name in trips.key_attributes:
        value = item.get(name, {})
        kind = next(iter(value), "")
        if kind not in {"S", "N", "B"} or not value[kind]:
            raise TripFileError(
                f"{file} line {line} has no value for the key attribute {name!r}: every trip needs "
                "one; name another attribute with --key"
            )
        key.append(str(value[kind]))
    return tuple(key)


def _value(value: dict[str, Any]) -> dict[str, Any]:
    """A value of DynamoDB JSON as boto3 takes it: binaries as bytes, at any depth."""
    ((kind, inner),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(inner, validate=True)}
        case "BS":
            return {kind: [base64.b64decode(one, validate=True) for one in inner]}
        case "M":
            return {kind: {name: _value(one) for name, one in inner.items()}}
        case "L":
            return {kind: [_value(one) for one in inner]}
        case "N":
            return {kind: _number(inner)}
        case "NS":
            return {kind: [_number(one) for one in inner]}
        case "S" | "BOOL" | "NULL" | "SS":
            return {kind: inner}
    raise ValueError(f"{kind!r} is no type")


def to_json_lines(trips: Trips) -> str:
    """The items as `read_trips` reads them: JSON Lines in DynamoDB JSON."""
    lines = (
        {"Item": {name: _wire_value(value) for name, value in item.items()}}
        for item in trips.items.values()
    )
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def _wire_value(value: dict[str, Any]) -> dict[str, Any]:
    """Inverts `_value`."""
    ((kind, inner),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64encode(inner).decode()}
        case "BS":
            return {kind: [base64.b64encode(one).decode() for one in inner]}
        case "M":
            return {kind: {name: _wire_value(one) for name, one in inner.items()}}
        case "L":
            return {kind: [_wire_value(one) for one in inner]}
    return {kind: inner}


def _number(text: str) -> str:
    """As DynamoDB gives it back: no plus sign, no bare point."""
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return str(number)


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
