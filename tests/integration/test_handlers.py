"""The handlers' contracts, and one result however the table is cut and the work interrupted."""

import json
from collections.abc import Callable
from decimal import Decimal
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.integration.pipeline import Pipeline, hook, once_before
from tests.samples import trip
from trip_kpis.aws import read_budget, run_store
from trip_kpis.core.errors import (
    BucketNotFoundError,
    InputError,
    MissingSegmentError,
    NoProgressError,
    PlanMismatchError,
    PlanNotFoundError,
    SettingError,
    TableNotFoundError,
    TooManyPartsError,
    TransientError,
)
from trip_kpis.core.estimate.planning import resumed_budget
from trip_kpis.core.run.read_budget import ReadBudget

KPI_KEYS = [f"kpis/date=2024-05-2{day}/kpi.json" for day in (5, 6, 7)]


def trips(count: int, *, padding: int = 0) -> list[dict[str, Any]]:
    """Completed trips over three days, whose sum as floats would depend on its order."""
    return [
        trip(
            f"t-{n:04d}",
            fare_amount={"S": f"{n + 10}.{'0362694629486497'[n % 7 :]}"},
            pickup_datetime={"S": f"2024-05-{25 + n % 3} 0{n % 10}:19:00"},
            padding={"S": "x" * padding} if padding else None,
        )
        for n in range(count)
    ]


def expected_day(items: list[dict[str, Any]], day: str) -> tuple[int, Decimal]:
    of = [
        Decimal(item["fare_amount"]["S"])
        for item in items
        if item["pickup_datetime"]["S"].startswith(day)
    ]
    return len(of), sum(of, Decimal(0))


@pytest.fixture
def twelve_pages(pipeline: Pipeline) -> Pipeline:
    """60 trips of 200 KB each: five to a page."""
    pipeline.make_table(trips(60, padding=200_000))
    return pipeline


# One result


def test_any_number_of_segments_gives_the_same_bytes_and_the_exact_ones(pipeline: Pipeline) -> None:
    items = trips(150)
    pipeline.make_table(items)
    published = {}
    for total_segments in (1, 2, 3, 17, 64):
        pipeline.remove("kpis/")
        summary = pipeline.run(f"run-{total_segments}", total_segments=total_segments)
        assert (summary["segments"], summary["trips"]) == (total_segments, 150)
        assert (summary["days_published"], summary["scanned"]) == (3, 150)
        published[total_segments] = pipeline.objects("kpis/")
    assert list(published[1]) == KPI_KEYS
    assert all(bodies == published[1] for bodies in published.values())
    for key, body in published[1].items():
        figures = json.loads(body, parse_float=Decimal)
        count, total = expected_day(items, figures["date"])
        assert (figures["trip_count"], figures["total_fare"]) == (count, total), key


def test_a_worker_stopped_by_its_clock_again_and_again_finishes_with_the_same_bytes(
    twelve_pages: Pipeline,
) -> None:
    twelve_pages.run("at-once", total_segments=1)
    at_once = twelve_pages.objects("kpis/")
    twelve_pages.remove("kpis/")

    twelve_pages.plan("stopped", total_segments=1)
    invocations, finished = 0, False
    while not finished:
        reads_before = len(twelve_pages.scans)
        answer = twelve_pages.scan(run_id="stopped", page_takes_ms=200_000)
        assert len(twelve_pages.scans) - reads_before == answer["pages"] == answer["parts"] <= 2
        finished, invocations = answer["finished"], invocations + 1
    summary = twelve_pages.merge("stopped")

    assert invocations > 5
    assert summary["segments_by_invocations"] == {str(invocations): 1}
    assert summary["pages"] == summary["parts"] >= 12
    assert twelve_pages.objects("kpis/") == at_once


def test_a_worker_with_hardly_any_time_reads_nothing_and_the_next_one_goes_on(
    twelve_pages: Pipeline,
) -> None:
    twelve_pages.plan(total_segments=1)
    reads_before = len(twelve_pages.scans)
    answer = twelve_pages.scan(remaining_ms=0)
    assert (answer["finished"], answer["parts"], answer["pages"]) == (False, 0, 0)
    assert len(twelve_pages.scans) == reads_before
    assert twelve_pages.scan()["finished"]
    assert twelve_pages.merge()["trips"] == 60


def test_two_standstills_in_a_row_fail_rather_than_loop_for_ever(twelve_pages: Pipeline) -> None:
    twelve_pages.plan(total_segments=1)
    twelve_pages.scan(remaining_ms=0)
    with pytest.raises(NoProgressError, match=r"segment 0 of run run-1.*ScanSegment more memory"):
        twelve_pages.scan(remaining_ms=0)


def test_a_standstill_elsewhere_in_the_segment_is_not_in_a_row(twelve_pages: Pipeline) -> None:
    twelve_pages.plan(total_segments=1)
    twelve_pages.scan(remaining_ms=0)
    assert twelve_pages.scan(remaining_ms=900_000, page_takes_ms=880_000)["parts"] == 1
    assert twelve_pages.scan(remaining_ms=0)["parts"] == 0
    assert twelve_pages.scan()["finished"]


def test_a_page_that_does_not_come_in_time_is_given_up_and_what_was_read_is_kept(
    twelve_pages: Pipeline,
) -> None:
    """The second page hangs for longer than the invocation has: what the first held is appended."""
    twelve_pages.plan(total_segments=1)
    hang = Event()
    pages_asked_for = iter(range(100))

    def second_page_hangs() -> None:
        if next(pages_asked_for) == 1:
            hang.wait()

    twelve_pages.after_scan.append(second_page_hangs)
    answer = twelve_pages.scan(remaining_ms=3_000)
    hang.set()
    assert (answer["finished"], answer["parts"], answer["pages"]) == (False, 1, 1)
    assert twelve_pages.scan()["finished"]
    assert twelve_pages.merge()["trips"] == 60


def test_what_was_read_before_an_error_is_appended_before_it_goes_out(
    twelve_pages: Pipeline,
) -> None:
    twelve_pages.plan(total_segments=1)
    pages_asked_for = iter(range(100))

    def fourth_page_breaks() -> None:
        if next(pages_asked_for) == 3:
            raise ReadTimeoutError(endpoint_url="dynamodb")

    twelve_pages.after_scan.append(fourth_page_breaks)
    with pytest.raises(TransientError):
        twelve_pages.scan()
    reads_before = len(twelve_pages.scans)
    answer = twelve_pages.scan()
    assert answer["finished"]
    assert len(twelve_pages.scans) - reads_before == answer["pages"]
    summary = twelve_pages.merge()
    assert (summary["trips"], summary["parts"]) == (60, 2)
    assert summary["pages"] == 3 + answer["pages"]


def test_a_checkpoint_leaves_a_part_and_the_worker_goes_on(twelve_pages: Pipeline) -> None:
    twelve_pages.plan(total_segments=1)
    answer = twelve_pages.scan(page_takes_ms=25_000)
    assert answer["finished"]
    assert answer["parts"] == -(-answer["pages"] // 3)  # one for every three pages of 25 s
    assert twelve_pages.merge()["segments_by_invocations"] == {"1": 1}


class KilledError(BaseException):
    """No exception that anything could catch: the process is gone."""


def test_a_worker_that_is_killed_loses_only_what_it_had_not_appended(
    twelve_pages: Pipeline,
) -> None:
    twelve_pages.run("whole", total_segments=1)
    whole = twelve_pages.objects("kpis/")
    twelve_pages.remove("kpis/")

    twelve_pages.plan("killed", total_segments=1)
    twelve_pages.scans.clear()

    def die_in_the_fifth_page() -> None:
        if len(twelve_pages.scans) == 5:
            raise KilledError

    twelve_pages.after_scan.append(die_in_the_fifth_page)
    with pytest.raises(KilledError):
        twelve_pages.scan(run_id="killed", page_takes_ms=30_000)
    twelve_pages.after_scan.clear()
    twelve_pages.scans.clear()

    answer = twelve_pages.scan(run_id="killed")
    assert answer["finished"]
    assert twelve_pages.scans[0]["ExclusiveStartKey"]
    summary = twelve_pages.merge("killed")
    assert summary["pages"] == answer["pages"] + 4  # in two parts, a minute each
    assert twelve_pages.objects("kpis/") == whole


def test_a_worker_that_is_called_again_after_the_end_reads_nothing(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(5))
    pipeline.plan(total_segments=1)
    first = pipeline.scan()
    before = pipeline.objects()
    pipeline.scans.clear()
    again = pipeline.scan()
    assert (first["finished"], first["counted"]) == (True, 5)
    assert again == {"finished": True, "segment": 0, "parts": 0, "pages": 0, "scanned": 0,
                     "counted": 0, "throttles": {}}  # fmt: skip
    assert pipeline.scans == []
    assert pipeline.objects() == before


def test_of_two_workers_on_one_segment_one_counts(twelve_pages: Pipeline) -> None:
    twelve_pages.run("alone", total_segments=1)
    alone = twelve_pages.objects("kpis/")
    twelve_pages.remove("kpis/")

    twelve_pages.plan("raced", total_segments=1)
    once_before("PutObject", lambda: twelve_pages.scan(run_id="raced"), key="part-00000.parquet")
    slower = twelve_pages.scan(run_id="raced")
    assert (slower["finished"], slower["parts"], slower["counted"]) == (True, 0, 0)
    assert twelve_pages.merge("raced")["trips"] == 60
    assert twelve_pages.objects("kpis/") == alone


def test_the_loser_of_a_race_goes_on_from_where_the_winner_stopped(
    twelve_pages: Pipeline,
) -> None:
    def winner_has_time_for_a_page() -> None:
        twelve_pages.scan(remaining_ms=60_000, page_takes_ms=60_000)

    twelve_pages.plan(total_segments=1)
    once_before("PutObject", winner_has_time_for_a_page, key="part-00000.parquet")
    slower = twelve_pages.scan()
    assert (slower["finished"], slower["parts"]) == (True, 1)
    summary = twelve_pages.merge()
    assert (summary["trips"], summary["parts"], summary["invocations"]) == (60, 2, 2)


# Contracts


def test_plan_run_says_what_the_state_machine_needs(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(3))
    planned = pipeline.plan("execution-1", total_segments=7, max_concurrency=2)
    assert sorted(planned.pop("segments")) == list(range(7))
    assert planned.pop("estimate").keys() == {
        "table_bytes",
        "item_count",
        "read_units",
        "read_cost_usd",
        "seconds_at_least",
        "usd_per_read_unit",
        "billing_mode",
        "table_class",
        "table_read_units_per_second",
        "has_maximum",
        "warm_read_units_per_second",
        "parts",
        "merge_seconds",
    }
    assert len(planned.pop("plan_sha256")) == 64
    assert planned == {
        "run_id": "execution-1",
        "max_concurrency": 2,
        "estimate_only": False,
        "empty_table_confirmed": False,
        "source": {"step": "scan", "arn": None},
    }
    assert list(pipeline.objects()) == ["staging/run=execution-1/plan.json"]
    json.dumps(pipeline.plan("execution-1", total_segments=7))


def test_an_estimate_writes_nothing(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(3))
    planned = pipeline.plan(estimate_only=True)
    assert planned["estimate_only"] is True
    assert planned["estimate"]["item_count"] == 3
    assert pipeline.objects() == {}


def test_planning_again_gives_the_same_plan(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table(trips(3))
    first = pipeline.plan(total_segments=7)
    before = pipeline.objects()
    monkeypatch.setenv("TOTAL_SEGMENTS", "3")
    monkeypatch.setenv("READ_UNITS_PER_SECOND", "500")
    assert pipeline.plan() == first
    assert pipeline.objects() == before


def test_a_run_is_continued_by_its_run_id(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(9))
    first = pipeline.plan("failed", total_segments=3)
    pipeline.scan(0, run_id="failed")
    with pytest.raises(MissingSegmentError, match="segment 1 has not been begun"):
        pipeline.merge("failed")
    assert pipeline.objects("kpis/") == pipeline.objects("runs/") == {}
    pipeline.scans.clear()
    again = pipeline.plan("second-execution", run_id="failed", max_concurrency=1)
    assert again == {**first, "max_concurrency": 1}
    for segment in again["segments"]:
        pipeline.scan(segment, run_id="failed")
    assert sorted(scan["Segment"] for scan in pipeline.scans) == [1, 2]
    assert pipeline.merge("failed")["trips"] == 9


def test_a_resumed_run_may_read_otherwise_and_its_workers_do(
    twelve_pages: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of the earlier execution, whose input is as it was: of a redriven Map Run."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr(read_budget, "time", clock)
    plan = twelve_pages.plan("failed", total_segments=1, read_units_per_second=10**6)
    assert plan["max_concurrency"] == 32
    frozen = twelve_pages.objects("staging/run=failed/plan.json")
    slower = twelve_pages.plan(
        "slower", run_id="failed", read_units_per_second=128, max_concurrency=8
    )
    assert slower == {**plan, "max_concurrency": 1}
    assert twelve_pages.objects("staging/run=failed/plan.json") == frozen
    assert twelve_pages.scan(run_id="failed")["finished"]
    assert slept[0] == pytest.approx(3), "three pages of 128 units before the first one"
    assert twelve_pages.merge("failed")["trips"] == 60


def test_of_two_that_change_the_read_budget_at_once_the_second_must_try_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table(trips(3))
    pipeline.plan("run", total_segments=9)

    def after_another(*known: Any) -> ReadBudget:
        monkeypatch.setattr(run_store, "resumed_budget", resumed_budget)
        pipeline.plan("other", run_id="run", max_concurrency=7)
        return resumed_budget(*known)

    monkeypatch.setattr(run_store, "resumed_budget", after_another)
    with pytest.raises(TransientError, match=r"read-budget-00001\.json"):
        pipeline.plan("again", run_id="run", max_concurrency=4)
    assert pipeline.plan("later", run_id="run")["max_concurrency"] == 7


def test_what_a_resumed_run_reads_with_stays_until_it_is_asked_for_otherwise(
    pipeline: Pipeline,
) -> None:
    pipeline.make_table(trips(3))
    pipeline.plan("run", total_segments=9, read_units_per_second=10**6)

    def resumed(**asked: int) -> tuple[int, list[str]]:
        answer = pipeline.plan("again", run_id="run", **asked)
        return answer["max_concurrency"], [
            key.rpartition("/")[2] for key in pipeline.objects("staging/run=run/read-budget-")
        ]

    assert resumed() == (32, [])
    assert resumed(max_concurrency=4) == (4, ["read-budget-00001.json"])
    assert resumed() == (4, ["read-budget-00001.json"])
    assert resumed(max_concurrency=4) == (4, ["read-budget-00001.json"])
    assert resumed(read_units_per_second=256)[0] == 2
    pipeline.lambda_limit = 2
    assert resumed(max_concurrency=4, read_units_per_second=10**6)[0] == 1
    assert json.loads(pipeline.objects()["staging/run=run/read-budget-00003.json"]) == {
        "read_units_per_second": 10**6,
        "max_concurrency": 1,
    }


def test_a_run_keeps_to_the_accounts_lambda_executions(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(3))
    pipeline.lambda_limit = 10
    assert pipeline.plan("small")["max_concurrency"] == 5
    reported = pipeline.plan("estimate", estimate_only=True)["estimate"]
    assert (reported["lambda_limit"], reported["limited_by"]) == (10, "lambda")
    assert "lambda_limit" in [one["code"] for one in reported["advice"]]


def test_a_role_that_may_not_ask_for_the_limit_stops_no_run_and_the_plan_says_so(
    pipeline: Pipeline,
) -> None:
    pipeline.make_table(trips(3))
    pipeline.lambda_limit = None
    assert pipeline.plan("unknown")["max_concurrency"] == 16
    plan = json.loads(pipeline.objects()["staging/run=unknown/plan.json"])
    assert plan["lambda_limit"] is None
    assert "lambda:GetAccountSettings" in plan["warnings"][0]


def test_a_run_that_one_merge_has_no_time_for_is_refused_before_it_is_planned(
    pipeline: Pipeline,
) -> None:
    pipeline.make_table(trips(3))

    def huge(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Table"] |= {"ItemCount": 10**10, "TableSizeBytes": 10**14}

    hook(pipeline.dynamodb, "after-call.dynamodb.DescribeTable", huge)
    with pytest.raises(TooManyPartsError):
        pipeline.plan(read_units_per_second=1_000)
    assert pipeline.objects() == {}
    reported = pipeline.plan("estimate", estimate_only=True, read_units_per_second=1_000)[
        "estimate"
    ]
    assert "too_many_parts" in [one["code"] for one in reported["advice"]]


def test_a_run_is_not_continued_under_other_terms(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table(trips(1))
    pipeline.plan("first", total_segments=3)
    with pytest.raises(PlanMismatchError, match="total_segments was 3, now it is 4"):
        pipeline.plan("second", run_id="first", total_segments=4)
    monkeypatch.setenv("TIME_ZONE", "Asia/Kolkata")
    with pytest.raises(PlanMismatchError, match="time_zone was 'UTC', now it is 'Asia/Kolkata'"):
        pipeline.plan("second", run_id="first")


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.plan("second", run_id="nobody"),
        lambda p: p.scan(run_id="nobody"),
        lambda p: p.merge("nobody"),
    ],
)
def test_a_run_without_a_plan_is_named(
    pipeline: Pipeline, call: Callable[[Pipeline], object]
) -> None:
    pipeline.make_table()
    with pytest.raises(PlanNotFoundError, match="'nobody'"):
        call(pipeline)


def test_a_segment_that_the_plan_has_not_is_refused(pipeline: Pipeline) -> None:
    pipeline.make_table()
    pipeline.plan(total_segments=2)
    with pytest.raises(InputError, match="segment is 2: the run run-1 has the segments 0 to 1"):
        pipeline.scan(2)


def test_bad_input_is_refused_before_anything_is_done(pipeline: Pipeline) -> None:
    for asked in ({"total_segments": 0}, {"total_segments": 1_000_001}, {"run_id": "a/b"}):
        with pytest.raises(InputError):
            pipeline.plan(**asked)
    assert pipeline.objects() == {}


def test_a_table_that_is_not_there_is_named(pipeline: Pipeline) -> None:
    with pytest.raises(TableNotFoundError):
        pipeline.plan()


@pytest.mark.parametrize(
    "call", [lambda p: p.plan("run-2"), lambda p: p.scan(), lambda p: p.merge()]
)
def test_a_bucket_that_is_not_there_is_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, call: Callable[[Pipeline], object]
) -> None:
    pipeline.make_table()
    pipeline.plan()
    monkeypatch.setenv("ATHENA_BUCKET_NAME", "no-such-bucket")
    with pytest.raises(BucketNotFoundError):
        call(pipeline)


@pytest.mark.parametrize("call", [lambda p: p.scan(), lambda p: p.merge()])
def test_another_table_than_the_plans_is_refused(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, call: Callable[[Pipeline], object]
) -> None:
    pipeline.make_table()
    pipeline.plan()
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", "others")
    with pytest.raises(PlanMismatchError, match=r"'trips'.*'others'"):
        call(pipeline)


def test_a_table_that_went_away_during_the_run_is_named(pipeline: Pipeline) -> None:
    pipeline.make_table()
    pipeline.plan()
    pipeline.dynamodb.delete_table(TableName="trips")
    with pytest.raises(TableNotFoundError):
        pipeline.scan()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("DYNAMODB_TABLE_NAME", lambda p: p.plan()),
        ("TIME_ZONE", lambda p: p.plan()),
        ("ATHENA_BUCKET_NAME", lambda p: p.scan()),
        ("MAX_REJECTED_SHARE", lambda p: p.merge()),
    ],
)
def test_a_missing_variable_is_named(
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: Callable[[Pipeline], object],
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingError, match=f"{name} is not set"):
        call(pipeline)


def test_a_worker_needs_no_variable_but_its_table_and_bucket(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.make_table(trips(3))
    pipeline.plan(total_segments=1)
    for name in ("TIME_ZONE", "FARE_ATTRIBUTE", "CHECKPOINT_SECONDS", "MAX_REJECTED_SHARE"):
        monkeypatch.delenv(name)
    assert pipeline.scan()["counted"] == 3


def test_the_consistency_of_a_run_is_the_plans(pipeline: Pipeline) -> None:
    pipeline.make_table(trips(1))
    pipeline.run(consistent_read=True, total_segments=1)
    assert [scan["ConsistentRead"] for scan in pipeline.scans] == [True]
