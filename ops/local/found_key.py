"""Trips from files whose key nobody has named: tries the columns that look like one."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ops.local.trip_files import ROW, STREAM_KEY, SameKey, TripFileError, Trips, read_trips

_LIKE_A_KEY = re.compile(
    r"(?:^|[_\W]|(?<=[a-z]))(?:id|uuid|guid|key|pk|no|nr|number|ref|PK|Id|ID|No|Nr|Number)$"
)
_NAMES_NAMED = re.compile(r"(?:only (?P<names>.*?): )", re.DOTALL)
_PAIR = ("pk", "sk")
_NO_SUCH_COLUMN = "\x00"


def read_with_key_found(files: Sequence[Path], *, same_key: SameKey, encoding: str) -> Trips:
    """By the first key with which they can be read: an id or a number, a pair of keys, or else
    the rows' own numbers. Raises TripFileError."""
    first: TripFileError | None = None
    for hash_key, sort_key in _candidates(files, encoding):
        try:
            return read_trips(
                files, hash_key=hash_key, sort_key=sort_key, same_key=same_key, encoding=encoding
            )
        except TripFileError as error:
            first = first or error
    assert first is not None
    raise first


def _candidates(files: Sequence[Path], encoding: str) -> Iterator[tuple[str, str | None]]:
    yield STREAM_KEY, None
    names = _names(files, encoding)
    yield from ((name, None) for name in names if _LIKE_A_KEY.search(name))
    by_letters = {name.casefold(): name for name in names}
    if all(name in by_letters for name in _PAIR):
        yield by_letters["pk"], by_letters["sk"]
    yield ROW, None


def _names(files: Sequence[Path], encoding: str) -> list[str]:
    """The columns' names, as the error for a key that no file has names them."""
    try:
        read_trips(files, hash_key=_NO_SUCH_COLUMN, encoding=encoding)
    except TripFileError as error:
        if match := _NAMES_NAMED.search(str(error)):
            return match["names"].split(", ")
    return []
