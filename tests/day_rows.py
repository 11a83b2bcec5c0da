"""Rows a day in plain Python, by decimals that never round: Arrow's are compared with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

from tests.samples import RULES
from trip_kpis.core.items.numbers import EXACT
from trip_kpis.core.log.partials import PartialColumns

COLUMNS = PartialColumns(RULES.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """At least one trip of one day."""

    trip_count: int
    total_fare: Decimal
    min_fare: Decimal
    max_fare: Decimal

    def __add__(self, other: "DayRow") -> "DayRow":
        return DayRow(
            trip_count=self.trip_count + other.trip_count,
            total_fare=EXACT.add(self.total_fare, other.total_fare),
            min_fare=min(self.min_fare, other.min_fare),
            max_fare=max(self.max_fare, other.max_fare),
        )


DayRows = dict[date, DayRow]


def rows_of(trips: Iterable[tuple[date, Decimal]]) -> DayRows:
    """The rows of (day, fare) pairs."""
    rows: DayRows = {}
    for day, fare in trips:
        one = DayRow(trip_count=1, total_fare=fare, min_fare=fare, max_fare=fare)
        rows[day] = rows[day] + one if day in rows else one
    return rows


def both(left: DayRows, right: DayRows) -> DayRows:
    """The rows of both together."""
    sums = dict(left)
    for day, row in right.items():
        sums[day] = sums[day] + row if day in sums else row
    return sums


def as_table(rows: DayRows) -> pa.Table:
    """A table of COLUMNS."""
    in_order = sorted(rows.items())
    columns = {
        "date": [day for day, _ in in_order],
        **{
            name: [getattr(row, name) for _, row in in_order]
            for name in ("trip_count", "total_fare", "min_fare", "max_fare")
        },
    }
    return pa.table(columns, schema=COLUMNS.schema)


def trips_in(rows: DayRows) -> int:
    return sum(row.trip_count for row in rows.values())


fares = st.integers(-(10**27) + 1, 10**27 - 1).map(lambda units: Decimal(units).scaleb(-18))
day_rows = st.lists(
    st.tuples(st.dates(), fares) | st.tuples(st.just(date(2024, 5, 25)), fares)
).map(rows_of)
"""Of a few trips, some of them on one day."""
