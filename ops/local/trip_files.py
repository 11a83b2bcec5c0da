"""Reads trips from files: CSV with a header, Parquet, or JSON Lines in DynamoDB JSON, as DynamoDB
exports them."""

from __future__ import annotations

import base64
import codecs
import csv
import gzip
import io
import json
import re
import shlex
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ops.local.closest_name import closest_name
from ops.local.dynamodb_json import (
    KEY_TYPES,
    Item,
    RefusedByDynamoDbError,
    check_key,
    check_size,
    read_item,
    write_item,
)
from ops.local.parquet_items import ParquetError, read_parquet
from ops.runs.figures import plain

__all__ = [
    "LINE",
    "ROW",
    "STREAM_KEY",
    "UTF_8",
    "Item",
    "NoSuchKeyError",
    "SameKey",
    "TripFileError",
    "Trips",
    "add_json_lines",
    "batches",
    "read_trips",
    "to_json_lines",
]

STREAM_KEY = "trip_id"
"""The attribute that events of one trip share in the files of a stream producer."""
ROW = "row"
"""The hash key that numbers the rows of files without an id, if no column has this name."""
LINE = "\x00"
"""The hash key that numbers the items of JSON Lines, to look for their key; no attribute has this
name."""
UTF_8 = "utf-8"
"""The encoding of text files, unless another one is given."""
SameKey = Literal["error", "last"]
"""What to do with a second row of one file with the same key: an error, or the last row counts."""

_EXAMPLE_LINE = '{"Item": {"trip_id": {"S": "a1"}, "fare_amount": {"N": "12.5"}}}'
_MANIFESTS = ("manifest-summary.json", "manifest-files.json")
_DATA_FILES = (".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".parquet")
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_NOT_TRIPS = {
    b"PK\x03\x04": "a spreadsheet or a zip archive: export it as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: export it as CSV",
    b"BZh": "packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "packed with xz: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, or pack it with gzip",
}
"""the format and the advice, by the first bytes of such a file"""
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_TIME = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:.*)?")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_USUAL_COLUMNS = ("pickup_datetime", "estimated_fare_amount", "fare_amount")
_LONGEST_LINE_SHOWN = 200


class TripFileError(Exception):
    """A file cannot be read as trips. The message names file, line and value."""


class NoSuchKeyError(TripFileError):
    """A file has no column, or an item no attribute, with the name of the table's key."""

    def __init__(self, message: str, *, names: Sequence[str], wanted: str | None = None) -> None:
        super().__init__(message)
        self.names = tuple(names)
        """names of what it has and can be a key"""
        self.wanted = wanted
        """the name that it does not have; None: no name was given"""


@dataclass(slots=True, kw_only=True)
class Trips:
    """The items of all files, by key; rows of several files that share the key are one item."""

    hash_key: str
    sort_key: str | None
    items: dict[tuple[str, ...], Item] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    """sentences about files without rows, and rows that replace others"""
    rows: int = 0
    """the number of rows of CSV and Parquet files"""
    key_types: dict[str, str] = field(default_factory=dict)
    """types of the key attributes, as the first item has them"""
    first_items: dict[Path, int] = field(default_factory=dict)
    """the number of items that were there before each file"""

    @property
    def key_attributes(self) -> tuple[str, ...]:
        return (self.hash_key,) if self.sort_key is None else (self.hash_key, self.sort_key)

    def file_of(self, key: tuple[str, ...]) -> Path:
        """Returns the file that has added the item with this key, which is there."""
        place = list(self.items).index(key)
        return next(file for file, first in reversed(self.first_items.items()) if first <= place)

    def without_items(self) -> Trips:
        """Returns the same table without items."""
        return Trips(hash_key=self.hash_key, sort_key=self.sort_key)


def read_trips(
    files: Sequence[Path],
    *,
    hash_key: str,
    sort_key: str | None = None,
    same_key: SameKey = "error",
    encoding: str = UTF_8,
) -> Trips:
    """Reads every file, CSV, Parquet or JSON Lines by its first characters, gzip or not; of a
    directory, every data file in it, and of an export of DynamoDB's its data files alone.

    A CSV value is a String, as a stream producer writes it; an empty cell is an empty String, and
    does not replace what another file says of the trip. The hash key ROW numbers the rows.
    `encoding` is that of the files that are text. Raises TripFileError.
    """
    trips = Trips(hash_key=hash_key, sort_key=sort_key)
    for file in _data_files(files):
        body = _body(file)
        if body.startswith(_PARQUET):
            _add_rows(trips, file, _parquet_rows(trips, file, body), same_key)
            continue
        text = _text(file, body, encoding)
        match text.lstrip()[:1]:
            case "" if ".json" in file.name:
                continue  # a partition of the table without items
            case "":
                raise TripFileError(f"{file} is empty: a CSV has at least a header")
            case "[":
                raise TripFileError(
                    f"{file} is a JSON array: write one item a line, {_EXAMPLE_LINE}"
                )
            case "{":
                add_json_lines(trips, file, text)
            case "$" if text.lstrip().startswith("$ion_1_0"):
                raise TripFileError(
                    f"{file} is in Amazon Ion: export the table again with the format "
                    "DYNAMODB_JSON (`aws dynamodb export-table-to-point-in-time --export-format "
                    "DYNAMODB_JSON …`)"
                )
            case _:
                _add_rows(trips, file, _csv_rows(trips, file, text), same_key)
    return trips


def to_json_lines(trips: Trips) -> str:
    """Returns the items as `read_trips` reads them: JSON Lines in DynamoDB JSON."""
    lines = ({"Item": write_item(item)} for item in trips.items.values())
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yields `items` in groups of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _data_files(files: Sequence[Path]) -> Iterator[Path]:
    for file in files:
        if not file.is_dir():
            yield file
            continue
        found = sorted(
            one
            for one in file.rglob("*")
            if one.is_file() and one.name not in _MANIFESTS and one.name.endswith(_DATA_FILES)
        )
        exports = sorted(one.parent for one in file.rglob(_MANIFESTS[0]))
        if len(exports) > 1:
            raise TripFileError(
                f"{file} has {len(exports)} exports: name one of them, such as {exports[0]}"
            )
        if exports:
            found = [one for one in found if one.parent == exports[0] / "data"]
        if not found:
            raise TripFileError(
                f"{file} has no trip files in it: they end in {', '.join(_DATA_FILES)}"
            )
        yield from found


def _body(file: Path) -> bytes:
    """Returns the file's bytes, decompressed."""
    try:
        body = file.read_bytes()
        if body.startswith(_GZIP):
            body = gzip.decompress(body)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TripFileError(
            f"{file} is not a complete gzip file ({error}): fetch it again"
        ) from error
    except OSError as error:
        raise TripFileError(f"{file} cannot be read: {error.strerror or error}") from error
    for first_bytes, what in _NOT_TRIPS.items():
        if body.startswith(first_bytes):
            raise TripFileError(f"{file} is {what}")
    return body


def _text(file: Path, body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = before.count(b"\n") + 1
        byte = error.start - before.rfind(b"\n")
        raise TripFileError(
            f"{file} line {line}, byte {byte} (0x{body[error.start]:02X}) is not {encoding} text: "
            f"{_other_encoding(file, body)}"
        ) from error


def _other_encoding(file: Path, body: bytes) -> str:
    """Returns how to read a text that is not UTF-8, with the encoding that it probably has."""
    if body.startswith(_UTF_16_MARKS):
        name, iconv = "utf-16", "UTF-16"
    elif any(0x80 <= byte < 0xA0 for byte in body):
        name, iconv = "cp1252", "CP1252"
    else:
        name, iconv = "latin-1", "LATIN1"
    unpacked = "gunzip -c" if file.suffix == ".gz" else "cat"
    converted = file.with_name(f"{file.name.partition('.')[0]}-utf-8.csv")
    return (
        f"if it is {name}, read it with --encoding {name}, or convert it: "
        f"{unpacked} {shlex.quote(str(file))} | iconv -f {iconv} -t UTF-8 > "
        f"{shlex.quote(str(converted))}"
    )


# CSV and Parquet: rows with the columns of a file


def _add_rows(
    trips: Trips, file: Path, read: Iterator[tuple[str, Item]], same_key: SameKey
) -> None:
    """Adds rows; `read` are items, each with its place in the file."""
    rows: dict[tuple[str, ...], tuple[str, Item]] = {}
    replaced = 0
    for place, item in read:
        key = _key(trips, item, file, place)
        if key in rows:
            if same_key == "error":
                raise TripFileError(
                    f"{file} has the key {', '.join(key)} in {rows[key][0]} and in {place}, and an "
                    "item has a key of its own. If the last row is the right one: "
                    "--same-key last. If the rows are different trips and have no id: "
                    f"{_numbered(item)}"
                )
            replaced += 1
        rows[key] = place, item
    if not rows:
        trips.remarks.append(f"{file} has a header and no rows.")
    if replaced:
        trips.remarks.append(
            f"{replaced:,} of the {replaced + len(rows):,} rows of {file} are left out: a later "
            "row has the same key, and --same-key is last."
        )
    _merge(trips, file, rows)


def _numbered(item: Item) -> str:
    """Explains how to use a row number as the key of each row."""
    if ROW in item:
        return (
            f"rename the column {ROW!r}, so that --key {ROW} numbers the rows, or name a column "
            "with --key that is different in every row"
        )
    return f"--key {ROW}, which numbers them"


def _csv_rows(trips: Trips, file: Path, text: str) -> Iterator[tuple[str, Item]]:
    csv.field_size_limit(len(text) + 1)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        rows = _numbered_rows(lines)
        number, header = next(rows)
        columns = [column.strip() for column in header]
        _check_header(trips, file, columns, text)
        _check_columns(trips, file, columns, header=f" line {number},")
        for number, row in rows:
            if len(row) != len(columns):
                raise TripFileError(
                    f"{file} line {number} does not have the {len(columns)} fields of the header: "
                    "fix it"
                )
            item = {name: {"S": value} for name, value in zip(columns, row, strict=True)}
            yield f"line {number}", read_item(item | _row_number(trips, columns))
    except csv.Error as error:
        raise TripFileError(f"{file} line {lines.line_num} is not CSV: {error}") from error
    except RefusedByDynamoDbError as error:
        raise TripFileError(f"{file} line {number}: {error}") from error


def _numbered_rows(lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Yields the rows of a csv.reader that are not empty, each with the number of its first
    line."""
    first = 1
    for row in lines:
        if row:
            yield first, row
        first = lines.line_num + 1


def _parquet_rows(trips: Trips, file: Path, body: bytes) -> Iterator[tuple[str, Item]]:
    row = 0
    try:
        columns, rows = read_parquet(body)
        _check_columns(trips, file, columns)
        for row, document in enumerate(rows, start=1):
            yield f"row {row}", read_item(document | _row_number(trips, columns))
    except ParquetError as error:
        raise TripFileError(f"{file} {error}") from error
    except RefusedByDynamoDbError as error:
        raise TripFileError(f"{file} row {row}: {error}") from error


def _check_columns(trips: Trips, file: Path, columns: list[str], *, header: str = "") -> None:
    """Raises TripFileError for a column without a name, two columns with one name, or if no column
    is the key.

    `header` is the place of the names in the file.
    """
    if "" in columns:
        number = columns.index("") + 1
        advice = "name it, or leave the column out"
        if number == 1 and header:
            advice += ". If pandas wrote it, to_csv(index=False) writes it without this column"
        raise TripFileError(f"{file}{header} column {number} has no name: {advice}")
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise TripFileError(f"{file} has the column {twice[0]!r} twice: rename one")
    for name in trips.key_attributes:
        if name not in columns and name != ROW:
            raise _no_such_key(trips, name, f"{file} has no column", columns)


def _row_number(trips: Trips, columns: list[str]) -> Item:
    """Counts a row; returns the attribute that numbers it, if that is the key and not a column."""
    trips.rows += 1
    is_numbered = trips.hash_key == ROW and ROW not in columns
    return {ROW: {"S": str(trips.rows)}} if is_numbered else {}


def _no_such_key(
    trips: Trips, name: str, place: str, names: Sequence[str], *, has_rows: bool = True
) -> NoSuchKeyError:
    """For a key attribute that is none of `names`. Without rows, `--key row` numbers nothing."""
    option = "--key" if name == trips.hash_key else "--sort-key"
    if closest := closest_name(name, names):
        proposed = f"did you mean {option} {shlex.quote(closest)}?"
    elif option == "--key" and has_rows:
        proposed = f"name one of them with --key, or number the rows with --key {ROW}"
    else:
        proposed = f"name one of them with {option}"
    return NoSuchKeyError(
        f"{place} {name!r} for the table's key, only {', '.join(names)}: {proposed}",
        names=names,
        wanted=name,
    )


def _check_header(trips: Trips, file: Path, cells: list[str], text: str) -> None:
    """Raises TripFileError if a CSV has no commas, or begins with a trip. A line with the key's
    name is a header."""
    if len(cells) == 1 and (other := next((one for one in ";\t|" if one in cells[0]), "")):
        raise TripFileError(
            f"{file} has one column, {cells[0]!r}, which seems to be several, separated by "
            f"{other!r}: separate them by commas"
        )
    if trips.hash_key in cells or not (why := _sign_of_a_trip(cells)):
        return
    line = text.lstrip().partition("\n")[0].rstrip()
    key = STREAM_KEY if trips.hash_key in (ROW, LINE) else trips.hash_key
    names = [*(key, *_USUAL_COLUMNS), *(f"column_{n}" for n in range(5, len(cells) + 1))]
    raise TripFileError(
        f"{file} has no header: its first line is {line[:_LONGEST_LINE_SHOWN]} and {why}. Add a "
        f"line before it that names its {len(cells)} columns, such as "
        f"{','.join(names[: len(cells)])}"
    )


def _sign_of_a_trip(cells: list[str]) -> str:
    """Returns why these are values and not names; empty if they may be names."""
    for cell in cells:
        if _TIME.fullmatch(cell):
            return f"{cell!r} is a time"
        if _DECIMAL.fullmatch(cell):
            return f"{cell!r} is a number"
    whole = [cell for cell in cells if _WHOLE_NUMBER.fullmatch(cell)]
    if len(whole) > len(cells) / 2:  # one name can be a number: 2024
        return f"{whole[0]!r} is a number"
    twice = [cell for cell in cells if cell and cells.count(cell) > 1]
    return f"{twice[0]!r} is there twice" if twice else ""


def _merge(trips: Trips, file: Path, rows: Mapping[tuple[str, ...], tuple[str, Item]]) -> None:
    """Merges a file's rows with what other files say about the same trips."""
    changed, example = 0, ""
    trips.first_items.setdefault(file, len(trips.items))
    for key, (place, item) in rows.items():
        there = trips.items.setdefault(key, {})
        before = dict(there)
        for name, value in item.items():
            if value != {"S": ""} or name not in there:
                there[name] = value
        try:
            check_size(there)
        except RefusedByDynamoDbError as error:
            raise TripFileError(
                f"{file} {place}: together with the rows of earlier files that have the same key, "
                f"{error}"
            ) from error
        replaced = [name for name in before if before[name] not in (there[name], {"S": ""})]
        if replaced:
            changed += 1
            example = example or f"{place} has another {replaced[0]} of trip {', '.join(key)}"
    if changed:
        trips.remarks.append(
            f"{changed:,} of the {len(rows):,} rows of {file} replace values that earlier files "
            f"have of the same trips: {example}."
        )


# JSON Lines


def add_json_lines(trips: Trips, file: Path, text: str) -> None:
    """Adds the items of a file, one per line, as in an export. Raises TripFileError."""
    lines: dict[tuple[str, ...], int] = {}
    trips.first_items.setdefault(file, len(trips.items))
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        document = _document(file, number, line, text)
        try:
            item = read_item(document["Item"])
        except RefusedByDynamoDbError as error:
            raise TripFileError(f"{file} line {number}: {error}") from error
        if trips.hash_key == LINE:
            item[LINE] = {"S": str(len(trips.items))}
        for name in trips.key_attributes:
            if name not in item:
                place = f"{file} line {number} has no attribute"
                names = [one for one in item if one != LINE and item[one].keys() & {*KEY_TYPES}]
                raise _no_such_key(trips, name, place, names, has_rows=False)
        key = _key(trips, item, file, f"line {number}")
        if key in trips.items:
            raise _same_key(trips, key, f"{file} line {number}", lines.get(key))
        trips.items[key], lines[key] = item, number


def _same_key(trips: Trips, key: tuple[str, ...], place: str, line: int | None) -> TripFileError:
    """For a second item with a key. `line` is that of the first one in the same file; None: it is
    in another file."""
    says = f"{place} has the key {', '.join(key)}, which "
    name_it = "if the table has a sort key, name it with --sort-key"
    if line is None:
        says += f"{trips.file_of(key)} has, too: one of the two files may be a copy of the other. "
        says += "Fetch both again, or leave one out"
        return TripFileError(says if trips.sort_key else f"{says}. Or, {name_it}")
    advice = name_it
    if trips.sort_key:
        advice = (
            f"{trips.hash_key!r} and {trips.sort_key!r} are not the table's key. Name it with "
            "--key and --sort-key, or fetch the file again"
        )
    return TripFileError(f"{says}is in line {line} already: {advice}")


def _document(file: Path, number: int, line: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except RecursionError as error:
        raise TripFileError(f"{file} line {number} is nested too deep") from error
    except ValueError as error:
        if what := _other_form(text):
            raise TripFileError(f"{file} is {what}") from error
        raise TripFileError(
            f"{file} line {number} is not JSON ({error}): a line looks like {_EXAMPLE_LINE}"
        ) from error
    if isinstance(document, dict) and "Item" in document:
        return document
    if what := _other_form(line) or _other_form(text):
        raise TripFileError(f"{file} is {what}")
    raise TripFileError(
        f"{file} line {number} is not an item in DynamoDB JSON: a line looks like {_EXAMPLE_LINE}"
    )


def _other_form(text: str) -> str:
    """Returns what a document of another form is, and what to do with it; empty if that is not
    known."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    if {"NewImage", "OldImage", "Keys"} & document.keys():
        return (
            "an incremental export, which has changes and not the table: make a full export "
            "(`aws dynamodb export-table-to-point-in-time --export-type FULL_EXPORT …`)"
        )
    if {"dataFileS3Key", "manifestFilesS3Key"} & document.keys():
        return (
            "a manifest of an export and not its data: name the export's directory, or the files "
            "in its folder data/"
        )
    if "Items" in document:
        return (
            "the output of `aws dynamodb scan`: write one item a line, "
            "`jq -c '.Items[] | {Item: .}' FILE > trips.jsonl`"
        )
    if {"ModelName", "DataModel"} & document.keys():
        return (
            "a model of NoSQL Workbench: commit it to a table and export that, or write its "
            "TableData as one item a line, "
            "`jq -c '.DataModel[].TableData[] | {Item: .}' FILE > trips.jsonl`"
        )
    return ""


def _key(trips: Trips, item: Item, file: Path, place: str) -> tuple[str, ...]:
    try:
        check_key(item, trips.key_attributes)
    except RefusedByDynamoDbError as error:
        raise TripFileError(f"{file} {place}: {error}") from error
    key = []
    for name in trips.key_attributes:
        ((kind, value),) = item[name].items()
        if (wanted := trips.key_types.setdefault(name, kind)) != kind:
            raise TripFileError(
                f"{file} {place}: the key attribute {name!r} is of type {kind} here, and of "
                f"type {wanted} in earlier items: a table's key has one type"
            )
        key.append(_key_text(kind, value))
    return tuple(key)


def _key_text(kind: str, value: Any) -> str:
    """Returns equal texts for equal values of a key."""
    match kind:
        case "N":
            return plain(value)
        case "B":
            return base64.b64encode(value).decode()
        case _:
            return str(value)
