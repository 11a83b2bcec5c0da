"""Compares the KPIs of an old function with those of this one, day by day.

    python docs/compare.py OLD NEW [TOLERANCE]

OLD and NEW are folders. OLD may have one file for each day or for each run: JSON (an object, an
array, or an object with a key for each day), JSON Lines or CSV, with the day in the file's path or
beside the figures. A figure that differs by no more than TOLERANCE (0.000001) is rounded.
"""

import csv
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import unquote


def _of_fares(what: str) -> str:
    return rf"(?:{what})(?:of)?(?:fares?|fareamounts?)|fares?(?:amount)?(?:{what})"


_FIGURES = {
    "trip_count": r"(?:count|total|number|num)(?:of)?(?:completed)?trips?|trips?(?:count|total)|"
    r"trips|count",
    "total_fare": _of_fares("total|sum") + "|(?:total)?revenue",
    "average_fare": _of_fares("average|avg|mean"),
    "max_fare": _of_fares("max|maximum|highest"),
    "min_fare": _of_fares("min|minimum|lowest"),
}
"""names that a figure usually has, in small letters and nothing but letters"""
_DAY = r"date|day|(?:trip|pickup|dropoff|ride|kpi|service)(?:date|day|datetime|time)"
_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T _](\d{2}[:.]\d{2}(?:[:.]\d{2})?))?")
_DAY_IN_PATH = (
    re.compile(r"(?:date|day)=(\d{4})-(\d{2})-(\d{2})(?:[T _](\d{2}[:.]\d{2}(?:[:.]\d{2})?))?"),
    re.compile(r"year=(\d{4})/month=(\d{1,2})/day=(\d{1,2})()"),
    re.compile(r"(?<!\d)(\d{4})[-/_]?(\d{2})[-/_]?(\d{2})(?!\d)()"),
)
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?(?:\.0)?")
_SUFFIXES = {".json", ".jsonl", ".ndjson", ".csv"}


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of a day, or of a time of that day."""

    day: str
    time: str
    """such as 13:19:00; empty where the figures are those of a day"""
    figures: dict[str, Any]
    """by the name that they have here"""


def read(folder: str) -> dict[str, list[Group]]:
    """The groups that a folder has, by day; where several files have one, the last by name."""
    groups: dict[tuple[str, str], Group] = {}
    several = 0
    for file in sorted(Path(folder).rglob("*")):
        if file.suffix not in _SUFFIXES or not file.is_file():
            continue
        day_of_path = _day_in_path(unquote(file.relative_to(folder).as_posix()))
        found = {(one.day, one.time): one for one in _groups(_document(file), day_of_path)}
        if not found:
            print(f"{file}: no figures of a day, left out", file=sys.stderr)
        several += len(found.keys() & groups.keys())
        groups |= found
    if not groups:
        sys.exit(f"no figures of any day, such as date=2024-05-25/kpi.json, are below {folder}")
    if several:
        print(f"{folder}: days that several files have: {several}; the last by name is compared")
    by_day = defaultdict(list)
    for _, group in sorted(groups.items()):
        by_day[group.day].append(group)
    return by_day


def _document(file: Path) -> Any:
    """The file's content, with every number as the text that it is written as."""
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    try:
        return _json(text)
    except ValueError:
        return [_json(line) for line in text.splitlines() if line.strip()]


def _json(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _groups(document: Any, day: tuple[str, str] | None) -> Iterator[Group]:
    """`day` is that of the path, or of what is around the document."""
    if isinstance(document, list):
        for one in document:
            yield from _groups(one, day)
    if not isinstance(document, dict):
        return
    letters = {name: re.sub("[^a-z]", "", name.lower()) for name in document}
    for name, value in document.items():
        if re.fullmatch(_DAY, letters[name]) and isinstance(value, str):
            day = _day(value) or day
    figures = {
        figure: value
        for figure, names in _FIGURES.items()
        for name, value in document.items()
        if re.fullmatch(names, letters[name]) and not isinstance(value, dict | list)
    }
    if day and len(figures) > 1:  # one alone may count something else
        yield Group(*day, figures)
        return
    for name, value in document.items():
        yield from _groups(value, _day(name) or day)


def _day(text: str) -> tuple[str, str] | None:
    """A day, and a time that is not midnight."""
    if epoch := _EPOCH.fullmatch(text):
        text = datetime.fromtimestamp(int(epoch[1]), UTC).isoformat()
    return _day_and_time(_TIME.match(text))


def _day_in_path(path: str) -> tuple[str, str] | None:
    return next((day for one in _DAY_IN_PATH if (day := _day_and_time(one.search(path)))), None)


def _day_and_time(match: re.Match[str] | None) -> tuple[str, str] | None:
    if match is None:
        return None
    year, month, day, time = match.groups()
    return f"{year}-{int(month):02}-{int(day):02}", (time or "") if (time or "").strip(
        "0:."
    ) else ""


def _number(value: Any) -> Decimal:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError):
        return Decimal("NaN")


def verdict(
    old: list[Group] | None, new: list[Group] | None, figures: list[str], tolerance: float
) -> str:
    """What became of a day's `figures`."""
    if not old or not new:
        return "only in the old" if old else "only in the new"
    now = new[-1].figures
    if any(group.time for group in old):
        trips = sum(_number(group.figures.get("trip_count")) for group in old)
        return (
            f"grouped by time in the old, not by day: {old[-1].time or old[0].time} is one of "
            f"{len(old)} groups, which have {trips} of {now['trip_count']} trips"
        )
    differing, rounded = [], False
    for name in figures:
        before, after = _number(old[-1].figures.get(name)), _number(now[name])
        if math.isclose(before, after, rel_tol=1e-9, abs_tol=tolerance):
            rounded = rounded or before != after
        else:
            differing.append(f"{name} {before} -> {after}")
    return ", ".join(differing) or ("the same, but for rounding" if rounded else "the same")


def main(old_folder: str, new_folder: str, tolerance: str = "0.000001") -> None:
    """Prints a line for each day."""
    old, new = read(old_folder), read(new_folder)
    there = {name for groups in old.values() for group in groups for name in group.figures}
    figures = [name for name in _FIGURES if name in there]
    verdicts = {
        day: verdict(old.get(day), new.get(day), figures, float(tolerance))
        for day in sorted({*old, *new})
    }
    for day, what in verdicts.items():
        print(day, what)
    if absent := [name for name in _FIGURES if name not in there]:
        print("not in the old, so not compared:", ", ".join(absent))
    agree = sum(what.startswith("the same") for what in verdicts.values())
    print(agree, "of", len(verdicts), "agree")


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    main(*sys.argv[1:])
