"""Copies of a bucket's objects, as files.

A bucket may contain anything: "folders" (objects whose keys end in a slash), other programs'
objects, keys that begin with a slash or lead upwards. Only keys of the product's layout
(`trip_kpis.core.layout`) become paths of files, and only such objects are fetched.
"""

from collections.abc import Collection
from pathlib import Path

from trip_kpis.core.layout import is_known

_SHOWN = 5


def file_of(directory: Path, key: str) -> Path:
    """Returns the path of the object's copy in `directory`. Raises ValueError for a key that is not
    of the layout."""
    if not is_known(key):
        raise ValueError(f"{key!r} is not a key of this product's layout")
    return directory / key


def ignored(place: str, keys: Collection[str]) -> str:
    """Returns a line that says which keys were ignored."""
    some = ", ".join(map(repr, sorted(keys)[:_SHOWN]))
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    return f"Ignored in {place}, because no run writes such keys: {some}{more}."
