"""What a table can deliver, how long that takes, and how many workers read all of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.capacity import ON_DEMAND, PROVISIONED, STANDARD_IA, ReadCapacity
from trip_kpis.core.estimate.workers import LimitedBy, WorkerLimits
from trip_kpis.core.prices import USD_PER_READ_UNIT, estimate, usd_per_read_unit

TERABYTE_UNITS = 122_070_313
ON_DEMAND_TABLE = ReadCapacity()
NEW_TABLE = ReadCapacity(warm=12_000)
PROVISIONED_TABLE = ReadCapacity(billing_mode=PROVISIONED, maximum=1_000)
LIMITED_TABLE = ReadCapacity(billing_mode=ON_DEMAND, maximum=5_000, warm=12_000)


@pytest.mark.parametrize(
    ("capacity", "budget", "seconds"),
    [
        (ON_DEMAND_TABLE, 0, 3_052),
        (PROVISIONED_TABLE, 0, 122_071),
        (LIMITED_TABLE, 0, 24_415),
        # 30 minutes at 12,000, 30 at 24,000, the rest at 40,000 units a second
        (NEW_TABLE, 0, 3_600 + 1_432),
        (ReadCapacity(warm=90_000), 0, 1_357),  # its quota was raised
        # A budget that the table can deliver decides alone.
        (ON_DEMAND_TABLE, 1_000, 122_071),
        (NEW_TABLE, 12_000, 10_173),
        (PROVISIONED_TABLE, 500, 244_141),
        # A budget does not raise what is provisioned; but it shows a raised quota.
        (PROVISIONED_TABLE, 4_000, 122_071),
        (LIMITED_TABLE, 6_000, 24_415),
        (ON_DEMAND_TABLE, 80_000, 1_526),
    ],
)
def test_how_long_reading_a_terabyte_takes_at_least(
    capacity: ReadCapacity, budget: int, seconds: int
) -> None:
    assert capacity.seconds(TERABYTE_UNITS, budget=budget) == seconds


@given(
    st.floats(0, 1e10),
    st.integers(0, 10**6),
    st.one_of(st.none(), st.integers(1, 10**6)),
    st.one_of(st.none(), st.integers(1, 10**6)),
)
def test_reading_never_takes_less_than_the_limit_allows(
    units: float, budget: int, maximum: int | None, warm: int | None
) -> None:
    capacity = ReadCapacity(maximum=maximum, warm=warm)
    limit = capacity.limit(budget)
    assert capacity.seconds(units, budget=budget) >= int(units / limit)
    assert 1 <= capacity.reached(units, budget=budget) <= limit
    assert limit <= capacity.units_per_second or limit == budget


def limits(capacity: ReadCapacity = ON_DEMAND_TABLE, **changes: Any) -> WorkerLimits:
    known: dict[str, Any] = {
        "read_units": TERABYTE_UNITS,
        "consistent_read": False,
        "scan_memory_mb": 512,
        "lambda_limit": 1_000,
    }
    return WorkerLimits(capacity=capacity, **{**known, **changes})


@pytest.mark.parametrize(
    ("of", "asked", "workers", "limited_by"),
    [
        (limits(), 32, 16, LimitedBy.TABLE),
        (limits(), 8, 8, LimitedBy.MAX_CONCURRENCY),
        (limits(consistent_read=True), 32, 15, LimitedBy.TABLE),  # by what a partition delivers
        (limits(scan_memory_mb=256), 64, 32, LimitedBy.TABLE),
        (limits(scan_memory_mb=10_240), 32, 15, LimitedBy.TABLE),
        (limits(PROVISIONED_TABLE), 32, 1, LimitedBy.TABLE),
        (limits(ReadCapacity(billing_mode=PROVISIONED, maximum=20_000)), 32, 8, LimitedBy.TABLE),
        (limits(LIMITED_TABLE), 32, 2, LimitedBy.TABLE),
        (limits(ReadCapacity(warm=90_000)), 100, 36, LimitedBy.TABLE),
        (limits(NEW_TABLE), 32, 16, LimitedBy.TABLE),
        # A short run never gets the table beyond its double.
        (limits(NEW_TABLE, read_units=10**6), 32, 10, LimitedBy.TABLE),
        (limits(NEW_TABLE, read_units=None), 32, 16, LimitedBy.TABLE),
        (limits(lambda_limit=10), 32, 5, LimitedBy.LAMBDA),
        (limits(lambda_limit=0), 32, 1, LimitedBy.LAMBDA),
        (limits(lambda_limit=None), 32, 16, LimitedBy.TABLE),
    ],
)
def test_workers_are_as_many_as_there_is_room_for(
    of: WorkerLimits, asked: int, workers: int, limited_by: LimitedBy
) -> None:
    assert of.workers(asked, budget=0) == (workers, limited_by)


@pytest.mark.parametrize(
    ("of", "budget", "workers", "limited_by"),
    [
        (limits(), 1_000, 7, LimitedBy.READ_BUDGET),
        (limits(), 10_000, 32, LimitedBy.MAX_CONCURRENCY),
        (limits(), 100, 1, LimitedBy.READ_BUDGET),
        (limits(lambda_limit=10), 1_000, 5, LimitedBy.LAMBDA),
        (limits(PROVISIONED_TABLE), 500, 3, LimitedBy.READ_BUDGET),
        (limits(PROVISIONED_TABLE), 4_000, 1, LimitedBy.TABLE),
    ],
)
def test_a_budget_is_split_among_as_many_as_read_a_page_a_second(
    of: WorkerLimits, budget: int, workers: int, limited_by: LimitedBy
) -> None:
    assert of.workers(32, budget=budget) == (workers, limited_by)


def test_reads_are_priced_by_billing_mode_and_table_class() -> None:
    def usd(**of: Any) -> float:
        capacity = ReadCapacity(**of)
        return estimate(
            table_bytes=10**12,
            item_count=1,
            consistent_read=False,
            read_units_per_second=0,
            capacity=capacity,
        ).read_cost_usd

    assert usd() == pytest.approx(15.26, abs=0.01)
    assert usd(table_class=STANDARD_IA) == pytest.approx(18.92, abs=0.01)
    provisioned = usd(billing_mode=PROVISIONED, maximum=100)
    assert provisioned == pytest.approx(4.41, abs=0.01)
    assert usd(billing_mode=PROVISIONED, table_class=STANDARD_IA, maximum=100) > provisioned
    assert usd_per_read_unit(ReadCapacity(table_class="ANOTHER")) == USD_PER_READ_UNIT
