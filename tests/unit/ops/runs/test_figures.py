"""Figures of the report keep every digit."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given

from ops.runs.figures import grouped, instant, lasting, plain, seconds, share, times_the_mean
from tests.day_rows import fares


@given(fares)
def test_grouping_thousands_loses_nothing(fare: Decimal) -> None:
    assert Decimal(grouped(str(fare)).replace(",", "")) == fare


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("274393.88255724832189", "274,393.88255724832189"),
        ("-1234567", "-1,234,567"),
        ("999", "999"),
        ("0.10", "0.1"),
    ],
)
def test_thousands_are_grouped(number: str, shown: str) -> None:
    assert grouped(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [("2e-06", "0.000002"), ("16.0", "16"), ("0.0", "0"), ("100", "100")]
)
def test_a_number_has_neither_exponent_nor_zeros_at_its_end(number: str, shown: str) -> None:
    assert plain(number) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(1, 8, "12.50 %"), (0, 3, "0.00 %"), (1, 3, "33.33 %"), (0, 0, "")]
)
def test_a_share_is_in_per_cent(part: int, whole: int, shown: str) -> None:
    assert share(part, whole) == shown


@pytest.mark.parametrize(
    ("numbers", "shown"), [((1, 1), "1.00"), ((4, 1, 1), "2.00"), ((0,), ""), ((), "")]
)
def test_the_largest_is_held_against_the_mean(numbers: tuple[int, ...], shown: str) -> None:
    assert times_the_mean(numbers) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [("5.729", "5.7 s"), ("61.9", "1 min 1 s"), ("3725.25", "1 h 2 min"), ("0", "0.0 s")],
)
def test_a_duration_is_reported_in_the_units_it_has(given: str, shown: str) -> None:
    assert lasting(given) == shown


def test_milliseconds_are_reported_in_seconds() -> None:
    assert (seconds(61005), seconds(0)) == ("61.005", "0.000")


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (datetime(2026, 5, 25, 2, 15, tzinfo=UTC), "2026-05-25T02:15:00Z"),
        (datetime(2026, 5, 25, 2, 15, 0, 250_000, tzinfo=UTC), "2026-05-25T02:15:00.25Z"),
        (
            datetime(2026, 5, 25, 1, 15, tzinfo=timezone(timedelta(hours=2))),
            "2026-05-24T23:15:00Z",
        ),
    ],
)
def test_an_instant_is_in_utc_and_has_no_zeros_at_its_end(time: datetime, shown: str) -> None:
    assert instant(time) == shown
