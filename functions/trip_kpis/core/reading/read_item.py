"""Reads items one by one: which count, which are excluded, incomplete or rejected, and why.

What an item is, is decided here; `read_page` does the same for many plain ones at once.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

from trip_kpis.core.definition.conditions import holds, is_absent
from trip_kpis.core.definition.model import Definition, Measure
from trip_kpis.core.items.attributes import (
    AttributePath,
    AttributeValue,
    Item,
    dotted_path,
    find,
)
from trip_kpis.core.items.numbers import ONE, comparable, plain, read_number, within_limits
from trip_kpis.core.items.rejections import Reason, RejectedTrip, RejectionError
from trip_kpis.core.items.times import read_day, read_epoch_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """A definition, and all other settings that decide how an item is read."""

    definition: Definition
    key_attributes: tuple[str, ...]
    time_zone: ZoneInfo
    earliest_day: date
    """a day in `time_zone`; an item of an earlier day is rejected"""
    time_formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedItem:
    """An item that counts."""

    day: date
    numbers: tuple[Decimal, ...]
    """of the definition's measures"""
    groups: tuple[str | None, ...]
    """what the item has at the definition's group paths"""


class NotCounted(Enum):
    """The two kinds of items that neither count nor are rejected."""

    EXCLUDED = "excluded"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReading:
    """The result of reading items: each item is one of the four."""

    counted: list[CountedItem]
    excluded: int
    incomplete: int
    rejected: list[RejectedTrip]


def read_items(items: Iterable[Item], rules: ReadingRules) -> ItemReading:
    """Reads every item by the rules; never raises because of the content of an item.

    The result holds the values of all rejected items: for items that are in memory anyway.
    """
    counted: list[CountedItem] = []
    rejected: list[RejectedTrip] = []
    others = dict.fromkeys(NotCounted, 0)
    for item in items:
        read = read_item(item, rules)
        if isinstance(read, NotCounted):
            others[read] += 1
        elif isinstance(read, RejectedTrip):
            rejected.append(read)
        else:
            counted.append(read)
    return ItemReading(
        counted=counted,
        excluded=others[NotCounted.EXCLUDED],
        incomplete=others[NotCounted.INCOMPLETE],
        rejected=rejected,
    )


def read_item(item: Item, rules: ReadingRules) -> CountedItem | RejectedTrip | NotCounted:
    """Reads one item. Never raises for what an item holds."""
    definition = rules.definition
    null_values = definition.null_values
    if not all(holds(one, find(item, one.path), null_values) for one in definition.where):
        return NotCounted.EXCLUDED
    if any(is_absent(find(item, path), null_values) for path in definition.needed):
        return NotCounted.INCOMPLETE
    try:
        numbers = tuple(_measured(item, measure, definition) for measure in definition.measures)
        for path in definition.numbers:
            _number(item, path, definition)
        return CountedItem(
            day=_day(item, rules),
            numbers=numbers,
            groups=tuple(_group(item, path, null_values) for path in definition.group_paths),
        )
    except _AtError as error:
        return RejectedTrip(
            key={name: item[name] for name in rules.key_attributes},
            reason=error.reason,
            attribute=dotted_path(error.path),
            value=find(item, error.path),
        )


class _AtError(Exception):
    """A rejection reason, and the place of the wrong value."""

    def __init__(self, reason: Reason, path: AttributePath) -> None:
        super().__init__(reason, path)
        self.reason, self.path = reason, path


def _measured(item: Item, measure: Measure, definition: Definition) -> Decimal:
    numbers = [
        _number(item, path, definition, scale=measure.scale, missing=measure.missing)
        for path in measure.paths
    ]
    if len(numbers) == 1:
        return numbers[0]
    try:
        return within_limits(sum(numbers, Decimal(0)))
    except RejectionError as rejection:
        raise _number_error(rejection.reason, measure.paths[0], definition) from rejection


def _number(
    item: Item,
    path: AttributePath,
    definition: Definition,
    *,
    scale: Decimal = ONE,
    missing: Decimal | None = None,
) -> Decimal:
    value = find(item, path)
    if missing is not None and is_absent(value, definition.null_values):
        text: str | None = str(missing)
    else:
        text = _text(value)
    if text is None:
        raise _number_error(Reason.NUMBER_WRONG_TYPE, path, definition)
    try:
        return read_number(text, scale=scale)
    except RejectionError as rejection:
        raise _number_error(rejection.reason, path, definition) from rejection


def _number_error(reason: Reason, path: AttributePath, definition: Definition) -> _AtError:
    return _AtError(reason.of_a_fare if path in definition.fares else reason, path)


def _day(item: Item, rules: ReadingRules) -> date:
    time = _time(item, rules.definition)
    try:
        if isinstance(time, Decimal):
            return read_epoch_day(time, time_zone=rules.time_zone, earliest=rules.earliest_day)
        return read_day(
            time,
            time_zone=rules.time_zone,
            earliest=rules.earliest_day,
            formats=rules.time_formats,
        )
    except RejectionError as rejection:
        raise _AtError(rejection.reason, rules.definition.day.paths[0]) from rejection


def _time(item: Item, definition: Definition) -> str | Decimal:
    """Returns the text that contains the time (of both attributes if there are two), or an
    epoch."""
    day = definition.day
    if len(day.paths) > 1:
        return " ".join(_part_of_time(item, path, definition) for path in day.paths)
    (path,) = day.paths
    value = find(item, path)
    if not day.after and value is not None and "N" in value:
        return Decimal(value["N"])
    text = _part_of_time(item, path, definition, of_number=not day.after)
    if not text.startswith(day.after):
        raise _AtError(Reason.TIME_UNREADABLE, path)
    return text.removeprefix(day.after)


def _part_of_time(
    item: Item, path: AttributePath, definition: Definition, *, of_number: bool = True
) -> str:
    value = find(item, path)
    if is_absent(value, definition.null_values):
        raise _AtError(Reason.TIME_MISSING, path)
    text = _text(value)
    if text is None or (value and "N" in value and not of_number):
        raise _AtError(Reason.TIME_WRONG_TYPE, path)
    return text


def _group(item: Item, path: AttributePath, null_values: Set[str]) -> str | None:
    value = find(item, path)
    if value is None or is_absent(value, null_values):
        return None
    if "BOOL" in value:
        return str(value["BOOL"]).lower()
    if "N" in value and (number := comparable(value["N"])) is not None:
        return plain(number)
    text: str | None = value.get("S")
    if text is None:
        raise _AtError(Reason.GROUP_WRONG_TYPE, path)
    return text


def _text(value: AttributeValue | None) -> str | None:
    """Returns the text of a Number or a String; None for any other type."""
    if value is None:
        return None
    text: str | None = value.get("S", value.get("N"))
    return text
