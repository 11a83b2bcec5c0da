"""Every item of a page counts, is incomplete, or is rejected with a reason."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import RULES, rules, trip
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.reading.read_item import ItemReading, read_items

MAY_25 = date(2024, 5, 25)
OTHER_TYPES: list[dict[str, Any]] = [
    {"BOOL": True},
    {"B": b"12.5"},
    {"L": [{"N": "12.5"}]},
    {"M": {"N": {"N": "12.5"}}},
    {"M": {}},
    {"SS": ["12.5"]},
    {"NS": ["12.5"]},
    {"BS": [b"12.5"]},
]


def counted(reading: ItemReading) -> list[tuple[date, Decimal]]:
    """Day and fare, by a definition with one measure and no breakdowns."""
    assert all(item.groups == () for item in reading.counted)
    return [(item.day, *item.numbers) for item in reading.counted]


def test_a_trip_counts_with_its_day_and_its_exact_fare() -> None:
    reading = read_items([trip(fare_amount={"S": "12.50"}), trip(fare_amount={"N": "-3"})], RULES)
    assert counted(reading) == [(MAY_25, Decimal("12.5")), (MAY_25, Decimal(-3))]
    assert (reading.incomplete, reading.rejected) == (0, [])


@pytest.mark.parametrize("name", ["fare_amount", "estimated_fare_amount"])
@pytest.mark.parametrize("value", [None, {"NULL": True}, {"S": ""}])
def test_a_missing_fare_makes_a_trip_incomplete(name: str, value: dict[str, Any] | None) -> None:
    reading = read_items([trip(**{name: value})], RULES)
    assert (reading.counted, reading.incomplete, reading.rejected) == ([], 1, [])


def test_an_incomplete_trip_is_not_rejected_for_what_else_is_wrong_with_it() -> None:
    broken = trip(fare_amount={"S": "free"}, estimated_fare_amount=None, pickup_datetime=None)
    reading = read_items([broken], RULES)
    assert (reading.incomplete, reading.rejected) == (1, [])


@pytest.mark.parametrize(
    ("attributes", "reason", "attribute"),
    [
        ({"fare_amount": {"S": "free"}}, Reason.FARE_NOT_A_NUMBER, "fare_amount"),
        ({"fare_amount": {"S": " "}}, Reason.FARE_NOT_A_NUMBER, "fare_amount"),
        ({"fare_amount": {"N": "1E+9"}}, Reason.FARE_TOO_LARGE, "fare_amount"),
        ({"fare_amount": {"N": "1E-19"}}, Reason.FARE_TOO_PRECISE, "fare_amount"),
        *(({"fare_amount": value}, Reason.FARE_WRONG_TYPE, "fare_amount") for value in OTHER_TYPES),
        (
            {"estimated_fare_amount": {"S": "NaN"}},
            Reason.FARE_NOT_A_NUMBER,
            "estimated_fare_amount",
        ),
        (
            {"estimated_fare_amount": {"BOOL": False}},
            Reason.FARE_WRONG_TYPE,
            "estimated_fare_amount",
        ),
        ({"pickup_datetime": None}, Reason.TIME_MISSING, "pickup_datetime"),
        ({"pickup_datetime": {"NULL": True}}, Reason.TIME_MISSING, "pickup_datetime"),
        ({"pickup_datetime": {"S": ""}}, Reason.TIME_MISSING, "pickup_datetime"),
        ({"pickup_datetime": {"S": "soon"}}, Reason.TIME_UNREADABLE, "pickup_datetime"),
        ({"pickup_datetime": {"S": "1716643140"}}, Reason.TIME_UNREADABLE, "pickup_datetime"),
        *(
            ({"pickup_datetime": value}, Reason.TIME_OUT_OF_RANGE, "pickup_datetime")
            for value in (
                {"N": "1E+30"},
                {"N": "20240525"},
                {"N": "20240525101500"},
                {"N": "45437.55"},
                {"N": "0"},
                {"S": "1999-12-31 23:59:59"},
                {"S": "2101-01-01"},
                {"S": "2000-01-01T00:30:00+02:00"},
            )
        ),
        *(
            ({"pickup_datetime": value}, Reason.TIME_WRONG_TYPE, "pickup_datetime")
            for value in OTHER_TYPES
        ),
    ],
)
def test_a_completed_trip_that_cannot_be_counted_is_rejected_with_the_value_at_fault(
    attributes: dict[str, Any], reason: Reason, attribute: str
) -> None:
    item = trip("t-9", **attributes)
    reading = read_items([item], RULES)
    assert (reading.counted, reading.incomplete) == ([], 0)
    (rejected,) = reading.rejected
    assert rejected.key == {"trip_id": {"S": "t-9"}}
    assert (rejected.reason, rejected.attribute) == (reason, attribute)
    assert rejected.value == item.get(attribute)


def test_the_first_thing_at_fault_is_named() -> None:
    item = trip(
        fare_amount={"S": "x"}, estimated_fare_amount={"S": "y"}, pickup_datetime={"S": "z"}
    )
    assert read_items([item], RULES).rejected[0].attribute == "fare_amount"


def test_values_are_found_in_nested_maps() -> None:
    nested = rules(
        fare=("trip_end", "fare"),
        estimated_fare=("trip_start", "fare"),
        day=("trip_start", "at"),
    )
    start = {"fare": {"N": "10"}, "at": {"N": "1716643140"}}
    whole = {
        "trip_id": {"S": "a"},
        "trip_start": {"M": start},
        "trip_end": {"M": {"fare": {"S": "11.25"}}},
    }
    reading = read_items(
        [
            whole,
            {"trip_id": {"S": "b"}, "trip_start": {"M": start}},
            {**whole, "trip_end": {"S": "11.25"}},
            {**whole, "trip_start": {"M": {**start, "at": {"S": "noon"}}}},
        ],
        nested,
    )
    assert counted(reading) == [(MAY_25, Decimal("11.25"))]
    assert reading.incomplete == 2
    assert reading.rejected[0].attribute == "trip_start.at"


def test_a_name_with_a_dot_is_written_in_the_quarantine_as_in_the_parameter() -> None:
    dotted = rules(fare=("fare.amount",))
    reading = read_items([trip("a", **{"fare.amount": {"S": "free"}})], dotted)
    assert reading.rejected[0].attribute == r"fare\.amount"
    assert reading.rejected[0].value == {"S": "free"}


def test_a_rejected_trips_key_has_both_of_its_parts() -> None:
    two_keys = rules(key_attributes=("city", "at"), day=("at",))
    item = trip(city={"B": b"\x00"}, at={"N": "1E+30"})
    assert read_items([item], two_keys).rejected[0].key == {
        "city": {"B": b"\x00"},
        "at": {"N": "1E+30"},
    }


values = st.one_of(
    st.none(),
    st.sampled_from([{"NULL": True}, {"S": ""}, *OTHER_TYPES]),
    st.builds(lambda text: {"S": text}, st.text(max_size=20)),
    st.builds(
        lambda digits, exponent: {"N": f"{digits}E{exponent}"},
        st.integers(-(10**38), 10**38),
        st.integers(-130, 87),
    ),
)


@given(st.lists(st.tuples(values, values, values), max_size=8))
def test_every_item_is_exactly_one_of_the_three_whatever_it_holds(
    contents: list[tuple[Any, Any, Any]],
) -> None:
    items = [
        trip(fare_amount=fare, estimated_fare_amount=estimate, pickup_datetime=day)
        for fare, estimate, day in contents
    ]
    reading = read_items(items, RULES)
    assert len(items) == len(reading.counted) + reading.incomplete + len(reading.rejected)
