"""An execution with `estimate_only`: what PlanRun answers, and what it does to the table for it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import plan_run
from tests.integration.pipeline import Context, Pipeline, hook
from tests.samples import trip
from trip_kpis.core.errors import (
    AccessDeniedError,
    SettingError,
    TableNotFoundError,
    TransientError,
)

QUICK = {"read_units_per_second": 10**6, "max_concurrency": 32}


@pytest.fixture
def table(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Forty trips: four without a fare, two with a time that cannot be read; more are tolerated."""
    monkeypatch.setenv("MAX_REJECTED_SHARE", "0.1")
    missing = {n: {"fare_amount": None} for n in range(4)}
    odd = {n: {"pickup_datetime": {"S": f"{n}.5.2024"}} for n in (4, 5)}
    changes: dict[int, dict[str, Any]] = missing | odd
    pipeline.make_table(trip(f"t-{n}", **changes.get(n, {})) for n in range(40))
    return pipeline


def estimate(pipeline: Pipeline, **asked: Any) -> dict[str, Any]:
    answer = pipeline.plan("estimate", estimate_only=True, **{**QUICK, **asked})
    reported: dict[str, Any] = json.loads(json.dumps(answer["estimate"]))
    return reported


def answered_with(pipeline: Pipeline, operation: str, status: int, body: bytes) -> None:
    """Every request of this operation is answered so."""
    from botocore.awsrequest import AWSResponse

    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield body

    def answer(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, status, {}, Raw())

    hook(pipeline.dynamodb, f"before-send.dynamodb.{operation}", answer)


def codes(reported: dict[str, Any]) -> list[str]:
    return [one["code"] for one in reported["advice"]]


def test_it_says_what_the_run_then_comes_to(table: Pipeline) -> None:
    census = estimate(table, total_segments=4)["census"]
    summary = table.run(total_segments=4)
    trips = {name: reported["in_table"] for name, reported in census["trips"].items()}
    assert trips == {"counted": 34, "excluded": 0, "incomplete": 4, "rejected": 2}
    assert (summary["counted"], summary["incomplete"]) == (34, 4)
    by_reason = {
        reason: reported["in_table"] for reason, reported in census["rejected_by_reason"].items()
    }
    assert by_reason == summary["rejected"] == {"time_unreadable": 2}
    assert census["rejected_by_reason"]["time_unreadable"]["looks_like"] == {"9.9.9999": 2}
    assert census["is_whole_table"]
    assert census["unknown"] == ""


def test_it_reads_a_few_pages_of_a_few_of_the_plans_own_segments_as_they_are(
    table: Pipeline,
) -> None:
    def large(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Table"] |= {"ItemCount": 10**9, "TableSizeBytes": 10**12}

    hook(table.dynamodb, "after-call.dynamodb.DescribeTable", large)
    reported = estimate(table, total_segments=50, consistent_read=True)
    assert (reported["segments"], len(reported["census"]["segments"])) == (50, 8)
    assert len(table.scans) == 8
    for scan in table.scans:
        assert (scan["TotalSegments"], scan["ConsistentRead"]) == (50, True)
        assert not scan.keys() & {"FilterExpression", "ProjectionExpression", "ExclusiveStartKey"}
    assert {scan["Segment"] for scan in table.scans} == {
        one["segment"] for one in reported["census"]["segments"]
    }
    assert not reported["census"]["is_whole_table"]


def test_a_second_page_begins_where_the_first_ended_also_after_a_binary_key(
    pipeline: Pipeline,
) -> None:
    pipeline.make_table(keys=(("driver", "S"), ("id", "B")))
    padding = {"S": "x" * 300_000}
    pipeline.put(
        {**trip(), "id": {"B": bytes([200 + n])}, "padding": padding, "driver": {"S": "d"}}
        for n in range(12)
    )
    (segment,) = estimate(pipeline, total_segments=1)["census"]["segments"]
    assert (segment["pages"], segment["ended"]) == (2, False)
    assert 6 <= segment["items"] < 12
    assert segment["largest_collection_share"] == 1.0
    first, second = pipeline.scans
    assert "ExclusiveStartKey" not in first
    assert isinstance(second["ExclusiveStartKey"]["id"]["B"], bytes)


def test_an_ordinary_run_takes_no_sample(table: Pipeline) -> None:
    assert table.plan().keys() == {
        "run_id", "plan_sha256", "segments", "max_concurrency", "estimate", "estimate_only",
        "empty_table_confirmed", "source",
    }  # fmt: skip
    assert table.scans == []


def test_an_empty_table_is_reported_and_is_no_error(pipeline: Pipeline) -> None:
    pipeline.make_table()
    reported = estimate(pipeline)
    assert codes(reported) == ["empty_table"]
    assert reported["census"]["is_whole_table"]
    assert reported["cost_usd"]["dynamodb"] == 0


def test_a_wrong_attribute_is_reported_with_those_that_are_there(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARE_ATTRIBUTE", "fare")
    reported = estimate(table)
    assert codes(reported)[0] == "attribute_absent"
    assert (
        "No item of the sample has fare, which FareAttribute names" in reported["advice"][0]["text"]
    )
    assert reported["census"]["top_level_attributes"]["fare_amount"] == 36


def test_more_rejected_than_the_stack_tolerates_is_reported(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "too_many_rejected" not in codes(estimate(table))
    monkeypatch.setenv("MAX_REJECTED_SHARE", "0.05")
    assert "too_many_rejected" in codes(estimate(table))


def test_without_time_for_a_page_within_the_budget_there_is_no_census_and_no_error(
    table: Pipeline,
) -> None:
    asked = {"estimate_only": True, "read_units_per_second": 2}
    reported = plan_run.handler(
        {"execution_name": "e", "input": asked}, Context(remaining_ms=60_000)
    )["estimate"]
    assert codes(reported)[0] == "no_sample"
    assert reported["census"]["is_cut_short"]
    assert table.scans == []


def test_a_size_from_before_the_items_were_there_is_reported(table: Pipeline) -> None:
    def as_it_was(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Table"] |= {"ItemCount": 0, "TableSizeBytes": 0}

    hook(table.dynamodb, "after-call.dynamodb.DescribeTable", as_it_was)
    reported = estimate(table)
    assert reported["item_count"] == 0
    assert codes(reported) == ["stale_size"]


def test_both_sources_are_compared_and_whether_the_table_can_be_exported_is_asked(
    table: Pipeline,
) -> None:
    off = estimate(table)
    assert off["point_in_time_recovery"] is False
    assert off["sources"].keys() == {"scan", "export"}
    assert off["sources"]["export"]["needs"] == "point-in-time recovery, which is off"
    assert codes(off)[-1] == "scan"
    table.dynamodb.update_continuous_backups(
        TableName="trips", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    on = estimate(table)
    assert on["point_in_time_recovery"] is True
    assert on["sources"]["scan"] == off["sources"]["scan"]


def test_an_estimate_of_an_export_reads_the_same_sample(table: Pipeline) -> None:
    by_export = table.plan(
        "estimate", estimate_only=True, source="export", max_concurrency=32, total_segments=4
    )["estimate"]
    by_scan = estimate(table, total_segments=4)
    assert (by_export["source"], by_export["read_units"]) == ("export", 0)
    assert by_export["census"] == by_scan["census"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"__type": "AccessDeniedException", "message": "no"}'),
        (400, b'{"__type": "UnknownOperationException"}'),
        (200, b"{}"),
        (500, b"<html>"),
    ],
    ids=["denied", "unknown operation", "no answer", "an error of the server"],
)
def test_where_nobody_says_whether_it_can_be_exported_the_estimate_goes_without(
    table: Pipeline, status: int, body: bytes
) -> None:
    answered_with(table, "DescribeContinuousBackups", status, body)
    reported = estimate(table)
    assert reported["point_in_time_recovery"] is None
    assert "not known" in reported["sources"]["export"]["needs"]
    assert reported["census"]["items"] == 40


def test_a_table_that_is_not_there(pipeline: Pipeline) -> None:
    with pytest.raises(TableNotFoundError):
        estimate(pipeline)


def test_a_parameter_that_a_forecast_needs(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_MEMORY", "lots")
    with pytest.raises(SettingError, match=r"ScanMemory is 'lots': it must be"):
        estimate(table)


ANSWERS = {
    "denied": (400, b'{"__type": "AccessDeniedException", "message": "no"}', AccessDeniedError),
    "no JSON": (200, b"<html>", TransientError),
    "no items": (200, b'{"Count": 1}', TransientError),
    "a list": (200, b"[]", TransientError),
}


@pytest.fixture(params=ANSWERS.values(), ids=ANSWERS)
def answered(table: Pipeline, request: pytest.FixtureRequest) -> Iterator[type[Exception]]:
    """Every Scan is answered so."""
    status, body, error = request.param
    answered_with(table, "Scan", status, body)
    yield error


def test_an_answer_that_is_none_fails_as_it_does_in_a_run(
    table: Pipeline, answered: type[Exception]
) -> None:
    with pytest.raises(answered, match=r"dynamodb:Scan on trips"):
        estimate(table)
