"""Trips whose key nobody has named: tries the columns or attributes that look like one."""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from ops.local.trip_files import ROW, STREAM_KEY, NoSuchKeyError, TripFileError, Trips

_LIKE_A_KEY = re.compile(
    r"(?:^|[_\W]|(?<=[a-z]))(?:id|uuid|guid|key|pk|no|nr|number|ref|PK|Id|ID|No|Nr|Number)$"
)
_PAIR = ("pk", "sk")
_NO_SUCH_NAME = "\x00"


class Read(Protocol):
    """Reads trips by a key. Raises TripFileError."""

    def __call__(self, *, hash_key: str, sort_key: str | None) -> Trips: ...


def read_with_key_found(read: Read) -> Trips:
    """The trips by the first key with which they can be read: a pair of keys, an id or a number,
    or else the rows' own numbers, which only CSV and Parquet have. Raises TripFileError."""
    first: TripFileError | None = None
    for hash_key, sort_key in _candidates(read):
        try:
            return read(hash_key=hash_key, sort_key=sort_key)
        except TripFileError as error:
            first = first or error
    assert first is not None
    raise first


def _candidates(read: Read) -> Iterator[tuple[str, str | None]]:
    yield STREAM_KEY, None
    names = _names(read)
    by_letters = {name.casefold(): name for name in names}
    if all(name in by_letters for name in _PAIR):
        yield by_letters["pk"], by_letters["sk"]  # in a sample, pk alone may differ everywhere
    yield from ((name, None) for name in names if _LIKE_A_KEY.search(name))
    yield ROW, None


def _names(read: Read) -> Sequence[str]:
    """Of the columns of the first file, or the attributes of the first item."""
    try:
        read(hash_key=_NO_SUCH_NAME, sort_key=None)
    except NoSuchKeyError as error:
        return error.names
    except TripFileError:
        return ()  # which the first candidate has said
    return ()
