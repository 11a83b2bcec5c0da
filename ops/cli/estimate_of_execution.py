"""An estimate by an execution of the state machine, wherever that is."""

import json
import time
from collections.abc import Mapping
from typing import Any

from ops.cli.estimate_screen import SHOWN
from ops.cli.screens import readable_cause
from ops.local.local_stack import Where, local_stack
from ops.local.run import new_execution_name
from ops.local.trip_files import Trips
from ops.stack.account import AccountError, asking_aws
from ops.stack.stack import Stack

_POLL_SECONDS = 0.5


def of_stack(stack: Stack, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A deployed stack's. Raises AccountError."""
    with asking_aws(f"for an estimate of the stack {stack.name}"):
        return _executed(stack.client("stepfunctions"), stack.state_machine_arn, asked)


def of_trips(
    trips: Trips,
    *,
    parameters: Mapping[str, str],
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """That of a stack in an embedded AWS, over a table of these trips.

    Raises EmbeddedCloudError, TripFileError, or AccountError where the estimate fails.
    """
    with local_stack(
        trips,
        where=Where(),
        parameters=parameters,
        on_loaded=lambda _: None,
    ) as local:
        client = local.cloud.client("stepfunctions")
        return _executed(client, local.stack.state_machine_arn, asked)


def reported_by(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of an execution that has ended, as DescribeExecution shows it.

    Raises AccountError for one that failed, or that is of a version whose estimate cannot be shown.
    """
    if execution["status"] != "SUCCEEDED":
        raise AccountError(
            f"the estimate failed (execution {execution['name']}): {execution.get('error')}: "
            f"{readable_cause(execution.get('cause'))}"
        )
    estimate: dict[str, Any] = json.loads(execution["output"])
    if missing := [field for field in SHOWN if field not in estimate]:
        raise AccountError(
            f"the stack is of an earlier version, whose estimate has no {', '.join(missing)}: "
            "deploy this one (`sam build && sam deploy`), or read the table with your own "
            "credentials: --table NAME"
        )
    return estimate


def _executed(client: Any, state_machine_arn: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    arn = client.start_execution(
        stateMachineArn=state_machine_arn,
        name=new_execution_name("estimate"),
        input=json.dumps({**asked, "estimate_only": True}),
    )["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(_POLL_SECONDS)
    return reported_by(execution)
