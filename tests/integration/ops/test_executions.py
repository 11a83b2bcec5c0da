"""Executions of the real state machine over the real template and handlers, one cloud for all."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ops.local.local_stack import LocalStack, Where
from ops.local.run import execute
from tests.integration.ops.conftest import kpis_of_trips, trip
from tests.stacks import objects_in, stack_of

TRIPS = 40


EXPECTED = kpis_of_trips(TRIPS)


@pytest.fixture(scope="module")
def local() -> Iterator[LocalStack]:
    with stack_of((trip(n) for n in range(TRIPS)), where=Where()) as up:
        yield up


def published(local: LocalStack) -> dict[str, bytes]:
    return objects_in(local, "kpis/")


def test_a_segment_that_fails_fails_the_run_and_nothing_is_published(local: LocalStack) -> None:
    """As in AWS: the Map fails with its own error; the segment's error and cause are found."""
    before = published(local)
    s3, bucket = local.cloud.client("s3"), local.stack.bucket_name
    part = "staging/run=broken/segment=00001/part-00000.parquet"
    s3.put_object(Bucket=bucket, Key=part, Body=b"no Parquet")
    outcome = execute(local, {"total_segments": 3}, name="broken")
    assert (outcome.status, outcome.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    (segment,) = outcome.failed_segments
    assert segment.input.keys() == {"run_id", "plan_sha256", "segment"}
    assert (segment.input["run_id"], segment.input["segment"]) == ("broken", 1)
    assert segment.error == "CorruptPartError"
    assert part in segment.cause
    assert published(local) == before

    s3.delete_object(Bucket=bucket, Key=part)
    again = execute(local, {"run_id": "broken"}, name="repair")
    assert again.succeeded, again.cause
    assert again.output is not None
    assert (again.output["run_id"], again.output["trips"]) == ("broken", TRIPS)
    assert published(local) == EXPECTED


@pytest.mark.parametrize("segments", [1, 2, 3, 17, pytest.param(64, marks=pytest.mark.slow)])
def test_any_number_of_segments_gives_the_same_bytes(local: LocalStack, segments: int) -> None:
    outcome = execute(local, {"total_segments": segments}, name=f"with-{segments}-segments")
    assert outcome.output is not None
    assert outcome.output["segments"] == segments
    assert outcome.output["scanned"] == outcome.output["counted"] == TRIPS
    assert outcome.output["days_published"] + outcome.output["days_unchanged"] == 3
    assert published(local) == EXPECTED


def test_an_estimate_is_the_output_and_nothing_is_written(local: LocalStack) -> None:
    outcome = execute(local, {"estimate_only": True}, name="estimate")
    assert outcome.succeeded
    assert outcome.output is not None
    assert outcome.output["item_count"] == TRIPS
    assert outcome.output.keys() >= {"table_bytes", "read_units", "read_cost_usd"}
    assert objects_in(local, "staging/run=estimate/") == {}


def test_a_finished_run_that_is_continued_reads_no_page_again(local: LocalStack) -> None:
    first = execute(local, {"total_segments": 2}, name="twice")
    again = execute(local, {"run_id": "twice"}, name="twice-again")
    assert first.output is not None
    assert again.output is not None
    volatile = {"seconds"}
    assert {k: v for k, v in again.output.items() if k not in volatile} == {
        k: v for k, v in first.output.items() if k not in volatile
    }


@pytest.mark.parametrize(
    ("execution_input", "error", "named"),
    [
        ({"total_segments": 0}, "InputError", "total_segments is 0"),
        ({"total_segments": 1_000_001}, "InputError", "total_segments is 1000001"),
        ({"run_id": "2024/05"}, "InputError", "run_id is '2024/05'"),
        ({"run_id": "never-planned"}, "PlanNotFoundError", "'never-planned'"),
        ({"segments": 3}, "InputError", "'segments'"),
    ],
)
def test_wrong_input_is_the_executions_error_and_cause(
    local: LocalStack, execution_input: dict[str, Any], error: str, named: str
) -> None:
    name = f"wrong-{uuid.uuid4()}"
    outcome = execute(local, execution_input, name=name)
    assert (outcome.status, outcome.error) == ("FAILED", error)
    assert named in json.loads(outcome.cause or "")["errorMessage"]
