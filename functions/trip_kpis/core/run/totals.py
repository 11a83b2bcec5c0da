"""Combines partials to a row for every day and group, by pandas over exact decimals, for the
merge."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.definition.model import Definition
from trip_kpis.core.errors import TooManyTripsError, UnbalancedCountsError
from trip_kpis.core.items.numbers import MOST_TRIPS
from trip_kpis.core.log.partials import BREAKDOWN, PartialColumns
from trip_kpis.core.run.figures import BreakdownDay, DayKpis, Published

ROWS_AT_ONCE = 250_000
"""The most rows before they are combined to one per key; this limits the merge's memory."""


class Totals:
    """Combines the rows of many partials, in any order, to one per key.

    Holds about ROWS_AT_ONCE rows, or twice those that are left of them, however many are added.
    Every method raises TooManyTripsError from MOST_TRIPS on, and TooManyGroupsError.
    """

    def __init__(self, definition: Definition) -> None:
        self._columns = PartialColumns(definition)
        self._held: list[pa.Table] = [self._columns.schema.empty_table()]
        self._rows = self._folded_rows = 0

    def add(self, table: pa.Table) -> None:
        """Adds the rows of a part."""
        self._held.append(table.replace_schema_metadata(None))
        self._rows += table.num_rows
        if self._rows > max(ROWS_AT_ONCE, 2 * self._folded_rows):
            self._fold()

    def table(self) -> pa.Table:
        """Returns one row per key so far, in order."""
        self._fold()
        return self._columns.in_order(self._held[0])

    def _fold(self) -> None:
        columns = self._columns
        frame = pa.concat_tables(self._held).to_pandas(types_mapper=pd.ArrowDtype)
        by_key = frame.groupby(list(columns.keys), as_index=False, sort=False, dropna=False)
        folded = pa.Table.from_pandas(
            by_key.agg(columns.combined), schema=columns.schema, preserve_index=False
        )
        self._held, self._rows, self._folded_rows = [folded], folded.num_rows, folded.num_rows
        self._check(folded)

    def _check(self, table: pa.Table) -> None:
        definition = self._columns.definition
        if definition.breakdowns:
            self._columns.check_groups(table)
            table = table.filter(pc.equal(table[BREAKDOWN], 0))
        items = pc.sum(table[definition.items_column]).as_py() or 0
        if items >= MOST_TRIPS:
            raise TooManyTripsError(
                f"{items:,} trips are too many: a sum of fares is certainly exact only below "
                f"{MOST_TRIPS:,}. Split the table by time"
            )


def published(table: pa.Table, definition: Definition, *, counted: int) -> Published:
    """Returns the days and the breakdowns of the rows of `Totals.table`.

    Raises UnbalancedCountsError where the days do not have the `counted` items of the proof, or a
    breakdown's groups not those of their day.
    """
    of_days = table
    if definition.breakdowns:
        of_days = table.filter(pc.equal(table[BREAKDOWN], 0))
    days = [DayKpis.of(row, definition) for row in of_days.to_pylist()]
    items = sum(day.items for day in days)
    if items != counted:
        raise _unbalanced(f"the days have {items} items, the segments counted {counted}")
    of_day = {day.day: day.items for day in days}
    breakdowns = {}
    for number, breakdown in enumerate(definition.breakdowns, start=1):
        rows = table.filter(pc.equal(table[BREAKDOWN], number))
        found = BreakdownDay.all_of(rows, breakdown, definition)
        if {one.day: one.items for one in found} != of_day:
            raise _unbalanced(f"the groups of {breakdown.name} do not add up to the days")
        breakdowns[breakdown.name] = found
    return Published(days=days, breakdowns=breakdowns)


def _unbalanced(what: str) -> UnbalancedCountsError:
    return UnbalancedCountsError(
        f"{what}: nothing was published; start a new run, and report this with the run's staging "
        "objects"
    )
