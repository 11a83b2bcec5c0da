"""Trips from files: CSV with a header, or JSON Lines in DynamoDB JSON, as DynamoDB exports them."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ops.local.dynamodb_json import Item, RefusedByDynamoDbError, check_key, read_item, write_item
from ops.runs.figures import plain

__all__ = [
    "ROW",
    "STREAM_KEY",
    "Item",
    "SameKey",
    "TripFileError",
    "Trips",
    "batches",
    "read_trips",
    "to_json_lines",
]

STREAM_KEY = "trip_id"
"""What events of one trip share in the files of a stream producer."""
ROW = "row"
"""The hash key that numbers the rows of a CSV without an id, where it is no column itself."""
SameKey = Literal["error", "last"]
"""What a second row of one CSV file with the same key is: an error, or the one that counts."""

_EXAMPLE_LINE = '{"Item": {"trip_id": {"S": "a1"}, "fare_amount": {"N": "12.5"}}}'
_MANIFESTS = ("manifest-summary.json", "manifest-files.json")
_DATA_FILES = (".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz")


class TripFileError(Exception):
    """A file cannot be read as trips. The message names file, line and value."""


@dataclass(slots=True, kw_only=True)
class Trips:
    """The items of all files, by key; rows of several CSV files that share the key are one item."""

    hash_key: str
    sort_key: str | None
    items: dict[tuple[str, ...], Item] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    """sentences about rows that replace others"""
    rows: int = 0
    """of CSV files"""
    key_types: dict[str, str] = field(default_factory=dict)
    """of the key attributes, as the first item has them"""

    @property
    def key_attributes(self) -> tuple[str, ...]:
        return (self.hash_key,) if self.sort_key is None else (self.hash_key, self.sort_key)


def read_trips(
    files: Sequence[Path],
    *,
    hash_key: str,
    sort_key: str | None = None,
    same_key: SameKey = "error",
) -> Trips:
    """Reads every file, CSV or JSON Lines by its first character, gzip or not; of a directory,
    every data file in it, and of an export of DynamoDB's its data files alone.

    A CSV value is a String, as a stream producer writes it; an empty cell is an empty String, and
    does not replace what another file says of the trip. Where a CSV has no column `hash_key` but a
    `trip_id`, that gives the key; the hash key ROW numbers the rows. Raises TripFileError.
    """
    trips = Trips(hash_key=hash_key, sort_key=sort_key)
    for file in _data_files(files):
        text = _text(file)
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
                _add_json_lines(trips, file, text)
            case "$" if text.lstrip().startswith("$ion_1_0"):
                raise TripFileError(
                    f"{file} is in Amazon Ion: export the table again with the format "
                    "DYNAMODB_JSON (`aws dynamodb export-table-to-point-in-time --export-format "
                    "DYNAMODB_JSON …`)"
                )
            case _:
                _add_csv(trips, file, text, same_key)
    return trips


def to_json_lines(trips: Trips) -> str:
    """The items as `read_trips` reads them: JSON Lines in DynamoDB JSON."""
    lines = ({"Item": write_item(item)} for item in trips.items.values())
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in runs of at most `size`."""
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
                f"{file} has no data files in it: they end in {', '.join(_DATA_FILES)}"
            )
        yield from found


def _text(file: Path) -> str:
    try:
        body = file.read_bytes()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if body[:2] == b"PK":
            raise TripFileError(
                f"{file} is a spreadsheet or a zip archive: export it as CSV, or unpack it"
            )
        if body[:4] == b"PAR1":
            raise TripFileError(f"{file} is a Parquet file: write it as CSV")
        return body.decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TripFileError(f"{file} is no whole gzip file ({error}): fetch it again") from error
    except OSError as error:
        raise TripFileError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TripFileError(f"{file} is not UTF-8 text (byte {error.start}): convert it") from error


# CSV


def _add_csv(trips: Trips, file: Path, text: str, same_key: SameKey) -> None:
    rows: dict[tuple[str, ...], tuple[int, Item]] = {}
    replaced = 0
    for line, item in _csv_rows(trips, file, text):
        key = _key(trips, item, file, line)
        if key in rows:
            if same_key == "error":
                raise TripFileError(
                    f"{file} has the key {', '.join(key)} in line {rows[key][0]} and in line "
                    f"{line}, and an item has a key of its own. If the last row is the right one: "
                    "--same-key last. If the rows are different trips and have no id: --key "
                    f"{ROW}, which numbers them"
                )
            replaced += 1
        rows[key] = line, item
    if replaced:
        trips.remarks.append(
            f"{replaced:,} of the {replaced + len(rows):,} rows of {file} are left out: a later "
            "row has the same key, and --same-key is last."
        )
    _merge(trips, file, rows)


def _csv_rows(trips: Trips, file: Path, text: str) -> Iterator[tuple[int, Item]]:
    """Each row's line in the file, and the row as an item."""
    csv.field_size_limit(len(text) + 1)
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [column.strip() for column in rows.fieldnames or ()]
        rows.fieldnames = columns
        key_of = _key_of_row(trips, file, columns)
        for row in rows:
            line = rows.line_num
            if None in row or None in row.values():
                raise TripFileError(
                    f"{file} line {line} has not the {len(columns)} fields of the header: fix it"
                )
            trips.rows += 1
            source = str(trips.rows) if key_of is None else row[key_of]
            values = {**row, trips.hash_key: source}
            yield line, {name: {"S": value} for name, value in values.items()}
    except csv.Error as error:
        raise TripFileError(f"{file} line {rows.line_num} is no CSV: {error}") from error


def _key_of_row(trips: Trips, file: Path, columns: list[str]) -> str | None:
    """The column that gives the hash key; None where the rows are numbered."""
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise TripFileError(f"{file} has the column {twice[0]!r} twice: rename one")
    if trips.hash_key == ROW and ROW not in columns:
        source = None
    else:
        source = trips.hash_key if trips.hash_key in columns else STREAM_KEY
    for wanted, option in ((source, "--key"), (trips.sort_key, "--sort-key")):
        if wanted is not None and wanted not in columns:
            raise TripFileError(
                f"{file} has no column {wanted!r} for the table's key, only {', '.join(columns)}: "
                f"name the column with {option}, or number the rows with --key {ROW}; columns are "
                "separated by commas"
            )
    return source


def _merge(trips: Trips, file: Path, rows: Mapping[tuple[str, ...], tuple[int, Item]]) -> None:
    """Adds a file's rows to what other files say of the same trips."""
    changed, example = 0, ""
    for key, (line, item) in rows.items():
        there = trips.items.setdefault(key, {})
        before = dict(there)
        for name, value in item.items():
            # Another file may be JSON Lines, whose values have any type.
            if value["S"] or name not in there:
                there[name] = value
        replaced = [name for name in before if before[name] not in (there[name], {"S": ""})]
        if replaced:
            changed += 1
            example = example or f"line {line} has another {replaced[0]} of trip {', '.join(key)}"
    if changed:
        trips.remarks.append(
            f"{changed:,} of the {len(rows):,} rows of {file} replace values that earlier files "
            f"have of the same trips: {example}."
        )


# JSON Lines


def _add_json_lines(trips: Trips, file: Path, text: str) -> None:
    lines: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        document = _document(file, number, line, text)
        try:
            item = read_item(document["Item"])
        except RefusedByDynamoDbError as error:
            raise TripFileError(f"{file} line {number}: {error}") from error
        key = _key(trips, item, file, number)
        if key in trips.items:
            first = (
                f"in line {lines[key]} already" if key in lines else "in an earlier file already"
            )
            raise TripFileError(
                f"{file} line {number} has the key {', '.join(key)}, which is {first}: if the "
                "table has a sort key, name it with --sort-key"
            )
        trips.items[key], lines[key] = item, number


def _document(file: Path, number: int, line: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except RecursionError as error:
        raise TripFileError(f"{file} line {number} is nested too deep") from error
    except ValueError as error:
        if what := _other_form(text):
            raise TripFileError(f"{file} is {what}") from error
        raise TripFileError(
            f"{file} line {number} is no JSON ({error}): a line looks like {_EXAMPLE_LINE}"
        ) from error
    if isinstance(document, dict) and "Item" in document:
        return document
    if what := _other_form(line) or _other_form(text):
        raise TripFileError(f"{file} is {what}")
    raise TripFileError(
        f"{file} line {number} is no item in DynamoDB JSON: a line looks like {_EXAMPLE_LINE}"
    )


def _other_form(text: str) -> str:
    """What a document of another form is, and what to do with it; empty where that is not known."""
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


def _key(trips: Trips, item: Item, file: Path, line: int) -> tuple[str, ...]:
    try:
        check_key(item, trips.key_attributes)
    except RefusedByDynamoDbError as error:
        raise TripFileError(f"{file} line {line}: {error}") from error
    key = []
    for name in trips.key_attributes:
        ((kind, value),) = item[name].items()
        if (wanted := trips.key_types.setdefault(name, kind)) != kind:
            raise TripFileError(
                f"{file} line {line}: the key attribute {name!r} is of type {kind} here, and of "
                f"type {wanted} in earlier items: a table's key has one type"
            )
        key.append(plain(value) if kind == "N" else str(value))
    return tuple(key)
