"""A cloud with the stand-in stack in it, and functions that a test makes up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.stack import DeployedStack, deploy

STAND_IN = Path(__file__).parent / "stand_in"


@dataclass(kw_only=True)
class StandIn:
    """A cloud with the stand-in stack, whose Map runs on functions of the test."""

    cloud: EmbeddedCloud
    stack: DeployedStack
    retry_waits: list[float] = field(default_factory=list)

    def start(self, items: list[Any], *, max_concurrency: int = 8, **named: Any) -> str:
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.stack.state_machine_arn,
            input=json.dumps({"items": items, "max_concurrency": max_concurrency}),
            **named,
        )
        return str(started["executionArn"])

    def end(self, execution_arn: str) -> dict[str, Any]:
        """The execution's description once it has ended; one that never does is a failed test."""
        client = self.cloud.client("stepfunctions")
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            found: dict[str, Any] = client.describe_execution(executionArn=execution_arn)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.02)
        raise AssertionError(f"still running: {execution_arn}")

    def counts(self, execution_arn: str) -> dict[str, int]:
        client = self.cloud.client("stepfunctions")
        (run,) = client.list_map_runs(executionArn=execution_arn)["mapRuns"]
        counts: dict[str, int] = client.describe_map_run(mapRunArn=run["mapRunArn"])[
            "executionCounts"
        ]
        return counts

    def run(
        self, work: Callable[[Any], Any], items: list[Any], *, max_concurrency: int = 8
    ) -> tuple[str, dict[str, Any]]:
        """Runs the Map with `work` as the function: it takes the payload, may raise LambdaError."""
        with self.cloud.lambda_tasks_run_by(as_lambda(work)):
            arn = self.start(items, max_concurrency=max_concurrency)
            return arn, self.end(arn)


class LambdaError(Exception):
    """Raised by a test's function: the errorType and the errorMessage that Lambda reports."""


def as_lambda(work: Callable[[Any], Any]) -> Any:
    def invoke(function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]:
        try:
            return json.dumps(work(json.loads(payload))).encode(), None, b""
        except LambdaError as error:
            error_type, message = error.args
            report = {"errorType": error_type, "errorMessage": message}
            return json.dumps(report).encode(), "Unhandled", b""

    return invoke


@contextmanager
def stand_in_cloud() -> Iterator[StandIn]:
    waits: list[float] = []
    with EmbeddedCloud(wait_before_retry=waits.append) as cloud:
        stack = deploy(cloud, STAND_IN / "template.yaml", "stand-in", {"TableName": "trips"})
        yield StandIn(cloud=cloud, stack=stack, retry_waits=waits)
