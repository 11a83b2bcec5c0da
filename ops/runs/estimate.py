"""Gets an estimate from an execution of the state machine, in AWS or on this machine."""

import json
import time
from collections.abc import Mapping
from typing import Any

from ops.runs.errors import ResultsError
from ops.runs.execution import RUNNING, SUCCEEDED, new_execution_name, readable_cause

SHOWN = (
    *("census", "advice", "table", "table_bytes", "item_count", "read_units", "cost_usd"),
    *("minutes", "segments", "max_concurrency", "limited_by", "lambda_limit"),
    *("parts", "merge_seconds", "checkpoint_seconds", "source", "sources"),
)
"""the fields that an estimate must have to be shown"""
_POLL_SECONDS = 0.5


def estimate_by_execution(
    client: Any, state_machine_arn: str, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Starts the execution and returns its estimate; `client` is of Step Functions. Raises as
    `reported_by` does, and botocore's errors."""
    arn = client.start_execution(
        stateMachineArn=state_machine_arn,
        name=new_execution_name("estimate"),
        input=json.dumps({**asked, "estimate_only": True}),
    )["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == RUNNING:
        time.sleep(_POLL_SECONDS)
    return reported_by(execution)


def reported_by(execution: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the answer of an execution that has ended, as DescribeExecution shows it.

    Raises ResultsError for one that failed, or that is of a version whose estimate cannot be shown.
    """
    if execution["status"] != SUCCEEDED:
        raise ResultsError(
            f"the estimate failed (execution {execution['name']}): {execution.get('error')}: "
            f"{readable_cause(execution.get('cause'))}"
        )
    estimate: dict[str, Any] = json.loads(execution["output"])
    if missing := [field for field in SHOWN if field not in estimate]:
        raise ResultsError(
            f"the stack is of an earlier version, whose estimate has no {', '.join(missing)}: "
            "deploy this one (`sam build && sam deploy`), or read the table with your own "
            "credentials: --table NAME"
        )
    return estimate
