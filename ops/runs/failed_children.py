"""Which segments of an execution failed, and why."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

_AT_MOST = 20
"""one failed segment ends the Map, so there are hardly ever more than were running"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedChild:
    """A segment's own execution that failed: the run's says only that one has."""

    input: Any
    """``{"run_id", "segment"}``"""
    error: str
    cause: str

    @property
    def segment(self) -> Any:
        """Its number; None where the input names none."""
        return self.input.get("segment") if isinstance(self.input, dict) else None


def failed_children(client: Any, execution_arn: str) -> tuple[FailedChild, ...]:
    """The first of them; none of an execution that has not come to its Map.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    return tuple(
        FailedChild(
            input=json.loads(child["input"]),
            error=child.get("error", ""),
            cause=child.get("cause", ""),
        )
        for child in islice(_failed(client, execution_arn), _AT_MOST)
    )


def _failed(client: Any, execution_arn: str) -> Iterator[dict[str, Any]]:
    runs = client.get_paginator("list_map_runs").paginate(executionArn=execution_arn)
    for run in (run for page in runs for run in page["mapRuns"]):
        children = client.get_paginator("list_executions")
        for page in children.paginate(mapRunArn=run["mapRunArn"], statusFilter="FAILED"):
            for child in page["executions"]:
                yield client.describe_execution(executionArn=child["executionArn"])
