"""Writes rejected trips as CSV."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path

from ops.atomic_write import atomic_file
from ops.runs.errors import ResultsError
from ops.runs.quarantine import QuarantinedTrip

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""characters with which a formula begins, also full-width ones, which some spreadsheets convert"""
_COMPUTED = re.compile(rf"""(?:^|[;,|\t\r\n])[\s"']*[{_SIGNS}]|^[\t\r\n]""")
"""at the beginning of a cell, or after a cell separator other than a comma"""
_BEHIND_SEPARATOR = re.compile(rf"""(?<=[;,|\t\r\n])([\s"']*)(?=[{_SIGNS}])""")
_SIGN_IN_JSON = re.compile(rf"([;|]\s*)([{_SIGNS}])")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def export(file: Path, run_id: str, trips: Iterable[QuarantinedTrip]) -> int:
    """Writes the trips, one per row, in their order; returns how many there were. The file is there
    whole or as it was.

    The columns are the run, the segment, each attribute of the table's key (`key.` and its name),
    reason, attribute, and the value in DynamoDB JSON. Raises ResultsError where the file cannot be
    written.
    """
    with (
        written_by("--csv", file),
        atomic_file(file) as whole,
        TextIOWrapper(whole, encoding="utf-8", errors="backslashreplace", newline="") as lines,
    ):
        left = iter(trips)
        first = list(islice(left, 1))
        key = [name for trip in first for name in trip.key]
        writer = csv.writer(lines)
        of_key = [f"key.{name}" for name in key]
        head = ["run_id", "segment", *of_key, "reason", "attribute", "value"]
        writer.writerow(map(never_computed, head))
        written = 0
        for trip in chain(first, left):
            of_key = [next(iter(trip.key.get(name, {}).values()), "") for name in key]
            row = [run_id, str(trip.segment), *of_key, trip.reason, trip.attribute]
            value = _never_computed_json(trip.value_as_json)
            writer.writerow([*map(never_computed, row), value])
            written += 1
        return written


def never_computed(cell: str) -> str:
    """Adds an apostrophe to text that a spreadsheet would run as a formula. Numbers stay as they
    are.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not _COMPUTED.search(cell) or _NUMBER.fullmatch(cell):
        return cell
    return "'" + _BEHIND_SEPARATOR.sub(r"\1'", cell)


def _never_computed_json(text: str) -> str:
    """Returns JSON with the same meaning: inside a string, a sign can be written by its number. A
    comma is no separator there, because the whole cell is in quotation marks where it has one."""
    return _SIGN_IN_JSON.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)


@contextmanager
def written_by(option: str, file: Path) -> Iterator[None]:
    """Converts an error while the file of the option is written. Raises ResultsError where it
    cannot be."""
    try:
        yield
    except OSError as error:
        raise ResultsError(
            f"{file} cannot be written ({error.strerror}): name another file with {option}"
        ) from error
