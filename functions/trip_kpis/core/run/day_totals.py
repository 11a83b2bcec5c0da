"""Partials -> days, by pandas over exact decimals: what the merge alone does."""

import pandas as pd
import pyarrow as pa

from trip_kpis.core.errors import TooManyTripsError, UnbalancedCountsError
from trip_kpis.core.items.fares import MOST_TRIPS
from trip_kpis.core.log.partials import AGGREGATES, SCHEMA
from trip_kpis.core.run.days import DayKpis

ROWS_AT_ONCE = 250_000
"""Rows that are held before they are folded into one a day; bounds the merge's memory."""


class DayTotals:
    """The rows of many tables of `partials.SCHEMA`, in any order, combined into one row a day.

    Holds about ROWS_AT_ONCE rows, however many are added. Every method raises TooManyTripsError
    from MOST_TRIPS on.
    """

    def __init__(self) -> None:
        self._held: list[pa.Table] = [SCHEMA.empty_table()]
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        """Takes in the rows of a part."""
        self._held.append(table.replace_schema_metadata(None))
        self._rows += table.num_rows
        if self._rows > ROWS_AT_ONCE:
            folded = pa.Table.from_pandas(self.frame(), schema=SCHEMA, preserve_index=False)
            self._held, self._rows = [folded], folded.num_rows

    def frame(self) -> pd.DataFrame:
        """A row a day so far, in order of the days."""
        frame = pa.concat_tables(self._held).to_pandas(types_mapper=pd.ArrowDtype)
        trips = int(frame["trip_count"].sum())
        if trips >= MOST_TRIPS:
            raise TooManyTripsError(
                f"{trips:,} trips: below {MOST_TRIPS:,} a sum of fares is sure to be exact; split "
                "the table by time, or ask for wider sums"
            )
        return frame.groupby("date", as_index=False, sort=True).agg(AGGREGATES)


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
