"""A census counts what a run would count."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import RULES, page, rules, trip
from tests.unit.core.reading.test_read_page import ZONED, fares, times
from trip_kpis.core.estimate.census import Census
from trip_kpis.core.items.attributes import find
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.reading.read_item import ReadingRules

FARE, ESTIMATE, TIME = ("fare_amount",), ("estimated_fare_amount",), ("pickup_datetime",)
contents = st.lists(st.tuples(fares, fares, times), max_size=12)


def items_of(of: list[Any]) -> list[dict[str, Any]]:
    return [
        trip(f"t-{n}", fare_amount=fare, estimated_fare_amount=estimate, pickup_datetime=time)
        for n, (fare, estimate, time) in enumerate(of)
    ]


def census(*pages: list[dict[str, Any]], rules: ReadingRules = RULES) -> Census:
    made = Census()
    for one in pages:
        made.add(one, rules, read_units=0.5)
    return made


@given(contents, st.sampled_from([RULES, ZONED]))
def test_it_counts_what_a_worker_counts_of_the_same_items(
    of: list[Any], rules: ReadingRules
) -> None:
    items = items_of(of)
    builder = PartBuilder(position=Position(), rules=rules)
    builder.add(page(items, rules=rules))
    assert census(items, rules=rules).counts == builder.counts


@given(contents)
def test_it_counts_what_a_worker_counts_that_has_dynamodb_filter(of: list[Any]) -> None:
    items = items_of(of)
    needed = RULES.definition.needed
    values = [[find(item, path) for path in needed] for item in items]
    left = [
        item
        for item, fares in zip(items, values, strict=True)
        if None not in fares and {"S": ""} not in fares
    ]
    builder = PartBuilder(position=Position(), rules=RULES)
    builder.add(page(left, filtered=len(items) - len(left)))
    assert census(items).counts == builder.counts


@given(contents, st.integers(0, 12))
def test_it_does_not_matter_how_the_items_lie_on_pages(of: list[Any], cut: int) -> None:
    items = items_of(of)
    at_once, in_two = census(items), census(items[:cut], items[cut:])
    assert replace(in_two.counts, pages=1, read_units=0.5) == at_once.counts
    for name in ("forms", "names", "shapes", "days"):
        assert getattr(in_two, name) == getattr(at_once, name), name


@given(contents)
def test_every_item_has_one_form_of_each_and_every_rejected_one_a_shape(of: list[Any]) -> None:
    made = census(items_of(of))
    assert made.forms.keys() == {FARE, ESTIMATE, TIME}
    for forms in made.forms.values():
        assert forms.total() == made.counts.scanned == len(of)
    shaped = {reason: shapes.total() for reason, shapes in made.shapes.items()}
    assert shaped == made.counts.rejected


def test_what_it_knows_of_a_page() -> None:
    made = census(
        [
            trip("a"),
            trip("b", fare_amount=None, driver={"S": "x"}),
            trip("c", fare_amount={"S": "12,50"}),
            trip("d", fare_amount={"S": "9,99"}, pickup_datetime={"S": "2024-05-27"}),
            trip("e", pickup_datetime={"S": "2024-05-27"}),
        ]
    )
    assert made.forms == {
        FARE: {"Number": 2, "absent": 1, "String other": 2},
        ESTIMATE: {"Number": 5},
        TIME: {"date and time": 3, "date alone": 2},
    }
    assert made.names["trip_id"] == 5
    assert made.names["driver"] == 1
    assert made.shapes == {Reason.FARE_NOT_A_NUMBER: Counter({"99,99": 1, "9,99": 1})}
    assert made.days == {date(2024, 5, 25), date(2024, 5, 27)}
    assert (made.counts.counted, made.counts.incomplete) == (2, 1)


@pytest.mark.parametrize("fare", [("end", "fare"), ("end", "pay", "fare")])
def test_values_in_nested_maps_are_found_where_they_are(fare: tuple[str, ...]) -> None:
    value: dict[str, Any] = {"N": "7"}
    for name in reversed(fare[1:]):
        value = {"M": {name: value}}
    made = census([trip("a", end=value), trip("b")], rules=rules(fare=fare))
    assert made.forms[fare] == {"Number": 1, "absent": 1}
