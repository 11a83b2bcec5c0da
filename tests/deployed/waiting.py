"""Waiting for Step Functions, never longer than given: botocore's waiters, for states of its API
that it brings none for.

The answers of the API may be late: an execution that was just started may not be there yet.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

from dataclasses import dataclass
from typing import Any

from botocore.waiter import WaiterModel, create_waiter_with_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a question is asked, and how many times at the most."""

    delay_seconds: float
    attempts: int

    @property
    def for_exports(self) -> "Patience":
        """Six times as long."""
        return Patience(delay_seconds=self.delay_seconds, attempts=6 * self.attempts)

    @property
    def for_waiters(self) -> dict[str, Any]:
        """As the waiters that botocore brings along take it."""
        return {"Delay": self.delay_seconds, "MaxAttempts": self.attempts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A state that an answer of the API shows. Both conditions are JMESPath over the answer."""

    operation: str
    reached: str
    out_of_reach: str | None = None
    """it will not be reached any more"""

    def wait(self, client: Any, patience: Patience, **asked: str) -> None:
        """Raises botocore's WaiterError if it is out of reach or patience is at its end."""
        states = {"success": self.reached, "failure": self.out_of_reach}
        waiter = {
            "operation": self.operation,
            "delay": patience.delay_seconds,
            "maxAttempts": patience.attempts,
            "acceptors": [
                {"state": "retry", "matcher": "error", "expected": "ExecutionDoesNotExist"},
                *(
                    {"state": state, "matcher": "path", "argument": path, "expected": True}
                    for state, path in states.items()
                    if path
                ),
            ],
        }
        name = f"{self.operation}: {self.reached}"
        model = WaiterModel({"version": 2, "waiters": {name: waiter}})
        create_waiter_with_client(name, model, client).wait(**asked)


EXECUTION_ENDED = Awaited(operation="DescribeExecution", reached="status != 'RUNNING'")
MAP_RUN_BEGUN = Awaited(
    operation="GetExecutionHistory",
    reached="length(events[?type == 'MapRunStarted']) > `0`",
    out_of_reach="length(events[?starts_with(type, 'Execution')]) > `1`",
)
A_SEGMENT_DONE = Awaited(
    operation="DescribeMapRun",
    reached="executionCounts.succeeded > `0`",
    out_of_reach="status != 'RUNNING'",
)
REDRIVEN = Awaited(operation="DescribeExecution", reached="redriveCount > `0`")
MAP_RUN_OVER = Awaited(operation="DescribeMapRun", reached="status != 'RUNNING'")
