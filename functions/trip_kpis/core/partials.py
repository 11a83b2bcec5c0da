"""Per-day partial aggregates: add trips, combine, to and from Arrow.

Partials are a monoid: `Partials()` is empty, `add` and `combine` do not depend on order or
grouping, and sums are exact. An average is never stored; it cannot be combined.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, Inexact

import pyarrow as pa

EXACT = Context(prec=60, traps=[Inexact])
"""Room for 10^24 fares' sum with 18 places; a rounding would raise."""

FARE_TYPE = pa.decimal128(38, 18)
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("trip_count", pa.int64(), nullable=False),
        pa.field("total_fare", FARE_TYPE, nullable=False),
        pa.field("min_fare", FARE_TYPE, nullable=False),
        pa.field("max_fare", FARE_TYPE, nullable=False),
    ]
)
"""One row a day, in order of the days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPartial:
    """At least one trip of one day."""

    trip_count: int
    total_fare: Decimal
    min_fare: Decimal
    max_fare: Decimal

    def __add__(self, other: "DayPartial") -> "DayPartial":
        return DayPartial(
            trip_count=self.trip_count + other.trip_count,
            total_fare=EXACT.add(self.total_fare, other.total_fare),
            min_fare=min(self.min_fare, other.min_fare),
            max_fare=max(self.max_fare, other.max_fare),
        )


Partials = dict[date, DayPartial]


def aggregate(trips: Iterable[tuple[date, Decimal]]) -> Partials:
    """The partials of (day, fare) pairs."""
    fares: dict[date, list[Decimal]] = {}
    for day, fare in trips:
        fares.setdefault(day, []).append(fare)
    return {
        day: DayPartial(
            trip_count=len(amounts),
            total_fare=_sum(amounts),
            min_fare=min(amounts),
            max_fare=max(amounts),
        )
        for day, amounts in fares.items()
    }


def combine(left: Partials, right: Partials) -> Partials:
    """The partials of both together; neither is changed."""
    both = dict(left)
    for day, partial in right.items():
        both[day] = both[day] + partial if day in both else partial
    return both


def to_table(partials: Partials) -> pa.Table:
    """A table of SCHEMA."""
    rows = sorted(partials.items())
    columns = {
        "date": [day for day, _ in rows],
        "trip_count": [partial.trip_count for _, partial in rows],
        "total_fare": [partial.total_fare for _, partial in rows],
        "min_fare": [partial.min_fare for _, partial in rows],
        "max_fare": [partial.max_fare for _, partial in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def _sum(amounts: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
