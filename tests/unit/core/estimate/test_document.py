"""The answer to an estimate: whole, of JSON, and never too large for a state."""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from bench import scale
from tests.samples import comparison, plan, trip
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.items.scan_answers import WholePage
from trip_kpis.core.prices import estimate
from trip_kpis.core.run.plan import Plan, shuffled

TERMS = EstimateTerms(max_rejected_share=Decimal("0.5"), scan_memory_mb=512, merge_memory_mb=1769)
MOST_BYTES = 256 * 1024
KEY = {"trip_id": {"S": "t"}}


def of_terabyte(**changes: Any) -> Plan:
    calculated = estimate(
        table_bytes=10**12, item_count=3 * 10**9, consistent_read=False, read_units_per_second=0
    )
    return plan(estimate=calculated, total_segments=233, **changes)


def with_pages(of: Plan, items: list[Any]) -> Sample:
    sample = Sample(plan=of)
    for number, _ in sample.wanted():
        sample.add(number, WholePage(items=items, read_units=128.0, end_key=KEY))
    return sample


def test_it_has_the_plans_own_estimate_and_what_the_bench_calculates_for_a_terabyte() -> None:
    document = estimate_document(
        comparison(of_terabyte()), with_pages(of_terabyte(), [trip()]), TERMS
    )
    estimated = asdict(of_terabyte().estimate)
    estimated |= {"parts": 932, "merge_seconds": 4}  # of the run with the sample's rejected trips
    assert document.items() >= estimated.items()
    assert (document["table"], document["segments"], document["max_concurrency"]) == (
        "trips",
        233,
        16,
    )
    assert document["minutes"] == 51
    assert document["cost_usd"] == scale.run()[1].cost


def test_counts_are_reported_of_the_sample_as_a_share_and_scaled_to_the_table() -> None:
    items = [
        trip("a"),
        trip("b", fare_amount=None),
        trip("c", pickup_datetime={"S": "25/05/24"}),
        trip("d", pickup_datetime={"S": "26/05/24"}),
    ]
    census = estimate_document(comparison(of_terabyte()), with_pages(of_terabyte(), items), TERMS)[
        "census"
    ]
    assert (census["pages"], census["items"], census["read_units"]) == (16, 64, 2048.0)
    assert census["trips"] == {
        "counted": {"in_sample": 16, "share": 0.25, "in_table": 750_000_000},
        "excluded": {"in_sample": 0, "share": 0.0, "in_table": 0},
        "incomplete": {"in_sample": 16, "share": 0.25, "in_table": 750_000_000},
        "rejected": {"in_sample": 32, "share": 0.5, "in_table": 1_500_000_000},
    }
    assert census["rejected_by_reason"] == {
        "time_unreadable": {
            "in_sample": 32,
            "share": 0.5,
            "in_table": 1_500_000_000,
            "looks_like": {"99/99/99": 32},
        }
    }
    assert census["attributes"]["day"] == {
        "path": "pickup_datetime",
        "forms": {"String other": 32, "date and time": 32},
    }
    assert census["days"] == {"days": 1, "first": "2024-05-25", "last": "2024-05-25"}
    assert census["unknown"].startswith(
        "A sample contains nothing about pages that it did not read"
    )


def test_without_a_page_it_is_still_whole() -> None:
    document = estimate_document(comparison(of_terabyte()), Sample(plan=of_terabyte()), TERMS)
    census = document["census"]
    assert (census["items"], census["share_of_table"], census["days"]) == (0, 0.0, None)
    assert census["trips"]["counted"] == {"in_sample": 0, "share": 0.0, "in_table": 0}
    assert [one["code"] for one in document["advice"]] == ["no_sample", "scan"]


def test_the_answer_of_the_largest_run_over_the_oddest_items_fits_into_a_state() -> None:
    items = [
        trip(
            f"t-{n}",
            pickup_datetime={"S": "\U0001f695" * n},
            **{f"{k:03}{'ф' * 1000}": {"N": "1"} for k in range(50)},
        )
        for n in range(1, 60)
    ]
    widest = of_terabyte()
    document = estimate_document(comparison(widest), with_pages(widest, items), TERMS)
    answer = {
        "run_id": "n" * 80,
        "segments": shuffled(10_000, seed="a"),
        "max_concurrency": 10_000,
        "estimate": document,
        "estimate_only": True,
    }
    assert len(json.dumps(answer).encode()) < MOST_BYTES / 2
