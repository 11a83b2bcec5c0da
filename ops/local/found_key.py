"""Trips whose key nobody has named, or not all of it: tries the columns or attributes that look
like a key, and pairs of them with others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice, permutations
from typing import Protocol

from ops.local.dynamodb_json import KEY_TYPES, Item
from ops.local.recognized_columns import Column
from ops.local.trip_files import LINE, ROW, STREAM_KEY, NoSuchKeyError, TripFileError, Trips

_LIKE_A_KEY = re.compile(
    r"(?:^|[_\W]|(?<=[a-z]))(?:id|uuid|guid|key|pk|no|nr|number|ref|PK|Id|ID|No|Nr|Number)$"
)
_LIKE_A_SORT_KEY = re.compile(
    r"(?:^|[_\W])(?:sk|sort|range|seq|sequence|version|index|line|leg|part|step)$", re.IGNORECASE
)
_PAIR = ("pk", "sk")
_MOST_PAIRS = 48
"""the number of pairs that are tried"""


class Read(Protocol):
    """Reads trips by a key. Raises TripFileError."""

    def __call__(self, *, hash_key: str, sort_key: str | None) -> Trips: ...


def read_with_key_found(read: Read, *, sort_key: str | None = None) -> Trips:
    """Reads the trips by the first key with which they can be read.

    The key of items is an attribute with a name like a key's, or a pair of one with another
    attribute. The key of rows, which CSV and Parquet have, is such a column, or else the rows' own
    numbers.

    Args:
        read: Reads them by a key.
        sort_key: The sort key, if it is known. Then only the hash key is looked for.

    Raises:
        TripFileError: The files are wrong, the sort key is, or no key was found.
    """
    with suppress(TripFileError):
        return read(hash_key=STREAM_KEY, sort_key=sort_key)
    try:
        items = [*read(hash_key=LINE, sort_key=sort_key).items.values()]
    except NoSuchKeyError as error:
        if error.wanted != LINE:
            raise
        return _read_rows(read, error.names, sort_key)
    columns = _columns(items)
    for key in _keys_of_items(columns, sort_key):
        with suppress(TripFileError):
            return read(hash_key=key[0], sort_key=key[1])
    raise _no_key(columns, sort_key)


def _read_rows(read: Read, names: Sequence[str], sort_key: str | None) -> Trips:
    """Reads CSV and Parquet, of which only the names of the columns are known."""
    like_a_key = [name for name in names if _LIKE_A_KEY.search(name)]
    keys = [*_named_as_a_pair(names, sort_key), *((name, sort_key) for name in like_a_key)]
    for key in keys:
        with suppress(TripFileError):
            return read(hash_key=key[0], sort_key=key[1])
    return read(hash_key=ROW, sort_key=sort_key)


def _keys_of_items(
    columns: Mapping[str, Column], sort_key: str | None
) -> Iterator[tuple[str, str | None]]:
    """Returns the keys that differ in every item, the most likely first."""
    distinct = {name: len({*_values(column)}) for name, column in columns.items()}
    items = max((len(column.values) for column in columns.values()), default=0)
    yield from _named_as_a_pair([*columns], sort_key)
    if sort_key is None:
        for name in columns:
            if _LIKE_A_KEY.search(name) and distinct[name] == items:
                yield name, None

    def rank(pair: tuple[str, str]) -> tuple[bool, bool, bool, int, int]:
        hash_key, sort = pair
        is_named = bool(_LIKE_A_KEY.search(sort) or _LIKE_A_SORT_KEY.search(sort))
        # The fewer values a sort key has, the less likely they differ in each pair by chance.
        return (
            not _LIKE_A_KEY.search(hash_key),
            columns[sort].is_money,
            not is_named,
            -distinct[hash_key],
            distinct[sort],
        )

    pairs = [
        (hash_key, sort)
        for hash_key, sort in permutations(columns, 2)
        if (sort == sort_key and not columns[hash_key].is_money)
        or (sort_key is None and _LIKE_A_KEY.search(hash_key))
    ]
    for hash_key, sort in islice(sorted(pairs, key=rank), _MOST_PAIRS):
        values = zip(_values(columns[hash_key]), _values(columns[sort]), strict=True)
        if len({*values}) == items:
            yield hash_key, sort


def _named_as_a_pair(names: Sequence[str], sort_key: str | None) -> Iterator[tuple[str, str]]:
    """Returns PK and SK: in a sample, PK alone may differ everywhere."""
    by_letters = {name.casefold(): name for name in names}
    if all(name in by_letters for name in _PAIR) and sort_key in (None, by_letters["sk"]):
        yield by_letters["pk"], by_letters["sk"]


def _columns(items: Sequence[Item]) -> Mapping[str, Column]:
    """Returns the attributes that may be keys: every item has them, with one of their types."""
    found = {}
    for name in items[0] if items else ():
        values = [item[name] for item in items if item.get(name)]
        kinds = {kind for value in values for kind in value}
        is_everywhere = len(values) == len(items) and all(map(any, (v.values() for v in values)))
        if name != LINE and is_everywhere and len(kinds) == 1 and kinds <= {*KEY_TYPES}:
            found[name] = Column((name,), [*values])
    return found


def _values(column: Column) -> Iterator[str | bytes]:
    return (inner for value in column.values for inner in value.values())


def _no_key(columns: Mapping[str, Column], sort_key: str | None) -> NoSuchKeyError:
    if not columns:
        return NoSuchKeyError(
            "no attribute can be the table's key: none is in every item as a String, a Number or a "
            "Binary of one type. Are the items of several tables?",
            names=(),
        )
    if sort_key is None:
        said = (
            "the table's key was not found: no attribute with a name like a key's is different in "
            "every item, alone or together with one other. Name the hash key with --key, and the "
            "sort key, if there is one, with --sort-key"
        )
    else:
        said = (
            f"the sort key is not {sort_key!r}: together with it, no other attribute is different "
            "in every item. Name another one with --sort-key"
        )
    return NoSuchKeyError(
        f"{said}. Every item has these attributes as a String, Number or Binary: "
        f"{', '.join(columns)}",
        names=tuple(columns),
    )
