"""The demo's month: plausible, odd on purpose, and the same for the same seed."""

from collections import Counter
from fractions import Fraction

from ops.local.made_up_trips import DAYS, make_up_month
from tests.day_rows import rows_of
from tests.samples import RULES
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.reading.read_item import read_items


def test_the_known_figures_are_those_of_the_items() -> None:
    """The month's figures, added up while its trips are made, are those of its items."""
    month = make_up_month(trips=1_500, seed=3)
    reading = read_items(month.trips.items.values(), RULES)
    counted = [(item.day, item.numbers[0]) for item in reading.counted]
    read = {
        day: (
            partial.trip_count,
            *map(Fraction, (partial.total_fare, partial.min_fare, partial.max_fare)),
        )
        for day, partial in rows_of(counted).items()
    }
    known = {
        day: (known.trip_count, known.total_fare, known.min_fare, known.max_fare)
        for day, known in month.days.items()
    }
    assert read == known
    assert len(known) == DAYS
    assert reading.incomplete == month.incomplete > 0


def test_every_reason_to_reject_a_trip_occurs_once() -> None:
    reading = read_items(make_up_month().trips.items.values(), RULES)
    assert Counter(trip.reason for trip in reading.rejected) == {
        reason: 1 for reason in Reason if reason.startswith(("fare_", "time_"))
    }


def test_strings_numbers_refunds_and_several_forms_of_times_occur() -> None:
    items = make_up_month().trips.items.values()
    fares = [item["fare_amount"] for item in items]
    times = [item["pickup_datetime"] for item in items]
    assert {kind for fare in fares for kind in fare} >= {"S", "N"}
    assert any(str(text).startswith("-") for fare in fares for text in fare.values())
    assert any(text["S"].endswith("Z") for text in times if "S" in text)
    assert any(text["S"].endswith("+02:00") for text in times if "S" in text)
    assert any("N" in text for text in times)


def test_the_same_seed_makes_the_same_month_and_another_one_another() -> None:
    assert make_up_month(trips=50, seed=1) == make_up_month(trips=50, seed=1)
    assert make_up_month(trips=50, seed=1) != make_up_month(trips=50, seed=2)
