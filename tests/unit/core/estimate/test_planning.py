"""What a plan takes from the table's description, from the account and from the merge's limit."""

import math
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.samples import DEFAULTS, PLANNED_AT, TABLE, plan, request
from trip_kpis.core.capacity import PROVISIONED, STANDARD_IA, ReadCapacity
from trip_kpis.core.errors import PlanMismatchError, TooManyPartsError
from trip_kpis.core.estimate.forecast import MOST_PARTS, EstimateTerms, most_parts
from trip_kpis.core.estimate.plan_notes import plan_notes
from trip_kpis.core.estimate.planning import check_parts, forecast, make_plan, resumed_budget
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.table_description import TableDescription

TB = 10**12
OLD = PLANNED_AT - timedelta(days=300)
_OF_CAPACITY = {field.name for field in fields(ReadCapacity)}


def table(**changes: Any) -> TableDescription:
    """Of 1 TB, on demand, made long ago; what is no field of a description is its capacity's."""
    known: dict[str, Any] = {"size_bytes": TB, "item_count": 3 * 10**9, "created_at": OLD}
    capacity = {name: changes.pop(name) for name in _OF_CAPACITY & changes.keys()}
    return replace(TABLE, capacity=ReadCapacity(**capacity), **{**known, **changes})


def planned(
    of: TableDescription | None = None,
    *,
    lambda_limit: int | None = 1_000,
    terms: EstimateTerms | None = None,
    checkpoint_seconds: int = 60,
    **asked: Any,
) -> Plan:
    return make_plan(
        request(**asked),
        replace(DEFAULTS, checkpoint_seconds=checkpoint_seconds),
        of or table(),
        now=PLANNED_AT,
        terms=terms or EstimateTerms(),
        lambda_limit=lambda_limit,
    )


def codes(of: Plan, terms: EstimateTerms | None = None) -> list[str]:
    terms = terms or EstimateTerms()
    return [note.code for note in plan_notes(of, forecast(of, terms), terms)]


# Segments of a table whose size is not known


@pytest.mark.parametrize(
    "unknown",
    [
        {"size_bytes": 0},
        {"item_count": 0},
        {"size_bytes": 0, "item_count": 0, "created_at": None},
        {"created_at": PLANNED_AT - timedelta(hours=23), "size_bytes": 1_000, "item_count": 3},
    ],
)
def test_a_table_whose_size_is_not_known_gets_a_segment_for_each_worker(
    unknown: dict[str, Any],
) -> None:
    assert planned(table(**unknown)).total_segments >= 32
    assert planned(table(**unknown), max_concurrency=50).total_segments >= 50
    assert planned(table(**unknown), total_segments=3).total_segments == 3


def test_a_small_table_that_is_old_enough_has_one_segment() -> None:
    small = table(size_bytes=1_000, item_count=3, created_at=PLANNED_AT - timedelta(hours=25))
    assert planned(small).total_segments == 1


# Workers


def test_a_plan_keeps_what_its_number_of_workers_follows_from() -> None:
    assert (planned().max_concurrency, planned().limited_by) == (16, "table")
    small_account = planned(lambda_limit=10)
    assert (small_account.max_concurrency, small_account.limited_by) == (5, "lambda")
    assert small_account.lambda_limit == 10
    assert any("10 Lambda executions" in warning for warning in small_account.warnings)


def test_without_the_accounts_limit_a_run_is_planned_and_says_so() -> None:
    unknown = planned(lambda_limit=None)
    assert unknown.max_concurrency == planned().max_concurrency
    assert codes(unknown) == ["lambda_limit_unknown"]
    (warning,) = unknown.warnings
    assert "lambda:GetAccountSettings" in warning
    assert planned().warnings == ()


# Capacity


@pytest.mark.parametrize(
    ("of", "asked", "expected"),
    [
        ({}, {}, []),
        ({"billing_mode": PROVISIONED, "maximum": 1_000}, {}, ["takes_all_capacity"]),
        (
            {"billing_mode": PROVISIONED, "maximum": 1_000},
            {"read_units_per_second": 1_000},
            ["takes_all_capacity"],
        ),
        (
            {"billing_mode": PROVISIONED, "maximum": 1_000},
            {"read_units_per_second": 500},
            [],
        ),
        ({"maximum": 2_000}, {}, ["takes_all_capacity"]),
        ({"warm": 12_000}, {}, ["warm_throughput"]),
        ({"warm": 12_000}, {"read_units_per_second": 10_000}, []),
        ({"warm": 50_000}, {}, []),
        ({"warm": 12_000, "size_bytes": 10**9}, {}, []),
        ({"table_class": STANDARD_IA}, {}, ["standard_ia"]),
    ],
)
def test_what_a_table_delivers_is_advice(
    of: dict[str, Any], asked: dict[str, Any], expected: list[str]
) -> None:
    assert codes(planned(table(**of), **asked)) == expected


def test_an_unlimited_run_on_a_provisioned_table_says_what_it_takes() -> None:
    provisioned = table(billing_mode=PROVISIONED, maximum=1_000)
    (warning,) = planned(provisioned).warnings
    assert "is provisioned with 1,000 read units a second" in warning
    assert planned(provisioned).estimate.seconds_at_least == 122_071
    assert planned(provisioned).estimate.billing_mode == PROVISIONED


# Expiry


def test_ttl_is_frozen_and_warned_of_where_it_would_erode_days() -> None:
    expiring = table(ttl_attribute="expires_at")
    assert planned(expiring).ttl_attribute == "expires_at"
    assert codes(planned(expiring)) == ["ttl_erodes_days"]
    (warning,) = planned(expiring).warnings
    assert "by expires_at" in warning
    assert "ShrunkDays=keep" in warning
    kept = EstimateTerms(days_may_shrink=False)
    assert codes(planned(expiring, terms=kept), kept) == []
    assert planned(expiring, terms=kept).warnings == ()


def test_an_expiry_that_is_not_known_is_said() -> None:
    unknown = table(ttl_is_known=False)
    assert codes(planned(unknown)) == ["ttl_unknown"]
    kept = EstimateTerms(days_may_shrink=False)
    assert codes(planned(unknown, terms=kept), kept) == []


# Parts


def wide(**asked: Any) -> Plan:
    """100 TB by 100 workers, which no quota keeps from it."""
    of = table(size_bytes=100 * TB, item_count=10**10)
    return planned(of, max_concurrency=100, read_units_per_second=40_000, **asked)


def test_the_checkpoint_interval_grows_until_one_merge_has_time_for_the_parts() -> None:
    """As it was set, a part a minute would be half a million of them."""
    assert wide().max_concurrency == 100
    as_it_was_set = replace(wide(), checkpoint_seconds=60)
    assert forecast(as_it_was_set, EstimateTerms()).parts > 500_000
    assert wide().estimate.parts < MOST_PARTS
    assert wide().estimate.merge_seconds <= 525
    assert 60 < wide().checkpoint_seconds < 880
    shorter = replace(wide(), checkpoint_seconds=wide().checkpoint_seconds - 1)
    rejected = 10**10 * 0.01
    assert not forecast(shorter, EstimateTerms(), rejected_trips=rejected).fits(
        merge_memory_mb=1769
    )
    check_parts(wide(), EstimateTerms())


def test_an_interval_that_is_long_enough_stays() -> None:
    assert planned().checkpoint_seconds == 60
    assert planned().estimate.parts < 10_000
    assert wide(checkpoint_seconds=600).checkpoint_seconds == 600


def test_a_merge_of_little_memory_has_time_for_fewer_parts() -> None:
    assert most_parts(1024) < most_parts(1769) == most_parts(10_240) == MOST_PARTS
    small = EstimateTerms(merge_memory_mb=1024)
    assert wide(terms=small).checkpoint_seconds > wide().checkpoint_seconds
    assert wide(terms=small).estimate.parts < most_parts(1024)


def test_rejected_trips_that_are_tolerated_count_as_parts() -> None:
    """A worker appends when it holds 16 MiB of their lines, whatever its interval."""
    none = planned(terms=EstimateTerms(max_rejected_share=Decimal(0)))
    some = planned(terms=EstimateTerms(max_rejected_share=Decimal("0.1")))
    assert some.estimate.parts - none.estimate.parts == math.ceil(3e8 * 1_000 / 2**24)


def test_more_rejected_parts_than_one_merge_has_time_for_are_a_warning() -> None:
    """Not a refusal: nobody knows how many will be rejected."""
    all_of_them = EstimateTerms(max_rejected_share=Decimal(1))
    tolerant = planned(terms=all_of_them)
    assert codes(tolerant, all_of_them) == ["many_rejected_parts"]
    assert tolerant.estimate.parts > MOST_PARTS
    assert len(tolerant.warnings) == 1
    check_parts(tolerant, all_of_them)


def test_a_run_that_no_interval_makes_fit_is_refused_with_what_would() -> None:
    """100 TB at 1,000 units a second by 7 workers: 141 days."""
    of = table(size_bytes=100 * TB, item_count=10**10)
    slow = planned(of, read_units_per_second=1_000)
    assert codes(slow) == ["too_many_parts"]
    with pytest.raises(TooManyPartsError) as caught:
        check_parts(slow, EstimateTerms())
    said = str(caught.value)
    assert "fewer than 150,000" in said
    assert "141.3 days" in said
    assert "MaxConcurrency" in said
    check_parts(planned(of, read_units_per_second=1_000, max_concurrency=1), EstimateTerms())


def test_a_segment_whose_log_would_run_out_of_numbers_is_refused() -> None:
    of = table(size_bytes=100 * TB, item_count=10**6)
    long = planned(of, total_segments=1, read_units_per_second=200, max_concurrency=1)
    with pytest.raises(TooManyPartsError):
        check_parts(long, EstimateTerms())


# Resumed runs


def resumed(frozen: Plan, current: ReadBudget | None = None, **asked: Any) -> tuple[int, int]:
    """(read units a second, workers)"""
    lambda_limit = asked.pop("lambda_limit", 1_000)
    asked_now = request(continues=True, **asked)
    now = planned(lambda_limit=lambda_limit, **asked)
    budget = resumed_budget(
        frozen, current or frozen.read_budget, now, asked_now, DEFAULTS, table(), EstimateTerms()
    )
    return budget.read_units_per_second, budget.max_concurrency


def test_a_resumed_run_reads_as_before_unless_it_is_asked_to_read_otherwise() -> None:
    frozen = planned(read_units_per_second=1_000)
    assert resumed(frozen) == (1_000, 7)
    slower = ReadBudget(read_units_per_second=500, max_concurrency=2)
    assert resumed(frozen, slower) == (500, 2)


@pytest.mark.parametrize(
    ("asked", "budget", "workers"),
    [
        ({"read_units_per_second": 256}, 256, 2),
        ({"read_units_per_second": 8_000}, 8_000, 32),
        ({"read_units_per_second": 0}, 0, 16),
        ({"max_concurrency": 2}, 1_000, 2),
        ({"max_concurrency": 20}, 1_000, 7),
        ({"max_concurrency": 2, "read_units_per_second": 8_000}, 8_000, 2),
        ({"max_concurrency": 32, "read_units_per_second": 8_000, "lambda_limit": 20}, 8_000, 10),
    ],
)
def test_what_a_resumed_run_is_asked_for_counts_within_the_limits_of_a_new_one(
    asked: dict[str, Any], budget: int, workers: int
) -> None:
    assert resumed(planned(read_units_per_second=1_000), **asked) == (budget, workers)


def test_a_budget_is_written_and_read() -> None:
    budget = ReadBudget(read_units_per_second=500, max_concurrency=3)
    assert ReadBudget.from_bytes(budget.to_bytes(), url="s3://b/k") == budget
    assert budget.share(total_segments=100) == pytest.approx(500 / 3)
    assert budget.share(total_segments=2) == 250


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"read_units_per_second": 5}',
        b'{"read_units_per_second": "5", "max_concurrency": 1}',
        b'{"read_units_per_second": true, "max_concurrency": 1}',
        b'{"read_units_per_second": -1, "max_concurrency": 1}',
        b'{"read_units_per_second": 5, "max_concurrency": 0}',
    ],
)
def test_what_is_no_budget_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(PlanMismatchError, match="s3://b/k is not a read budget"):
        ReadBudget.from_bytes(body, url="s3://b/k")


def test_a_plan_with_everything_known_is_read_back() -> None:
    whole = planned(
        table(ttl_attribute="ttl", warm=12_000, table_class=STANDARD_IA), lambda_limit=9
    )
    assert Plan.from_bytes(whole.to_bytes()) == whole
    assert plan().read_budget == ReadBudget(read_units_per_second=0, max_concurrency=16)
