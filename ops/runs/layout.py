"""The keys of the objects that a run writes and that results are read from.

A bucket may contain anything: "folders" (objects whose keys end in a slash), other programs'
objects, keys that begin with a slash or lead upwards. Only keys of this layout become paths of
files, and only such objects are fetched.
"""

import re
from collections.abc import Collection
from pathlib import Path

from trip_kpis.core.run.requests import RUN_ID

_RUN = f"run={RUN_ID.pattern}"
_SEGMENT = "segment=[0-9]{5}"
_KEY = re.compile(
    r"kpis/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/kpi\.json"
    rf"|runs/{_RUN}/manifest\.json"
    rf"|quarantine/{_RUN}/{_SEGMENT}/part-[0-9]{{5}}-[0-9a-f]+\.jsonl"
    rf"|staging/{_RUN}/plan\.json"
    rf"|staging/{_RUN}/read-budget-[0-9]{{5,}}\.json"
    rf"|staging/{_RUN}/standstill/{_SEGMENT}/part-[0-9]{{5}}\.json"
    rf"|staging/{_RUN}/{_SEGMENT}/part-[0-9]{{5}}\.parquet"
    r"|lease/publish\.json"
)
_SHOWN = 5


def is_known(key: str) -> bool:
    """Whether a run writes objects with such keys."""
    return _KEY.fullmatch(key) is not None


def is_run_id(text: str) -> bool:
    """Whether a run can have this id."""
    return RUN_ID.fullmatch(text) is not None


def is_quarantine_of(run_id: str, key: str) -> bool:
    """Whether it is the key of an object with trips that this run rejected."""
    return is_known(key) and key.startswith(f"quarantine/run={run_id}/")


def file_of(directory: Path, key: str) -> Path:
    """Where a copy of the bucket in `directory` has the object. Raises ValueError for a key that is
    not of the layout."""
    if not is_known(key):
        raise ValueError(f"{key!r} is not a key of this product's layout")
    return directory / key


def ignored(place: str, keys: Collection[str]) -> str:
    """A line that says which keys were ignored."""
    some = ", ".join(map(repr, sorted(keys)[:_SHOWN]))
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    return f"Ignored in {place}, because no run writes such keys: {some}{more}."
