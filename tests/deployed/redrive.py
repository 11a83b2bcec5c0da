"""Going on with a broken-off execution by Redrive, and which of its segments were started again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.deployed.waiting import MAP_RUN_OVER, REDRIVEN, Patience


@dataclass(slots=True, kw_only=True)
class Redrive:
    """The console's button, for an execution that was never redriven. Remembers which segments'
    executions had succeeded before."""

    client: Any
    patience: Patience
    succeeded: Mapping[str, datetime] = field(default_factory=dict)
    """when each of their executions ended"""

    def __call__(self, execution: str, _run_id: str) -> str:
        """The ARN stays the same.

        A Map Run goes on cancelling its children for a while after its execution was stopped, and
        is redriven only after that.
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
        """
        map_run = self._map_run(execution)
        MAP_RUN_OVER.wait(self.client, self.patience, mapRunArn=map_run)
        self.succeeded = {
            child["executionArn"]: child["stopDate"]
            for child in self._children(map_run)
            if child["status"] == "SUCCEEDED"
        }
        self.client.redrive_execution(executionArn=execution)
        REDRIVEN.wait(self.client, self.patience, executionArn=execution)
        return execution

    def started_again(self, execution: str) -> list[str]:
        """The executions among those that had succeeded that have run again since, or are gone."""
        children = {
            child["executionArn"]: child for child in self._children(self._map_run(execution))
        }
        return sorted(
            arn
            for arn, stopped_at in self.succeeded.items()
            if arn not in children
            or children[arn].get("redriveCount", 0)
            or children[arn]["stopDate"] != stopped_at
        )

    def _map_run(self, execution: str) -> str:
        (map_run,) = self.client.list_map_runs(executionArn=execution)["mapRuns"]
        return str(map_run["mapRunArn"])

    def _children(self, map_run: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_executions").paginate(mapRunArn=map_run)
        return [child for page in pages for child in page["executions"]]
