"""A page at once gives what its items give one by one."""

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import RULES, page, rules, trip
from trip_kpis.core.items.rejections import Reason, RejectedTrip
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.reading.read_item import ReadingRules, read_item, read_items
from trip_kpis.core.reading.read_page import PageReading, read_page

ODD: list[dict[str, Any] | None] = [
    None, {"NULL": True}, {"S": ""}, {"BOOL": True}, {"M": {}}, {"L": []}, {"SS": ["1"]},
    {"B": "AP8="},
]  # fmt: skip
fares = st.sampled_from(
    [
        *ODD, {"N": "12.5"}, {"S": "-3"}, {"N": "0.000000000000000001"}, {"S": "1e2"}, {"S": "+1"},
        {"N": "1000000000"}, {"S": "0.0000000000000000001"}, {"S": "free"}, {"S": "NaN"},
    ]
)  # fmt: skip
times = st.sampled_from(
    [
        *ODD, {"S": "2024-05-25 13:19:00"}, {"S": "2024-05-25T23:30:00-02:00"}, {"S": "2024-02-30"},
        {"N": "1716643140"}, {"N": "1716643140000"}, {"N": "-1"}, {"S": "25/05/2024"}, {"S": "now"},
        {"S": "2024-03-31T01:00:00Z"}, {"S": "0000-01-01"}, {"N": "1e30"},
        {"N": "1716643140000000"}, {"N": "1716643140123456.5"}, {"N": "20240525"},
        {"N": "202405251015"}, {"N": "20240525101500"}, {"N": "45437.55"}, {"N": "4133980799"},
        {"N": "4133980800"}, {"S": "1999-12-31"}, {"S": "2000-01-01"}, {"S": "2100-12-31 23:00"},
        {"S": "1999-12-31T23:30:00Z"}, {"S": "2101-01-01T00:30:00+02:00"}, {"S": "1716643140"},
        {"S": "25/05/2024 23:30 UTC"}, {"S": "1716643140123"}, {"S": "1850-07-01"},
    ]
)  # fmt: skip
ZONED = replace(
    RULES,
    time_zone=time_zone("Europe/Berlin"),
    time_formats=("%d/%m/%Y", "%d/%m/%Y %H:%M UTC", "epoch_milliseconds"),
)
EARLY = replace(ZONED, earliest_day=date(1900, 1, 1))


def rows_of(reading: PageReading) -> list[list[Any]]:
    return [list(row.values()) for row in reading.rows.to_pylist()]


def line_of(trip: RejectedTrip) -> bytes:
    """As any encoder of JSON writes it."""
    return f"{json.dumps(asdict(trip), ensure_ascii=False)}\n".encode()


def check(items: list[dict[str, Any]], rules: ReadingRules) -> None:
    one_by_one = read_items(items, rules)
    at_once = read_page(page(items, rules=rules), rules)
    assert Counter(map(tuple, rows_of(at_once))) == Counter(
        (item.day, *item.numbers, *item.groups) for item in one_by_one.counted
    )
    assert at_once.excluded == one_by_one.excluded
    assert at_once.incomplete == one_by_one.incomplete
    assert at_once.rejected == Counter(trip.reason for trip in one_by_one.rejected)
    assert at_once.quarantine == b"".join(map(line_of, one_by_one.rejected))


@given(st.lists(st.tuples(fares, fares, times)), st.sampled_from([RULES, ZONED, EARLY]))
def test_a_page_is_read_as_its_items_are(of: list[Any], rules: ReadingRules) -> None:
    check(
        [
            trip(f"t-{n}", fare_amount=fare, estimated_fare_amount=estimate, pickup_datetime=time)
            for n, (fare, estimate, time) in enumerate(of)
        ],
        rules,
    )


@given(st.lists(st.tuples(fares, fares, times)))
def test_so_is_a_page_with_the_values_in_nested_maps(of: list[Any]) -> None:
    nested_rules = rules(
        fare=("end", "fare"), estimated_fare=("start", "estimate"), day=("start", "at")
    )

    def nested(**values: Any) -> dict[str, Any]:
        return {"M": {name: value for name, value in values.items() if value is not None}}

    check(
        [
            {"trip_id": {"S": f"t-{n}"}, "end": nested(fare=fare)}
            | ({"start": nested(estimate=estimate, at=time)} if estimate else {"start": {"S": "x"}})
            for n, (fare, estimate, time) in enumerate(of)
        ],
        nested_rules,
    )


@pytest.mark.parametrize(
    "name", ["ф", "fare.amount", " fare", 'a"b', "a\\b", "a\tb", "at_61", "S", "M", "\U0001f695"]
)
def test_so_is_a_page_whatever_the_attributes_are_called(name: str) -> None:
    items = [trip("a", fare_amount=None, **{name: {"N": "7"}}), trip("b", fare_amount=None)]
    check(items, rules(fare=(name,)))


def test_one_value_may_decide_everything() -> None:
    of_one = rules(fare=("n",), estimated_fare=("n",), day=("n",), earliest_day=date(1970, 1, 1))
    reading = read_page(
        page([{"trip_id": {"S": "a"}, "n": {"N": "171664314"}}], rules=of_one), of_one
    )
    assert rows_of(reading) == [[date(1975, 6, 10), Decimal(171664314)]]


def test_an_empty_page_has_nothing() -> None:
    reading = read_page(page([]), RULES)
    assert (rows_of(reading), reading.incomplete, reading.excluded) == ([], 0, 0)


def test_a_bad_value_costs_its_own_item_only(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[Any] = []

    def judge(item: Any, rules: ReadingRules) -> Any:
        judged.append(item)
        return read_item(item, rules)

    monkeypatch.setattr("trip_kpis.core.reading.read_page.read_item", judge)
    items = [trip(f"t-{n}") for n in range(100)]
    items[41] = trip("t-41", fare_amount={"S": "free"})
    reading = read_page(page(items), RULES)
    assert reading.rows.num_rows == 99
    assert reading.rejected == {Reason.FARE_NOT_A_NUMBER: 1}
    assert judged == [items[41]]
