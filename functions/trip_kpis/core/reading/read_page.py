"""Reads a page: the items that count, in columns, and the counts of its other items.

All at once where everything is plain, one by one where it is not: only the cost differs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.definition.model import Definition
from trip_kpis.core.items.attributes import AttributePath
from trip_kpis.core.items.pages import Leaf, Page
from trip_kpis.core.items.rejections import Reason, RejectedTrip, quarantine_line
from trip_kpis.core.reading import columns
from trip_kpis.core.reading.read_item import CountedItem, NotCounted, ReadingRules, read_item


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """The result of reading a page: each item is one of the four."""

    rows: pa.Table
    """the items that count, in the columns of `rows_schema`"""
    excluded: int
    incomplete: int
    rejected: Mapping[Reason, int] = field(default_factory=dict)
    quarantine: bytes = b""
    """the lines of the rejected items: a value as an object takes ten times its text and more"""


@lru_cache(maxsize=8)
def rows_schema(measures: int, groups: int) -> pa.Schema:
    """Returns the schema of items that count: their day, their numbers, and the values to group
    by."""
    return pa.schema(
        [
            pa.field("date", pa.date32(), nullable=False),
            *(
                pa.field(f"number {n}", columns.NUMBER_TYPE, nullable=False)
                for n in range(measures)
            ),
            *(pa.field(f"group {n}", pa.string()) for n in range(groups)),
        ]
    )


def read_page(page: Page, rules: ReadingRules) -> PageReading:
    """Reads a page whose columns are those of the definition's paths; never raises because of the
    content of an item."""
    definition = rules.definition
    at = dict(zip(definition.paths, page.columns, strict=True))
    plain = _Plain.read(at, rules)
    schema = rows_schema(len(definition.measures), len(definition.group_paths))
    if pc.all(plain.counts).as_py():
        rows = pa.Table.from_arrays(plain.arrays, schema=schema)
        return PageReading(rows=rows, excluded=0, incomplete=0)

    odd = pc.indices_nonzero(pc.invert(plain.counts)).to_pylist()
    excluded, incomplete, unclear = _one_by_one(odd, at, plain, definition)
    counted: list[CountedItem] = []
    rejected: Counter[Reason] = Counter()
    lines: list[bytes] = []
    for item in page.items(
        unclear, paths=[*definition.paths, *((name,) for name in rules.key_attributes)]
    ):
        read = read_item(item, rules)
        if read is NotCounted.EXCLUDED:
            excluded += 1
        elif read is NotCounted.INCOMPLETE:
            incomplete += 1
        elif isinstance(read, RejectedTrip):
            rejected[read.reason] += 1
            lines.append(quarantine_line(read))
        else:
            counted.append(read)
    tables = [
        pa.Table.from_arrays([one.filter(plain.counts) for one in plain.arrays], schema=schema)
    ]
    if counted:
        tables.append(_rows(counted, schema))
    return PageReading(
        rows=pa.concat_tables(tables),
        excluded=excluded,
        incomplete=incomplete,
        rejected=rejected,
        quarantine=b"".join(lines),
    )


_Columns = Mapping[AttributePath, Sequence[Leaf]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """What the columns of a page say without reading single items."""

    arrays: list[pa.Array]
    """columns of `rows_schema`, with a null for uncertain values"""
    counts: pa.Array
    """which items certainly count; boolean"""
    conditions: pa.Array | None
    """whether an item meets all conditions; null if that is uncertain; None: there are no
    conditions"""

    @classmethod
    def read(cls, at: _Columns, rules: ReadingRules) -> "_Plain":
        definition, absent = rules.definition, rules.definition.null_values
        days = columns.days(
            [at[path] for path in definition.day.paths],
            after=definition.day.after,
            time_zone=rules.time_zone,
            earliest=rules.earliest_day,
        )
        numbers = [
            columns.measured([at[path] for path in measure.paths], measure, absent)
            for measure in definition.measures
        ]
        groups = [columns.groups(at[path], absent) for path in definition.group_paths]
        measured = {
            path
            for measure in definition.measures
            if measure.missing is None
            for path in measure.paths
        }
        sure = [
            *(columns.are_numbers(at[path], absent) for path in definition.numbers),
            *(array.is_valid() for array in (*numbers, days)),
            *(sure for _, sure in groups),
            *(
                columns.are_there(at[path], absent)
                for path in definition.needed
                if path not in measured and path not in definition.numbers
            ),
        ]
        conditions = None
        if definition.where:
            held = (columns.hold(at[one.path], one, absent) for one in definition.where)
            conditions = reduce(pc.and_kleene, held)
            sure.append(pc.fill_null(conditions, False))
        return cls(
            arrays=[days, *numbers, *(texts for texts, _ in groups)],
            counts=reduce(pc.and_, sure),
            conditions=conditions,
        )


def _one_by_one(
    odd: Sequence[int], at: _Columns, plain: _Plain, definition: Definition
) -> tuple[int, int, list[int]]:
    """Handles the items that do not certainly count: returns how many are certainly excluded, how
    many certainly incomplete, and the items that must be read one by one."""
    excluded, incomplete, unclear = 0, 0, []
    needed = [at[path] for path in definition.needed]
    conditions = None if plain.conditions is None else plain.conditions.to_pylist()
    for n in odd:
        holds = conditions is None or conditions[n]
        if holds is False:
            excluded += 1
        elif holds and any(
            leaves[n].is_missing or leaves[n].S in definition.null_values for leaves in needed
        ):
            incomplete += 1
        else:
            unclear.append(n)
    return excluded, incomplete, unclear


def _rows(counted: Sequence[CountedItem], schema: pa.Schema) -> pa.Table:
    values = [(item.day, *item.numbers, *item.groups) for item in counted]
    arrays = [
        pa.array(column, field.type)
        for column, field in zip(zip(*values, strict=True), schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
