"""Items, one by one -> trips that count, incomplete ones, rejected ones with their reasons.

What a trip is, is decided here; `reading` does the same for many plain ones at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from trip_kpis.core.items.attributes import (
    AttributePath,
    AttributeValue,
    Item,
    dotted_path,
    find,
    is_missing,
)
from trip_kpis.core.items.fares import read_fare
from trip_kpis.core.items.rejections import Reason, RejectedTrip, RejectionError
from trip_kpis.core.items.times import read_day, read_epoch_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """Where a trip's values are and how its day is calculated."""

    fare: AttributePath
    estimated_fare: AttributePath
    day: AttributePath
    key_attributes: tuple[str, ...]
    time_zone: ZoneInfo
    earliest_day: date
    """in `time_zone`; a trip of an earlier day is rejected"""
    time_formats: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[AttributePath, AttributePath, AttributePath]:
        return self.fare, self.estimated_fare, self.day


CountedTrip = tuple[date, Decimal]
"""The day and the fare of a trip that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReading:
    """What items turned out to be: each is one of the three."""

    trips: list[CountedTrip]
    incomplete: int
    rejected: list[RejectedTrip]


def read_items(items: Iterable[Item], rules: ReadingRules) -> ItemReading:
    """Reads every item by the rules; never raises for what an item holds.

    The result holds the values of all rejected trips: for items that are in memory anyway.
    """
    trips: list[CountedTrip] = []
    rejected: list[RejectedTrip] = []
    incomplete = 0
    for item in items:
        read = read_item(item, rules)
        if read is None:
            incomplete += 1
        elif isinstance(read, RejectedTrip):
            rejected.append(read)
        else:
            trips.append(read)
    return ItemReading(trips=trips, incomplete=incomplete, rejected=rejected)


def read_item(item: Item, rules: ReadingRules) -> CountedTrip | RejectedTrip | None:
    """What one item is: None is an incomplete trip. Never raises for what an item holds."""
    fare, estimate = find(item, rules.fare), find(item, rules.estimated_fare)
    if is_missing(fare) or is_missing(estimate):
        return None
    day = find(item, rules.day)
    path, value = rules.fare, fare
    try:
        amount = _amount(fare)
        path, value = rules.estimated_fare, estimate
        _amount(estimate)
        path, value = rules.day, day
        return _day(day, rules), amount
    except RejectionError as rejection:
        return RejectedTrip(
            key={name: item[name] for name in rules.key_attributes},
            reason=rejection.reason,
            attribute=dotted_path(path),
            value=value,
        )


def _amount(value: AttributeValue | None) -> Decimal:
    text = _text(value)
    if text is None:
        raise RejectionError(Reason.FARE_WRONG_TYPE)
    return read_fare(text)


def _day(value: AttributeValue | None, rules: ReadingRules) -> date:
    if value is None or is_missing(value):
        raise RejectionError(Reason.TIME_MISSING)
    if "N" in value:
        return read_epoch_day(
            Decimal(value["N"]), time_zone=rules.time_zone, earliest=rules.earliest_day
        )
    text = _text(value)
    if text is None:
        raise RejectionError(Reason.TIME_WRONG_TYPE)
    return read_day(
        text,
        time_zone=rules.time_zone,
        earliest=rules.earliest_day,
        formats=rules.time_formats,
    )


def _text(value: AttributeValue | None) -> str | None:
    """The text of a Number or a String; None for any other type."""
    if value is None:
        return None
    text: str | None = value.get("S", value.get("N"))
    return text
