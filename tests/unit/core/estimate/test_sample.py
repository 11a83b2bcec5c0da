"""Which pages are a sample, and what it knows of the table."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import plan, trip
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.items.attributes import Item
from trip_kpis.core.items.scan_answers import WholePage
from trip_kpis.core.prices import estimate
from trip_kpis.core.run.plan import Plan

KEY: Item = {"trip_id": {"S": "t-1"}}


def sampled(
    of: Plan, *, pages: int = 1000, ends_after: int = 1000, items: int = 3, units: float = 128.0
) -> Sample:
    """As it is after so many pages; every segment has as many as `ends_after`."""
    sample = Sample(plan=of)
    for number, start_key in sample.wanted():
        if not pages:
            break
        pages -= 1
        had = sample.segments[number].pages
        assert start_key == (KEY if had else None)
        end_key = None if had + 1 == ends_after else KEY
        read = page([trip(f"t-{n}") for n in range(items)], end_key=end_key)
        sample.add(number, replace(read, read_units=units))
    return sample


def page(items: list[Any], *, end_key: Item | None = None) -> WholePage:
    return WholePage(items=items, read_units=128.0, end_key=end_key)


def of_so_many(items: int) -> Any:
    return estimate(table_bytes=1, item_count=items, consistent_read=False, read_units_per_second=0)


@given(st.integers(1, 40), st.integers(1, 4))
def test_it_has_two_pages_of_at_most_eight_segments_of_the_plan(
    segments: int, ends_after: int
) -> None:
    large = replace(of_so_many(10**9), table_bytes=10**12)
    sample = sampled(plan(total_segments=segments, estimate=large), ends_after=ends_after)
    assert sample.segments.keys() <= set(range(segments))
    assert len(sample.segments) == min(8, segments)
    assert {one.pages for one in sample.segments.values()} == {min(2, ends_after)}
    assert not sample.is_cut_short
    assert sample.is_whole_table == (ends_after <= 2 and segments <= 8)


def test_a_small_table_is_read_whole_though_it_has_many_segments() -> None:
    small = plan(total_segments=32)
    sample = sampled(small, ends_after=1, units=0.5)
    assert sample.is_whole_table
    assert len(sample.segments) == 32


def test_a_table_that_only_seems_small_is_not_read_further_than_sixteen_pages() -> None:
    """DynamoDB says 0 bytes of a table that was just loaded."""
    sample = sampled(plan(total_segments=32))
    assert sum(one.pages for one in sample.segments.values()) == 16
    assert not sample.is_cut_short
    assert not sample.is_whole_table


@given(st.integers(0, 15))
def test_one_that_is_cut_short_is_broad_rather_than_deep(pages: int) -> None:
    sample = sampled(plan(total_segments=20), pages=pages)
    had = sorted(one.pages for one in sample.segments.values())
    assert sum(had) == pages
    assert had[-1] - had[0] <= 1
    assert sample.is_cut_short
    assert not sample.is_whole_table


def test_it_takes_segments_in_the_order_of_the_runs_workers_not_neighbours() -> None:
    one, other = (Sample(plan=plan(run_id, total_segments=100)) for run_id in ("a", "b"))
    assert [*one.segments] != [*other.segments]
    assert [*one.segments] == [*Sample(plan=plan("a", total_segments=100)).segments]


def test_the_size_of_the_table_is_dynamodbs_unless_the_sample_knows_better() -> None:
    some = sampled(plan(total_segments=20, estimate=of_so_many(1000)))
    assert (some.items, some.items_in_table, some.size_is_stale) == (48, 1000, False)
    stale = sampled(plan(total_segments=20, estimate=of_so_many(0)))
    assert (stale.items_in_table, stale.size_is_stale) == (48, True)
    whole = sampled(plan(total_segments=2, estimate=of_so_many(7)), ends_after=1)
    assert (whole.items_in_table, whole.size_is_stale) == (6, False)


@pytest.mark.parametrize(("keys", "share"), [(("driver", "trip_id"), 0.75), (("driver",), 0.0)])
def test_a_large_collection_is_seen_where_there_is_a_sort_key(
    keys: tuple[str, ...], share: float
) -> None:
    sample = Sample(plan=plan(key_attributes=keys))
    drivers = ["a", "b", "b", "b"]
    sample.add(0, page([trip(str(n), driver={"S": who}) for n, who in enumerate(drivers)]))
    sample.add(0, page([]))
    assert sample.segments[0].largest_collection_share == share
