"""Rejected trips as CSV."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from ops.results.errors import ResultsError
from ops.results.quarantine import RejectedTrip

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""what a formula begins with, also full-width, which some spreadsheets convert"""
_COMPUTED = re.compile(rf"""(?:^|[;,|\t\r\n])[\s"']*[{_SIGNS}]|^[\t\r\n]""")
"""at the beginning of a cell, or behind what separates cells where that is no comma"""
_BEHIND_SEPARATOR = re.compile(rf"""(?<=[;,|\t\r\n])([\s"']*)(?=[{_SIGNS}])""")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def export(file: Path, run_id: str, trips: Iterable[RejectedTrip]) -> int:
    """Writes the trips, one a row, as they come; gives how many there were. The file is there whole
    or as it was.

    The columns are the run, the segment, each attribute of the table's key (`key.` and its name),
    reason, attribute, and the value in DynamoDB JSON. Raises ResultsError where the file cannot be
    written.
    """
    with _written(file) as lines:
        left = iter(trips)
        first = list(islice(left, 1))
        key = [name for trip in first for name in trip.key]
        writer = csv.writer(lines)
        of_key = [f"key.{name}" for name in key]
        writer.writerow(["run_id", "segment", *of_key, "reason", "attribute", "value"])
        written = 0
        for trip in chain(first, left):
            of_key = [next(iter(trip.key.get(name, {}).values()), "") for name in key]
            row = [run_id, trip.segment, *of_key, trip.reason, trip.attribute, trip.value_as_json]
            writer.writerow([_never_computed(str(cell)) for cell in row])
            written += 1
        return written


def _never_computed(cell: str) -> str:
    """A trip's key may be anything, and spreadsheets compute a cell that begins like a formula,
    which can send the sheet away: an apostrophe keeps it text. Numbers stay as they are.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not _COMPUTED.search(cell) or _NUMBER.fullmatch(cell):
        return cell
    return "'" + _BEHIND_SEPARATOR.sub(r"\1'", cell)


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="") as lines:
            yield lines
        beside.replace(file)
    except OSError as error:
        raise ResultsError(
            f"{file} cannot be written ({error.strerror}): name another file with --csv"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
