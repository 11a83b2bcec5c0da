"""One run in the embedded cloud, from trips to KPIs, and what it came to."""

import json
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.bucket_tree import mirror
from ops.embedded.distributed_map import FailedChild
from ops.embedded.lambda_service import FinishedInvocation
from ops.follow import Follower
from ops.local_stack import LocalStack, Where, local_stack
from ops.trip_files import Trips

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended."""

    run_id: str
    status: str
    """as Step Functions names it: SUCCEEDED, FAILED, TIMED_OUT, ABORTED"""
    output: dict[str, Any] | None
    """the state machine's: the run's summary"""
    error: str | None
    cause: str | None
    failed_segments: tuple[FailedChild, ...]

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    def to_json(self) -> dict[str, Any]:
        """The summary with the status, or what went wrong."""
        document = {"run_id": self.run_id, "status": self.status, **(self.output or {})}
        if not self.succeeded:
            document |= {
                "error": self.error,
                "cause": self.cause,
                "failed_segments": [
                    {"input": child.input, "error": child.error, "cause": child.cause}
                    for child in self.failed_segments
                ],
            }
        return document


def run(
    trips: Trips,
    *,
    out: Path,
    execution_input: Mapping[str, Any],
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
) -> Outcome:
    """Runs the state machine over `trips` and leaves in `out` what the bucket then holds.

    Raises EmbeddedCloudError or TripFileError for what keeps it from running; a run that fails is
    an Outcome.
    """
    watch = _Watch(follower)
    follower.begin("Loading the table", trips=len(trips.items))
    with local_stack(
        trips,
        where=where,
        parameters=parameters,
        on_loaded=follower.advance,
        on_invocation=watch.told,
    ) as local:
        follower.begin("Scanning segments", trips=len(trips.items))
        outcome = execute(local, execution_input, name=new_run_id())
        mirror(local.cloud.client("s3"), local.stack.bucket_name, out)
        shutil.copytree(local.log_directory, out / "logs", dirs_exist_ok=True)
    return outcome


def new_run_id() -> str:
    """A name for an execution that says when it began."""
    return time.strftime("run-%Y%m%dT%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]


def execute(local: LocalStack, execution_input: Mapping[str, Any], *, name: str) -> Outcome:
    """Executes the state machine under this name and waits for its end."""
    client = local.cloud.client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=local.stack.state_machine_arn,
        name=name,
        input=json.dumps(dict(execution_input)),
    )["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(_POLL_SECONDS)
    output = execution.get("output")
    return Outcome(
        run_id=execution_input.get("run_id", name),
        status=execution["status"],
        output=json.loads(output) if output else None,
        error=execution.get("error"),
        cause=execution.get("cause"),
        failed_segments=local.cloud.failed_children(arn),
    )


class _Watch:
    """Turns finished invocations into progress. Told from several threads, one at a time each."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._segments = 0
        self._finished: set[int] = set()

    def told(self, invocation: FinishedInvocation) -> None:
        if invocation.outcome.failed:
            return
        answer = invocation.response
        if invocation.logical_id == "PlanRunFunction":
            self._segments = len(answer["segments"])
        elif invocation.logical_id == "ScanSegmentFunction":
            if answer["finished"]:
                self._finished.add(answer["segment"])
            self._follower.advance(
                answer["scanned"], f"{len(self._finished)} of {self._segments} segments"
            )
