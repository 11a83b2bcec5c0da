"""Per-day partial aggregates in columns.

Partials are a monoid: the empty table of SCHEMA is nothing, a single trip is a partial of its own,
and combining does not depend on order or grouping. Sums are exact. An average is never stored; it
cannot be combined.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.items.columns import FARE_TYPE

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
AGGREGATES = {"trip_count": "sum", "total_fare": "sum", "min_fare": "min", "max_fare": "max"}
"""What combines the rows of one day, by column: for Arrow here, for pandas in `run.day_totals`."""

_ROWS_HELD = 100_000
"""Rows that wait to be combined: grouping costs little for many rows at once, and much per call."""
_PAGES_HELD = 1_000
"""However few rows a page has, it is a table of its own until then."""


@dataclass(slots=True)
class Partials:
    """Takes trips in, page by page, and holds a row a day besides at most _ROWS_HELD of them."""

    _held: list[pa.Table] = field(default_factory=list)
    _rows: int = 0

    def add(self, days: pa.Array, fares: pa.Array) -> None:
        """Takes in trips: their days (date32) and, in the same order, fares (FARE_TYPE)."""
        ones = pa.repeat(pa.scalar(1, pa.int64()), len(days))
        self._held.append(pa.Table.from_arrays([days, ones, fares, fares, fares], schema=SCHEMA))
        self._rows += len(days)
        if self._rows > _ROWS_HELD or len(self._held) > _PAGES_HELD:
            self._held = [combine(self._held)]
            self._rows = 0

    def table(self) -> pa.Table:
        """What was taken in so far, as one row a day."""
        return combine(self._held)


def combine(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables of SCHEMA's columns, with any number of rows a day -> one row a day, in order.

    Exact as long as there are fewer than 10^11 trips: Arrow's decimal sums wrap around in silence
    past 10^20, and a fare is below 10^9.
    """
    together = pa.concat_tables([SCHEMA.empty_table(), *tables])
    by_day = together.group_by("date", use_threads=False).aggregate(list(AGGREGATES.items()))
    ordered = by_day.take(pc.sort_indices(by_day["date"]))
    return pa.Table.from_arrays(ordered.columns, schema=SCHEMA)
