"""The truth that a bench checks every answer against, and that it does check."""

import json
import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bench.known import KnownDay, KnownDays, check, known_days
from bench.pages import days_of_table, make_up_pages
from bench.trips import DAY, ESTIMATE, FARE, PAGE_BYTES, SHAPES, Shape, item_bytes, make_up_trip

SMALL = Shape(title="tiny", trips_per_page=400, attributes=6)
PAGES = make_up_pages(SMALL, pages=3, rejected_per_page=2)


def reported(known: KnownDays) -> dict[str, dict[str, Any]]:
    """As a contender answers."""
    return {
        day: {
            "trip_count": figures.trip_count,
            "total_fare": decimal_text(figures.total_fare),
            "max_fare": decimal_text(figures.max_fare),
            "min_fare": decimal_text(figures.min_fare),
        }
        for day, figures in known.items()
    }


def decimal_text(value: Fraction) -> str:
    return str(Decimal(int(value * 10**18)).scaleb(-18))


def test_the_known_figures_are_those_of_the_items_that_are_sent() -> None:
    """Calculated once more, from the bytes."""
    sent = [
        json.loads(page.answers[False, False].body + b"}")["Items"]
        for page in (PAGES[number % 3] for number in range(7))
    ]
    days: dict[str, list[Fraction]] = {}
    for item in (item for items in sent for item in items):
        if ESTIMATE in item and "N" in item[FARE]:
            days.setdefault(item[DAY]["S"][:10], []).append(Fraction(item[FARE]["N"]))
    assert days_of_table(PAGES, length=7) == {
        day: KnownDay(
            trip_count=len(fares), total_fare=sum(fares), max_fare=max(fares), min_fare=min(fares)
        )
        for day, fares in days.items()
    }


def test_a_table_of_no_pages_has_no_days() -> None:
    assert days_of_table(PAGES, length=0) == {}


@pytest.mark.parametrize("name", SHAPES)
def test_a_page_is_a_megabyte_of_trips_with_so_many_attributes(name: str) -> None:
    shape = SHAPES[name]
    (page,) = make_up_pages(shape, pages=1)
    items = json.loads(page.answers[False, False].body + b"}")["Items"]
    assert sum(map(item_bytes, items)) == PAGE_BYTES
    assert len(items) == shape.trips_per_page
    assert {len(item) for item in items} == {shape.attributes - 1, shape.attributes}


def test_fares_have_2_to_17_decimal_places() -> None:
    chance = random.Random(3)
    trips = [make_up_trip(chance, n, shape=SMALL, size=300) for n in range(2_000)]
    places = {len(trip.item[FARE]["N"].partition(".")[2]) for trip in trips}
    assert (min(places), max(places)) == (2, 17)


def test_an_object_has_all_places_and_no_zeros_at_the_end() -> None:
    day = KnownDay(
        trip_count=3,
        total_fare=Fraction("-0.50") + Fraction("10.00000000000000001"),
        max_fare=Fraction("10.00000000000000001"),
        min_fare=Fraction("-0.50"),
    )
    assert day.kpi_json("2024-05-25") == (
        b'{"date":"2024-05-25","trip_count":3,"total_fare":9.50000000000000001,'
        b'"average_fare":3.166667,"max_fare":10.00000000000000001,"min_fare":-0.5}\n'
    )


def test_an_answer_that_is_the_truth_passes() -> None:
    known = days_of_table(PAGES, length=5)
    check(reported(known), known, of="someone")


def test_an_answer_that_is_off_by_the_last_digit_or_lacks_a_day_is_refused() -> None:
    known = days_of_table(PAGES, length=5)
    day = min(known)
    off = replace(known[day], total_fare=known[day].total_fare + Fraction(1, 10**18))
    with pytest.raises(RuntimeError, match=f"someone: {day} is"):
        check(reported({**known, day: off}), known, of="someone")
    fewer = {other: figures for other, figures in known.items() if other != day}
    with pytest.raises(RuntimeError, match=f"someone: {day} is in the truth alone"):
        check(reported(fewer), known, of="someone")
    with pytest.raises(RuntimeError, match=f"someone: {day} is in its alone"):
        check(reported(known), fewer, of="someone")


def test_a_trip_without_a_fare_that_counts_counts_nowhere() -> None:
    chance = random.Random(5)
    rejected = make_up_trip(chance, 1, shape=SMALL, size=300, rejected=True)
    assert rejected.item[FARE] == {"S": "twelve"}
    assert known_days([rejected]) == {}
