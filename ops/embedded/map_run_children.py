"""The children of a Map Run, as Step Functions lists and describes them."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import ResourceNotFound
from moto.stepfunctions.responses import StepFunctionResponse

from ops.embedded.patching import replaced


@dataclass(slots=True, kw_only=True)
class Child:
    """The child execution for one item: its input, and its status."""

    name: str
    input: Any
    started_at: datetime
    status: str = "RUNNING"
    stopped_at: datetime | None = None
    error: str = ""
    cause: str = ""

    def end(self, status: str, error: str = "", cause: str = "") -> None:
        self.status, self.error, self.cause = status, error, cause
        self.stopped_at = datetime.now(UTC)


@dataclass(slots=True)
class Children:
    """The children of one Map Run, in the order in which they began. Safe to use from any
    thread."""

    _begun: list[Child] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, child_input: Any) -> Child:
        child = Child(name=str(uuid.uuid4()), input=child_input, started_at=datetime.now(UTC))
        with self._lock:
            self._begun.append(child)
        return child

    def abort_the_rest(self) -> None:
        for child in self:
            if child.status == "RUNNING":
                child.end("ABORTED")

    def __iter__(self) -> Iterator[Child]:
        with self._lock:
            return iter(list(self._begun))


@contextmanager
def children_are_listed() -> Iterator[None]:
    """ListExecutions of a Map Run and DescribeExecution of a child: moto knows neither, and answers
    with an error 500. In AWS they are how one finds out which child failed, and why.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    """
    list_executions: Any = StepFunctionResponse.list_executions
    describe_execution: Any = StepFunctionResponse.describe_execution

    def list_children_too(self: Any) -> Any:
        arn = self._get_param("mapRunArn")
        if not arn:
            return list_executions(self)
        for run in _map_runs(self.stepfunction_backend):
            if run.map_run_arn == arn:
                found = _listed(run, self._get_param("statusFilter"))
                return ActionResult({"executions": found})
        raise ResourceNotFound(arn)

    def describe_child_too(self: Any) -> Any:
        for run in _map_runs(self.stepfunction_backend):
            if child := _described(run, self._get_param("executionArn")):
                return ActionResult(child)
        return describe_execution(self)

    with (
        replaced(StepFunctionResponse, "list_executions", list_children_too),
        replaced(StepFunctionResponse, "describe_execution", describe_child_too),
    ):
        yield


def _map_runs(backend: Any) -> Iterator[Any]:
    for machine in backend.state_machines:
        for execution in machine.executions:
            yield from execution.exec_worker.env.map_run_record_pool_manager.get_all()


def _listed(map_run: Any, status: str | None) -> list[dict[str, Any]]:
    """Returns the answer of ListExecutions for a Map Run: the newest child first.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    """
    children = [child for child in _of(map_run) if status in (None, child.status)]
    return [_item(map_run, child) for child in reversed(children)]


def _described(map_run: Any, arn: str) -> dict[str, Any] | None:
    """Returns the answer of DescribeExecution for a child of the Map Run; None if it has no such
    child."""
    for child in _of(map_run):
        if _arn(map_run, child) == arn:
            failure = {"error": child.error, "cause": child.cause} if child.error else {}
            return {**_item(map_run, child), "input": json.dumps(child.input), **failure}
    return None


def _of(map_run: Any) -> list[Child]:
    return list(getattr(map_run, "children", ()))


def _item(map_run: Any, child: Child) -> dict[str, Any]:
    return {
        "executionArn": _arn(map_run, child),
        "stateMachineArn": map_run.map_state_machine_arn,
        "mapRunArn": map_run.map_run_arn,
        "name": child.name,
        "status": child.status,
        "startDate": child.started_at,
        **({"stopDate": child.stopped_at} if child.stopped_at else {}),
    }


def _arn(map_run: Any, child: Child) -> str:
    """``…:execution:machine/label:name``"""
    of_map_run: str = map_run.map_state_machine_arn.replace(":stateMachine:", ":execution:")
    return f"{of_map_run}:{child.name}"
