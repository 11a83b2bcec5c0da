"""Partials -> days -> `kpi.json`. The average is rounded here, and nothing else anywhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa

from trip_kpis.core.errors import TooManyTripsError, UnbalancedCountsError
from trip_kpis.core.items.fares import EXACT, MOST_TRIPS
from trip_kpis.core.log.partials import SCHEMA
from trip_kpis.core.log.parts import PartHeader

ROWS_AT_ONCE = 250_000
"""Rows that are held before they are folded into one a day; bounds the merge's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKpis:
    """The five figures of a day with at least one trip."""

    day: date
    trip_count: int
    total_fare: Decimal
    min_fare: Decimal
    max_fare: Decimal

    @property
    def average_fare(self) -> Decimal:
        """The exact mean, rounded half-even to 6 decimal places."""
        # One division, rounded once: dividing to some precision first and rounding the quotient
        # afterwards can turn a value just off a tie into a tie.
        scaled = int(EXACT.scaleb(self.total_fare, 18))
        divisor = self.trip_count * 10**12
        quotient, remainder = divmod(scaled, divisor)
        twice = 2 * remainder
        if twice > divisor or (twice == divisor and quotient % 2 == 1):
            quotient += 1
        return Decimal(quotient).scaleb(-6, context=EXACT)

    def to_bytes(self) -> bytes:
        """The body of `kpi.json`: one line, numbers exact and without zeros at their ends."""
        return (
            f'{{"date":"{self.day.isoformat()}","trip_count":{self.trip_count}'
            f',"total_fare":{json_number(self.total_fare)}'
            f',"average_fare":{json_number(self.average_fare)}'
            f',"max_fare":{json_number(self.max_fare)}'
            f',"min_fare":{json_number(self.min_fare)}}}\n'
        ).encode()


class DayTotals:
    """The rows of many tables of `partials.SCHEMA`, in any order, combined into one row a day.

    Holds about ROWS_AT_ONCE rows, however many are added. Every method raises TooManyTripsError
    from MOST_TRIPS on.
    """

    def __init__(self) -> None:
        self._held: list[pa.Table] = [SCHEMA.empty_table()]
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        self._held.append(table.replace_schema_metadata(None))
        self._rows += table.num_rows
        if self._rows > ROWS_AT_ONCE:
            folded = pa.Table.from_pandas(self.frame(), schema=SCHEMA, preserve_index=False)
            self._held, self._rows = [folded], folded.num_rows

    def headers_of(self, parts: Iterable[tuple[PartHeader, pa.Table]]) -> Iterator[PartHeader]:
        """Adds each part's rows and hands on its header, so that one going through the parts serves
        the figures and the proof, and neither keeps them."""
        for header, table in parts:
            self.add(table)
            yield header

    def frame(self) -> pd.DataFrame:
        """A row a day so far, in order of the days."""
        frame = pa.concat_tables(self._held).to_pandas(types_mapper=pd.ArrowDtype)
        trips = int(frame["trip_count"].sum())
        if trips >= MOST_TRIPS:
            raise TooManyTripsError(
                f"{trips:,} trips: below {MOST_TRIPS:,} a sum of fares is sure to be exact; split "
                "the table by time, or ask for wider sums"
            )
        return frame.groupby("date", as_index=False, sort=True).agg(
            trip_count=("trip_count", "sum"),
            total_fare=("total_fare", "sum"),
            min_fare=("min_fare", "min"),
            max_fare=("max_fare", "max"),
        )


def days(frame: pd.DataFrame, *, counted: int) -> list[DayKpis]:
    """The figures of `DayTotals.frame`'s rows.

    Raises UnbalancedCountsError where they do not hold the `counted` trips of the proof.
    """
    figures = [
        DayKpis(
            day=row.date,
            trip_count=int(row.trip_count),
            total_fare=row.total_fare,
            min_fare=row.min_fare,
            max_fare=row.max_fare,
        )
        for row in frame.itertuples(index=False)
    ]
    trips = sum(figure.trip_count for figure in figures)
    if trips != counted:
        raise UnbalancedCountsError(
            f"the days hold {trips} trips, the segments counted {counted}: nothing was published; "
            "start a new run, and report this with the run's staging objects"
        )
    return figures


def json_number(value: Decimal) -> str:
    """An exact decimal as JSON writes numbers: no exponent, no zeros at its end, no minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text
