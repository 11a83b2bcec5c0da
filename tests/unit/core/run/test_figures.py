"""The default definition's figures: exact sums, one rounding, bytes that depend on nothing else."""

import json
import random
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.day_rows import DayRow, DayRows, as_table, both, day_rows, trips_in
from tests.samples import RULES, day_kpis
from trip_kpis.core.errors import TooManyTripsError, UnbalancedCountsError
from trip_kpis.core.items.numbers import EXACT, MOST_TRIPS, plain
from trip_kpis.core.run import totals
from trip_kpis.core.run.figures import DayKpis, average
from trip_kpis.core.run.totals import Totals, published

MAY_25 = date(2024, 5, 25)
ONE_TRIP = DayRow(trip_count=1, total_fare=Decimal(1), min_fare=Decimal(1), max_fare=Decimal(1))
TOP, LOW = Decimal("9" * 20 + "." + "9" * 18), Decimal("-" + "9" * 20 + "." + "9" * 18)


def day(total: str = "1", *, trips: int = 1, low: str = "0", high: str = "0") -> DayKpis:
    return day_kpis(MAY_25, trips=trips, total=total, low=low, high=high)


def half_even(value: Fraction, places: int) -> Fraction:
    """`round` of a Fraction is half-even and exact."""
    return Fraction(round(value * 10**places), 10**places)


@pytest.mark.parametrize(
    ("total", "trips", "mean"),
    [
        ("0.000001", 2, "0"),  # 0.0000005: a tie, to the even 0
        ("0.000003", 2, "0.000002"),  # 0.0000015: a tie, to the even 2
        ("0.000005", 2, "0.000002"),
        ("-0.000001", 2, "0"),
        ("-0.000003", 2, "-0.000002"),
        ("0.000001000000000001", 2, "0.000001"),  # just off a tie
        ("0.000000999999999999", 2, "0"),
        ("-0.000001000000000001", 2, "-0.000001"),
        ("12345678901234567890.000001000000000001", 2, "6172839450617283945.000001"),
        ("12345678901234567890.000000999999999999", 2, "6172839450617283945"),
        ("12345678901234567890.000001", 2, "6172839450617283945"),
        ("1", 3, "0.333333"),
        ("2", 3, "0.666667"),
        ("274393.88255724832189", 4999, "54.889754"),
    ],
)
def test_the_average_is_rounded_half_even_once(total: str, trips: int, mean: str) -> None:
    assert average(Decimal(total), trips) == Decimal(mean)


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(1, 10**11))
def test_the_average_is_the_exact_mean_rounded_half_even(units: int, trips: int) -> None:
    total = Decimal(units).scaleb(-18, context=EXACT)
    expected = half_even(Fraction(units, 10**18) / trips, 6)
    assert Fraction(average(total, trips)) == expected


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.integers(-1, 1))
def test_the_average_is_right_on_ties_and_just_off_them(
    millionths: int, half_trips: int, off: int
) -> None:
    trips = 2 * half_trips
    # trips times (millionths + 1/2) millionths, in units of 10^-18
    units = trips * (2 * millionths + 1) * 10**12 // 2 + off
    total = Decimal(units).scaleb(-18, context=EXACT)
    expected = half_even(Fraction(units, 10**18) / trips, 6)
    assert Fraction(average(total, trips)) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0E-18", "0"),
        ("-0.000", "0"),
        ("0E+3", "0"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("100.000000000000000000", "100"),
        ("12.500", "12.5"),
        ("-12.500", "-12.5"),
        ("1E-18", "0.000000000000000001"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ],
)
def test_a_json_number_is_exact_and_has_no_surplus(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18))
def test_a_json_number_says_the_same_and_is_json(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == value
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


def test_the_body_is_one_line_of_json_with_exact_numbers_in_a_fixed_order() -> None:
    body = day(
        "274393.88255724832189", trips=4999, low="10.036694629486497", high="99.99"
    ).to_bytes()
    assert body == (
        b'{"date":"2024-05-25","trip_count":4999,"total_fare":274393.88255724832189,'
        b'"average_fare":54.889754,"max_fare":99.99,"min_fare":10.036694629486497}\n'
    )


def test_equal_values_give_equal_bytes_however_they_are_written() -> None:
    assert day("12.50", low="-0.0", high="1E+2").to_bytes() == day("12.5", high="100").to_bytes()


def combined(tables: Iterable[pa.Table]) -> pa.Table:
    found = Totals(RULES.definition)
    for table in tables:
        found.add(table)
    return found.table()


def days(table: pa.Table, *, counted: int) -> list[DayKpis]:
    return list(published(table, RULES.definition, counted=counted).days)


def figures(of: list[DayRows]) -> list[DayKpis]:
    trips = sum(map(trips_in, of))
    return days(combined(map(as_table, of)), counted=trips)


def expected_figures(of: list[DayRows]) -> list[DayKpis]:
    total: DayRows = {}
    for one in of:
        total = both(total, one)
    return [
        day_kpis(
            when, trips=row.trip_count, total=row.total_fare, low=row.min_fare, high=row.max_fare
        )
        for when, row in sorted(total.items())
    ]


@settings(max_examples=40)
@given(st.lists(day_rows, max_size=6), st.randoms(use_true_random=False))
def test_combining_tables_is_adding_their_rows_up_in_any_order(
    of: list[DayRows], order: random.Random
) -> None:
    expected = expected_figures(of)
    assert figures(of) == expected
    order.shuffle(of)
    assert figures(of) == expected


@pytest.fixture(params=[1, 3, 1000])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The rows that are held before they are folded: the merge's memory, not its result."""
    rows: int = request.param
    monkeypatch.setattr(totals, "ROWS_AT_ONCE", rows)
    return rows


@pytest.mark.usefixtures("at_once")
def test_folding_on_the_way_changes_nothing() -> None:
    rng = random.Random(7)
    of = []
    for _ in range(40):
        one: DayRows = {}
        for _ in range(rng.randrange(5)):
            fare = Decimal(rng.randrange(-(10**27), 10**27)).scaleb(-18, context=EXACT)
            one[date(2024, 1, rng.randrange(1, 10))] = DayRow(
                trip_count=rng.randrange(1, 10**6), total_fare=fare, min_fare=fare, max_fare=fare
            )
        of.append(one)
    assert figures(of) == expected_figures(of)


@pytest.mark.usefixtures("at_once")
def test_sums_of_thirty_eight_digits_stay_exact() -> None:
    # 28 digits are what Python's decimals keep unless another precision is set.
    large = Decimal("12345678901234567890.123456789012345678")
    one = {
        when: DayRow(trip_count=2, total_fare=large, min_fare=LOW, max_fare=TOP)
        for when in (date.min, MAY_25, date.max)
    }
    for figure in figures([one, one, one, one]):
        assert figure.kpis["total_fare"] == Decimal("49382715604938271560.493827156049382712")
        assert (figure.kpis["min_fare"], figure.kpis["max_fare"]) == (LOW, TOP)
        assert (figure.kpis["trip_count"], figure.items) == (8, 8)


def test_no_tables_are_no_days() -> None:
    assert days(combined([]), counted=0) == []
    assert days(combined([as_table({}), as_table({})]), counted=0) == []


def test_days_are_real_dates_in_their_order() -> None:
    order = [date.max, date(1969, 12, 31), date.min, MAY_25]
    assert [f.day for f in figures([{when: ONE_TRIP} for when in order])] == sorted(order)


@pytest.mark.parametrize("counted", [0, 2])
def test_rows_that_do_not_hold_the_proofs_trips_are_refused(counted: int) -> None:
    with pytest.raises(UnbalancedCountsError, match=f"1 items, the segments counted {counted}"):
        days(combined([as_table({MAY_25: ONE_TRIP})]), counted=counted)


@pytest.mark.parametrize("spread", [lambda n: [n], lambda n: [n - 1, 1]])
@pytest.mark.usefixtures("at_once")
def test_more_trips_than_a_sum_is_sure_to_hold_are_refused(
    spread: Callable[[int], list[int]],
) -> None:
    def tables(trips: int) -> list[pa.Table]:
        return [
            as_table(
                {
                    MAY_25: DayRow(
                        trip_count=n,
                        total_fare=Decimal(1),
                        min_fare=Decimal(1),
                        max_fare=Decimal(1),
                    )
                }
            )
            for n in spread(trips)
        ]

    with pytest.raises(TooManyTripsError, match="100,000,000,000"):
        combined(tables(MOST_TRIPS))
    combined(tables(MOST_TRIPS - 1))
