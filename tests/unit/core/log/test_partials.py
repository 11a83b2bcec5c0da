"""Partials in columns: exact, and a monoid."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.day_rows import COLUMNS, DayRow, DayRows, as_table, both, day_rows, fares, rows_of
from trip_kpis.core.log import partials
from trip_kpis.core.log.partials import Partials
from trip_kpis.core.reading.read_page import rows_schema

trips = st.lists(st.tuples(st.dates() | st.just(date(2024, 5, 25)), fares))


def rows_in(table: pa.Table) -> DayRows:
    assert table.schema.equals(COLUMNS.schema)
    rows = table.to_pylist()
    assert [row["date"] for row in rows] == sorted({row["date"] for row in rows})
    return {row.pop("date"): DayRow(**row) for row in rows}


def rows_of_items(page: list[tuple[date, Decimal]]) -> pa.Table:
    """As a page is read by the default definition."""
    columns = {"date": [day for day, _ in page], "number 0": [fare for _, fare in page]}
    return pa.table(columns, schema=rows_schema(1, 0))


def taken_in(*pages: list[tuple[date, Decimal]]) -> Partials:
    found = Partials(COLUMNS)
    for page in pages:
        found.add(rows_of_items(page))
    return found


@given(st.lists(trips))
def test_trips_taken_in_page_by_page_are_summed_up_exactly(
    pages: list[list[tuple[date, Decimal]]],
) -> None:
    assert rows_in(taken_in(*pages).table()) == rows_of(trip for page in pages for trip in page)


@given(st.lists(trips))
def test_so_are_those_that_are_combined_on_the_way(pages: list[list[tuple[date, Decimal]]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partials, "_ROWS_HELD", 3)
        found = taken_in(*pages)
    assert rows_in(found.table()) == rows_of(trip for page in pages for trip in page)


def test_what_is_held_does_not_grow_with_the_trips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "_ROWS_HELD", 100)
    page = [(date(2024, 5, 1 + n % 7), Decimal(n)) for n in range(30)]
    found = taken_in(*[page] * 50)
    assert sum(table.num_rows for table in found._rows) <= 100
    assert found.rows == 7


def test_nor_does_it_with_pages_that_have_hardly_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "_PAGES_HELD", 10)
    found = taken_in(*[[(date(2024, 5, 25), Decimal(1))]] * 100)
    assert len(found._rows) <= 10
    assert found.table()["trip_count"].to_pylist() == [100]


def test_a_table_may_be_asked_for_and_more_be_taken_in() -> None:
    found = taken_in([(date(2024, 5, 25), Decimal(1))])
    before = found.table()
    assert found.table().equals(before)
    found.add(rows_of_items([(date(2024, 5, 25), Decimal(2))]))
    assert found.table()["total_fare"].to_pylist() == [Decimal(3)]
    assert before["total_fare"].to_pylist() == [Decimal(1)]


@given(day_rows, day_rows, day_rows)
def test_combining_is_commutative_and_associative(a: DayRows, b: DayRows, c: DayRows) -> None:
    x, y, z = map(as_table, (a, b, c))
    whole = COLUMNS.combine([x, y, z])
    assert rows_in(whole) == both(both(a, b), c)
    assert COLUMNS.combine([COLUMNS.combine([z, y]), x]).equals(whole)
    assert COLUMNS.combine([x]).equals(COLUMNS.combine([x, COLUMNS.schema.empty_table()]))


def test_nothing_is_an_empty_table() -> None:
    assert rows_in(Partials(COLUMNS).table()) == rows_in(COLUMNS.combine([])) == {}


def test_the_largest_sum_that_a_run_may_reach_fits_the_column() -> None:
    # MOST_TRIPS fares of LIMIT come to 10^20: one step less is the largest that can occur.
    largest, lowest = Decimal("9" * 20 + "." + "9" * 18), Decimal("-" + "9" * 20 + "." + "9" * 18)
    row = DayRow(trip_count=1, total_fare=largest, min_fare=lowest, max_fare=largest)
    (found,) = COLUMNS.combine([as_table({date(2024, 5, 25): row})]).to_pylist()
    assert (found["total_fare"], found["min_fare"]) == (largest, lowest)
