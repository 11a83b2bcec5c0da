"""Redrive as Step Functions' API has it, by botocore's own model of it: no emulator does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

from tests.deployed.redrive import Redrive
from tests.deployed.waiting import Patience

ARN = "arn:aws:states:us-east-1:123456789012"
MACHINE = f"{ARN}:stateMachine:trip-kpis"
EXECUTION = f"{ARN}:execution:trip-kpis:run-1"
MAP_RUN = f"{ARN}:mapRun:trip-kpis/ScanSegments:0f"
ENDED = datetime(2024, 6, 1, 2, 15, tzinfo=UTC)
LATER = datetime(2024, 6, 1, 2, 30, tzinfo=UTC)
NONE = dict.fromkeys(
    ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"),
    0,
)


def child(name: str, status: str, stopped_at: datetime = ENDED, **other: Any) -> dict[str, Any]:
    return {
        "executionArn": f"{ARN}:execution:trip-kpis/ScanSegments:{name}",
        "stateMachineArn": f"{MACHINE}/ScanSegments",
        "name": name,
        "status": status,
        "startDate": ENDED,
        "stopDate": stopped_at,
        "mapRunArn": MAP_RUN,
        **other,
    }


class Answers:
    """What the API answers, in this order; each request must be the one that is expected."""

    def __init__(self, stubbed: Stubber) -> None:
        self._stubbed = stubbed

    def map_runs(self) -> None:
        map_run = {
            "executionArn": EXECUTION,
            "mapRunArn": MAP_RUN,
            "stateMachineArn": MACHINE,
            "startDate": ENDED,
        }
        self._stubbed.add_response(
            "list_map_runs", {"mapRuns": [map_run]}, {"executionArn": EXECUTION}
        )

    def map_run(self, status: str) -> None:
        answer = {
            "mapRunArn": MAP_RUN,
            "executionArn": EXECUTION,
            "status": status,
            "startDate": ENDED,
            "maxConcurrency": 1,
            "toleratedFailurePercentage": 0.0,
            "toleratedFailureCount": 0,
            "itemCounts": NONE,
            "executionCounts": NONE,
        }
        self._stubbed.add_response("describe_map_run", answer, {"mapRunArn": MAP_RUN})

    def children(self, *pages: list[dict[str, Any]]) -> None:
        for number, page in enumerate(pages):
            asked = {"mapRunArn": MAP_RUN, **({"nextToken": f"{number}"} if number else {})}
            more = {"nextToken": f"{number + 1}"} if number + 1 < len(pages) else {}
            self._stubbed.add_response("list_executions", {"executions": page, **more}, asked)

    def redriven(self) -> None:
        self._stubbed.add_response(
            "redrive_execution", {"redriveDate": LATER}, {"executionArn": EXECUTION}
        )
        for count in (0, 1):
            described = {
                "executionArn": EXECUTION,
                "stateMachineArn": MACHINE,
                "status": "RUNNING" if count else "ABORTED",
                "startDate": ENDED,
                "redriveCount": count,
            }
            self._stubbed.add_response("describe_execution", described, {"executionArn": EXECUTION})


@contextmanager
def answered() -> Iterator[tuple[Redrive, Answers]]:
    client = boto3.client(
        "stepfunctions",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubbed:
        patience = Patience(delay_seconds=0, attempts=3)
        yield Redrive(client=client, patience=patience), Answers(stubbed)
        stubbed.assert_no_pending_responses()
    client.close()


def redriven(redrive: Redrive, answers: Answers) -> None:
    """After one child had succeeded, one was stopped, and the Map Run took a while to end."""
    answers.map_runs()
    answers.map_run("RUNNING")
    answers.map_run("ABORTED")
    answers.children([child("one", "SUCCEEDED")], [child("two", "ABORTED")])
    answers.redriven()
    assert redrive(EXECUTION, "run-1") == EXECUTION


def test_an_execution_is_redriven_once_its_map_run_is_over_and_then_seen_to_be() -> None:
    with answered() as (redrive, answers):
        redriven(redrive, answers)
        assert redrive.succeeded == {child("one", "SUCCEEDED")["executionArn"]: ENDED}


def test_a_map_run_that_does_not_end_is_not_redriven() -> None:
    with answered() as (redrive, answers):
        answers.map_runs()
        for _ in range(3):
            answers.map_run("RUNNING")
        with pytest.raises(WaiterError, match="Max attempts exceeded"):
            redrive(EXECUTION, "run-1")


@pytest.mark.parametrize(
    ("one", "again"),
    [
        (child("one", "SUCCEEDED"), False),
        (child("one", "SUCCEEDED", redriveCount=0), False),
        (child("one", "SUCCEEDED", redriveCount=1), True),
        (child("one", "SUCCEEDED", LATER), True),
        (child("other", "SUCCEEDED"), True),
    ],
    ids=["untouched", "never-redriven", "redriven", "ended-later", "gone"],
)
def test_a_segment_that_had_succeeded_is_not_to_run_again(
    one: dict[str, Any], *, again: bool
) -> None:
    with answered() as (redrive, answers):
        redriven(redrive, answers)
        answers.map_runs()
        answers.children([child("two", "SUCCEEDED", LATER, redriveCount=1), one])
        assert redrive.started_again(EXECUTION) == [*redrive.succeeded] * again
