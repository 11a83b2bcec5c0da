"""Each piece of advice is given where it is due, and only there."""

from decimal import Decimal
from typing import Any

import pytest

from tests.samples import plan, trip
from trip_kpis.core.estimate.advice import advice
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.items.scan_answers import WholePage
from trip_kpis.core.prices import estimate

TERMS = EstimateTerms(max_rejected_share=Decimal("0.01"), scan_memory_mb=512, merge_memory_mb=1769)
KEY = {"trip_id": {"S": "t"}}
PLAIN = [trip(f"t-{n}") for n in range(200)]
GB = 10**9


def sample(
    *pages: list[Any],
    table_bytes: int = 100 * GB,
    item_count: int | None = None,
    budget: int = 0,
    ended: bool = False,
    segments: int = 20,
    **changes: Any,
) -> Sample:
    """Of a table of 100 GB, with these pages, one of a segment."""
    calculated = estimate(
        table_bytes=table_bytes,
        item_count=table_bytes // 300 if item_count is None else item_count,
        consistent_read=False,
        read_units_per_second=budget,
    )
    made = Sample(
        plan=plan(
            estimate=calculated, total_segments=segments, read_units_per_second=budget, **changes
        )
    )
    for number, items in zip(made.segments, pages, strict=False):
        end_key = None if ended else KEY
        made.add(number, WholePage(items=items, read_units=128.0, end_key=end_key))
    return made


def reported(of: Sample) -> dict[str, str]:
    said = advice(of, source="scan", max_rejected_share=TERMS.max_rejected_share)
    return {one.code: one.text for one in said}


def test_there_is_none_for_a_large_table_of_plain_trips() -> None:
    assert reported(sample(PLAIN, PLAIN)) == {}


def test_a_budget_that_leaves_no_time_for_a_page() -> None:
    text = reported(sample(budget=2, table_bytes=10**7))["no_sample"]
    assert "128 read units, takes longer at 2 read units a second" in text


def test_an_empty_table_is_only_that() -> None:
    empty = sample([], table_bytes=0, segments=1, ended=True)
    assert reported(empty) == {
        "empty_table": "The table trips is empty: a run would publish nothing."
    }


def test_a_size_from_before_the_items_were_there_and_nothing_is_concluded_from_it() -> None:
    stale = reported(sample(PLAIN, table_bytes=0))
    assert stale.keys() == {"stale_size"}
    assert "trips has 0 items, and the sample alone has 200" in stale["stale_size"]


def test_an_attribute_that_no_item_has_and_those_that_they_have() -> None:
    said = reported(sample(PLAIN, fare_attribute="fare"))
    assert said == {
        "attribute_absent": "No item of the sample has fare, which FareAttribute names. The items "
        "have estimated_fare_amount, fare_amount, pickup_datetime, trip_id. Give FareAttribute "
        "another value."
    }


@pytest.mark.parametrize(
    ("field", "parameter"),
    [
        ("fare_attribute", "FareAttribute"),
        ("estimated_fare_attribute", "EstimatedFareAttribute"),
        ("day_attribute", "DayAttribute"),
    ],
)
def test_a_path_into_something_that_is_there(field: str, parameter: str) -> None:
    text = reported(sample(PLAIN, **{field: "trip_id.at"}))["attribute_absent"]
    assert f"trip_id.at (trip_id is there, but not what is in it), which {parameter}" in text


def test_a_flattened_attribute_is_named_as_the_parameter_must_be() -> None:
    flat = [trip(f"t-{n}", **{"trip_end.fare": {"N": "7"}}) for n in range(3)]
    text = reported(sample(flat, fare_attribute="trip_end.fare"))["attribute_absent"]
    assert r"pickup_datetime, trip_end\.fare, trip_id." in text
    assert text.endswith(r"Give FareAttribute trip_end\.fare.")
    assert reported(sample(flat, fare_attribute=r"trip_end\.fare")) == {}


def test_numbers_that_look_like_dates_or_spreadsheet_days() -> None:
    odd = [
        trip("a", pickup_datetime={"N": "20240525"}),
        trip("b", pickup_datetime={"N": "45437.55"}),
        trip("c", pickup_datetime={"N": "45438"}),
    ]
    said = reported(sample([*odd, *PLAIN]))
    assert said.keys() == {"numbers_not_epochs", "too_many_rejected"}
    assert "(1 date as a number, 2 Excel serial day, of 203 items)" in said["numbers_not_epochs"]
    assert reported(sample([*odd, *PLAIN], earliest_day="1970-01-01")) == {}


def test_items_with_many_attributes_name_the_most_frequent() -> None:
    wide = [trip(f"t-{n}", **{f"x{k:02}": {"N": "1"} for k in range(20)}) for n in range(3)]
    text = reported(sample([*wide, trip("odd", zzz={"N": "1"})], day_attribute="day"))
    assert "x00, x01, x02, x03, x04, x05, x06, x07 and 13 more" in text["attribute_absent"]


def test_fares_that_lie_in_different_items() -> None:
    halves = [
        trip(f"t-{n}", **{("fare_amount", "estimated_fare_amount")[n % 2]: None}) for n in range(9)
    ]
    said = reported(sample(halves))
    assert said.keys() == {"nothing_complete"}
    assert "has both fare_amount and estimated_fare_amount" in said["nothing_complete"]


@pytest.mark.parametrize(("rejected", "is_reported"), [(2, False), (3, True)])
def test_more_rejected_than_is_tolerated(rejected: int, *, is_reported: bool) -> None:
    """Of 200 completed trips: the incomplete one is not counted, as the gate does not."""
    bad = [trip(f"b-{n}", fare_amount={"S": "free"}) for n in range(rejected)]
    said = reported(sample([*bad, *PLAIN[rejected:], trip("i", fare_amount=None)]))
    assert ("too_many_rejected" in said) == is_reported
    if is_reported:
        assert "3 of 200 completed trips" in said["too_many_rejected"]
        assert "(3 fare_not_a_number), more than the share of 0.01" in said["too_many_rejected"]


def test_a_hash_key_that_has_most_of_a_page() -> None:
    of_driver = [trip(f"t-{n}", driver={"S": "d" if n % 3 else f"d{n}"}) for n in range(150)]
    keys = ("driver", "trip_id")
    said = reported(sample(of_driver, of_driver, key_attributes=keys))
    assert said.keys() == {"large_collection"}
    assert "67% of a page's items have one value of driver" in said["large_collection"]
    assert reported(sample(of_driver[:9], key_attributes=keys)) == {}, "nine items prove nothing"


def test_segments_that_ended_where_an_average_one_is_long() -> None:
    said = reported(sample(PLAIN, PLAIN, ended=True))
    assert said.keys() == {"uneven_segments"}
    assert "2 of 8 sampled segments ended" in said["uneven_segments"]
    assert "an average one has 4,768 pages" in said["uneven_segments"]
    short = sample(PLAIN, table_bytes=100 * 2**20, segments=20, ended=True)
    assert "uneven_segments" not in reported(short)


@pytest.mark.parametrize(
    ("mb", "budget", "is_reported"),
    [(600, 0, True), (700, 0, False), (600, 1000, True), (600, 100, False)],
)
def test_a_table_that_one_lambda_reads_within_three_minutes(
    mb: int, budget: int, *, is_reported: bool
) -> None:
    said = reported(sample(PLAIN, table_bytes=mb * 2**20, budget=budget))
    assert ("one_lambda" in said) == is_reported
    if is_reported:
        assert "about 174 s of its 900 s" in said["one_lambda"]
