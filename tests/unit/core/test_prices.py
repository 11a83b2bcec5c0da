"""What a run reads and costs."""

import pytest

from trip_kpis.core.prices import (
    USD_PER_GB_SECOND_ARM64,
    Cost,
    cost,
    estimate,
    s3_requests,
)


def test_an_eventually_consistent_scan_pays_half_a_unit_for_4_kib() -> None:
    figures = estimate(
        table_bytes=8 * 2**30, item_count=10, consistent_read=False, read_units_per_second=0
    )
    assert (figures.table_bytes, figures.item_count) == (8 * 2**30, 10)
    assert figures.read_units == 2**20
    assert figures.read_cost_usd == pytest.approx(0.131072)
    assert figures.seconds_at_least == 27  # at the default quota of 40,000 a second


def test_a_consistent_one_twice_that_and_a_budget_decides_the_time() -> None:
    figures = estimate(
        table_bytes=8 * 2**30, item_count=10, consistent_read=True, read_units_per_second=1000
    )
    assert figures.read_units == 2**21
    assert figures.seconds_at_least == 2098


def test_an_empty_table_costs_nothing_and_a_byte_costs_a_unit() -> None:
    empty = estimate(table_bytes=0, item_count=0, consistent_read=False, read_units_per_second=0)
    assert (empty.read_units, empty.read_cost_usd, empty.seconds_at_least) == (0, 0.0, 0)
    byte = estimate(table_bytes=1, item_count=1, consistent_read=False, read_units_per_second=0)
    assert (byte.read_units, byte.seconds_at_least) == (1, 1)


def test_the_total_is_the_sum_of_what_is_shown() -> None:
    parts = Cost(dynamodb=0.5, compute=0.25, step_functions=0.125, s3=0.0625)
    assert parts.to_json() == {
        "dynamodb": 0.5,
        "lambda": 0.25,
        "step_functions": 0.125,
        "s3": 0.0625,
        "total": 0.9375,
    }


def test_a_run_pays_for_what_it_made() -> None:
    nothing = cost(read_units=0, gb_seconds=0, segments=0, invocations=0, parts=0, days=0)
    assert nothing.step_functions == pytest.approx(8 * 25e-6)
    run = cost(read_units=1e6, gb_seconds=3600, segments=128, invocations=130, parts=400, days=30)
    assert run.dynamodb == pytest.approx(0.125)
    assert run.compute == pytest.approx(0.06000012 + 132 * 0.2e-6)
    assert run.step_functions == pytest.approx((8 + 3 * 128 + 2 * 130) * 25e-6)
    assert run.s3 == pytest.approx(691 * 5e-6 + 690 * 0.4e-6)
    assert run.around == pytest.approx(run.total - run.dynamodb)


def test_a_listing_of_a_thousand_parts_is_a_write_and_every_part_is_written_and_read() -> None:
    assert s3_requests(invocations=0, parts=120_000, days=0) == (120_120, 120_000)
    assert s3_requests(invocations=10, parts=1, days=365) == (387, 386)


def test_arm_is_a_fifth_cheaper() -> None:
    made = {"read_units": 0, "segments": 0, "invocations": 0, "parts": 0, "days": 0}
    x86 = cost(gb_seconds=10**6, **made).compute
    arm = cost(gb_seconds=10**6, usd_per_gb_second=USD_PER_GB_SECOND_ARM64, **made).compute
    assert arm / x86 == pytest.approx(0.8, abs=1e-4)
