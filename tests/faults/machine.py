"""The state machine: the real file's states and Retry, each Task a call of the real handler."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import merge_partials
import plan_run
import scan_segment
from tests.faults.boundary import Boundary
from tests.faults.faults import Fault, Faults
from tests.faults.waiting import Invocation, KilledError, in_this_thread

_ASL = Path(__file__).parents[2] / "statemachine" / "trip_kpis.asl.json"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
HANDLERS: Mapping[str, Handler] = {
    "PlanRun": plan_run.handler,
    "ScanSegment": scan_segment.handler,
    "MergePartials": merge_partials.handler,
}
LAMBDAS_LIMIT_MS = 900_000
MOST_DELIVERIES = 3_000
"""of one execution; a segment without end would take more"""


class FailedError(Exception):
    """An invocation or an execution failed, by this name."""

    def __init__(self, error: str, said: str = "") -> None:
        super().__init__(f"{error}: {said}")
        self.error = error


class StoppedError(Exception):
    """An execution was stopped from outside: by its operator, or because it goes on and on."""


@dataclass(slots=True)
class Lambda:
    """Delivers events to the handlers."""

    boundary: Boundary
    faults: Faults
    rng: random.Random
    handlers: Mapping[str, Handler]
    before: Callable[[Invocation], None]
    """told of every invocation that begins"""
    invocations: int = 0

    def deliver(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The function's answer. Raises FailedError by the name that Step Functions would see."""
        fault = self.faults.at_delivery()
        if fault is Fault.MERGED_EARLY:
            fault = None if function != "ScanSegment" else fault
        if fault is not None:
            self.faults.happened(fault)
        if fault is Fault.TOO_MANY_REQUESTS:
            raise FailedError("Lambda.TooManyRequestsException")
        if fault is Fault.MERGED_EARLY:
            self._unheard("MergePartials", {"run_id": payload["run_id"]})
        if fault is Fault.TWICE_IN_TURN:
            self._unheard(function, payload)
        remaining_ms = self.rng.randint(1, 4_000) if fault is Fault.LITTLE_TIME else None
        try:
            return self._invoke(function, payload, remaining_ms, deadly=fault is Fault.DEADLY)
        finally:
            if fault is Fault.TWICE_IN_TURN and self.rng.random() < 0.5:
                self._unheard(function, payload)

    def again(self, worker: Invocation) -> None:
        """The worker's event to another one, whose answer nobody hears."""
        self._unheard(worker.function, worker.payload)

    def _unheard(self, function: str, payload: dict[str, Any]) -> None:
        try:
            self._invoke(function, payload, None)
        except FailedError:
            return

    def _invoke(
        self,
        function: str,
        payload: dict[str, Any],
        remaining_ms: float | None,
        *,
        deadly: bool = False,
    ) -> dict[str, Any]:
        self.invocations += 1
        invocation = Invocation(
            function=function,
            payload=json.loads(json.dumps(payload)),
            aws_request_id=f"invocation-{self.invocations}",
            remaining_ms=LAMBDAS_LIMIT_MS if remaining_ms is None else remaining_ms,
        )
        if deadly:
            invocation.remaining_ms = self.rng.randint(1, LAMBDAS_LIMIT_MS // 20)
        self.before(invocation)
        self.boundary.running.append(invocation)
        try:
            with in_this_thread(invocation):
                answer: dict[str, Any] = json.loads(
                    json.dumps(self.handlers[function](invocation.payload, invocation))
                )
        except KilledError as killed:
            raise FailedError(killed.error) from None
        except Exception as error:
            raise FailedError(type(error).__name__, str(error)) from error
        finally:
            self.boundary.running.pop()
        if invocation.died_of:
            raise FailedError(invocation.died_of)
        if answer.get("parts"):
            self._successor_got_on(function, payload)
        return answer

    def _successor_got_on(self, function: str, payload: dict[str, Any]) -> None:
        if self.rng.random() < 0.7:
            self.boundary.let_through(
                lambda late: late.function == function and late.payload == payload
            )


@dataclass(slots=True)
class StateMachine:
    """Executions of the state machine."""

    functions: Lambda
    rng: random.Random
    stop_after: int = MOST_DELIVERIES
    _deliveries: int = 0

    def execute(self, name: str, execution_input: dict[str, Any]) -> dict[str, Any]:
        """The output. Raises FailedError by the name of the error that failed the execution, or
        StoppedError."""
        planned = self._whole("PlanRun", {"execution_name": name, "input": execution_input})
        run_id = planned["run_id"]
        waiting = [self._segment(run_id, number) for number in planned["segments"]]
        under_way: list[Iterator[None]] = []
        while waiting or under_way:
            while waiting and len(under_way) < planned["max_concurrency"]:
                under_way.append(waiting.pop(0))
            chosen = self.rng.choice(under_way)
            try:
                next(chosen)
            except StopIteration:
                under_way.remove(chosen)
        return self._whole("MergePartials", {"run_id": run_id})

    def _segment(self, run_id: str, number: int) -> Iterator[None]:
        """A child of the Map, one delivery at a time."""
        payload = {"run_id": run_id, "segment": number}
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
        """Delivers until there is an answer or Retry is at its end."""
        failures: Counter[int] = Counter()
        while True:
            self._deliveries += 1
            if self._deliveries > self.stop_after:
                raise StoppedError(f"{state} {payload} after {self.stop_after} deliveries")
            try:
                answer |= self.functions.deliver(state, payload)
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
    """The first one for this error: its number, its MaxAttempts."""
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
