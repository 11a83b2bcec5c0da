"""Partials: exact, and a monoid."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.partials import SCHEMA, DayPartial, Partials, aggregate, combine, to_table

fares = st.integers(-(10**27) + 1, 10**27 - 1).map(lambda units: Decimal(units).scaleb(-18))
trips = st.lists(st.tuples(st.dates(), fares) | st.tuples(st.just(date(2024, 5, 25)), fares))
partials = trips.map(aggregate)


@given(partials, partials, partials)
def test_partials_are_a_commutative_monoid(a: Partials, b: Partials, c: Partials) -> None:
    assert combine(combine(a, b), c) == combine(a, combine(b, c))
    assert combine(a, b) == combine(b, a)
    assert combine(a, {}) == a == combine({}, a)


@given(trips, trips)
def test_aggregating_both_is_combining_the_aggregates(
    a: list[tuple[date, Decimal]], b: list[tuple[date, Decimal]]
) -> None:
    assert aggregate(a + b) == combine(aggregate(a), aggregate(b))


@given(trips)
def test_an_aggregate_is_exact(of: list[tuple[date, Decimal]]) -> None:
    for day, partial in aggregate(of).items():
        amounts = [Fraction(fare) for when, fare in of if when == day]
        assert partial.trip_count == len(amounts)
        assert Fraction(partial.total_fare) == sum(amounts)
        assert Fraction(partial.min_fare) == min(amounts)
        assert Fraction(partial.max_fare) == max(amounts)


@given(partials, partials)
def test_combining_changes_neither(a: Partials, b: Partials) -> None:
    before = dict(a), dict(b)
    combine(a, b)
    assert (a, b) == before


@given(partials)
def test_a_table_has_one_row_a_day_in_order_and_exact_values(of: Partials) -> None:
    table = to_table(of)
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    assert [row["date"] for row in rows] == sorted(of)
    assert {
        row["date"]: DayPartial(**{name: row[name] for name in row if name != "date"})
        for row in rows
    } == of


def test_the_largest_sum_that_a_run_may_reach_fits_the_column() -> None:
    # MOST_TRIPS fares of LIMIT come to 10^20: one step less is the largest that can occur.
    largest, lowest = Decimal("9" * 20 + "." + "9" * 18), Decimal("-" + "9" * 20 + "." + "9" * 18)
    partial = DayPartial(trip_count=1, total_fare=largest, min_fare=lowest, max_fare=largest)
    (row,) = to_table({date(2024, 5, 25): partial}).to_pylist()
    assert (row["total_fare"], row["min_fare"]) == (largest, lowest)
    assert pa.types.is_decimal128(SCHEMA.field("total_fare").type)
