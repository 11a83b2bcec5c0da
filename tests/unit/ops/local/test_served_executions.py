"""What is reported of the executions of a stack that is kept up."""

from datetime import UTC, datetime
from typing import Any

from ops.local.served_executions import ServedExecutions

NOW = datetime(2024, 6, 1, tzinfo=UTC)


class StepFunctions:
    """A client that lists executions, the newest first."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    def get_paginator(self, operation: str) -> "StepFunctions":
        assert operation == "list_executions"
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        return [{"executions": [{"executionArn": name} for name in reversed(self.statuses)]}]

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        return {
            "executionArn": executionArn,
            "name": executionArn,
            "status": self.statuses[executionArn],
            "startDate": NOW,
        }


def test_a_start_and_an_end_are_reported_once_each() -> None:
    client = StepFunctions()
    executions = ServedExecutions(client, "machine")

    def changed() -> list[tuple[str, str | None]]:
        return [(one.name, one.status) for one in executions.changed()]

    assert changed() == []
    client.statuses["run-1"] = "RUNNING"
    assert changed() == [("run-1", "RUNNING")]
    assert changed() == []
    client.statuses |= {"run-1": "FAILED", "run-2": "RUNNING"}
    assert changed() == [("run-1", "FAILED"), ("run-2", "RUNNING")]
    assert changed() == []


def test_one_that_was_never_seen_running_is_reported_as_both() -> None:
    client = StepFunctions()
    client.statuses["run-1"] = "SUCCEEDED"
    executions = ServedExecutions(client, "machine")
    assert [one.status for one in executions.changed()] == ["RUNNING", "SUCCEEDED"]
    assert executions.changed() == []
