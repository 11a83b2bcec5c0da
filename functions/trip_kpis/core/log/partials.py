"""Partial aggregates in columns: one row per day, and for every breakdown one row per day and
group.

Partials are a monoid: the empty table is nothing, the rows of one item are a partial of their own,
and combining does not depend on order or grouping. Sums are exact. An average is never stored; it
cannot be combined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.definition.model import Aggregate, Definition, group_column
from trip_kpis.core.errors import TooManyGroupsError
from trip_kpis.core.items.attributes import AttributePath
from trip_kpis.core.reading.columns import NUMBER_TYPE

BREAKDOWN, DATE = "breakdown", "date"
"""columns. In the first one, a breakdown's rows have its number, from 1 on, and a day's rows have
0"""
MOST_GROUPS_A_DAY = 10_000
MOST_ROWS_OF_BREAKDOWNS = 2_000_000
"""rows of one run"""

_ROWS_HELD = 100_000
"""The most rows that wait to be combined: grouping costs little per row, and much per call."""
_PAGES_HELD = 1_000
"""The same for tables: even with few rows, each page is a table until they are combined."""


@dataclass(frozen=True, slots=True)
class PartialColumns:
    """The columns of a definition's partials."""

    definition: Definition
    schema: pa.Schema = field(init=False)
    """the columns in order; without breakdowns, a row is a day, and no column is needed for that"""
    keys: tuple[str, ...] = field(init=False)
    """the columns of a row's key"""
    combined: Mapping[str, str] = field(init=False)
    """the functions that combine the rows of one key, by column: for Arrow here, for pandas in the
    merge"""

    def __post_init__(self) -> None:
        schema = _schema(self.definition)
        combined = {one.column: str(one.combined) for one in self.definition.aggregates}
        derived = {
            "schema": schema,
            "keys": tuple(name for name in schema.names if name not in combined),
            "combined": combined,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def combine(self, tables: Iterable[pa.Table]) -> pa.Table:
        """Combines tables of these columns, with any number of rows per key, to one row per key, in
        order.

        Exact as long as there are fewer than 10^11 items: Arrow's decimal sums wrap around in
        silence past 10^20, and a number is below 10^9.
        """
        together = pa.concat_tables([self.schema.empty_table(), *tables])
        grouped = together.group_by(list(self.keys), use_threads=False)
        rows = grouped.aggregate(list(self.combined.items()))
        by_key = pa.Table.from_arrays(rows.columns, names=[*self.keys, *self.combined])
        return self.in_order(by_key)

    def in_order(self, rows: pa.Table) -> pa.Table:
        """Sorts by the keys: no value comes first; Strings by their UTF-8."""
        by_keys = [(key, "ascending", "at_start") for key in self.keys]
        order = pc.sort_indices(rows, sort_keys=by_keys)
        return rows.take(order).select(self.schema.names).cast(self.schema)

    def of_items(self, rows: pa.Table) -> pa.Table:
        """Returns the partial of items that count (`read_page.rows_schema`)."""
        parts = [self._grouped(rows, 0, ())]
        for number, breakdown in enumerate(self.definition.breakdowns, start=1):
            parts.append(self._grouped(rows, number, breakdown.paths))
        return pa.concat_tables(parts)

    def _grouped(self, rows: pa.Table, number: int, paths: tuple[AttributePath, ...]) -> pa.Table:
        definition = self.definition
        groups = {path: f"group {definition.group_paths.index(path)}" for path in paths}
        asked = [_of_items(one) for one in definition.aggregates]
        grouped = rows.group_by([DATE, *groups.values()], use_threads=False).aggregate(asked)
        first, *values = grouped.columns[: 1 + len(paths)]
        by_name = {DATE: first}
        by_name |= {group_column(path): one for path, one in zip(paths, values, strict=True)}
        columns = grouped.columns[1 + len(paths) :]
        by_name |= {
            one.column: column for one, column in zip(definition.aggregates, columns, strict=True)
        }
        length = grouped.num_rows
        by_name[BREAKDOWN] = pa.chunked_array([pa.repeat(pa.scalar(number, pa.int16()), length)])
        return pa.Table.from_arrays(
            [
                by_name.get(one.name, pa.chunked_array([pa.nulls(length, one.type)]))
                for one in self.schema
            ],
            schema=self.schema,
        )

    def check_groups(self, table: pa.Table) -> None:
        """Raises TooManyGroupsError if a table with one row per key has too many rows."""
        if not self.definition.breakdowns:
            return
        in_breakdowns = table.filter(pc.greater(table[BREAKDOWN], 0))
        if in_breakdowns.num_rows > MOST_ROWS_OF_BREAKDOWNS:
            counts = in_breakdowns.group_by(BREAKDOWN).aggregate([([], "count_all")]).to_pylist()
            raise TooManyGroupsError(
                f"the breakdowns have {in_breakdowns.num_rows:,} groups over all days, more than "
                f"the {MOST_ROWS_OF_BREAKDOWNS:,} that a run can have: "
                + ", ".join(
                    f"{self._name(row[BREAKDOWN])} {row['count_all']:,}"
                    for row in sorted(counts, key=lambda row: -row["count_all"])
                )
                + f". Nothing was published. {_ADVICE}"
            )
        of_days = in_breakdowns.group_by([BREAKDOWN, DATE]).aggregate([([], "count_all")])
        most = pc.max(of_days["count_all"]).as_py() or 0
        if most > MOST_GROUPS_A_DAY:
            row = of_days.slice(pc.index(of_days["count_all"], most).as_py(), 1).to_pylist()[0]
            raise TooManyGroupsError(
                f"the breakdown {self._name(row[BREAKDOWN])} has {most:,} groups on {row[DATE]}, "
                f"more than the {MOST_GROUPS_A_DAY:,} that a day can have. Nothing was published. "
                f"{_ADVICE}"
            )

    def _name(self, number: int) -> str:
        return self.definition.breakdowns[number - 1].name


_ADVICE = (
    "Group by an attribute with fewer values, or count fewer items (item.where), and start a new "
    "run"
)


@dataclass(slots=True)
class Partials:
    """Adds items, page by page; keeps one row per key and at most _ROWS_HELD further rows.

    Both methods raise TooManyGroupsError.
    """

    columns: PartialColumns
    _rows: list[pa.Table] = field(default_factory=list)
    _rows_held: int = 0
    _partial: pa.Table | None = None

    def add(self, rows: pa.Table) -> None:
        """Adds the items of a page that count (`read_page.rows_schema`)."""
        self._rows.append(rows)
        self._rows_held += rows.num_rows
        if self._rows_held > _ROWS_HELD or len(self._rows) > _PAGES_HELD:
            self.table()

    def table(self) -> pa.Table:
        """Returns everything that was added so far, as one row per key."""
        new = [self.columns.of_items(pa.concat_tables(self._rows))] if self._rows else []
        earlier = [] if self._partial is None else [self._partial]
        if new or not earlier:
            self._partial = self.columns.combine([*earlier, *new])
            self.columns.check_groups(self._partial)
        self._rows, self._rows_held = [], 0
        return self._partial

    @property
    def rows(self) -> int:
        """Returns the length of the table that was last combined."""
        return 0 if self._partial is None else self._partial.num_rows


def _schema(definition: Definition) -> pa.Schema:
    is_broken_down = bool(definition.breakdowns)
    return pa.schema(
        [
            *([pa.field(BREAKDOWN, pa.int16(), nullable=False)] if is_broken_down else []),
            pa.field(DATE, pa.date32(), nullable=False),
            *(pa.field(group_column(path), pa.string()) for path in definition.group_paths),
            *(
                pa.field(
                    one.column, pa.int64() if one.measure is None else NUMBER_TYPE, nullable=False
                )
                for one in definition.aggregates
            ),
        ]
    )


def _of_items(one: Aggregate) -> tuple[list[str] | str, str]:
    """Returns Arrow's aggregation of items for an aggregate."""
    if one.measure is None:
        return [], "count_all"
    return f"number {one.measure}", str(one.combined)
