"""The state machine: the states and the Retry of the real file; each Task calls the real
handler."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.deliveries import FailedError, Lambda
from tests.faults.exports import Export
from tests.faults.faults import Fault

_ASL = Path(__file__).parents[2] / "statemachine" / "trip_kpis.asl.json"

MOST_DELIVERIES = 3_000
"""of one execution; a segment without end would take more"""


class StoppedError(Exception):
    """An execution was stopped from outside: by its operator, or because it does not end."""


FUNCTIONS = {"PlanExport": "PlanRun"}
"""that states call which have another name"""
_ERRORS_OF_DYNAMODB = {
    Fault.THROTTLING: "DynamoDb.ThrottlingException",
    Fault.ERROR_500: "DynamoDb.InternalServerErrorException",
    Fault.ANSWER_LOST: "DynamoDb.SdkClientException",
}
"""as Step Functions calls them"""
_WAIT_MS = 300_000


@dataclass(slots=True, kw_only=True)
class Execution:
    """The progress of an execution: a redrive continues there."""

    name: str
    input: dict[str, Any]
    state: dict[str, Any] | None = None
    """PlanRun's output, and what the states after it have made of it"""
    finished: set[int] = field(default_factory=set)
    """segments"""


@dataclass(slots=True)
class StateMachine:
    """Executions of the state machine."""

    functions: Lambda
    rng: random.Random
    start_export: Callable[[Mapping[str, Any]], Export]
    """what DynamoDB does when it is asked to, by PlanRun's answer"""
    export_of: Callable[[str], Export]
    """by its ARN"""
    stop_after: int = MOST_DELIVERIES
    _deliveries: int = 0

    def execute(self, execution: Execution) -> dict[str, Any]:
        """Executes the state machine and returns the output. Raises FailedError by the name of the
        error that failed the execution, or StoppedError."""
        if execution.state is None:
            event = {"execution_name": execution.name, "input": execution.input}
            execution.state = self._whole("PlanRun", event)
        if execution.state["source"].get("step", "scan") != "scan":
            self._export(execution)
        planned = execution.state
        of_run = {name: planned[name] for name in ("run_id", "plan_sha256")}
        waiting = [
            (number, self._segment(of_run, number))
            for number in planned["segments"]
            if number not in execution.finished
        ]
        under_way: list[tuple[int, Iterator[None]]] = []
        while waiting or under_way:
            while waiting and len(under_way) < planned["max_concurrency"]:
                under_way.append(waiting.pop(0))
            chosen = self.rng.choice(under_way)
            try:
                next(chosen[1])
            except StopIteration:
                under_way.remove(chosen)
                execution.finished.add(chosen[0])
        confirmed = {"empty_table_confirmed": planned["empty_table_confirmed"]}
        return self._whole("MergePartials", of_run | confirmed)

    def _export(self, execution: Execution) -> None:
        """From SourceChoice to PlanExport."""
        assert execution.state is not None
        source = execution.state["source"]
        if source["step"].startswith("start"):
            export = self._of_dynamodb("StartExport", lambda: self.start_export(source))
            source = execution.state["source"] = {"step": "describe", "arn": export.arn}
        if source["step"] == "describe":
            export = self._of_dynamodb("DescribeExport", lambda: self.export_of(source["arn"]))
            while export.in_progress:
                export.in_progress -= 1
                self.functions.wait(_WAIT_MS)
                self._of_dynamodb("DescribeExport", lambda: self.export_of(source["arn"]))
        of_run = ("run_id", "plan_sha256", "max_concurrency", "empty_table_confirmed")
        event = {name: execution.state[name] for name in of_run} | {"export_arn": source["arn"]}
        execution.state = self._whole("PlanExport", event)

    def _of_dynamodb(self, state: str, call: Callable[[], Export]) -> Export:
        """Makes a call of a state to DynamoDB."""
        failures: Counter[int] = Counter()
        while True:
            self._count_delivery(state)
            fault = self.functions.faults.at_service_call()
            if fault is None:
                return call()
            self.functions.faults.happened(fault)
            if fault is Fault.ANSWER_LOST:
                call()
            error = _ERRORS_OF_DYNAMODB[fault]
            retrier = _retrier(state, error)
            if retrier is None or failures[retrier[0]] == retrier[1]:
                raise FailedError(error)
            failures[retrier[0]] += 1

    def _count_delivery(self, what: str) -> None:
        self._deliveries += 1
        if self._deliveries > self.stop_after:
            raise StoppedError(f"{what} after {self.stop_after} deliveries")

    def _segment(self, of_run: dict[str, Any], number: int) -> Iterator[None]:
        """Runs a child of the Map, one delivery at a time."""
        payload = {**of_run, "segment": number}
        while True:
            answer: dict[str, Any] = {}
            yield from self._task("ScanSegment", payload, answer)
            if answer["finished"]:
                return
            if "position" in answer:  # only of a worker that is broken on purpose
                payload = {**payload, "position": answer["position"]}

    def _whole(self, state: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for _ in self._task(state, payload, answer):
            pass
        return answer

    def _task(self, state: str, payload: dict[str, Any], answer: dict[str, Any]) -> Iterator[None]:
        """Delivers until there is an answer or no Retry is left."""
        failures: Counter[int] = Counter()
        while True:
            self._count_delivery(f"{state} {payload}")
            try:
                answer |= self.functions.deliver(FUNCTIONS.get(state, state), payload)
            except FailedError as failed:
                retrier = _retrier(state, failed.error)
                if retrier is None or failures[retrier[0]] == retrier[1]:
                    raise
                failures[retrier[0]] += 1
                yield
            else:
                yield
                return


def _retrier(state: str, error: str) -> tuple[int, int] | None:
    """Returns the first retrier for this error: its number, its MaxAttempts."""
    for number, (errors, most) in enumerate(_retriers()[state]):
        if error in errors:
            return number, most
    return None


@cache
def _retriers() -> dict[str, list[tuple[set[str], int]]]:
    states = json.loads(_ASL.read_text())["States"]
    states |= states["ScanSegments"]["ItemProcessor"]["States"]
    return {
        name: [(set(one["ErrorEquals"]), one["MaxAttempts"]) for one in state["Retry"]]
        for name, state in states.items()
        if state["Type"] == "Task"
    }
