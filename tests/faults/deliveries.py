"""The Lambda service: delivers an event to a handler, and names the result."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import merge_partials
import plan_run
import scan_segment
from tests.faults.boundary import Boundary
from tests.faults.faults import Fault, Faults
from tests.faults.waiting import Clock, Invocation, KilledError, in_this_thread

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
HANDLERS: Mapping[str, Handler] = {
    "PlanRun": plan_run.handler,
    "ScanSegment": scan_segment.handler,
    "MergePartials": merge_partials.handler,
}
LAMBDAS_LIMIT_MS = 900_000


class FailedError(Exception):
    """An invocation or an execution failed, by this name."""

    def __init__(self, error: str, said: str = "") -> None:
        super().__init__(f"{error}: {said}")
        self.error = error


@dataclass(slots=True)
class Lambda:
    """Delivers events to the handlers."""

    boundary: Boundary
    faults: Faults
    rng: random.Random
    handlers: Mapping[str, Handler]
    before: Callable[[Invocation], None]
    """reported of every invocation that begins"""
    clock: Clock
    invocations: int = 0

    def deliver(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Returns the function's answer. Raises FailedError by the name that Step Functions would
        see."""
        fault = self.faults.at_delivery()
        if fault is Fault.MERGED_EARLY:
            fault = None if function != "ScanSegment" else fault
        if fault is not None:
            self.faults.happened(fault)
        if fault is Fault.TOO_MANY_REQUESTS:
            raise FailedError("Lambda.TooManyRequestsException")
        if fault is Fault.MERGED_EARLY:
            of_run = {name: payload[name] for name in ("run_id", "plan_sha256")}
            self._unheard("MergePartials", {**of_run, "empty_table_confirmed": False})
        if fault is Fault.TWICE_IN_TURN:
            self._unheard(function, payload)
        remaining_ms = self.rng.randint(1, 4_000) if fault is Fault.LITTLE_TIME else None
        try:
            return self._invoke(function, payload, remaining_ms, deadly=fault is Fault.DEADLY)
        finally:
            if fault is Fault.TWICE_IN_TURN and self.rng.random() < 0.5:
                self._unheard(function, payload)

    def wait(self, ms: float) -> None:
        """Lets time pass between two deliveries."""
        self.clock.spend(ms)
        self._meanwhile(timedelta(milliseconds=ms))

    def again(self, worker: Invocation) -> None:
        """Delivers the worker's event to another worker, whose answer nobody receives."""
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
            clock=self.clock,
        )
        began_at = self.clock.at
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
            self._meanwhile(self.clock.at - began_at)
        if invocation.died_of:
            raise FailedError(invocation.died_of)
        if answer.get("parts"):
            self._successor_got_on(function, payload)
        return answer

    def _meanwhile(self, took: timedelta) -> None:
        """A merge during which another invocation ran has as much less time left: its lease says
        when it ends by the clock of all."""
        for worker in self.boundary.running:
            if worker.function == "MergePartials":
                worker.remaining_ms -= took / timedelta(milliseconds=1)

    def _successor_got_on(self, function: str, payload: dict[str, Any]) -> None:
        if self.rng.random() < 0.7:
            self.boundary.let_through(
                lambda late: late.worker.function == function and late.worker.payload == payload
            )
