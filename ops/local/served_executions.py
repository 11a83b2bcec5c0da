"""Reports the executions of a running stack that have started or ended since the last call."""

from dataclasses import replace
from typing import Any

from ops.runs.execution import RUNNING, Execution


class ServedExecutions:
    """Remembers what it has reported. `client` is of Step Functions."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn
        self._statuses: dict[str, str] = {}
        """the last reported executions, by ARN"""

    def changed(self) -> list[Execution]:
        """Returns the executions that have started since the last call, as RUNNING, and those that
        have ended, as they are now; an execution that did both is returned twice."""
        found: list[Execution] = []
        pages = self._client.get_paginator("list_executions")
        listed = [
            one
            for page in pages.paginate(stateMachineArn=self._state_machine_arn)
            for one in page["executions"]
        ]
        for arn in (one["executionArn"] for one in reversed(listed)):
            before = self._statuses.get(arn)
            if before not in (None, RUNNING):
                continue
            described = self._client.describe_execution(executionArn=arn)
            execution = Execution.from_description(described)
            if before is None:
                found.append(replace(execution, status=RUNNING))
            if execution.status != RUNNING:
                found.append(execution)
            self._statuses[arn] = execution.status or ""
        return found
